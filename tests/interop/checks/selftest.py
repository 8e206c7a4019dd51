"""The Python phone against the Python lock, and what both must refuse."""

from dataclasses import replace

from sentri_protocol import audit, channel, tokens
from sentri_protocol import status as result
from sentri_protocol.advert import Advert
from sentri_protocol.frames import Assembler, cut
from sentri_protocol.judgement import LockState, judge
from sentri_protocol.keys import LockKeys, hkdf_sha256
from sentri_protocol.localtime import AccessHours, Schedule, Zone
from sentri_protocol.request import SERVICE, Request
from sentri_protocol.revocation import CREDENTIAL, WORKER, Entry, RevocationList
from sentri_protocol.session import Lock, Phone
from sentri_protocol.settings import Settings
from sentri_protocol.status import check_status
from sentri_protocol.ticket import RIGHT_OPEN, RIGHT_SERVICE, Caveat, Ticket

from . import scenarios as fixed
from .ends import PythonLock, PythonPhone
from .play import play
from .report import Report, flipped
from .scenarios import NOW, Scenario

LOW_ORDER_POINTS = [bytes(32), bytes([1]) + bytes(31), bytes([0xEC]) + b"\xff" * 30 + bytes([0x7F])]


def run(report: Report) -> None:
    report.group("Python phone against Python lock")
    check_hkdf(report)
    for scenario in fixed.scenarios():
        play(report, scenario, PythonPhone(scenario), PythonLock(scenario))
    check_sizes(report)
    check_flips(report)
    check_session_refusals(report)
    check_frames(report)
    check_parsers(report)
    check_macs(report)
    check_judgement(report)


def check_hkdf(report: Report) -> None:
    """RFC 5869, test case 1."""
    found = hkdf_sha256(b"\x0b" * 22, bytes(range(13)), bytes(range(0xF0, 0xFA)), 42)
    expected = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    report.equal("RFC 5869, case 1", found.hex(), expected)


def plain(name: str = "flips", **changes) -> Scenario:
    return Scenario(name, 185, fixed.ticket(**changes))


def m1_of(scenario: Scenario) -> bytes:
    phone = Phone(scenario.advert, scenario.keys.noise_static_public(), scenario.secret, scenario.phone_ephemeral)
    return phone.m1(scenario.request, scenario.device)


def lock_of(scenario: Scenario) -> Lock:
    return Lock(scenario.advert, scenario.keys, scenario.lock_ephemeral)


def check_sizes(report: Report) -> None:
    bound = plain(device_key=fixed.device_point())
    report.equal("M1 is 112 bytes", len(m1_of(plain())), 112)
    report.equal("M1 with a device key is 209 bytes", len(m1_of(bound)), 209)
    lock = lock_of(plain())
    lock.m1(m1_of(plain()))
    report.equal("M2 is 92 bytes", len(lock.m2(plain().status)), 92)
    report.equal("the advert is 18 bytes", len(plain().advert.encode()), 18)


def check_flips(report: Report) -> None:
    """Every byte of advert, M1 and M2 flipped is refused."""
    for scenario in (plain(), plain(device_key=fixed.device_point())):
        check_m1_flips(report, scenario)
    scenario = plain()
    lock = lock_of(scenario)
    lock.m1(m1_of(scenario))
    answer = lock.m2(scenario.status)
    for index, changed in flipped(answer):
        phone = PythonPhone(scenario)
        phone.m1()
        report.refused(f"M2, byte {index} flipped", lambda c=changed, p=phone: p.phone.m2(c))


def check_m1_flips(report: Report, scenario: Scenario) -> None:
    secret = scenario.keys.advert_week(NOW)
    for index, changed in flipped(scenario.advert.encode()):
        report.refused(f"advert, byte {index} flipped", lambda c=changed: Advert.decode(c).check(secret))
        report.refused(f"a session on an advert with byte {index} flipped", cross, scenario, changed)
    message = m1_of(scenario)
    for index, changed in flipped(message):
        report.refused(f"M1, byte {index} flipped", lambda c=changed: lock_of(scenario).m1(c))
    for length in range(len(message)):
        report.refused(f"M1 cut to {length} bytes", lambda n=length: lock_of(scenario).m1(message[:n]))


