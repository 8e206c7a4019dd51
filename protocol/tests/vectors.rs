//! `vectors/*.json` are one truth for Rust, Swift, Kotlin and Python: this checks that they are what the code
//! makes. `SENTRI_BLESS=1 cargo test -p sentri-protocol --test vectors` writes them anew.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]
#![allow(clippy::needless_pass_by_value, reason = "cases read better as values")]
#![allow(clippy::cast_possible_truncation, reason = "the numbers of a test are small")]

mod support;

use sentri_protocol::{
    Generation, KeyTree, Time,
    advert::{Advert, AdvertFlags, Wake},
    audit::{Acknowledgement, Batch, CHAIN_START, Entry as AuditEntry, Kind, Record},
    card::SentriKeyId,
    clock::{FreshTime, LowerBound},
    codes::{
        derived, picked,
        smart_pin::{Rules, Variant, window::DailyHours},
    },
    frame::frames,
    hours::{AccessHours, Schedule, Span, Weekly},
    open::{
        Request,
        channel::{Applied, LockMessage, PhoneMessage},
        lock, phone,
    },
    random::WakeRandom,
    revocation::{Entry, RevocationList, Revoked},
    settings::{Settings, Switches},
    ticket::{CredentialId, Epoch},
    zone::Zone,
};
use serde_json::{Value, json};
use support::{
    LOCK_EPHEMERAL, NOW, PHONE_EPHEMERAL, advert, keys, request, secret, seed, status, ticket, vectors::check,
};

#[test]
fn keys_json() {
    let cases = [1, 2, 0x0102_0304].map(|generation| {
        let keys = KeyTree::new(&seed(), Generation(generation));
        json!({
            "seed": hex::encode(seed().expose()),
            "generation": generation,
            "noise_public": hex::encode(keys.lock_public_key()),
            "advert_week": NOW.week().0,
            "advert_key": hex::encode(keys.advert_key(NOW.week()).expose()),
            "advert_key_lost": hex::encode(keys.advert_key_lost().expose()),
        })
    });
    check("keys.json", "Section 2: keys that phones are given, from seed and generation.", cases.into());
}

#[test]
fn tickets_json() {
    let keys = keys();
    let device = sentri_protocol::ticket::DeviceKey([2; 33]);
    let cases = [None, Some(device)].map(|device| {
        let ticket = ticket(device);
        let bytes = ticket.encode();
        let secret = keys.ticket_secret(&bytes);
        let caveat = support::caveat(*b"ann");
        let mut case = support::described::ticket(&ticket);
        case["ticket"] = hex::encode(&bytes).into();
        case["secret"] = hex::encode(secret.expose()).into();
        case["caveat"] = hex::encode(caveat.encode()).into();
        case["narrowed"] = hex::encode(secret.narrowed(0, &caveat).expose()).into();
        case
    });
    check(
        "tickets.json",
        "Section 3: tickets and their secrets; seed as in keys.json, generation 1.",
        cases.into(),
    );
}

#[test]
fn adverts_json() {
    let keys = keys();
    let flags = |clock_lost, battery_low| AdvertFlags { clock_lost, battery_low, service_only: false };
    let cases = [(7, 3, flags(false, false)), (7, 4, flags(false, true)), (8, 1, flags(true, false))].map(
        |(boot, press, flags)| {
            let wake = Wake { boot, press };
            let mut random = WakeRandom::new(&keys, wake, &[0xe7; 32]);
            let (first, second) = (random.block(), random.block());
            let sixteen: [u8; 16] = first[..16].try_into().unwrap();
            json!({
                "boot": boot, "press": press,
                "clock_lost": flags.clock_lost, "battery_low": flags.battery_low,
                "now": NOW.0,
                "entropy": hex::encode([0xe7; 32]),
                "random_blocks": [hex::encode(first), hex::encode(second)],
                "random": hex::encode(sixteen),
                "advert": hex::encode(Advert::new(&keys, wake, flags, NOW, &sixteen).encode()),
            })
        },
    );
    check(
        "adverts.json",
        "Sections 5 and 11: adverts, and the numbers of a wake; seed as in keys.json.",
        cases.into(),
    );
}

