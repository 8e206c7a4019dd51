"""The vectors in protocol/vectors, which the Rust crate checks as well, against the Python implementation."""

import json
from pathlib import Path

from sentri_protocol import audit, card, codes, tokens
from sentri_protocol.advert import BATTERY_LOW, CLOCK_LOST, Advert, press_nonce
from sentri_protocol.codec import Reader
from sentri_protocol.frames import cut
from sentri_protocol.keys import SECONDS_PER_WEEK, LockKeys, random_block, wake_seed
from sentri_protocol.localtime import QUARTER, AccessHours, Schedule, Zone
from sentri_protocol.request import Request
from sentri_protocol.revocation import CREDENTIAL, RevocationList
from sentri_protocol.session import Lock, Phone
from sentri_protocol.settings import Settings
from sentri_protocol.status import check_status
from sentri_protocol.ticket import Caveat, Secret, Ticket

from .ends import assemble_all
from .report import Report

VECTORS = Path(__file__).resolve().parents[3] / "protocol" / "vectors"


def run(report: Report) -> None:
    report.group("Vectors")
    files = sorted(VECTORS.glob("*.json"))
    report.check("there are vectors", bool(files))
    world = World.read()
    for file in files:
        if file.stem in OF_CODES:
            continue
        content = json.loads(file.read_text(encoding="utf-8"))
        checker = CHECKERS.get(file.stem)
        if checker is None:
            report.check(f"{file.name}: this page knows how to check it", False)
            continue
        for number, case in enumerate(content["cases"]):
            name = f"{file.name}, case {number}"
            report.run(name, lambda c=checker, n=name, k=case: c(report, n, k, world))


class World:
    """The one lock that all files share: the seed of keys.json at generation 1."""

    def __init__(self, keys: LockKeys):
        self.keys = keys

    @classmethod
    def read(cls) -> "World":
        cases = json.loads((VECTORS / "keys.json").read_text(encoding="utf-8"))["cases"]
        return cls(LockKeys(raw(cases[0]["seed"]), 1))


def raw(hexadecimal: str) -> bytes:
    return bytes.fromhex(hexadecimal)


def keys(report: Report, name: str, case: dict, _: World) -> None:
    tree = LockKeys(raw(case["seed"]), case["generation"])
    week = tree.advert_week(case["advert_week"] * SECONDS_PER_WEEK)
    report.equal(f"{name}: advert key", week.hex(), case["advert_key"])
    report.equal(f"{name}: advert key, clock lost", tree.advert_lost().hex(), case["advert_key_lost"])
    report.equal(f"{name}: static key", tree.noise_static_public().hex(), case["noise_public"])


def adverts(report: Report, name: str, case: dict, world: World) -> None:
    seed = wake_seed(world.keys, case["boot"], case["press"], raw(case["entropy"]))
    blocks = [random_block(seed, index).hex() for index in range(len(case["random_blocks"]))]
    report.equal(f"{name}: random blocks", blocks, case["random_blocks"])
    report.equal(f"{name}: N_L's random bytes", blocks[0][:32], case["random"])
    flags = (CLOCK_LOST if case["clock_lost"] else 0) | (BATTERY_LOW if case["battery_low"] else 0)
    nonce = press_nonce(world.keys, case["boot"], case["press"], raw(case["random"]))
    made = Advert.of_lock(world.keys, flags, nonce, case["now"])
    report.equal(f"{name}: advert", made.encode().hex(), case["advert"])
    report.equal(f"{name}: read again", Advert.decode(raw(case["advert"])), made)


def tickets(report: Report, name: str, case: dict, world: World) -> None:
    ticket = Ticket(
        credential=raw(case["credential"]), subject=int(case["subject"], 16), epoch=case["epoch"],
        issued_at=case["issued_at"], not_before=case["not_before"], not_after=case["not_after"],
        schedule=Schedule.read(Reader(raw(case["schedule"]))), rights=case["rights"],
        device_key=raw(case["device_key"]) if case["device_key"] else None,
    )
    report.equal(f"{name}: ticket", ticket.encode().hex(), case["ticket"])
    report.equal(f"{name}: read again", Ticket.decode(raw(case["ticket"])), ticket)
    secret = Secret.of_ticket(world.keys, ticket.encode())
    report.equal(f"{name}: S", secret.s.hex(), case["secret"])
    narrowed = secret.narrowed([Caveat.read(Reader(raw(case["caveat"])))])
    report.equal(f"{name}: S'", narrowed.s.hex(), case["narrowed"])