def cross(scenario: Scenario, changed_advert: bytes) -> Request:
    """A phone that heard another advert than the lock sent."""
    heard = Advert(changed_advert[1], changed_advert[2:10], changed_advert[10:], changed_advert[0])
    phone = Phone(heard, scenario.keys.noise_static_public(), scenario.secret, scenario.phone_ephemeral)
    return lock_of(scenario).m1(phone.m1(scenario.request, scenario.device))


def check_session_refusals(report: Report) -> None:
    scenario = plain("refusals")
    message = m1_of(scenario)
    other_press = plain("another press")
    report.refused("M1 replayed at the next press", lambda: lock_of(other_press).m1(message))
    stranger = replace(scenario, seed=fixed.stretch("another lock"))
    report.refused("a ticket of lock A at lock B", lambda: lock_of(stranger).m1(wrong_lock(scenario, stranger)))
    bound = plain("refusals", device_key=fixed.device_point())
    unsigned = Phone(bound.advert, bound.keys.noise_static_public(), bound.secret)
    report.refused("a bound ticket without its signature", lambda: lock_of(bound).m1(unsigned.m1(bound.request)))
    signed = Phone(scenario.advert, scenario.keys.noise_static_public(), scenario.secret)
    report.refused("a signature with a plain ticket",
                   lambda: lock_of(scenario).m1(signed.m1(scenario.request, fixed.DEVICE)))
    narrowed = replace(scenario, caveats=(fixed.worker(),))
    stripped = Phone(narrowed.advert, narrowed.keys.noise_static_public(), narrowed.secret.narrowed([fixed.worker()]))
    report.refused("a caveat taken away", lambda: lock_of(scenario).m1(stripped.m1(scenario.request)))
    for point in LOW_ORDER_POINTS:
        report.refused(f"low-order point {point.hex()[:4]}…", lambda p=point: lock_of(scenario).m1(p + message[32:]))
    phone = PythonPhone(scenario)
    phone.m1()
    report.refused("the byte 00 in place of M2", lambda: phone.phone.m2(b"\x00"))
    swapped = replace(scenario.status, operation_id=bytes(8))
    lock = lock_of(scenario)
    lock.m1(message)
    report.refused("M2 about another operation", lambda: phone.phone.m2(lock.m2(swapped)))


def wrong_lock(scenario: Scenario, lock: Scenario) -> bytes:
    """A phone that has a ticket of its own lock and the public key of another."""
    phone = Phone(lock.advert, lock.keys.noise_static_public(), scenario.secret)
    return phone.m1(scenario.request)


def check_frames(report: Report) -> None:
    message = fixed.stretch("message", 300)
    for mtu in (23, 185, 247, 517):
        frames = cut(message, mtu)
        report.equal(f"MTU {mtu}: together again", feed(frames), message)
        report.equal(f"MTU {mtu}: each frame doubled", feed([f for f in frames for _ in range(2)]), message)
    frames = cut(message, 23)
    report.equal("300 bytes at MTU 23", len(frames), 16)
    report.equal("1024 bytes pass", len(feed(cut(bytes(1024), 23))), 1024)
    faults = {
        "one frame missing": frames[:3] + frames[4:],
        "two frames swapped": [frames[1], frames[0], *frames[2:]],
        "an old frame again": [*frames[:3], frames[0], *frames[3:]],
        "an empty chunk": [frames[0], b"\x01"],
        "an empty frame": [b""],
        "1025 bytes": [bytes([n]) + bytes(19) for n in range(53)] + [b"\xb5" + bytes(18)],
    }
    for name, fault in faults.items():
        report.refused(f"frames: {name}", lambda f=fault: feed(f))
    report.refused("frames: nothing to send", lambda: cut(b"", 23))
    report.refused("frames: 1025 bytes to send", lambda: cut(bytes(1025), 23))


def feed(frames: list[bytes]) -> bytes | None:
    assembler, message = Assembler(), None
    for frame in frames:
        message = assembler.push(frame) or message
    return message


