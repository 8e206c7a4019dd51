"""Keys of a lock (docs/protocol.md, section 2)."""

import hashlib
import hmac as _hmac

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def u(value: int, width: int) -> bytes:
    """An unsigned big-endian integer."""
    return value.to_bytes(width, "big")


def hmac(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA256."""
    return _hmac.new(key, message, hashlib.sha256).digest()


def derive(seed: bytes, label: str, generation: int, ctx: bytes = b"") -> bytes:
    """K(label, generation, ctx)."""
    parts = (label.encode("ascii"), u(generation, 4), ctx)
    info = b"".join(u(len(part), 1) + part for part in parts)
    return HKDF(algorithm=SHA256(), length=32, salt=b"sentri/v1", info=info).derive(seed)
