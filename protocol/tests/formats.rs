//! Layouts read back what was written, refuse what they must, and keep their rules.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]
#![allow(clippy::cast_possible_truncation, reason = "the numbers of a test are small")]

mod support;

use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use sentri_protocol::{
    Generation, KeyTree, Malformed, Time,
    audit::{Acknowledgement, Batch, BatchError, CHAIN_START, Entry as AuditEntry, Kind, Record},
    card::{Card, CardError, CardSerial, PinCheck, SentriKeyId},
    codes::{
        picked::{self, PickedRefusal},
        smart_pin::Rules,
    },
    frame::{FrameError, MAX_MESSAGE, Reassembler, frames},
    hours::{AccessHours, Schedule, Span, Weekly, next_allowed},
    revocation::{Entry, RevocationList, Revoked, TooMany},
    settings::Settings,
    status::Status,
    ticket::{CredentialId, Epoch, Ticket},
    time::{Moment, Window},
    zone::Zone,
};
use support::{NOW, keys, seed, status, ticket};

#[test]
fn frames_of_every_length_come_together_at_every_mtu() {
    for mtu in [23, 24, 185, 247, 517] {
        for length in (1..=MAX_MESSAGE).step_by(7).chain([MAX_MESSAGE]) {
            let message: Vec<u8> = (0..length).map(|index| (index % 251) as u8).collect();
            let mut reassembler = Reassembler::new();
            let mut whole = None;
            for frame in frames(&message, mtu) {
                assert!(frame.len() <= usize::from(mtu) - 3);
                assert_eq!(whole, None, "frames after the last");
                whole = reassembler.push(&frame).unwrap();
                if whole.is_none() {
                    assert_eq!(reassembler.push(&frame), Ok(None), "a doubled frame is ignored");
                }
            }
            assert_eq!(whole.as_deref(), Some(message.as_slice()), "{length} bytes at MTU {mtu}");
        }
    }
}

#[test]
fn missing_reordered_empty_and_oversize_frames_end_the_connection() {
    let all: Vec<_> = frames(&[7; 100], 23).collect();
    let mut reassembler = Reassembler::new();
    reassembler.push(&all[0]).unwrap();
    assert_eq!(reassembler.push(&all[2]), Err(FrameError::OutOfTurn));
    assert_eq!(Reassembler::new().push(&all[1]), Err(FrameError::OutOfTurn));
    assert_eq!(Reassembler::new().push(&[]), Err(FrameError::Empty));
    assert_eq!(Reassembler::new().push(&[0x80]), Err(FrameError::Empty));
    let mut reassembler = Reassembler::new();
    let endless = (0..0x80_u8).map(|index| [&[index][..], &[0; 19]].concat());
    assert_eq!(
        endless.map(|frame| reassembler.push(&frame)).find(Result::is_err),
        Some(Err(FrameError::TooLong))
    );
}

#[test]
fn a_ticket_reads_back_and_refuses_what_is_no_ticket() {
    let good = ticket(None);
    let bytes = good.encode();
    assert_eq!(bytes.len(), 32);
    assert_eq!(Ticket::decode(&bytes).unwrap(), good);
    // version, unknown flag, empty window, no weekday, hours past midnight, no rights, unknown right
    for (at, value) in
        [(0, 2), (1, 2), (20, 0xff), (28, 0), (28, 0x80), (29, 96), (30, 97), (31, 0), (31, 16)]
    {
        let mut bad = bytes.clone();
        bad[at] = value;
        assert!(Ticket::decode(&bad).is_err(), "byte {at} = {value}");
    }
    for length in (0..bytes.len()).chain([33]) {
        let mut bad = bytes.clone();
        bad.resize(length, 0);
        assert!(Ticket::decode(&bad).is_err(), "{length} bytes");
    }
}

