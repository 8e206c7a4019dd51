"""The Python phone against the Rust lock, the Rust phone against the Python lock, byte for byte."""

from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from sentri_protocol import audit, channel, tokens
from sentri_protocol.advert import BATTERY_LOW, CLOCK_LOST, SERVICE_ONLY, Advert, press_nonce
from sentri_protocol.frames import cut
from sentri_protocol.keys import SECONDS_PER_WEEK, random_block, wake_seed
from sentri_protocol.session import Lock, Phone
from sentri_protocol.settings import (
    CONTRACTOR_MODE,
    FORBIDS_CONTRACTOR,
    FORBIDS_ONE_DAY,
    ONE_DAY_ENDS_WITH_DAY,
    RETURNS_ALLOWED,
    SMARTPINS,
)
from sentri_protocol.ticket import Secret

from . import scenarios as fixed
from .ends import PythonLock, PythonPhone
from .peer import Peer, RustLock, RustPhone, bytes_of
from .play import compare, play
from .report import Report, flipped
from .scenarios import NOW, Scenario
from .selftest import LOW_ORDER_POINTS, m1_of, plain, wrong_lock


def run(report: Report, peer: Peer) -> None:
    report.group("Python phone against Rust lock")
    each_scenario(report, lambda s: PythonPhone(s), lambda s: RustLock(peer, s))
    each(report, peer, check_rust_lock_refuses, check_rust_frames, check_malformed_questions)
    report.group("Rust phone against Python lock")
    each_scenario(report, lambda s: RustPhone(peer, s), lambda s: PythonLock(s))
    each(report, peer, check_rust_phone_refuses)
    report.group("Adverts, keys and whatever carries a MAC, Rust against Python")
    each(report, peer, check_adverts, check_keys, check_signed)


def each(report: Report, peer: Peer, *checks) -> None:
    """Runs each to its end, or counts what stopped it as a failure."""
    for check in checks:
        report.run(f"{check.__name__}: to its end", lambda c=check: c(report, peer))


def each_scenario(report: Report, phone, lock) -> None:
    """Plays each and compares with what two Python ends say to each other."""
    for scenario in fixed.scenarios():
        name = f"{scenario.name}: played to its end"
        found = report.run(name, lambda s=scenario: play(report, s, phone(s), lock(s)))
        if found is not None:
            expected = play(Report(), scenario, PythonPhone(scenario), PythonLock(scenario))
            compare(report, scenario, found, expected)


def check_rust_lock_refuses(report: Report, peer: Peer) -> None:
    """Every byte of advert and M1 flipped, and all that proves nothing."""
    for scenario in (plain(), plain("flips with a device key", device_key=fixed.device_point())):
        check_rust_lock_flips(report, peer, scenario)
    check_rust_lock_wants_proof(report, peer)
    check_both_s(report, peer)


def check_rust_lock_flips(report: Report, peer: Peer, scenario: Scenario) -> None:
    message = m1_of(scenario)
    report.equal("M1 as it was", report.run("M1", lambda: rust_reads(peer, scenario, message)), scenario.request)
    for index, changed in flipped(message):
        report.refused(f"M1, byte {index} flipped", rust_reads, peer, scenario, changed)
    for length in range(1, len(message)):
        report.refused(f"M1 cut to {length} bytes", rust_reads, peer, scenario, message[:length])
    report.refused("M1 with a byte more", rust_reads, peer, scenario, message + b"\x00")
    for index, changed in flipped(scenario.advert.encode()):
        report.refused(f"M1 on an advert with byte {index} flipped", rust_reads, peer, scenario, message, changed)
    for point in LOW_ORDER_POINTS:
        report.refused(f"low-order point {point.hex()[:4]}…", rust_reads, peer, scenario, point + message[32:])


class OtherS:
    """A device whose hardware gives the other of the two s that make a signature valid."""

    ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

    def __init__(self, high: bool):
        self.high = high

    def sign(self, message: bytes, algorithm) -> bytes:
        r, s = decode_dss_signature(fixed.DEVICE.sign(message, algorithm))
        is_high = s > self.ORDER // 2
        return encode_dss_signature(r, s if is_high == self.high else self.ORDER - s)