#[test]
fn frames_json() {
    let cases = [(112, 23), (92, 23), (209, 23), (112, 185), (1024, 247), (1, 23), (19, 23), (20, 23)];
    let cases = cases.map(|(length, mtu)| {
        let message: Vec<u8> = (0..length).map(|index: u32| (index % 251) as u8).collect();
        json!({
            "mtu": mtu,
            "message": hex::encode(&message),
            "frames": frames(&message, mtu).map(hex::encode).collect::<Vec<_>>(),
        })
    });
    check("frames.json", "Section 6: messages cut to frames.", cases.into());
}

fn session(about: &str, request: Request) -> Value {
    let keys = keys();
    let advert = advert(&keys);
    let secret = secret(&keys, &request);
    let unsigned =
        phone::begin(&advert, &keys.lock_public_key(), &secret, request.clone(), &PHONE_EPHEMERAL).unwrap();
    let (waiting, m1) = unsigned.seal(None).unwrap();
    let mut lock =
        lock::read_m1(&keys, &advert, &m1, &LOCK_EPHEMERAL).unwrap().answer(&keys, &status()).unwrap();
    let mut phone = waiting.read(&lock.m2).unwrap();
    let list = RevocationList::new(10, Epoch(4), vec![]).unwrap().sign(&keys);
    let asked = [
        PhoneMessage::FreshTime(FreshTime::sign(&keys, phone.channel.handshake_hash(), NOW, false)),
        PhoneMessage::Revocations(list),
        PhoneMessage::ReadAudit { from: 66, at_most: 24 },
    ];
    let answered = [
        LockMessage::Judged(lock.signed_status),
        LockMessage::Revocations { result: Applied::Now, version: 10 },
        LockMessage::Malformed,
    ];
    let channel: Vec<_> = asked
        .iter()
        .zip(&answered)
        .map(|(asked, answer)| {
            json!({
                "asked": hex::encode(asked.encode()),
                "asked_sealed": hex::encode(phone.channel.seal(asked).unwrap()),
                "answer": hex::encode(answer.encode()),
                "answer_sealed": hex::encode(lock.channel.seal(answer).unwrap()),
            })
        })
        .collect();
    json!({
        "about": about,
        "advert": hex::encode(advert.encode()),
        "phone_ephemeral": hex::encode(PHONE_EPHEMERAL),
        "lock_ephemeral": hex::encode(LOCK_EPHEMERAL),
        "ticket": hex::encode(request.ticket.encode()),
        "secret": hex::encode(secret.expose()),
        "operation": request.operation.code(),
        "operation_id": hex::encode(request.operation_id.0),
        "phone_time": request.clock.time.0,
        "uncertainty": request.clock.uncertainty,
        "caveats": request.caveats.iter().map(|it| hex::encode(it.encode())).collect::<Vec<_>>(),
        "lower_bound": request.lower_bound.map(|token| hex::encode(token.encode())),
        "m1": hex::encode(&m1),
        "status": hex::encode(lock.signed_status),
        "m2": hex::encode(&lock.m2),
        "handshake_hash": hex::encode(phone.channel.handshake_hash()),
        "channel": channel,
    })
}

#[test]
fn sessions_json() {
    let plain = request(ticket(None));
    let mut narrowed = plain.clone();
    narrowed.caveats = vec![support::caveat(*b"ann"), support::caveat(*b"bob")];
    let mut lost = plain.clone();
    lost.lower_bound = Some(LowerBound::sign(&keys(), NOW));
    let cases = vec![
        session("112 bytes open the key bin", plain),
        session("a ticket narrowed twice", narrowed),
        session("with a lower bound for a lost clock", lost),
    ];
    check("sessions.json", "Section 7: whole sessions with fixed ephemerals; seed as in keys.json.", cases);
}