#[test]
fn a_window_is_widened_at_both_ends_by_the_tolerance_and_no_further() {
    let window = Window::new(Time(1000), Time(2000)).unwrap();
    for (now, moment) in [
        (899, Moment::Early(Time(1000))),
        (900, Moment::Within),
        (2099, Moment::Within),
        (2100, Moment::Late(Time(2000))),
    ] {
        assert_eq!(window.judge(Time(now), 100), moment, "{now}");
    }
    assert_eq!(Window::new(Time(5), Time(5)), None);
    assert_eq!(window.and(Window::new(Time(2000), Time(3000)).unwrap()), None);
    assert_eq!(sentri_protocol::clock::tolerance(0), 300);
    assert_eq!(sentri_protocol::clock::tolerance(10), 360);
    assert_eq!(sentri_protocol::clock::tolerance(u32::MAX), 1800);
}

#[test]
fn a_zone_follows_its_transitions() {
    // America/New_York around the end of summer time 2026 (Nov 1, 06:00 UTC) and its start 2027 (Mar 14, 07:00 UTC).
    let zone = Zone::new(-16, Some((Time(1_793_512_800), -20)), Some((Time(1_805_007_600), -16))).unwrap();
    assert_eq!(Zone::decode(&zone.encode()).unwrap(), zone);
    let local = |time| (zone.local(Time(time)).weekday, zone.local(Time(time)).quarter);
    assert_eq!(local(1_793_512_799), (6, 7), "01:59 on Sunday, summer time");
    assert_eq!(local(1_793_512_800), (6, 4), "01:00 on Sunday, for the second time");
    assert_eq!(local(1_805_007_600), (6, 12), "03:00 on Sunday: 02:00 did not happen");
    assert_eq!(Zone::new(57, None, None), None);
}

#[test]
fn hours_hold_across_midnight_and_name_the_next_opening() {
    let span = |from, to| Span::new(from, to).unwrap();
    // Saturday 22:00 to Sunday 02:00, no other day.
    let night = Schedule::new(1 << 5, span(88, 8)).unwrap();
    let at = |hours: u32| Zone::UTC.local(NOW.plus(hours * 3600));
    assert!(!night.allows(at(0)) && night.allows(at(10)) && night.allows(at(13)) && !night.allows(at(14)));
    assert!(!night.allows(Zone::UTC.local(NOW.minus(11 * 3600))), "not from Friday on");
    let mut days = [Some(span(32, 80)); 7];
    days[6] = None;
    let hours = AccessHours(days);
    assert_eq!(AccessHours::decode(&hours.encode()).unwrap(), hours);
    assert_eq!(next_allowed(&[&hours], Zone::UTC, NOW), Some(NOW));
    assert_eq!(
        next_allowed(&[&hours], Zone::UTC, NOW.plus(9 * 3600)),
        Some(NOW.plus(44 * 3600)),
        "Monday 8:00"
    );
    assert_eq!(next_allowed(&[&AccessHours([None; 7])], Zone::UTC, NOW), None);
}

#[test]
fn revocation_lists_are_authentic_and_bounded() {
    let keys = keys();
    let entry = |id| Entry { what: Revoked::Credential(CredentialId([id; 8])), until: NOW.plus(id.into()) };
    let list = RevocationList::new(3, Epoch(2), (0..64).map(entry).collect()).unwrap();
    assert_eq!(RevocationList::new(3, Epoch(2), (0..65).map(entry).collect()), Err(TooMany));
    let signed = list.sign(&keys);
    assert_eq!(RevocationList::open(&keys, &signed), Some(list.clone()));
    for at in 0..signed.len() {
        let mut bad = signed.clone();
        bad[at] ^= 0x10;
        assert_eq!(RevocationList::open(&keys, &bad), None, "byte {at}");
    }
    assert!(list.revokes(CredentialId([5; 8]), Epoch(2)) && list.revokes(CredentialId([99; 8]), Epoch(1)));
    assert!(!list.revokes(CredentialId([99; 8]), Epoch(2)));
    let mut later = list;
    later.forget_before(NOW.plus(60));
    assert_eq!(later.entries().len(), 4, "60, 61, 62 and 63 are still to be remembered");
}