def rust_reads(peer: Peer, scenario: Scenario, m1: bytes, advert: bytes | None = None):
    return RustLock(peer, scenario, advert).m1(cut(m1, scenario.mtu))


def check_rust_lock_wants_proof(report: Report, peer: Peer) -> None:
    scenario = plain("refusals")
    public = scenario.keys.noise_static_public()
    stranger = replace(scenario, seed=fixed.stretch("another lock"))
    bound = plain("refusals", device_key=fixed.device_point())
    off_curve = plain("refusals", device_key=b"\x02" + b"\xff" * 32)
    thief = fixed.ec.generate_private_key(fixed.ec.SECP256R1())
    widened = replace(scenario.request, ticket=fixed.ticket(not_after=NOW + 7200).encode())
    proofs = {
        "a ticket of lock A at lock B": (stranger, wrong_lock(scenario, stranger)),
        "M1 of another press": (plain("another press"), Phone(scenario.advert, public, scenario.secret).m1(
            scenario.request)),
        "a ticket of another generation": (replace(scenario, generation=2), Phone(
            scenario.advert, replace(scenario, generation=2).keys.noise_static_public(), scenario.secret,
        ).m1(scenario.request)),
        "a longer window under the same secret": (scenario, Phone(scenario.advert, public, scenario.secret).m1(
            widened)),
        "a bound ticket without its signature": (bound, Phone(bound.advert, public, bound.secret).m1(bound.request)),
        "a bound ticket signed by another key": (bound, Phone(bound.advert, public, bound.secret).m1(
            bound.request, thief)),
        "a ticket bound to no point of P-256": (off_curve, Phone(off_curve.advert, public, off_curve.secret).m1(
            off_curve.request, fixed.DEVICE)),
        "a signature with a plain ticket": (scenario, Phone(scenario.advert, public, scenario.secret).m1(
            scenario.request, fixed.DEVICE)),
        "a caveat taken away": (scenario, Phone(
            scenario.advert, public, scenario.secret.narrowed([fixed.worker()])).m1(scenario.request)),
    }
    for name, (lock, message) in proofs.items():
        report.refused(f"{name}, at the Rust lock", lambda s=lock, m=message: rust_reads(peer, s, m))
        report.refused(f"{name}, at the Python lock", lambda s=lock, m=message: Lock(s.advert, s.keys).m1(m))


def check_both_s(report: Report, peer: Peer) -> None:
    scenario = plain("both s", device_key=fixed.device_point())
    for high in (False, True):
        phone = Phone(scenario.advert, scenario.keys.noise_static_public(), scenario.secret)
        message = phone.m1(scenario.request, OtherS(high))
        name = f"a signature with {'high' if high else 'low'} s"
        report.equal(name, report.run(name, lambda m=message: rust_reads(peer, scenario, m)), scenario.request)


def check_rust_frames(report: Report, peer: Peer) -> None:
    """The Rust lock's assembler on faults of the link."""
    scenario = replace(plain("frames"), mtu=23)
    good = PythonPhone(scenario).m1()
    doubled = [frame for frame in good for _ in range(2)]
    report.run("each frame doubled", lambda: RustLock(peer, scenario).m1(doubled))
    faults = {
        "one frame missing": good[:3] + good[4:],
        "the last frame missing": good[:-1],
        "two frames swapped": [good[1], good[0], *good[2:]],
        "an old frame again": [*good[:3], good[0], *good[3:]],
        "an empty chunk": [good[0], b"\x01"],
        "an empty frame": [b""],
        "1025 bytes": [bytes([n]) + bytes(19) for n in range(53)] + [b"\xb5" + bytes(18)],
    }
    for name, frames in faults.items():
        report.refused(f"frames: {name}", lambda f=frames: RustLock(peer, scenario).m1(f))


def check_malformed_questions(report: Report, peer: Peer) -> None:
    scenario = plain("malformed questions")
    phone, lock = PythonPhone(scenario), RustLock(peer, scenario)
    lock.m1(phone.m1())
    phone.m2(lock.m2(scenario.status)[0])
    for name, question in fixed.MALFORMED_QUESTIONS.items():
        understood = report.run(name, lambda q=question: lock.asked(phone.ask(q)))
        report.equal(f"malformed: {name}", understood, None)
        answered = report.run(name, lambda: phone.answered(lock.answer(channel.MALFORMED_ANSWER)))
        report.equal(f"malformed: {name}, answered", answered, channel.MALFORMED_ANSWER)
    sealed = phone.ask(channel.ask_audit(1, 1))
    broken = [sealed[0][:-1] + bytes([sealed[0][-1] ^ 1])]
    report.refused("a channel message with a flipped byte", lambda: lock.asked(broken))