#[test]
fn tokens_json() {
    let (keys, hash) = (keys(), [0x77; 32]);
    let case = json!({
        "time": NOW.0,
        "lower_bound": hex::encode(LowerBound::sign(&keys, NOW).encode()),
        "handshake_hash": hex::encode(hash),
        "fresh": hex::encode(FreshTime::sign(&keys, &hash, NOW, false).encode()),
        "fresh_repair": hex::encode(FreshTime::sign(&keys, &hash, NOW, true).encode()),
    });
    check("tokens.json", "Section 8: time tokens; seed as in keys.json.", vec![case]);
}

#[test]
fn revocations_json() {
    let entries = vec![
        Entry { what: Revoked::Credential(CredentialId(*b"cred-001")), until: NOW.plus(100) },
        Entry { what: Revoked::Worker(*b"\0\0\0\0\0ann"), until: NOW.plus(200) },
        Entry { what: Revoked::Card(*b"card-003"), until: NOW.plus(300) },
    ];
    let cases = [vec![], entries].map(|entries| {
        let list = RevocationList::new(9, Epoch(4), entries).unwrap();
        json!({
            "version": list.version, "epoch_floor": list.epoch_floor.0,
            "entries": list.entries().len(),
            "list": hex::encode(list.encode()), "signed": hex::encode(list.sign(&keys())),
        })
    });
    check("revocations.json", "Section 8: revocation lists; seed as in keys.json.", cases.into());
}

#[test]
fn settings_json() {
    let mut days = [Some(Span::new(32, 80).unwrap()); 7];
    days[6] = None;
    let settings = Settings {
        version: 5,
        generation: Generation(2),
        zone: Zone::new(-16, Some((Time(1_793_512_800), -20)), Some((Time(1_805_007_600), -16))).unwrap(),
        access_hours: AccessHours(days),
        switches: Switches {
            contractor_mode: true,
            returns: true,
            smart_pins: false,
            one_day_ends_with_day: false,
            forbids_one_day: false,
            forbids_contractor: false,
        },
        contractor_generations: [1, 2, 0x0304],
        smart_pin_rules: Rules {
            daily: DailyHours::new(0, 24).unwrap(),
            variants: Variant::new(2).unwrap(),
            first_use_within_a_day: true,
        },
        owner: SentriKeyId::new(123_456_789),
    };
    let cases = [Settings::default(), settings].map(|settings| {
        json!({
            "format": 2,
            "version": settings.version, "generation": settings.generation.0,
            "zone": hex::encode(settings.zone.encode()),
            "access_hours": hex::encode(settings.access_hours.encode()),
            "contractor_generations": settings.contractor_generations,
            "smart_pin_rules": hex::encode(settings.smart_pin_rules.encode()),
            "owner": settings.owner.map_or(0, SentriKeyId::number),
            "settings": hex::encode(settings.encode()), "signed": hex::encode(settings.sign(&keys())),
        })
    });
    // What an older backend signed.
    let mut first = Settings::default().encode()[..41].to_vec();
    first[0] = 1;
    let mut signed = first.clone();
    signed.extend(hex::decode("0c1ec8475d1b50ff5bef1c2a193e90b4").unwrap());
    assert_eq!(Settings::open(&keys(), &signed), Some(Settings::default()));
    let mut cases = cases.to_vec();
    let mut old = cases[0].clone();
    old["format"] = 1.into();
    old["settings"] = hex::encode(first).into();
    old["signed"] = hex::encode(signed).into();
    cases.push(old);
    check("settings.json", "Section 9: settings, signed under generation 1; seed as in keys.json.", cases);
}

