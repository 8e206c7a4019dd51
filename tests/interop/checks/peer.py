"""The Rust program at the other end of a pipe, and its two ends of a connection."""

import json
import os
import subprocess
from pathlib import Path

from sentri_protocol.localtime import Schedule
from sentri_protocol.request import Request
from sentri_protocol.status import Status
from sentri_protocol.ticket import Caveat, Ticket

from . import scenarios as fixed
from .ends import Frames
from .report import Refused
from .scenarios import Scenario

ROOT = Path(__file__).resolve().parents[3]
BUILD = ["cargo", "run", "--quiet", "--package", "sentri-protocol", "--example", "interop_peer"]

# The peer's word for commands in an order that makes no sense: never to be taken for a refusal.
HARNESS_FAULTS = {"connect first", "out of turn", "no session"}


class Peer:
    """`protocol/examples/interop_peer`, kept running."""

    def __init__(self):
        given = os.environ.get("SENTRI_INTEROP_PEER")
        self.process = subprocess.Popen(
            [given] if given else BUILD, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *_) -> None:
        self.process.stdin.close()
        self.process.wait()

    def call(self, do: str, **arguments) -> dict:
        """One line there, one back; raises `Refused` where the peer refuses."""
        self.process.stdin.write(json.dumps({"do": do, **arguments}, default=bytes.hex) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the Rust peer ended at {do}")
        answer = json.loads(line)
        if answer.get("refused") in HARNESS_FAULTS:
            raise RuntimeError(f"{do}: {answer['refused']}")
        if "refused" in answer:
            raise Refused(answer["refused"])
        return answer["ok"]

    def connect(self, scenario: Scenario, advert: bytes | None = None) -> dict:
        return self.call(
            "connect", seed=scenario.seed, generation=scenario.generation, mtu=scenario.mtu,
            advert=advert or scenario.advert.encode(),
            phone_ephemeral=scenario.phone_ephemeral, lock_ephemeral=scenario.lock_ephemeral,
        )


def frames_of(answer: dict) -> Frames:
    return [bytes.fromhex(frame) for frame in answer["frames"]]


def bytes_of(answer: dict, field: str) -> bytes:
    return bytes.fromhex(answer[field])


class RustPhone:
    """The crate's phone."""

    def __init__(self, peer: Peer, scenario: Scenario, advert: bytes | None = None):
        self.peer, self.scenario = peer, scenario
        self.described = peer.connect(scenario, advert)

    def m1(self) -> Frames:
        scenario, request = self.scenario, self.scenario.request
        return frames_of(self.peer.call(
            "phone_m1", lock_public=scenario.keys.noise_static_public(), ticket=request.ticket,
            secret=scenario.secret.s, operation=request.operation, operation_id=request.operation_id,
            phone_time=request.phone_time, uncertainty=request.uncertainty,
            caveats=[vars(caveat) for caveat in request.caveats], lower_bound=request.lower_bound,
            device=fixed.device_scalar() if scenario.device else None,
        ))

    def m2(self, frames: Frames) -> tuple[Status, bytes]:
        answer = self.peer.call("phone_m2", frames=frames)
        return status_of(answer["status"]), bytes_of(answer, "h2")

    def ask(self, message: bytes) -> Frames:
        return frames_of(self.peer.call("phone_ask", message=message))

    def answered(self, frames: Frames) -> bytes:
        return bytes_of(self.peer.call("phone_answered", frames=frames), "message")


class RustLock:
    """The crate's lock."""

    def __init__(self, peer: Peer, scenario: Scenario, advert: bytes | None = None):
        self.peer, self.scenario = peer, scenario
        self.described = peer.connect(scenario, advert)

    def m1(self, frames: Frames) -> Request:
        return request_of(self.peer.call("lock_m1", frames=frames))

    def m2(self, status: Status) -> tuple[Frames, bytes]:
        answer = self.peer.call("lock_m2", status=vars(status))
        return frames_of(answer), bytes_of(answer, "h2")

    def asked(self, frames: Frames) -> bytes | None:
        """The message, or None where the lock calls it malformed."""
        answer = self.peer.call("lock_asked", frames=frames)
        return None if "malformed" in answer else bytes_of(answer, "message")

    def answer(self, message: bytes) -> Frames:
        return frames_of(self.peer.call("lock_answer", message=message))


def status_of(fields: dict) -> Status:
    return Status(**{**fields, "operation_id": bytes_of(fields, "operation_id")})


def request_of(fields: dict) -> Request:
    ticket = fields["ticket"]
    device_key = ticket["device_key"]
    return Request(
        ticket=Ticket(**{
            **ticket,
            "credential": bytes_of(ticket, "credential"),
            "subject": int(ticket["subject"], 16),
            "schedule": Schedule(*bytes_of(ticket, "schedule")),
            "device_key": bytes.fromhex(device_key) if device_key else None,
        }).encode(),
        operation=fields["operation"],
        operation_id=bytes_of(fields, "operation_id"),
        phone_time=fields["phone_time"],
        uncertainty=fields["uncertainty"],
        caveats=tuple(Caveat(**{**each, "worker": bytes_of(each, "worker")}) for each in fields["caveats"]),
        lower_bound=bytes_of(fields, "lower_bound") if fields["lower_bound"] else None,
    )