def check_rust_phone_refuses(report: Report, peer: Peer) -> None:
    """Every byte of advert and M2 flipped, and what M2 must not be."""
    scenario = plain()
    lock = PythonLock(scenario)
    lock.m1(PythonPhone(scenario).m1())
    message = lock.lock.m2(scenario.status)
    for index, changed in flipped(message):
        report.refused(f"M2, byte {index} flipped", lambda c=changed: rust_phone_reads(peer, scenario, c))
    for index in range(1, len(message)):
        report.refused(f"M2 cut to {index} bytes", lambda i=index: rust_phone_reads(peer, scenario, message[:i]))
    report.refused("the byte 00 in place of M2", lambda: rust_phone_reads(peer, scenario, b"\x00"))
    other = PythonLock(scenario)
    other.m1(PythonPhone(scenario).m1())
    swapped = other.lock.m2(replace(scenario.status, operation_id=bytes(8)))
    report.refused("M2 about another operation", lambda: rust_phone_reads(peer, scenario, swapped))
    report.run("M2 as it was", lambda: rust_phone_reads(peer, scenario, message))
    for index, changed in flipped(scenario.advert.encode()):
        report.refused(f"the Rust phone hears an advert with byte {index} flipped",
                       lambda c=changed: PythonLock(scenario).m1(RustPhone(peer, scenario, c).m1()))


def rust_phone_reads(peer: Peer, scenario: Scenario, m2: bytes):
    phone = RustPhone(peer, scenario)
    phone.m1()
    return phone.m2(cut(m2, scenario.mtu))


def check_adverts(report: Report, peer: Peer) -> None:
    scenario = plain("adverts")
    random = fixed.stretch("advert random", 16)
    for flags in range(8):
        for now in (NOW, NOW - NOW % SECONDS_PER_WEEK, NOW - NOW % SECONDS_PER_WEEK - 1):
            peer.connect(scenario)
            nonce = press_nonce(scenario.keys, 7, 3, random)
            expected = Advert.of_lock(scenario.keys, flags, nonce, now).encode()
            made = peer.call("advert", boot=7, press=3, random=random, flags=flags, now=now)
            report.equal(f"advert, flags {flags}, at {now}", bytes_of(made, "bytes"), expected)
            report.run("recognised", lambda e=expected, t=now: recognise(peer, scenario, e, t))
    for flags in (0, CLOCK_LOST, BATTERY_LOW | SERVICE_ONLY):
        good = Advert.of_lock(scenario.keys, flags, scenario.advert.nonce, NOW).encode()
        for index, changed in flipped(good):
            report.refused(f"advert of flags {flags}, byte {index} flipped",
                           lambda c=changed: recognise(peer, scenario, c, NOW))
        report.refused("advert cut short", lambda g=good: recognise(peer, scenario, g[:-1], NOW))
        report.refused("advert of two weeks ago",
                       lambda g=good: recognise(peer, scenario, g, NOW + 2 * SECONDS_PER_WEEK)
                       if not g[1] & CLOCK_LOST else recognise(peer, replace(scenario, generation=2), g, NOW))


def recognise(peer: Peer, scenario: Scenario, advert: bytes, now: int):
    peer.connect(scenario, advert)
    return peer.call("recognise", now=now)


def check_keys(report: Report, peer: Peer) -> None:
    for generation in (1, 2, 0xFFFF_FFFF):
        scenario = replace(plain("keys"), generation=generation)
        keys = scenario.keys
        public = bytes_of(peer.connect(scenario), "lock_public")
        report.equal(f"static key, generation {generation}", public, keys.noise_static_public())
        adverts = peer.call("advert_keys", time=NOW)
        report.equal(f"advert key, generation {generation}", bytes_of(adverts, "week"), keys.advert_week(NOW))
        report.equal(f"lost key, generation {generation}", bytes_of(adverts, "lost"), keys.advert_lost())
        for ticket in (fixed.ticket().encode(), fixed.ticket(device_key=fixed.device_point()).encode()):
            secret = bytes_of(peer.call("secret", ticket=ticket), "bytes")
            report.equal(f"S, generation {generation}", secret, Secret.of_ticket(keys, ticket).s)
        entropy = fixed.stretch("entropy")
        blocks = peer.call("random", boot=7, press=3, entropy=entropy, blocks=4)["blocks"]
        seed = wake_seed(keys, 7, 3, entropy)
        expected = [random_block(seed, index).hex() for index in range(4)]
        report.equal(f"random blocks, generation {generation}", blocks, expected)