def check_parsers(report: Report) -> None:
    """A length, version, flag or value that is not named is refused."""
    good = fixed.ticket().encode()
    report.equal("a ticket read and written", Ticket.decode(good).encode(), good)
    report.refused("ticket: version 2", lambda: Ticket.decode(b"\x02" + good[1:]))
    report.refused("ticket: unknown flag", lambda: Ticket.decode(good[:1] + b"\x02" + good[2:]))
    report.refused("ticket: a byte too many", lambda: Ticket.decode(good + b"\x00"))
    report.refused("ticket: device key missing", lambda: Ticket.decode(good[:1] + b"\x01" + good[2:]))
    report.refused("ticket: window reversed", lambda: Ticket.decode(fixed.ticket(not_after=1).encode()))
    for rights in (0, 16):
        report.refused(f"ticket: rights {rights}", lambda r=rights: Ticket.decode(fixed.ticket(rights=r).encode()))
    for days, begin, end in ((0, 0, 96), (0x80, 0, 96), (1, 96, 1), (1, 0, 0), (1, 0, 97), (1, 40, 40)):
        schedule = Schedule(days, begin, end)
        report.refused(f"schedule {days} {begin} {end}",
                       lambda s=schedule: Ticket.decode(fixed.ticket(schedule=s).encode()))
    request = plain().request.encode()
    for name, changed in {
        "operation 0": request[:32] + b"\x00" + request[33:],
        "operation 3": request[:32] + b"\x03" + request[33:],
        "three caveats": request[:-2] + b"\x00\x03" + bytes(36),
        "unknown flag": request[:-2] + b"\x80\x00",
        "token missing": request[:-2] + b"\x00\x04",
    }.items():
        report.refused(f"request: {name}", lambda c=changed: Request.decode(c))


def check_macs(report: Report) -> None:
    """Every byte of whatever carries a MAC, flipped."""
    keys, h2 = LockKeys(fixed.stretch("seed")), fixed.stretch("h2")
    before, records = fixed.log(keys, count=3)
    carried = {
        "lower-bound token": (tokens.lower_bound(keys, NOW), lambda b: tokens.read_lower_bound(keys, b)),
        "fresh token": (tokens.fresh(keys, h2, NOW, False), lambda b: tokens.read_fresh(keys, h2, b)),
        "revocations": (fixed.revocations().encode(keys), lambda b: RevocationList.decode(keys, b)),
        "settings": (fixed.settings().encode(keys), lambda b: Settings.decode(keys, b)),
        "status": (plain().status.encode(keys), lambda b: check_status(keys, b)),
        "batch": (audit.batch(keys, 101, 5, before, records), lambda b: audit.read_batch(keys, b)),
        "acknowledgement": (audit.acknowledgement(keys, 3, before), lambda b: audit.read_acknowledgement(keys, b)),
    }
    for name, (good, read) in carried.items():
        report.run(f"{name}: read", lambda g=good, r=read: r(g))
        report.refused(f"{name}: cut short", lambda g=good, r=read: r(g[:-1]))
        for index, changed in flipped(good):
            report.refused(f"{name}: byte {index} flipped", lambda c=changed, r=read: r(c))
    read = audit.read_batch(keys, audit.batch(keys, 101, 5, before, records))
    report.equal("audit records read", list(read.events), fixed.events(3))
    other = LockKeys(fixed.stretch("seed"), 2)
    report.equal("audit keys ignore the generation", other.of("audit", b"mac"), keys.of("audit", b"mac"))
    report.refused("a token of another session",
                   lambda: tokens.read_fresh(keys, bytes(32), tokens.fresh(keys, h2, NOW, False)))
    report.refused("FF from the lock", lambda: channel.read_coded(channel.SETTINGS, channel.MALFORMED_ANSWER))


