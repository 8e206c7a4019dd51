"""Contractor codes, one day codes and SMACs (sections 2 to 5)."""

from .keys import derive, hmac, u
from .wall import DAY, Zone

STEP = 300


def trunc(mac: bytes) -> int:
    """RFC 4226, section 5.3."""
    at = mac[-1] & 0x0F
    return int.from_bytes(mac[at : at + 4], "big") & 0x7FFF_FFFF


def code(key: bytes, message: bytes, digits: int) -> str:
    return str(trunc(hmac(key, message)) % 10**digits).zfill(digits)


def contractor(seed: bytes, generation: int, slot: int, slot_generation: int) -> str:
    return code(derive(seed, "contractor", generation), u(slot, 1) + u(slot_generation, 2), 7)


def one_day(seed: bytes, generation: int, day: int, index: int) -> str:
    return code(derive(seed, "oneday", generation), u(day, 4) + u(index, 1), 8)


def one_day_life(
    zone: Zone, day: int, first_used: int, ends_with_day: bool, now: int, tolerance: int
) -> tuple[bool, int]:
    """Whether a code that was used before works, and the first second at which it will not."""
    if ends_with_day:
        works = zone.day(now - tolerance) <= day <= zone.day(now + tolerance)
        return works, zone.first_instant((day + 1) * DAY)
    return now < first_used + 3600, first_used + 3600


def day_key(seed: bytes, generation: int, day: int, slot: int) -> bytes:
    return derive(seed, "smac", generation, u(day, 4) + u(slot, 2))


def smac(key: bytes, slot: int, step: int) -> str:
    return f"{slot:03}" + code(key, u(step, 8), 6)


def smac_taken(seed: bytes, generation: int, entry: str, now: int) -> bool:
    """Whether a lock takes it now."""
    slot, step = int(entry[:3]), now // STEP
    steps = (at for at in (step - 1, step, step + 1) if at >= 0)
    return any(smac(day_key(seed, generation, at // 288, slot), slot, at) == entry for at in steps)