def check_signed(report: Report, peer: Peer) -> None:
    """Python makes it; Rust checks it, says what it reads, and makes the same bytes again."""
    scenario = plain("signed", rights=1)
    phone = PythonPhone(scenario)
    lock = RustLock(peer, scenario)
    lock.m1(phone.m1())
    _, h2 = lock.m2(scenario.status)
    for what, good, fields in signed(scenario, h2):
        answer = report.run(what, lambda w=what, g=good: peer.call("resign", what=w, bytes=g))
        if answer:
            report.equal(f"{what}: what it says", answer["fields"], fields)
            report.equal(f"{what}: made again", bytes_of(answer, "bytes"), good)
        report.refused(f"{what}: cut short", lambda w=what, g=good: peer.call("resign", what=w, bytes=g[:-1]))
        report.refused(f"{what}: a byte more", lambda w=what, g=good: peer.call("resign", what=w, bytes=g + b"\0"))
        for index, changed in flipped(good):
            report.refused(f"{what}: byte {index} flipped",
                           lambda w=what, c=changed: peer.call("resign", what=w, bytes=c))


def signed(scenario: Scenario, h2: bytes) -> list[tuple[str, bytes, dict]]:
    """(what, bytes, fields) of all that carries a MAC."""
    keys, status = scenario.keys, scenario.status
    before, records = fixed.log(keys)
    last = records[-1][: audit.T_BYTES]
    listed = fixed.revocations()
    entries = [{"kind": e.kind, "id": e.id.hex(), "until": e.until} for e in listed.entries]
    batch = audit.batch(keys, 101, 5, before, records)
    empty = audit.batch(keys, 1235, 0, before, [])
    events = [
        {**vars(event), "who": event.who.hex(), "operation": event.operation.hex()} for event in fixed.events()
    ]
    return [
        ("lower_bound", tokens.lower_bound(keys, NOW), {"time": NOW}),
        ("fresh", tokens.fresh(keys, h2, NOW, False), {"time": NOW, "repair": False}),
        ("fresh", tokens.fresh(keys, h2, NOW, True), {"time": NOW, "repair": True}),
        ("revocations", listed.encode(keys), {"version": 42, "epoch_floor": 5, "entries": entries}),
        ("settings", fixed.settings().encode(keys), settings_fields()),
        ("status", status.encode(keys), {**vars(status), "operation_id": status.operation_id.hex()}),
        ("batch", batch, {"first": 101, "lost": 5, "previous": before.hex(), "last": last.hex(), "events": events}),
        ("batch", empty, {"first": 1235, "lost": 0, "previous": before.hex(), "last": bytes(12).hex(), "events": []}),
        ("acknowledgement", audit.acknowledgement(keys, 124, last), {"up_to": 124, "tag": last.hex()}),
    ]


def settings_fields() -> dict:
    settings = fixed.settings()
    return {
        "version": settings.version,
        "generation": settings.generation,
        "zone": settings.zone.encode().hex(),
        "hours": [list(day) for day in settings.hours.days],
        "contractor_mode": bool(settings.flags & CONTRACTOR_MODE),
        "returns": bool(settings.flags & RETURNS_ALLOWED),
        "smart_pins": bool(settings.flags & SMARTPINS),
        "one_day_ends_with_day": bool(settings.flags & ONE_DAY_ENDS_WITH_DAY),
        "forbids_one_day": bool(settings.flags & FORBIDS_ONE_DAY),
        "forbids_contractor": bool(settings.flags & FORBIDS_CONTRACTOR),
        "contractor_generations": list(settings.contractor_generations),
        "smart_pin_rules": settings.smart_pin_rules.hex(),
        "owner": settings.owner,
    }