def check_judgement(report: Report) -> None:
    """Section 7's order, and windows at their edges."""
    utc = Zone(0, 0, 0, 0, 0)
    always = AccessHours(((0, 96),) * 7)
    good = LockState(NOW, 1, utc, always)
    scenario = plain(schedule=Schedule(0x7F, 0, 96))
    base = scenario.request
    begin, end = NOW - 3600, NOW + 3600
    revoked = RevocationList(1, 0, (Entry(CREDENTIAL, scenario.ticket.credential, NOW),))
    worker_gone = RevocationList(1, 0, (Entry(WORKER, bytes(7) + b"\x09", NOW),))
    with_worker = replace(base, caveats=(fixed.worker(),))
    narrow = replace(base, caveats=(Caveat(1, NOW + 600, NOW + 700, bytes(3)),))
    nothing = replace(base, caveats=(Caveat(1, end, end + 60, bytes(3)),))
    only_service = replace(base, ticket=fixed.ticket(rights=RIGHT_SERVICE).encode())
    only_open = replace(base, operation=SERVICE, ticket=fixed.ticket(rights=RIGHT_OPEN).encode())
    service = replace(base, operation=SERVICE)
    cases = [
        ("opens", base, good, result.OPENED),
        ("first second less tolerance", base, replace(good, now=begin - 300), result.OPENED),
        ("a second before that", base, replace(good, now=begin - 301), result.NOT_YET),
        ("last second and tolerance", base, replace(good, now=end + 299), result.OPENED),
        ("a second after that", base, replace(good, now=end + 300), result.EXPIRED),
        ("tolerance grows by 6 s a day", base, replace(good, now=begin - 360, quality=11), result.OPENED),
        ("and ends at 30 min", base, replace(good, now=begin - 1801, quality=255), result.NOT_YET),
        ("clock lost", base, replace(good, quality=0), result.CLOCK_LOST),
        ("clock lost, perhaps past", base, replace(good, quality=0, now=end + 1799), result.CLOCK_LOST),
        ("clock lost, surely past", base, replace(good, quality=0, now=end + 1800), result.EXPIRED),
        ("caveats that leave nothing", nothing, good, result.EXPIRED),
        ("outside hours", base, replace(good, hours=AccessHours(((0, 0),) * 7)), result.OUTSIDE_HOURS),
        ("opened already", base, replace(good, opened_in_this_wake=True), result.OPENED_ALREADY),
        ("revoked", base, replace(good, revoked=revoked), result.REVOKED),
        ("worker revoked", with_worker, replace(good, revoked=worker_gone), result.REVOKED),
        ("epoch too low", base, replace(good, epoch_floor=5), result.REVOKED),
        ("a caveat narrows", narrow, good, result.NOT_YET),
        ("unknown caveat", replace(base, caveats=(fixed.worker(kind=2),)), good, result.UNKNOWN_CAVEAT),
        ("no right to open", only_service, good, result.NO_RIGHT),
        ("no right to service", only_open, good, result.NO_RIGHT),
        ("service needs no clock", service, replace(good, quality=0), result.SERVED),
        ("service of a revoked ticket", service, replace(good, revoked=revoked), result.REVOKED),
        ("flash failed", base, replace(good, flash_works=False), result.FLASH_FAILED),
    ]
    for name, request, lock, expected in cases:
        report.equal(f"judgement: {name}", judge(request, lock), expected)
    check_local_time(report)


def check_local_time(report: Report) -> None:
    denver = Zone(-28, 1_000_000_000, -24, 1_010_000_000, -28)
    for time, offset in ((999_999_999, -28), (1_000_000_000, -24), (1_010_000_000, -28)):
        report.equal(f"offset at {time}", denver.offset_at(time), offset)
    report.equal("1970 began on a Thursday", Zone(0, 0, 0, 0, 0).local(0), (0, 3, 0))
    report.equal("… and an hour later west of it", Zone(-4, 0, 0, 0, 0).local(7200), (0, 3, 3600))
    night = Schedule(1 << 4, 88, 8)
    for weekday, hour, inside in ((4, 22, True), (4, 21, False), (5, 1, True), (5, 2, False), (4, 1, False)):
        report.equal(f"Friday night, day {weekday} at {hour}:00", night.covers(weekday, hour * 3600), inside)