#[test]
fn settings_are_authentic_under_the_generation_the_lock_has() {
    let keys = keys();
    let settings = Settings { version: 4, generation: Generation(2), ..Settings::default() };
    let signed = settings.sign(&keys);
    assert_eq!(signed.len(), 64);
    assert_eq!(Settings::open(&keys, &signed), Some(settings));
    assert_eq!(Settings::open(&KeyTree::new(&seed(), Generation(2)), &signed), None);
}

#[test]
fn settings_of_the_first_format_are_read_with_the_usual_rules_and_no_owner() {
    let owner = SentriKeyId::new(123_456_789);
    let rules = Rules { first_use_within_a_day: true, ..Rules::default() };
    let settings = Settings { version: 4, smart_pin_rules: rules, owner, ..Settings::default() };
    let bytes = settings.encode();
    assert_eq!((bytes.len(), bytes[0]), (Settings::LEN, 2));
    assert_eq!(Settings::decode(&bytes), Ok(settings));
    let mut first = bytes[..41].to_vec();
    first[0] = 1;
    let read = Settings { smart_pin_rules: Rules::default(), owner: None, ..settings };
    assert_eq!(Settings::decode(&first), Ok(read));
    for (place, bad) in [(0, 3), (0, 0), (41, 24), (42, 0), (43, 3), (43, 8), (44, 0x3c)] {
        let mut bytes = bytes.clone();
        bytes[place] = bad;
        assert_eq!(
            Settings::decode(&bytes),
            Err(Malformed { what: if place == 0 || place == 44 { "settings" } else { "SmartPIN rules" } })
        );
    }
    assert!(Settings::decode(&bytes[..47]).is_err());
    assert!(Settings::decode(&[&first[..], &[0]].concat()).is_err());
}

#[test]
fn a_card_is_its_association_s_alone_whole_and_short_lived() {
    let association = SigningKey::from_slice(&[7; 32]).unwrap();
    let other = SigningKey::from_slice(&[8; 32]).unwrap();
    let public =
        |key: &SigningKey| <[u8; 33]>::try_from(key.verifying_key().to_sec1_point(true).as_bytes()).unwrap();
    let serial = CardSerial(*b"card-001");
    let holder = SentriKeyId::new(100_000_000).unwrap();
    let until = |seconds| Window::new(NOW, NOW.plus(seconds)).unwrap();
    let card = Card { serial, holder, window: until(259_200), pin: PinCheck::new(serial, b"2468", [3; 16]) };
    let sign = |card: &Card, key: &SigningKey| {
        let signature: Signature = key.sign(&card.to_sign());
        card.signed(&signature.to_bytes().into())
    };
    let image = sign(&card, &association);
    assert_eq!(Card::open(&public(&association), &image), Ok(card));
    assert!(card.has_pin(b"2468") && !card.has_pin(b"2469") && !card.has_pin(b"246") && !card.has_pin(b""));
    assert_eq!(Card::open(&public(&other), &image), Err(CardError::NotAuthentic));
    for place in 0..image.len() {
        let mut bad = image;
        bad[place] ^= 1;
        assert!(Card::open(&public(&association), &bad).is_err(), "byte {place}");
        assert!(Card::open(&public(&association), &image[..place]).is_err(), "cut at {place}");
    }
    let long = Card { window: until(259_201), ..card };
    assert_eq!(
        Card::open(&public(&association), &sign(&long, &association)),
        Err(CardError::Malformed(Malformed { what: "card" }))
    );
    assert_eq!((SentriKeyId::new(99_999_999), SentriKeyId::new(1_000_000_000)), (None, None));
}

#[test]
fn the_backend_believes_a_status_only_as_the_lock_made_it() {
    let keys = keys();
    let signed = status().sign(&keys);
    assert_eq!(Status::verify(&keys, &signed), Some(status()));
    let transferred = KeyTree::new(&seed(), Generation(9));
    assert_eq!(Status::verify(&transferred, &signed), Some(status()), "at any generation");
    for at in 0..signed.len() {
        let mut bad = signed;
        bad[at] ^= 1;
        assert_eq!(Status::verify(&keys, &bad), None, "byte {at}");
    }
}

