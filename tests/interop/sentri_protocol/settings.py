"""Settings of a lock (section 9)."""

from dataclasses import dataclass

from .codec import Reader, check_mac, hmac, require, u
from .keys import LockKeys
from .localtime import AccessHours, Zone

CONTRACTOR_MODE, RETURNS_ALLOWED, SMARTPINS, ONE_DAY_ENDS_WITH_DAY = 1, 2, 4, 8
SETTINGS_BYTES = 57
MAC_BYTES = 16


@dataclass(frozen=True)
class Settings:
    """What the backend decides for a lock."""

    version: int
    generation: int
    zone: Zone
    hours: AccessHours
    flags: int
    contractor_generations: tuple[int, int, int]

    def encode(self, keys: LockKeys) -> bytes:
        """MACed under the generation that the lock has, which `keys` must be of."""
        said = u(1, 1) + u(self.version, 4) + u(self.generation, 4) + self.zone.encode() + self.hours.encode()
        said += u(self.flags, 1) + b"".join(u(each, 2) for each in self.contractor_generations)
        return said + hmac(keys.of("cfg"), said)[:MAC_BYTES]

    @classmethod
    def decode(cls, keys: LockKeys, data: bytes) -> "Settings":
        reader = Reader(data)
        require(len(data) == SETTINGS_BYTES, "settings length")
        require(reader.u(1) == 1, "settings format")
        version, generation = reader.u(4), reader.u(4)
        zone, hours, flags = Zone.read(reader), AccessHours.read(reader), reader.u(1)
        contractor = (reader.u(2), reader.u(2), reader.u(2))
        mac = reader.take(MAC_BYTES)
        reader.end()
        check_mac(hmac(keys.of("cfg"), data[:-MAC_BYTES])[:MAC_BYTES], mac)
        require(flags & ~15 == 0, "settings flags")
        return cls(version, generation, zone, hours, flags, contractor)
