"""Tickets, their secrets and caveats (section 3)."""

from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec

from .codec import Malformed, Reader, hmac, require, u
from .keys import LockKeys
from .localtime import Schedule

FLAG_DEVICE_KEY = 1
RIGHT_OPEN, RIGHT_SHACKLE, RIGHT_SERVICE = 1, 2, 4
CAVEAT_WORKER = 1
MAX_CAVEATS = 2
CAVEAT_BYTES = 12


@dataclass(frozen=True)
class Ticket:
    """What its holder may do at one lock; times in Unix seconds."""

    credential: bytes
    subject: int
    epoch: int
    issued_at: int
    not_before: int
    not_after: int
    schedule: Schedule
    rights: int
    device_key: bytes | None = None

    def encode(self) -> bytes:
        flags = FLAG_DEVICE_KEY if self.device_key else 0
        return (
            u(1, 1) + u(flags, 1) + self.credential + u(self.subject, 4) + u(self.epoch, 2)
            + u(self.issued_at, 4) + u(self.not_before, 4) + u(self.not_after, 4)
            + self.schedule.encode() + u(self.rights, 1) + (self.device_key or b"")
        )

    @classmethod
    def read(cls, reader: Reader) -> "Ticket":
        """Takes a ticket from the front of a longer message: its flags tell its length."""
        require(reader.u(1) == 1, "ticket version")
        flags = reader.u(1)
        require(flags & ~FLAG_DEVICE_KEY == 0, "ticket flags")
        ticket = cls(
            credential=reader.take(8),
            subject=reader.u(4),
            epoch=reader.u(2),
            issued_at=reader.u(4),
            not_before=reader.u(4),
            not_after=reader.u(4),
            schedule=Schedule.read(reader),
            rights=reader.u(1),
            device_key=reader.take(33) if flags & FLAG_DEVICE_KEY else None,
        )
        require(ticket.not_before < ticket.not_after, "ticket window")
        require(ticket.rights != 0 and ticket.rights & ~15 == 0, "ticket rights")
        return ticket

    @classmethod
    def decode(cls, data: bytes) -> "Ticket":
        reader = Reader(data)
        ticket = cls.read(reader)
        reader.end()
        return ticket


def device_public_key(point: bytes) -> ec.EllipticCurvePublicKey:
    """A compressed SEC 1 point on P-256."""
    require(len(point) == 33 and point[0] in (2, 3), "device key encoding")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Malformed("device key is no point of P-256") from error


@dataclass(frozen=True)
class Caveat:
    """A narrowing that a firm adds without the backend."""

    kind: int
    not_before: int
    not_after: int
    worker: bytes

    def encode(self) -> bytes:
        return u(self.kind, 1) + u(self.not_before, 4) + u(self.not_after, 4) + self.worker

    @classmethod
    def read(cls, reader: Reader) -> "Caveat":
        return cls(reader.u(1), reader.u(4), reader.u(4), reader.take(3))


@dataclass(frozen=True)
class Secret:
    """S: what the backend hands to the phone beside the ticket."""

    s: bytes

    @classmethod
    def of_ticket(cls, keys: LockKeys, ticket: bytes) -> "Secret":
        return cls(hmac(keys.of("cred"), b"tkt" + ticket))

    def narrowed(self, caveats: list[Caveat]) -> "Secret":
        """S', after each caveat in turn."""
        s = self.s
        for index, caveat in enumerate(caveats):
            s = hmac(s, b"cav" + u(index, 1) + caveat.encode())
        return Secret(s)

    def psk(self) -> bytes:
        return hmac(self.s, b"noise")

    def k_open(self) -> bytes:
        return hmac(self.s, b"open")
