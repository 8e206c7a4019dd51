"""What is played: a lock, a ticket, a request, a status, and what is said in the channel."""

import hashlib
from dataclasses import dataclass, field, replace

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sentri_protocol import audit, channel, tokens
from sentri_protocol.advert import CLOCK_LOST, Advert, press_nonce
from sentri_protocol.keys import LockKeys
from sentri_protocol.localtime import AccessHours, Schedule, Zone
from sentri_protocol.request import OPEN, SERVICE, Request
from sentri_protocol.revocation import CARD, CREDENTIAL, WORKER, Entry, RevocationList
from sentri_protocol.settings import FORBIDS_CONTRACTOR, RETURNS_ALLOWED, SMARTPINS, Settings
from sentri_protocol.status import CLOCK_LOST as RESULT_CLOCK_LOST
from sentri_protocol.status import MOTOR_DRIVEN, OPENED, SERVED, Status
from sentri_protocol.ticket import CAVEAT_WORKER, RIGHT_OPEN, RIGHT_SERVICE, Caveat, Secret, Ticket

NOW = 1_767_225_600 + 10 * 3600
MTUS = (23, 185, 247)
DEVICE = ec.derive_private_key(0x5E17_2101_0203_0405_0607_0809_0A0B_0C0D_0E0F, ec.SECP256R1())


def stretch(name: str, length: int = 32) -> bytes:
    """Bytes that look random and are the same in every run."""
    return hashlib.shake_256(b"sentri interop " + name.encode()).digest(length)


def device_point() -> bytes:
    return DEVICE.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


def device_scalar() -> bytes:
    return DEVICE.private_numbers().private_value.to_bytes(32, "big")


@dataclass(frozen=True)
class Scenario:
    """One connection, with everything in it that is random or measured."""

    name: str
    mtu: int
    ticket: Ticket
    operation: int = OPEN
    caveats: tuple[Caveat, ...] = ()
    with_lower_bound: bool = False
    advert_flags: int = 0
    result: int = OPENED
    generation: int = 1
    seed: bytes = field(default_factory=lambda: stretch("seed"))

    @property
    def keys(self) -> LockKeys:
        return LockKeys(self.seed, self.generation)

    @property
    def advert(self) -> Advert:
        nonce = press_nonce(self.keys, 7, 3, stretch(self.name + " nonce", 16))
        return Advert.of_lock(self.keys, self.advert_flags, nonce, NOW)

    @property
    def phone_ephemeral(self) -> bytes:
        return stretch(self.name + " phone ephemeral")

    @property
    def lock_ephemeral(self) -> bytes:
        return stretch(self.name + " lock ephemeral")

    @property
    def secret(self) -> Secret:
        """What the backend gave to the phone."""
        return Secret.of_ticket(self.keys, self.ticket.encode())

    @property
    def device(self) -> ec.EllipticCurvePrivateKey | None:
        return DEVICE if self.ticket.device_key else None

    @property
    def request(self) -> Request:
        return Request(
            ticket=self.ticket.encode(),
            operation=self.operation,
            operation_id=stretch(self.name + " operation", 8),
            phone_time=NOW + 4,
            uncertainty=2,
            caveats=self.caveats,
            lower_bound=tokens.lower_bound(self.keys, NOW - 60) if self.with_lower_bound else None,
        )

    @property
    def status(self) -> Status:
        return Status(
            result=self.result, operation_id=self.request.operation_id, clock=NOW, quality=3, epoch=4,
            revocation_version=41, settings_version=6, log_head=1234, unacknowledged=17, battery=88,
            firmware=0x0102, retry_after=0 if self.result == OPENED else 65535,
            flags=MOTOR_DRIVEN if self.result == OPENED else 0,
        )


def ticket(**changes) -> Ticket:
    plain = Ticket(
        credential=stretch("credential", 8), subject=0x0A0B0C0D, epoch=4, issued_at=NOW - 7200,
        not_before=NOW - 3600, not_after=NOW + 3600, schedule=Schedule(0x7F, 32, 80),
        rights=RIGHT_OPEN | RIGHT_SERVICE,
    )
    return replace(plain, **changes)


def worker(kind: int = CAVEAT_WORKER, number: int = 9) -> Caveat:
    return Caveat(kind, NOW - 1800, NOW + 1800, number.to_bytes(3, "big"))


