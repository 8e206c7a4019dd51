"""The key tree of a lock (section 2) and its random numbers (section 11)."""

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from .codec import hmac, lp, u

SALT = b"sentri/v1"
SECONDS_PER_WEEK = 604_800
LOST = b"lost"
# These never leave lock and backend, and old records must stay readable.
ALWAYS_GENERATION_0 = {"status", "ack", "audit"}


def hkdf_sha256(ikm: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869."""
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(ikm)


def key(seed: bytes, label: str, generation: int, ctx: bytes = b"") -> bytes:
    """K(label, generation, ctx)."""
    info = lp(label.encode("ascii")) + lp(u(generation, 4)) + lp(ctx)
    return hkdf_sha256(seed, SALT, info, 32)


class LockKeys:
    """All keys of one lock at one generation."""

    def __init__(self, seed: bytes, generation: int = 1):
        self.seed = seed
        self.generation = generation

    def of(self, label: str, ctx: bytes = b"") -> bytes:
        generation = 0 if label in ALWAYS_GENERATION_0 else self.generation
        return key(self.seed, label, generation, ctx)

    def advert_week(self, time: int) -> bytes:
        return self.of("adv", u(time // SECONDS_PER_WEEK, 4))

    def advert_lost(self) -> bytes:
        return self.of("adv", LOST)

    def noise_static_public(self) -> bytes:
        return X25519PrivateKey.from_private_bytes(self.of("noise-static")).public_key().public_bytes_raw()


def wake_seed(keys: LockKeys, boot: int, press: int, entropy: bytes) -> bytes:
    """Seed of one wake's random numbers; `entropy` is 32 bytes of the hardware's."""
    return hmac(keys.of("rng"), u(boot, 4) + u(press, 4) + entropy)


def random_block(seed_of_wake: bytes, index: int) -> bytes:
    """Block `index` of a wake's random numbers."""
    return hmac(seed_of_wake, u(index, 4))