def frames(report: Report, name: str, case: dict, _: World) -> None:
    message = raw(case["message"])
    made = cut(message, case["mtu"])
    report.equal(name, [frame.hex() for frame in made], case["frames"])
    report.equal(f"{name}: together again", assemble_all(made), [message])


def local_time(report: Report, name: str, case: dict, _: World) -> None:
    zone, schedule = Zone.read(Reader(raw(case["zone"]))), Schedule.read(Reader(raw(case["schedule"])))
    day, weekday, second = zone.local(case["time"])
    report.equal(f"{name}: offset", zone.offset_at(case["time"]), case["offset"])
    report.equal(f"{name}: day", (day, weekday), (case["day"], case["weekday"]))
    report.equal(f"{name}: quarter", second // QUARTER, case["quarter"])
    report.equal(f"{name}: allowed", schedule.covers(weekday, second), case["allowed"])


def token(report: Report, name: str, case: dict, world: World) -> None:
    h2, time = raw(case["handshake_hash"]), case["time"]
    report.equal(f"{name}: lower bound", tokens.lower_bound(world.keys, time).hex(), case["lower_bound"])
    report.equal(f"{name}: fresh", tokens.fresh(world.keys, h2, time, False).hex(), case["fresh"])
    report.equal(f"{name}: repair", tokens.fresh(world.keys, h2, time, True).hex(), case["fresh_repair"])


def revocations(report: Report, name: str, case: dict, world: World) -> None:
    read = RevocationList.decode(world.keys, raw(case["signed"]))
    told = (read.version, read.epoch_floor, len(read.entries))
    report.equal(name, told, (case["version"], case["epoch_floor"], case["entries"]))
    report.equal(f"{name}: made again", read.encode(world.keys).hex(), case["signed"])
    report.check(f"{name}: kinds in order", [entry.kind for entry in read.entries] in ([], [CREDENTIAL, 1, 2]))


def settings(report: Report, name: str, case: dict, world: World) -> None:
    read = Settings.decode(world.keys, raw(case["signed"]))
    made = Settings(
        case["version"], case["generation"], Zone.read(Reader(raw(case["zone"]))),
        AccessHours.read(Reader(raw(case["access_hours"]))), read.flags, tuple(case["contractor_generations"]),
        raw(case["smart_pin_rules"]), case["owner"],
    )
    report.equal(name, read, made)
    if case["format"] == 2:
        report.equal(f"{name}: made again", made.encode(world.keys).hex(), case["signed"])


def audit_log(report: Report, name: str, case: dict, world: World) -> None:
    events = tuple(
        audit.Event(**{**entry, "who": raw(entry["who"]), "operation": raw(entry["operation"])})
        for entry in case["entries"]
    )
    read = audit.read_batch(world.keys, raw(case["batch"]))
    report.equal(f"{name}: batch", (read.first, read.lost, read.events), (case["first"], case["lost"], events))
    records, before = [], audit.T_0
    for number, event in enumerate(events, case["first"]):
        records.append(audit.seal(world.keys, number, before, event))
        before = records[-1][: audit.T_BYTES]
    report.equal(f"{name}: records", [record.hex() for record in records], case["records"])
    made = audit.batch(world.keys, case["first"], case["lost"], audit.T_0, records)
    report.equal(f"{name}: batch made again", made.hex(), case["batch"])
    up_to = case["first"] + len(records) - 1
    said = audit.acknowledgement(world.keys, up_to, before)
    report.equal(f"{name}: acknowledgement", said.hex(), case["acknowledgement"])


def session(report: Report, name: str, case: dict, world: World) -> None:
    """Phone and lock both say, byte for byte, what the vector has."""
    name = f"{name} ({case['about']})"
    advert = Advert.decode(raw(case["advert"]))
    phone = Phone(advert, world.keys.noise_static_public(), Secret(raw(case["secret"])), raw(case["phone_ephemeral"]))
    lock = Lock(advert, world.keys, raw(case["lock_ephemeral"]))
    request = Request(
        ticket=raw(case["ticket"]), operation=case["operation"], operation_id=raw(case["operation_id"]),
        phone_time=case["phone_time"], uncertainty=case["uncertainty"],
        caveats=tuple(Caveat.read(Reader(raw(each))) for each in case["caveats"]),
        lower_bound=raw(case["lower_bound"]) if case["lower_bound"] else None,
    )
    report.equal(f"{name}: M1", phone.m1(request).hex(), case["m1"])
    report.equal(f"{name}: the lock reads M1", lock.m1(raw(case["m1"])), request)
    status = check_status(world.keys, raw(case["status"]))
    report.equal(f"{name}: M2", lock.m2(status).hex(), case["m2"])
    report.equal(f"{name}: the phone reads M2", phone.m2(raw(case["m2"])), status)
    report.equal(f"{name}: h2", (phone.h2.hex(), lock.h2.hex()), (case["handshake_hash"],) * 2)
    for number, turn in enumerate(case["channel"]):
        turn_name = f"{name}, turn {number}"
        report.equal(f"{turn_name}: asked", phone.seal(raw(turn["asked"])).hex(), turn["asked_sealed"])
        report.equal(f"{turn_name}: read", lock.open(raw(turn["asked_sealed"])).hex(), turn["asked"])
        report.equal(f"{turn_name}: answered", lock.seal(raw(turn["answer"])).hex(), turn["answer_sealed"])
        report.equal(f"{turn_name}: read", phone.open(raw(turn["answer_sealed"])).hex(), turn["answer"])


def derived_code(report: Report, name: str, case: dict, world: World) -> None:
    if case["kind"] == "contractor":
        made = codes.contractor(world.keys, case["slot"], case["slot_generation"])
    else:
        made = codes.one_day(world.keys, case["day"], case["index"])
    report.equal(f"{name}: {case['kind']}", made, case["code"])


def picked_code(report: Report, name: str, case: dict, _: World) -> None:
    report.equal(f"{name}: {case['code']}", codes.picked_refusal(case["code"], case["lengths"]), case["refusal"])


def card_memory(report: Report, name: str, case: dict, _: World) -> None:
    serial, salt = raw(case["serial"]), raw(case["salt"])
    made = card.Card(
        serial, case["holder"], case["not_before"], case["not_after"], salt, card.pin_check(serial, case["pin"], salt)
    )
    image, letters = card.read_memory(raw(case["memory"]))
    report.equal(f"{name}: image", image.hex(), case["image"])
    report.equal(f"{name}: card", card.Card.open(raw(case["association"]), image), made)
    report.equal(f"{name}: said", image[: card.SAID_BYTES].hex(), made.encode().hex())
    told = [{"lock": lock.hex(), "message": message.hex()} for lock, message in letters]
    report.equal(f"{name}: letters", told, case["letters"])
    for cut in range(card.IMAGE_BYTES, len(raw(case["memory"]))):
        torn, whole = card.read_memory(raw(case["memory"])[:cut])
        report.equal(f"{name}: cut at {cut}", (torn, whole), (image, letters[: len(whole)]))
    report.equal(f"{name}: made again", card.write_memory(image, letters).hex(), case["memory"])


# Those of docs/codes.md, which codes/run_codes.py checks.
OF_CODES = {
    "code_deliveries", "one_day_lives", "smacs", "smart_pin_entries", "smart_pin_rules", "smart_pins", "stored_codes",
    "validities",
}

CHECKERS = {
    "adverts": adverts,
    "audit": audit_log,
    "card_memories": card_memory,
    "derived_codes": derived_code,
    "frames": frames,
    "keys": keys,
    "local_time": local_time,
    "picked_codes": picked_code,
    "revocations": revocations,
    "sessions": session,
    "settings": settings,
    "tickets": tickets,
    "tokens": token,
}
