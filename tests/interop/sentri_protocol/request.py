"""What a phone asks in M1 (section 7): the payload of noise message 1."""

from dataclasses import dataclass

from .codec import Reader, require, u
from .ticket import MAX_CAVEATS, Caveat, Ticket
from .tokens import LOWER_BOUND_BYTES

OPEN, SERVICE = 1, 2
UNCERTAINTY_UNKNOWN = 255
CAVEAT_COUNT_BITS, HAS_LOWER_BOUND = 3, 4


@dataclass(frozen=True)
class Request:
    """Ticket, operation, the phone's clock, caveats and a lower-bound token."""

    ticket: bytes
    operation: int
    operation_id: bytes
    phone_time: int
    uncertainty: int
    caveats: tuple[Caveat, ...] = ()
    lower_bound: bytes | None = None

    def encode(self) -> bytes:
        require(len(self.caveats) <= MAX_CAVEATS, "too many caveats")
        flags = len(self.caveats) | (HAS_LOWER_BOUND if self.lower_bound else 0)
        return (
            self.ticket + u(self.operation, 1) + self.operation_id + u(self.phone_time, 4)
            + u(self.uncertainty, 1) + u(flags, 2)
            + b"".join(caveat.encode() for caveat in self.caveats) + (self.lower_bound or b"")
        )

    @classmethod
    def decode(cls, data: bytes) -> "Request":
        reader = Reader(data)
        Ticket.read(reader)
        ticket = data[: reader.at]
        operation, operation_id = reader.u(1), reader.take(8)
        phone_time, uncertainty, flags = reader.u(4), reader.u(1), reader.u(2)
        require(operation in (OPEN, SERVICE), "operation")
        require(flags & ~(CAVEAT_COUNT_BITS | HAS_LOWER_BOUND) == 0, "request flags")
        count = flags & CAVEAT_COUNT_BITS
        require(count <= MAX_CAVEATS, "too many caveats")
        caveats = tuple(Caveat.read(reader) for _ in range(count))
        lower_bound = reader.take(LOWER_BOUND_BYTES) if flags & HAS_LOWER_BOUND else None
        reader.end()
        return cls(ticket, operation, operation_id, phone_time, uncertainty, caveats, lower_bound)
