"""Time tokens (section 8)."""

from .codec import Reader, check_mac, hmac, require, u
from .keys import LockKeys

LOWER_BOUND_BYTES = 12
REPAIR = 1


def lower_bound(keys: LockKeys, time: int) -> bytes:
    """A token that proves that `time` is past."""
    return u(time, 4) + hmac(keys.of("time-lb"), u(time, 4))[:8]


def read_lower_bound(keys: LockKeys, token: bytes) -> int:
    reader = Reader(token)
    time, mac = reader.take(4), reader.take(8)
    reader.end()
    check_mac(hmac(keys.of("time-lb"), time)[:8], mac)
    return int.from_bytes(time, "big")


def fresh(keys: LockKeys, h2: bytes, time: int, repair: bool) -> bytes:
    """A token that sets the clock of the lock at the other end of the session `h2`."""
    said = u(time, 4) + u(REPAIR if repair else 0, 1)
    return said + hmac(keys.of("time-fresh"), h2 + said)[:8]


def read_fresh(keys: LockKeys, h2: bytes, token: bytes) -> tuple[int, bool]:
    reader = Reader(token)
    said, mac = reader.take(5), reader.take(8)
    reader.end()
    require(said[4] & ~REPAIR == 0, "fresh token flags")
    check_mac(hmac(keys.of("time-fresh"), h2 + said)[:8], mac)
    return int.from_bytes(said[:4], "big"), bool(said[4] & REPAIR)
