"""The session (section 7): both ends of Noise NKpsk2, with the tail that proves M1."""

import warnings

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from noise.connection import Keypair, NoiseConnection
from noise.exceptions import NoiseInvalidMessage

from .advert import Advert
from .codec import Malformed, NotAuthentic, hmac, require, u
from .keys import LockKeys
from .request import Request
from .status import STATUS_BYTES, Status
from .ticket import Secret, Ticket, device_public_key

NOISE_NAME = b"Noise_NKpsk2_25519_ChaChaPoly_SHA256"
UNPROVED = b"\x00"
AEAD_TAG, SIGNATURE = 16, 64
M1_PLAIN, M1_BOUND, M1_EXTRA, M1_MAX_EXTRAS = 112, 209, 12, 3
# The library wants a key before the handshake starts; psk2 is mixed in with message 2 only.
PLACEHOLDER_PSK = bytes(32)


class _Noise:
    """The library's connection, with the handshake hash and the late PSK that this protocol needs."""

    def __init__(self, advert: Advert, ephemeral: bytes | None):
        self.connection = NoiseConnection.from_name(NOISE_NAME)
        self.connection.set_prologue(advert.prologue())
        self.ephemeral = ephemeral

    def start(self, psk: bytes) -> None:
        self.connection.set_psks(psk)
        if self.ephemeral is not None:
            self.connection.set_keypair_from_private_bytes(Keypair.EPHEMERAL, self.ephemeral)
        with warnings.catch_warnings():
            # A given ephemeral key is what makes two implementations comparable.
            warnings.simplefilter("ignore")
            self.connection.start_handshake()

    def hash(self) -> bytes:
        """h so far."""
        return self.connection.noise_protocol.symmetric_state.h

    def write(self, payload: bytes) -> bytes:
        return bytes(self._guard(self.connection.write_message, payload))

    def read(self, message: bytes) -> bytes:
        return bytes(self._guard(self.connection.read_message, message))

    def encrypt(self, plain: bytes) -> bytes:
        return bytes(self.connection.encrypt(plain))

    def decrypt(self, message: bytes) -> bytes:
        return bytes(self._guard(self.connection.decrypt, message))

    @staticmethod
    def _guard(step, data: bytes):
        try:
            return step(data)
        except (InvalidTag, NoiseInvalidMessage) as error:
            raise NotAuthentic("the Noise message does not fit") from error
        except ValueError as error:  # an X25519 result of all zeros, or a message cut short
            raise NotAuthentic(f"refused by Noise: {error}") from error


def _tail_key(secret: Secret, h1: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(hmac(secret.k_open(), b"sentri/v1 tail" + h1))


def device_message(h1: bytes) -> bytes:
    """What a device key signs."""
    return b"sentri/v1 dev" + h1


def sign(device: ec.EllipticCurvePrivateKey, h1: bytes) -> bytes:
    r, s = decode_dss_signature(device.sign(device_message(h1), ec.ECDSA(SHA256())))
    return u(r, 32) + u(s, 32)


def check_signature(device_key: bytes, h1: bytes, signature: bytes) -> None:
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        device_public_key(device_key).verify(encode_dss_signature(r, s), device_message(h1), ec.ECDSA(SHA256()))
    except InvalidSignature as error:
        raise NotAuthentic("the device's signature does not fit") from error


class Phone:
    """The initiator. `secret` is the S that came with the ticket, before the request's caveats."""

    def __init__(self, advert: Advert, lock_public: bytes, secret: Secret, ephemeral: bytes | None = None):
        self.noise = _Noise(advert, ephemeral)
        self.noise.connection.set_as_initiator()
        self.noise.connection.set_keypair_from_public_bytes(Keypair.REMOTE_STATIC, lock_public)
        self.secret = secret
        self.operation_id = b""
        self.h1 = self.h2 = b""

    def m1(self, request: Request, device: ec.EllipticCurvePrivateKey | None = None) -> bytes:
        secret = self.secret.narrowed(list(request.caveats))
        self.operation_id = request.operation_id
        self.noise.start(secret.psk())
        message = self.noise.write(request.encode())
        self.h1 = self.noise.hash()
        plain = sign(device, self.h1) if device else b""
        return message + _tail_key(secret, self.h1).encrypt(bytes(12), plain, self.h1)

    def m2(self, message: bytes) -> Status:
        if message == UNPROVED:
            raise NotAuthentic("the lock did not take M1 as proved")
        payload = self.noise.read(message)
        require(len(payload) == STATUS_BYTES, "status length")
        status = Status.decode(payload)
        require(status.operation_id == self.operation_id, "M2 is about another operation")
        self.h2 = self.noise.connection.get_handshake_hash()
        self.status_bytes = payload
        return status

    def seal(self, message: bytes) -> bytes:
        return self.noise.encrypt(message)

    def open(self, message: bytes) -> bytes:
        return self.noise.decrypt(message)


class Lock:
    """The responder, which stores nothing about any ticket."""

    def __init__(self, advert: Advert, keys: LockKeys, ephemeral: bytes | None = None):
        self.keys = keys
        self.noise = _Noise(advert, ephemeral)
        self.noise.connection.set_as_responder()
        self.noise.connection.set_keypair_from_private_bytes(Keypair.STATIC, keys.of("noise-static"))
        self.h1 = self.h2 = b""

    def m1(self, message: bytes) -> Request:
        """A proved request; raises for anything else, which is answered with `UNPROVED`."""
        tail_bytes = tail_length(len(message))
        self.noise.start(PLACEHOLDER_PSK)
        request = Request.decode(self.noise.read(message[:-tail_bytes]))
        self.h1 = self.noise.hash()
        secret = Secret.of_ticket(self.keys, request.ticket).narrowed(list(request.caveats))
        try:
            plain = _tail_key(secret, self.h1).decrypt(bytes(12), message[-tail_bytes:], self.h1)
        except InvalidTag as error:
            raise NotAuthentic("the tail does not fit") from error
        device_key = Ticket.decode(request.ticket).device_key
        require(len(plain) == (SIGNATURE if device_key else 0), "tail length")
        if device_key:
            check_signature(device_key, self.h1, plain)
        self.noise.connection.set_psks(secret.psk())
        return request

    def m2(self, status: Status) -> bytes:
        message = self.noise.write(status.encode(self.keys))
        self.h2 = self.noise.connection.get_handshake_hash()
        return message

    def seal(self, message: bytes) -> bytes:
        return self.noise.encrypt(message)

    def open(self, message: bytes) -> bytes:
        return self.noise.decrypt(message)


def tail_length(m1_length: int) -> int:
    """Of the lengths that M1 can have, each says whether a signature is in the tail."""
    for base, tail in ((M1_PLAIN, AEAD_TAG), (M1_BOUND, AEAD_TAG + SIGNATURE)):
        extra, rest = divmod(m1_length - base, M1_EXTRA)
        if rest == 0 and 0 <= extra <= M1_MAX_EXTRAS:
            return tail
    raise Malformed("M1 length")
