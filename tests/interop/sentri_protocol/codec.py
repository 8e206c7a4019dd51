"""Bytes in and out: big-endian integers, strict reading, HMAC (section 1)."""

import hashlib
import hmac as _hmac


class Malformed(ValueError):
    """A length, version, flag or value that the format does not name."""


class NotAuthentic(ValueError):
    """A MAC, tag or signature does not fit."""


def u(value: int, width: int) -> bytes:
    """`value` as an unsigned big-endian integer of `width` bytes."""
    try:
        return value.to_bytes(width, "big")
    except OverflowError as error:
        raise Malformed(f"{value} does not fit in {width} bytes") from error


def i(value: int, width: int) -> bytes:
    """`value` in two's complement, big-endian, `width` bytes."""
    try:
        return value.to_bytes(width, "big", signed=True)
    except OverflowError as error:
        raise Malformed(f"{value} does not fit in {width} signed bytes") from error


def lp(value: bytes) -> bytes:
    """One byte with the length of `value`, then `value`."""
    return u(len(value), 1) + value


def hmac(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA256 (RFC 2104)."""
    return _hmac.new(key, message, hashlib.sha256).digest()


def check_mac(expected: bytes, found: bytes) -> None:
    """Compares in constant time."""
    if not _hmac.compare_digest(expected, found):
        raise NotAuthentic("the MAC does not fit")


def xor(left: bytes, right: bytes) -> bytes:
    """Byte by byte; both of one length."""
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


class Reader:
    """Takes fields from the front of a message and insists on reading all of it."""

    def __init__(self, data: bytes):
        self.data = bytes(data)
        self.at = 0

    def take(self, count: int) -> bytes:
        end = self.at + count
        if end > len(self.data):
            raise Malformed(f"too short: {len(self.data)} bytes, at least {end} expected")
        part = self.data[self.at : end]
        self.at = end
        return part

    def u(self, width: int) -> int:
        return int.from_bytes(self.take(width), "big")

    def i(self, width: int) -> int:
        return int.from_bytes(self.take(width), "big", signed=True)

    def rest(self) -> bytes:
        return self.take(len(self.data) - self.at)

    def end(self) -> None:
        if self.at != len(self.data):
            raise Malformed(f"{len(self.data) - self.at} bytes too many")


def require(condition: bool, what: str) -> None:
    """Raises `Malformed` naming `what` unless `condition` holds."""
    if not condition:
        raise Malformed(what)
