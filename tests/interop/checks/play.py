"""Plays one scenario between a phone and a lock and keeps everything that went over the air."""

from dataclasses import dataclass, field

from sentri_protocol.frames import Assembler
from sentri_protocol.session import AEAD_TAG, SIGNATURE

from .ends import Frames, LockEnd, PhoneEnd, assemble
from .report import Report
from .scenarios import Scenario, dialogue


@dataclass
class Transcript:
    """Each message by name, as the frames that carried it."""

    frames: dict[str, Frames] = field(default_factory=dict)


def play(report: Report, scenario: Scenario, phone: PhoneEnd, lock: LockEnd) -> Transcript:
    """The whole connection, checked for what each end makes of the other's bytes."""
    air = Transcript()
    name = scenario.name
    air.frames["M1"] = phone.m1()
    report.equal(f"{name}: the lock reads the request", lock.m1(air.frames["M1"]), scenario.request)
    air.frames["M2"], lock_h2 = lock.m2(scenario.status)
    status, phone_h2 = phone.m2(air.frames["M2"])
    report.equal(f"{name}: the phone reads the status", status, scenario.status)
    report.equal(f"{name}: one handshake hash", phone_h2, lock_h2)
    for what, question, answer in dialogue(scenario, phone_h2):
        asked, answered = f"{what}, asked", f"{what}, answered"
        air.frames[asked] = phone.ask(question)
        report.equal(f"{name}: {asked}", lock.asked(air.frames[asked]), question)
        air.frames[answered] = lock.answer(answer)
        report.equal(f"{name}: {answered}", phone.answered(air.frames[answered]), answer)
    return air


def compare(report: Report, scenario: Scenario, found: Transcript, expected: Transcript) -> None:
    """Byte for byte; only a tail with a signature in it may differ, since ECDSA draws random numbers."""
    report.equal(f"{scenario.name}: the same messages", list(found.frames), list(expected.frames))
    for what in expected.frames:
        left, right = found.frames.get(what, []), expected.frames[what]
        if what == "M1" and scenario.device:
            left, right = without_tail(scenario, left), without_tail(scenario, right)
        report.equal(f"{scenario.name}: {what}, byte for byte", left, right)


def without_tail(scenario: Scenario, frames: Frames) -> tuple[bytes, list[int]]:
    """Noise message 1, and the sizes of all frames."""
    message = assemble(Assembler(), frames)
    return message[: -(AEAD_TAG + SIGNATURE)], [len(frame) for frame in frames]
