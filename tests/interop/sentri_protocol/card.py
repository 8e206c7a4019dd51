"""Cards, and what they carry (docs/keypad.md, Cards)."""

from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from .codec import Malformed, NotAuthentic, Reader, hmac, require, u

FORMAT = 1
SAID_BYTES = 53
IMAGE_BYTES = SAID_BYTES + 64
LONGEST = 3 * 86_400
CARD_BYTES = 8192
LETTER_MOST = 1024


def pin_check(serial: bytes, pin: str, salt: bytes) -> bytes:
    """What recognises the card's PIN."""
    return hmac(salt, b"sentri/v1 card pin" + serial + pin.encode("ascii"))[:16]


@dataclass(frozen=True)
class Card:
    """What a card says."""

    serial: bytes
    holder: int
    not_before: int
    not_after: int
    salt: bytes
    check: bytes

    def encode(self) -> bytes:
        said = u(FORMAT, 1) + self.serial + u(self.holder, 4) + u(self.not_before, 4) + u(self.not_after, 4)
        return said + self.salt + self.check

    @classmethod
    def open(cls, association: bytes, image: bytes) -> "Card":
        """As a lock checks it."""
        require(len(image) == IMAGE_BYTES, "card length")
        said, signature = image[:SAID_BYTES], image[SAID_BYTES:]
        reader = Reader(said)
        require(reader.u(1) == FORMAT, "card format")
        card = cls(reader.take(8), reader.u(4), reader.u(4), reader.u(4), reader.take(16), reader.take(16))
        reader.end()
        require(100_000_000 <= card.holder <= 999_999_999, "holder")
        require(card.not_before < card.not_after <= card.not_before + LONGEST, "window")
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), association)
        r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
        try:
            key.verify(encode_dss_signature(r, s), b"sentri/v1 card" + said, ec.ECDSA(SHA256()))
        except InvalidSignature as error:
            raise NotAuthentic("the card's signature does not fit") from error
        return card


def read_memory(memory: bytes) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """The image, and each letter with the lock that it is for or from, up to one that breaks off."""
    reader = Reader(memory)
    image, letters = reader.take(IMAGE_BYTES), []
    try:
        for _ in range(reader.u(1)):
            lock = reader.take(16)
            message = reader.take(reader.u(2))
            require(1 <= len(message) <= LETTER_MOST, "letter length")
            letters.append((lock, message))
    except Malformed:
        pass
    return image, letters


def write_memory(image: bytes, letters: list[tuple[bytes, bytes]]) -> bytes:
    """All that is on the card."""
    memory = image + u(len(letters), 1)
    memory += b"".join(lock + u(len(message), 2) + message for lock, message in letters)
    if len(memory) > CARD_BYTES:
        raise Malformed("more than a card holds")
    return memory
