"""Codes and blocks on their way to a lock (section 7)."""

from . import stored
from .keys import derive, hmac, u

FORMAT, TAG_BYTES, HEAD_BYTES, MOST_ORDERS = 1, 16, 9, 16
TAKE_OUT, RESIDENT, GUEST, PROGRAMMING, BLOCK = range(5)
WORDS = {"resident": RESIDENT, "guest": GUEST}


def order(said: dict) -> bytes:
    """An order from the words of the vectors."""
    match said["order"]:
        case "take out":
            return u(TAKE_OUT, 1) + u(said["place"], 1)
        case "programming":
            return u(PROGRAMMING, 1) + stored.encode(said["code"])
        case "block":
            return u(BLOCK, 1) + u(int(said["pin"]), 5)
        case holder:
            code = stored.encode(said["code"]) + bytes.fromhex(said["validity"])
            return u(WORDS[holder], 1) + u(said["place"], 1) + code


def stream(seed: bytes, generation: int, tag: bytes, length: int) -> bytes:
    key = derive(seed, "codes", generation, b"enc")
    blocks = (hmac(key, tag + u(index, 4)) for index in range(length // 32 + 1))
    return b"".join(blocks)[:length]


def xor(a: bytes, b: bytes) -> bytes:
    return bytes(x ^ y for x, y in zip(a, b, strict=True))


def tag_of(seed: bytes, generation: int, head: bytes, orders: bytes) -> bytes:
    return hmac(derive(seed, "codes", generation, b"mac"), head + orders)[:TAG_BYTES]


def seal(seed: bytes, generation: int, since: int, version: int, orders: list[bytes]) -> bytes:
    if not 1 <= len(orders) <= MOST_ORDERS or since >= version:
        raise ValueError("no delivery")
    head, plain = u(FORMAT, 1) + u(since, 4) + u(version, 4), b"".join(orders)
    tag = tag_of(seed, generation, head, plain)
    return head + tag + xor(plain, stream(seed, generation, tag, len(plain)))


def open_orders(seed: bytes, generation: int, sealed: bytes) -> bytes | None:
    """The orders, where the delivery is authentic."""
    head, tag = sealed[:HEAD_BYTES], sealed[HEAD_BYTES : HEAD_BYTES + TAG_BYTES]
    hidden = sealed[HEAD_BYTES + TAG_BYTES :]
    plain = xor(hidden, stream(seed, generation, tag, len(hidden)))
    return plain if tag_of(seed, generation, head, plain) == tag else None
