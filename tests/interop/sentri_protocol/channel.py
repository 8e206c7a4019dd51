"""Messages in the channel after M2 (section 7)."""

from dataclasses import dataclass

from .audit import MAX_BATCH
from .codec import Malformed, Reader, require, u

FRESH_TIME, REVOCATIONS, SETTINGS, READ_AUDIT, ACKNOWLEDGE, CODES = 1, 2, 3, 4, 5, 6
ANSWER, COMPLAINT = 0x80, 0xFF
APPLIED, ALREADY_CURRENT, NOT_AUTHENTIC, FLASH_FAILED, MALFORMED = range(5)
MALFORMED_ANSWER = bytes([COMPLAINT, MALFORMED])
CODED_ANSWERS = {REVOCATIONS, SETTINGS, ACKNOWLEDGE}


def ask(kind: int, body: bytes) -> bytes:
    return u(kind, 1) + body


def ask_audit(first: int, at_most: int) -> bytes:
    require(1 <= at_most <= MAX_BATCH, "records at most")
    return u(READ_AUDIT, 1) + u(first, 4) + u(at_most, 1)


def answer(kind: int, body: bytes) -> bytes:
    return u(kind | ANSWER, 1) + body


def coded(kind: int, code: int, number: int) -> bytes:
    """The answer to revocations, settings or an acknowledgement."""
    return answer(kind, u(code, 1) + u(number, 4))


def codes_taken(code: int, version: int, not_done: int) -> bytes:
    """The answer to a delivery of codes."""
    return answer(CODES, u(code, 1) + u(version, 4) + u(not_done, 2))


@dataclass(frozen=True)
class Coded:
    """A code, and the lock's own version or number after the request."""

    code: int
    number: int


def read_coded(kind: int, message: bytes) -> Coded:
    body = read_answer(kind, message)
    reader = Reader(body)
    coded_answer = Coded(reader.u(1), reader.u(4))
    reader.end()
    require(coded_answer.code <= MALFORMED, "answer code")
    return coded_answer


def read_answer(kind: int, message: bytes) -> bytes:
    """The body of the answer to a request of type `kind`."""
    require(len(message) >= 1, "empty answer")
    if message[0] == COMPLAINT:
        raise Malformed("the lock calls the request malformed")
    require(message[0] == kind | ANSWER, "answer to another request")
    return message[1:]
