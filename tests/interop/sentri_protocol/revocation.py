"""Revocation lists (section 8)."""

from dataclasses import dataclass

from .codec import Reader, check_mac, hmac, require, u
from .keys import LockKeys

CREDENTIAL, WORKER, CARD = 0, 1, 2
MAX_ENTRIES = 64
MAC_BYTES = 16


@dataclass(frozen=True)
class Entry:
    """One thing revoked, worth keeping until `until`."""

    kind: int
    id: bytes
    until: int

    def encode(self) -> bytes:
        return u(self.kind, 1) + self.id + u(self.until, 4)


@dataclass(frozen=True)
class RevocationList:
    """A whole list; a higher version replaces the lock's."""

    version: int
    epoch_floor: int
    entries: tuple[Entry, ...]

    def encode(self, keys: LockKeys) -> bytes:
        require(len(self.entries) <= MAX_ENTRIES, "too many entries")
        said = u(self.version, 4) + u(self.epoch_floor, 2) + u(len(self.entries), 1)
        said += b"".join(entry.encode() for entry in self.entries)
        return said + hmac(keys.of("revoke"), said)[:MAC_BYTES]

    @classmethod
    def decode(cls, keys: LockKeys, data: bytes) -> "RevocationList":
        reader = Reader(data)
        version, epoch_floor, count = reader.u(4), reader.u(2), reader.u(1)
        require(count <= MAX_ENTRIES, "too many entries")
        entries = tuple(Entry(reader.u(1), reader.take(8), reader.u(4)) for _ in range(count))
        mac = reader.take(MAC_BYTES)
        reader.end()
        check_mac(hmac(keys.of("revoke"), data[:-MAC_BYTES])[:MAC_BYTES], mac)
        require(all(entry.kind <= CARD for entry in entries), "entry kind")
        return cls(version, epoch_floor, entries)