def scenarios() -> list[Scenario]:
    bound = ticket(device_key=device_point())
    shapes = []
    for mtu in MTUS:
        shapes += [
            Scenario(f"plain ticket, MTU {mtu}", mtu, ticket()),
            Scenario(f"device key, MTU {mtu}", mtu, bound),
            Scenario(f"two caveats and a token, MTU {mtu}", mtu, ticket(), caveats=(worker(), worker(number=77)),
                     with_lower_bound=True),
        ]
    return shapes + [
        Scenario("one caveat", 185, ticket(), caveats=(worker(),)),
        Scenario("device key, two caveats, token", 23, bound, caveats=(worker(), worker(number=3)),
                 with_lower_bound=True),
        Scenario("clock lost", 185, ticket(), advert_flags=CLOCK_LOST, with_lower_bound=True,
                 result=RESULT_CLOCK_LOST),
        Scenario("service", 247, ticket(rights=RIGHT_SERVICE), operation=SERVICE, result=SERVED),
        Scenario("generation 5", 185, ticket(), generation=5),
    ]


def revocations() -> RevocationList:
    return RevocationList(42, 5, (
        Entry(CREDENTIAL, stretch("revoked", 8), NOW + 86_400),
        Entry(WORKER, bytes(5) + (77).to_bytes(3, "big"), NOW + 3600),
        Entry(CARD, stretch("card", 8), NOW + 259_200),
    ))


def full_list() -> RevocationList:
    """The longest message that is named: 64 entries."""
    return RevocationList(43, 5, tuple(Entry(CREDENTIAL, stretch(f"r{n}", 8), NOW + n) for n in range(64)))


def settings() -> Settings:
    zone = Zone(-28, NOW + 1_000_000, -32, NOW + 20_000_000, -28)
    hours = AccessHours(((32, 80),) * 5 + ((36, 72), (0, 0)))
    return Settings(7, 2, zone, hours, RETURNS_ALLOWED | SMARTPINS | FORBIDS_CONTRACTOR, (1, 2, 300), bytes([9, 24, 6]), 123_456_789)


def events(count: int = 24) -> list[audit.Event]:
    return [
        audit.Event(NOW + n, 1 + n % 10, n % 3 == 0, n % 12, stretch(f"who {n}", 8), stretch(f"op {n}", 4),
                    audit.SKEW_UNKNOWN if n % 5 == 0 else n - 12)
        for n in range(count)
    ]


def log(keys: LockKeys, first: int = 101, count: int = 24) -> tuple[bytes, list[bytes]]:
    """T of the record before `first`, and the records."""
    before = stretch("record before", audit.T_BYTES)
    records, tag = [], before
    for number, event in enumerate(events(count), first):
        record = audit.seal(keys, number, tag, event)
        records.append(record)
        tag = record[: audit.T_BYTES]
    return before, records


#: What a lock must answer with `FF`.
MALFORMED_QUESTIONS = {
    "no type": b"",
    "an unknown type": b"\x77\x01",
    "an answer's type": channel.ask(channel.SETTINGS | channel.ANSWER, bytes(5)),
    "a fresh token cut short": channel.ask(channel.FRESH_TIME, bytes(12)),
    "a fresh token with an unknown flag": channel.ask(channel.FRESH_TIME, bytes(4) + b"\x02" + bytes(8)),
    "no records asked for": channel.ask(channel.READ_AUDIT, bytes(5)),
    "25 records asked for": channel.ask(channel.READ_AUDIT, bytes(4) + b"\x19"),
    "an acknowledgement with a byte too many": channel.ask(channel.ACKNOWLEDGE, bytes(25)),
}


def dialogue(scenario: Scenario, h2: bytes) -> list[tuple[str, bytes, bytes]]:
    """(name, what the phone asks, what the lock answers), for the whole table of section 7 but `FF`."""
    keys = scenario.keys
    before, records = log(keys)
    rejudged = replace(scenario.status, quality=1, clock=NOW + 5)
    said = audit.acknowledgement(keys, 124, records[-1][: audit.T_BYTES])
    return [
        ("fresh time", channel.ask(channel.FRESH_TIME, tokens.fresh(keys, h2, NOW + 5, True)),
         channel.answer(channel.FRESH_TIME, rejudged.encode(keys))),
        ("revocations", channel.ask(channel.REVOCATIONS, revocations().encode(keys)),
         channel.coded(channel.REVOCATIONS, channel.APPLIED, 42)),
        ("64 revocations", channel.ask(channel.REVOCATIONS, full_list().encode(keys)),
         channel.coded(channel.REVOCATIONS, channel.APPLIED, 43)),
        ("settings", channel.ask(channel.SETTINGS, settings().encode(keys)),
         channel.coded(channel.SETTINGS, channel.ALREADY_CURRENT, 7)),
        ("read audit", channel.ask_audit(101, 24),
         channel.answer(channel.READ_AUDIT, audit.batch(keys, 101, 5, before, records))),
        ("acknowledge", channel.ask(channel.ACKNOWLEDGE, said),
         channel.coded(channel.ACKNOWLEDGE, channel.APPLIED, 124)),
        ("codes", channel.ask(channel.CODES, stretch("a delivery", 43)),
         channel.codes_taken(channel.APPLIED, 9, 0b101)),
    ]
