"""The audit log: records, batches, acknowledgements (section 10)."""

from dataclasses import dataclass

from .codec import Reader, check_mac, hmac, i, require, u, xor
from .keys import LockKeys

T_BYTES, P_BYTES, RECORD_BYTES = 12, 20, 32
T_0 = bytes(T_BYTES)
BLE, KEYPAD, CARD, CLOCK_SET, SETTINGS, REVOCATIONS, BOOT, MERGED, MOTOR, FLASH = range(1, 11)
CLOCK_WAS_LOST = 0x80
SKEW_UNKNOWN = -32768
MAX_BATCH = 24


def skew(phone_time: int, lock_time: int) -> int:
    """Phone time − lock time in units of 10 s, towards zero, ends saturating."""
    difference = phone_time - lock_time
    tens = abs(difference) // 10 * (1 if difference >= 0 else -1)
    return max(-32767, min(32767, tens))


@dataclass(frozen=True)
class Event:
    """The plain contents of one record, P_n."""

    time: int
    kind: int
    clock_lost: bool
    result: int
    who: bytes
    operation: bytes
    skew: int

    def encode(self) -> bytes:
        kind = self.kind | (CLOCK_WAS_LOST if self.clock_lost else 0)
        return u(self.time, 4) + u(kind, 1) + u(self.result, 1) + self.who + self.operation + i(self.skew, 2)

    @classmethod
    def decode(cls, data: bytes) -> "Event":
        reader = Reader(data)
        time, kind, result = reader.u(4), reader.u(1), reader.u(1)
        event = cls(time, kind & 0x7F, kind >= CLOCK_WAS_LOST, result, reader.take(8), reader.take(4), reader.i(2))
        reader.end()
        require(BLE <= event.kind <= FLASH, "record kind")
        return event


def link(keys: LockKeys, number: int, before: bytes, event: bytes) -> bytes:
    """T_n."""
    return hmac(keys.of("audit", b"mac"), u(number, 4) + before + event)[:T_BYTES]


def seal(keys: LockKeys, number: int, before: bytes, event: Event) -> bytes:
    """Record `number`, chained to T of the one before."""
    tag = link(keys, number, before, event.encode())
    return tag + xor(event.encode(), _pad(keys, number, tag))


def open_record(keys: LockKeys, number: int, before: bytes, record: bytes) -> Event:
    tag, sealed = record[:T_BYTES], record[T_BYTES:]
    plain = xor(sealed, _pad(keys, number, tag))
    check_mac(link(keys, number, before, plain), tag)
    return Event.decode(plain)


def _pad(keys: LockKeys, number: int, tag: bytes) -> bytes:
    return hmac(keys.of("audit", b"enc"), u(number, 4) + tag)[:P_BYTES]


def batch(keys: LockKeys, first: int, lost: int, before: bytes, records: list[bytes]) -> bytes:
    """What the lock answers to *read audit*."""
    said = u(first, 4) + u(len(records), 1) + u(lost, 4) + before
    return said + hmac(keys.of("audit", b"head"), said)[:8] + b"".join(records)


@dataclass(frozen=True)
class Batch:
    """A batch as the backend reads it."""

    first: int
    lost: int
    events: tuple[Event, ...]
    last_tag: bytes


def read_batch(keys: LockKeys, data: bytes) -> Batch:
    reader = Reader(data)
    first, count, lost, before = reader.u(4), reader.u(1), reader.u(4), reader.take(T_BYTES)
    check_mac(hmac(keys.of("audit", b"head"), data[: reader.at])[:8], reader.take(8))
    require(count <= MAX_BATCH, "batch count")
    events = []
    for number in range(first, first + count):
        record = reader.take(RECORD_BYTES)
        events.append(open_record(keys, number, before, record))
        before = record[:T_BYTES]
    reader.end()
    return Batch(first, lost, tuple(events), before)


def acknowledgement(keys: LockKeys, up_to: int, tag: bytes) -> bytes:
    """What frees the lock's records up to and with number `up_to`, whose T is `tag`."""
    said = u(up_to, 4) + tag
    return said + hmac(keys.of("ack"), said)[:8]


def read_acknowledgement(keys: LockKeys, data: bytes) -> tuple[int, bytes]:
    reader = Reader(data)
    said, mac = reader.take(4 + T_BYTES), reader.take(8)
    reader.end()
    check_mac(hmac(keys.of("ack"), said)[:8], mac)
    return int.from_bytes(said[:4], "big"), said[4:]