#[test]
fn audit_json() {
    let keys = keys();
    let mut previous = CHAIN_START;
    let entries: Vec<_> = (1..=3)
        .map(|number: u32| AuditEntry {
            time: NOW.plus(number),
            kind: if number == 3 { Kind::MergedFailures } else { Kind::Ble },
            clock_lost: number == 2,
            result: u8::try_from(number - 1).unwrap(),
            who: *b"cred-001",
            operation: *b"oper",
            skew: [-3, i16::MIN, 0][number as usize - 1],
        })
        .collect();
    let records: Vec<_> = (1..)
        .zip(&entries)
        .map(|(number, entry)| {
            let record = Record::seal(&keys, number, &previous, entry);
            previous = record.tag();
            record
        })
        .collect();
    let batch = Batch { first: 1, lost: 6, previous: CHAIN_START, records };
    let case = json!({
        "first": 1, "lost": 6,
        "entries": entries.iter().map(|entry| json!({
            "time": entry.time.0, "kind": entry.kind as u8, "clock_lost": entry.clock_lost,
            "result": entry.result, "who": hex::encode(entry.who),
            "operation": hex::encode(entry.operation), "skew": entry.skew,
        })).collect::<Vec<_>>(),
        "records": batch.records.iter().map(|record| hex::encode(record.as_bytes())).collect::<Vec<_>>(),
        "batch": hex::encode(batch.sign(&keys)),
        "acknowledgement": hex::encode(Acknowledgement::sign(&keys, 3, previous).encode()),
    });
    check(
        "audit.json",
        "Section 10: audit records, a batch and its acknowledgement; seed as in keys.json.",
        vec![case],
    );
}

#[test]
fn local_time_json() {
    let zone = Zone::new(-16, Some((Time(1_793_512_800), -20)), Some((Time(1_805_007_600), -16))).unwrap();
    let schedule = Schedule::new(0b0100_0001, Span::new(88, 8).unwrap()).unwrap();
    let times = [
        0,
        1_793_512_799,
        1_793_512_800,
        1_805_007_599,
        1_805_007_600,
        NOW.0,
        NOW.0 + 54_000,
        NOW.0 + 140_400,
    ];
    let cases = times.map(|time| {
        let local = zone.local(Time(time));
        json!({
            "zone": hex::encode(zone.encode()), "time": time,
            "offset": zone.offset_at(Time(time)),
            "day": local.day, "weekday": local.weekday, "quarter": local.quarter,
            "schedule": hex::encode(schedule.encode()), "allowed": schedule.allows(local),
        })
    });
    check(
        "local_time.json",
        "Sections 3 and 4: local time, and a schedule that runs past midnight.",
        cases.into(),
    );
}

#[test]
fn derived_codes_json() {
    let keys = keys();
    let text = |digits: &[u8]| String::from_utf8(digits.to_vec()).unwrap();
    let contractor =
        (0..3).flat_map(|slot| [1, 2].map(|generation| (slot, generation))).map(|(slot, generation)| {
            json!({
                "kind": "contractor", "slot": slot, "slot_generation": generation,
                "code": text(derived::contractor(&keys, slot, generation).as_ascii()),
            })
        });
    let one_day = (20_778..20_780).flat_map(|day| [0, 3].map(|index| (day, index))).map(|(day, index)| {
        json!({
            "kind": "one day", "day": day, "index": index,
            "code": text(derived::one_day(&keys, day, index).as_ascii()),
        })
    });
    check(
        "derived_codes.json",
        "Contractor and one day codes; seed as in keys.json, generation 1.",
        contractor.chain(one_day).collect(),
    );
}

#[test]
fn picked_codes_json() {
    let codes = [
        "1111", "222222", "1234", "4321", "123456", "654321", "8901", "1098", "12345", "", "12a4", "1235",
        "0007", "246802",
    ];
    let cases = codes.map(|code| {
        json!({ "code": code, "lengths": [4, 6], "refusal": picked::check(code, &[4, 6]).err().map(|it| format!("{it:?}")) })
    });
    check("picked_codes.json", "Codes that people pick, and the rule that refuses each.", cases.into());
}
