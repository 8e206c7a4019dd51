"""Settings of a lock (section 9)."""

from dataclasses import dataclass

from .codec import Reader, check_mac, hmac, require, u
from .keys import LockKeys
from .localtime import AccessHours, Zone

CONTRACTOR_MODE, RETURNS_ALLOWED, SMARTPINS, ONE_DAY_ENDS_WITH_DAY = 1, 2, 4, 8
FORBIDS_ONE_DAY, FORBIDS_CONTRACTOR = 16, 32
SETTINGS_BYTES = {1: 57, 2: 64}
DEFAULT_RULES = bytes([8, 20, 0])
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
    smart_pin_rules: bytes = DEFAULT_RULES
    owner: int = 0

    def encode(self, keys: LockKeys) -> bytes:
        """MACed under the generation that the lock has, which `keys` must be of."""
        said = u(2, 1) + u(self.version, 4) + u(self.generation, 4) + self.zone.encode() + self.hours.encode()
        said += u(self.flags, 1) + b"".join(u(each, 2) for each in self.contractor_generations)
        said += self.smart_pin_rules + u(self.owner, 4)
        return said + hmac(keys.of("cfg"), said)[:MAC_BYTES]

    @classmethod
    def decode(cls, keys: LockKeys, data: bytes) -> "Settings":
        reader = Reader(data)
        form = reader.u(1)
        require(form in SETTINGS_BYTES, "settings format")
        require(len(data) == SETTINGS_BYTES[form], "settings length")
        version, generation = reader.u(4), reader.u(4)
        zone, hours, flags = Zone.read(reader), AccessHours.read(reader), reader.u(1)
        contractor = (reader.u(2), reader.u(2), reader.u(2))
        rules, owner = (reader.take(3), reader.u(4)) if form == 2 else (DEFAULT_RULES, 0)
        mac = reader.take(MAC_BYTES)
        reader.end()
        check_mac(hmac(keys.of("cfg"), data[:-MAC_BYTES])[:MAC_BYTES], mac)
        require(flags & ~63 == 0, "settings flags")
        require(rules[0] < 24 and 0 < rules[1] <= 24 and rules[2] & 3 < 3 and rules[2] < 8, "SmartPIN rules")
        require(owner == 0 or 100_000_000 <= owner <= 999_999_999, "owner")
        return cls(version, generation, zone, hours, flags, contractor, rules, owner)
