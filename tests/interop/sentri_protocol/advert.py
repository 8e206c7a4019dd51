"""The advert that follows a press of ENT (section 5)."""

from dataclasses import dataclass

from .codec import Reader, check_mac, hmac, require, u
from .keys import LockKeys

CLOCK_LOST, BATTERY_LOW, SERVICE_ONLY = 1, 2, 4
ADVERT_BYTES = 18


def press_nonce(keys: LockKeys, boot: int, press: int, random: bytes) -> bytes:
    """N_L of one press; `random` is 16 bytes."""
    return hmac(keys.of("nonce"), u(boot, 4) + u(press, 4) + random)[:8]


@dataclass(frozen=True)
class Advert:
    """The 18 bytes of manufacturer data."""

    flags: int
    nonce: bytes
    tag: bytes
    version: int = 1

    @classmethod
    def of_lock(cls, keys: LockKeys, flags: int, nonce: bytes, time: int) -> "Advert":
        """The advert a lock sends whose clock shows `time`."""
        secret = keys.advert_lost() if flags & CLOCK_LOST else keys.advert_week(time)
        return cls(flags, nonce, advert_tag(secret, flags, nonce))

    @classmethod
    def decode(cls, data: bytes) -> "Advert":
        reader = Reader(data)
        require(reader.u(1) == 1, "advert version")
        flags = reader.u(1)
        require(flags & ~7 == 0, "advert flags")
        advert = cls(flags, reader.take(8), reader.take(8))
        reader.end()
        return advert

    def encode(self) -> bytes:
        return u(self.version, 1) + u(self.flags, 1) + self.nonce + self.tag

    def check(self, advert_key: bytes) -> None:
        """Raises unless the tag was made with `advert_key`."""
        check_mac(advert_tag(advert_key, self.flags, self.nonce), self.tag)

    def prologue(self) -> bytes:
        """What binds a session to this press."""
        return b"sentri-adv/1" + self.encode()


def advert_tag(advert_key: bytes, flags: int, nonce: bytes) -> bytes:
    return hmac(advert_key, u(1, 1) + u(flags, 1) + nonce)[:8]
