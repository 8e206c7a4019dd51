"""Codes in the lock's table (section 7)."""

from collections.abc import Iterable

from .wall import Zone, holds, schedule_covers

PERMANENT, TEMPORARY, RECURRING, DELIVERY = range(4)


def picked_refusal(code: str, lengths: list[int]) -> str | None:
    """The first rule that refuses a picked code."""
    if any(digit not in "0123456789" for digit in code):
        return "NotDigits"
    if len(code) not in lengths:
        return "WrongLength"
    return easy(code)


def easy(code: str) -> str | None:
    """One digit repeated, or a run across 9 and 0 too."""
    steps = {(int(b) - int(a)) % 10 for a, b in zip(code, code[1:], strict=False)}
    if steps == {0}:
        return "OneDigitRepeated"
    return "ConsecutiveRun" if steps in ({1}, {9}) else None


def generate(digits: int, random: Iterable[int]) -> str | None:
    """The first code that these 32-bit numbers give."""
    codes, most = 10**digits, 2**32 - 1
    for word in random:
        code = str(word % codes).zfill(digits)
        if word < most - most % codes and easy(code) is None:
            return code
    return None


def encode(code: str) -> bytes:
    return bytes.fromhex(code.ljust(8, "f"))


def works(validity: bytes, zone: Zone, now: int | None, tolerance: int) -> bool:
    """Whether a code of this validity opens; `now` is None while the clock is lost."""
    kind, schedule = validity[0], validity[9:]
    start, end = int.from_bytes(validity[1:5], "big"), int.from_bytes(validity[5:9], "big")
    if kind == PERMANENT:
        return True
    if now is None:
        return False
    within = end == 0 or holds(start, end, now, tolerance)
    return within and (kind != RECURRING or schedule_covers(schedule, zone.wall(now)))
