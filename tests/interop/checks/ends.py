"""A phone and a lock behind one small interface, so that any pair can be played against each other."""

from typing import Protocol

from sentri_protocol.frames import Assembler, cut
from sentri_protocol.request import Request
from sentri_protocol.session import Lock, Phone
from sentri_protocol.status import Status

from .scenarios import Scenario

Frames = list[bytes]


class PhoneEnd(Protocol):
    """The initiator; frames in and out."""

    def m1(self) -> Frames: ...
    def m2(self, frames: Frames) -> tuple[Status, bytes]: ...
    def ask(self, message: bytes) -> Frames: ...
    def answered(self, frames: Frames) -> bytes: ...


class LockEnd(Protocol):
    """The responder; frames in and out."""

    def m1(self, frames: Frames) -> Request: ...
    def m2(self, status: Status) -> tuple[Frames, bytes]: ...
    def asked(self, frames: Frames) -> bytes: ...
    def answer(self, message: bytes) -> Frames: ...


def assemble_all(frames: Frames) -> list[bytes]:
    """The messages of a connection's frames."""
    return [message for message in map(Assembler().push, frames) if message is not None]


def assemble(assembler: Assembler, frames: Frames) -> bytes:
    """The one message that `frames` hold."""
    whole = [message for message in map(assembler.push, frames) if message is not None]
    if len(whole) != 1:
        raise AssertionError(f"{len(whole)} messages in {len(frames)} frames")
    return whole[0]


class PythonPhone:
    """The phone of `sentri_protocol`."""

    def __init__(self, scenario: Scenario):
        self.scenario = scenario
        self.assembler = Assembler()
        public = scenario.keys.noise_static_public()
        self.phone = Phone(scenario.advert, public, scenario.secret, scenario.phone_ephemeral)

    def m1(self) -> Frames:
        return cut(self.phone.m1(self.scenario.request, self.scenario.device), self.scenario.mtu)

    def m2(self, frames: Frames) -> tuple[Status, bytes]:
        return self.phone.m2(assemble(self.assembler, frames)), self.phone.h2

    def ask(self, message: bytes) -> Frames:
        return cut(self.phone.seal(message), self.scenario.mtu)

    def answered(self, frames: Frames) -> bytes:
        return self.phone.open(assemble(self.assembler, frames))


class PythonLock:
    """The lock of `sentri_protocol`."""

    def __init__(self, scenario: Scenario):
        self.scenario = scenario
        self.assembler = Assembler()
        self.lock = Lock(scenario.advert, scenario.keys, scenario.lock_ephemeral)

    def m1(self, frames: Frames) -> Request:
        return self.lock.m1(assemble(self.assembler, frames))

    def m2(self, status: Status) -> tuple[Frames, bytes]:
        message = self.lock.m2(status)
        return cut(message, self.scenario.mtu), self.lock.h2

    def asked(self, frames: Frames) -> bytes:
        return self.lock.open(assemble(self.assembler, frames))

    def answer(self, message: bytes) -> Frames:
        return cut(self.lock.seal(message), self.scenario.mtu)
