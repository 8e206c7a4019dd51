"""Keypad codes (docs/codes.md): those derived from the lock's seed, and the rule for those that people pick."""

from itertools import pairwise

from .codec import hmac, u
from .keys import LockKeys

CONTRACTOR_DIGITS, ONE_DAY_DIGITS = 7, 8


def truncated(mac: bytes, digits: int) -> str:
    """RFC 4226's dynamic truncation, on SHA-256."""
    at = mac[-1] & 0x0F
    number = int.from_bytes(mac[at : at + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**digits).zfill(digits)


def contractor(keys: LockKeys, slot: int, slot_generation: int) -> str:
    """The code of one of the three slots, at the slot's own generation."""
    return truncated(hmac(keys.of("contractor"), u(slot, 1) + u(slot_generation, 2)), CONTRACTOR_DIGITS)


def one_day(keys: LockKeys, day: int, index: int) -> str:
    """One of a local day's four codes; days count from 1970-01-01."""
    return truncated(hmac(keys.of("oneday"), u(day, 4) + u(index, 1)), ONE_DAY_DIGITS)


def picked_refusal(code: str, lengths: list[int]) -> str | None:
    """The rule that refuses a code somebody picked, or None."""
    if not all(digit in "0123456789" for digit in code):
        return "NotDigits"
    if len(code) not in lengths:
        return "WrongLength"
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(code)}
    if steps == {0}:
        return "OneDigitRepeated"
    # Up or down by one each time; 9 and 0 are neighbours.
    return "ConsecutiveRun" if steps in ({1}, {9}) else None