fn audit_entry(number: u32) -> AuditEntry {
    AuditEntry {
        time: NOW.plus(number),
        kind: Kind::Ble,
        clock_lost: number.is_multiple_of(2),
        result: 0,
        who: *b"cred-001",
        operation: *b"oper",
        skew: -3,
    }
}

#[test]
fn audit_records_are_chained_and_neither_readable_nor_forgeable_on_the_way() {
    let keys = keys();
    let mut previous = CHAIN_START;
    let records: Vec<_> = (1..=24)
        .map(|number| {
            let record = Record::seal(&keys, number, &previous, &audit_entry(number));
            previous = record.tag();
            record
        })
        .collect();
    let batch = Batch { first: 1, lost: 6, previous: CHAIN_START, records };
    let bytes = batch.sign(&keys);
    assert_eq!(bytes.len(), 29 + 24 * 32);
    let (read, entries) = Batch::open(&keys, &bytes).unwrap();
    assert_eq!((&read, entries), (&batch, (1..=24).map(audit_entry).collect()));
    assert_eq!(read.last(), Some((24, previous)));
    for at in 0..bytes.len() {
        let mut bad = bytes.clone();
        bad[at] ^= 0x40;
        assert!(Batch::open(&keys, &bad).is_err(), "byte {at}");
    }
    let mut swapped = batch.clone();
    swapped.records.swap(3, 4);
    assert_eq!(Batch::open(&keys, &swapped.sign(&keys)).unwrap_err(), BatchError::NotAuthentic);
    let ack = Acknowledgement::sign(&keys, 24, previous);
    assert_eq!(Acknowledgement::decode(&ack.encode()), Ok(ack));
    assert!(ack.verify(&keys));
    let mut further = ack;
    further.up_to = 25;
    assert!(!further.verify(&keys));
}

#[test]
fn picked_codes_that_are_easy_to_guess_are_refused_by_rule_res_2_pin_5_acc_9() {
    for (code, refusal) in [
        ("1111", PickedRefusal::OneDigitRepeated),
        ("222222", PickedRefusal::OneDigitRepeated),
        ("1234", PickedRefusal::ConsecutiveRun),
        ("4321", PickedRefusal::ConsecutiveRun),
        ("123456", PickedRefusal::ConsecutiveRun),
        ("654321", PickedRefusal::ConsecutiveRun),
        ("8901", PickedRefusal::ConsecutiveRun),
        ("1098", PickedRefusal::ConsecutiveRun),
        ("12345", PickedRefusal::WrongLength),
        ("", PickedRefusal::WrongLength),
        ("12a4", PickedRefusal::NotDigits),
        ("١٢٣٥", PickedRefusal::NotDigits),
    ] {
        assert_eq!(picked::check(code, &[4, 6]), Err(refusal), "{code}");
    }
    for code in ["1235", "1357", "0007", "246802", "9191"] {
        assert_eq!(picked::check(code, &[4, 6]), Ok(()), "{code}");
    }
}

#[test]
fn a_grant_s_window_is_refused_with_the_field_named_grt_2() {
    use sentri_protocol::grant::{GrantRefusal, window};

    let now = NOW.unix();
    for (start, end, refusal) in [
        (now, now, GrantRefusal::EndBeforeStart),
        (now + 60, now, GrantRefusal::EndBeforeStart),
        (now - 7200, now - 3600, GrantRefusal::EndInPast),
        (now - 601, now + 60, GrantRefusal::StartInPast),
        (now + 367 * 86_400, now + 368 * 86_400, GrantRefusal::StartTooFar),
        (-1, now + 60, GrantRefusal::StartTooFar),
        (now, i64::MAX, GrantRefusal::EndTooFar),
    ] {
        assert_eq!(window(now, start, end), Err(refusal), "{start} to {end}");
    }
    assert_eq!(GrantRefusal::EndInPast.field(), "ends_at");
    assert!(window(now, now - 600, now + 1).is_ok());
}
