"""Cutting messages into ATT values and putting them together again (section 6)."""

from .codec import require, u

MAX_MESSAGE = 1024
LAST = 0x80
ATT_AND_HEADER = 4


def cut(message: bytes, mtu: int) -> list[bytes]:
    """The ATT values that carry `message` at `mtu`."""
    require(1 <= len(message) <= MAX_MESSAGE, "message length")
    size = mtu - ATT_AND_HEADER
    chunks = [message[at : at + size] for at in range(0, len(message), size)]
    last = len(chunks) - 1
    return [u(index | (LAST if index == last else 0), 1) + chunk for index, chunk in enumerate(chunks)]


class Assembler:
    """Puts one side's frames together; any fault ends the connection."""

    def __init__(self):
        self.parts: list[bytes] = []
        self.before: bytes | None = None

    def push(self, frame: bytes) -> bytes | None:
        """The whole message with its last frame, otherwise None."""
        require(len(frame) >= 2, "empty chunk")
        if frame == self.before:
            return None
        header, chunk = frame[0], frame[1:]
        require(header & ~LAST == len(self.parts), "frame out of turn")
        self.parts.append(chunk)
        self.before = frame
        require(sum(map(len, self.parts)) <= MAX_MESSAGE, "message too long")
        if not header & LAST:
            return None
        message, self.parts = b"".join(self.parts), []
        return message
