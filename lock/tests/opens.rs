//! The open on ENT, by tickets that are good and by tickets that are not. [CON-2, CON-3, GRT-6]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

mod support;

use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use sentri_lock::{
    ports::Indication,
    sim::{Backend, Heard, Rig},
};
use sentri_protocol::{
    Time,
    advert::Advert,
    audit::Kind,
    hours::{AccessHours, Schedule, Span},
    open::{Operation, Verdict, phone::PhoneError},
    revocation::{Entry as RevokedEntry, RevocationList, Revoked},
    settings::Settings,
    ticket::{Caveat, CredentialId, DeviceKey, Epoch, Rights},
    zone::Zone,
};
use support::{DAY, HOUR, NOW, audit, backend, open, phone, phone_in, rig, rig_with, told, verdict, window};

#[test]
fn con_2_enter_opens_the_key_bin_by_one_message_of_112_bytes() {
    let mut rig = rig();
    let mut phone = phone(1);
    let advert = rig.press_enter().unwrap().unwrap();
    let request = phone.request(Operation::OpenKeyBin);
    let (waiting, m1) = phone.m1(&advert, request).unwrap();
    assert_eq!(m1.len(), 112);

    let connection = rig.connect(247).unwrap();
    rig.write(connection, &m1).unwrap();
    assert_eq!(rig.board.drives(), 1, "the motor is driven by M1 alone");
    let heard = rig.heard(connection);
    let [Heard::Message(m2)] = heard.as_slice() else { panic!("one answer, not {heard:?}") };
    assert_eq!(m2.len(), 92);
    let status = waiting.read(m2).unwrap().status;
    assert_eq!(status.verdict, Verdict::Opened);
    assert!(status.flags.motor_driven);
    assert_eq!(rig.board.take_indications(), [Indication::Awake, Indication::Opened]);
    assert_eq!(rig.lock().unwrap().counters().opens, 1);
}

#[test]
fn con_2_a_ticket_with_a_device_key_needs_the_devices_signature() {
    let (mut rig, backend) = (rig(), backend());
    let key = SigningKey::from_slice(&[9; 32]).unwrap();
    let mut ticket = backend.ticket(1, support::today(), NOW);
    let point = key.verifying_key().to_sec1_point(true);
    ticket.device_key = Some(DeviceKey(point.as_bytes().try_into().unwrap()));
    let mut phone = backend.phone(ticket, NOW);

    for (signer, opens) in [(SigningKey::from_slice(&[8; 32]).unwrap(), 0), (key, 1)] {
        let advert = rig.press_enter().unwrap().unwrap();
        let request = phone.request(Operation::OpenKeyBin);
        let sign = |message: &[u8]| -> [u8; 64] {
            let signature: Signature = signer.sign(message);
            signature.to_bytes().into()
        };
        let (_, m1) = phone.signed_m1(&advert, request, sign).unwrap();
        assert_eq!(m1.len(), 209);
        let connection = rig.connect(247).unwrap();
        rig.write(connection, &m1).unwrap();
        assert_eq!(rig.board.drives(), opens);
    }
}

#[test]
fn a_recorded_m1_opens_nothing_again_in_its_wake_nor_in_the_next() {
    let mut rig = rig();
    let mut phone = phone(1);
    let advert = rig.press_enter().unwrap().unwrap();
    let request = phone.request(Operation::OpenKeyBin);
    let (_, m1) = phone.m1(&advert, request).unwrap();
    for _ in 0..3 {
        let connection = rig.connect(247).unwrap();
        rig.write(connection, &m1).unwrap();
        rig.disconnect(connection).unwrap();
        assert_eq!(rig.board.drives(), 1);
    }
    rig.press_enter().unwrap();
    let connection = rig.connect(247).unwrap();
    rig.write(connection, &m1).unwrap();
    rig.pass(500).unwrap();
    assert_eq!(rig.heard(connection), [Heard::Message(vec![0]), Heard::HungUp]);
    assert_eq!(rig.board.drives(), 1);
}

#[test]
fn a_lost_m2_is_asked_for_again_and_opens_once_with_the_same_answer() {
    let mut rig = rig();
    let mut phone = phone(1);
    let advert = rig.press_enter().unwrap().unwrap();
    let request = phone.request(Operation::OpenKeyBin);
    let first = rig.visit(&mut phone, &advert, request.clone()).unwrap();
    rig.disconnect(first.connection).unwrap();
    let again = rig.visit(&mut phone, &advert, request).unwrap();
    let (first, again) = (first.status().unwrap(), again.status().unwrap());
    assert_eq!(again.verdict, Verdict::Opened);
    assert!(again.flags.motor_driven);
    assert_eq!(again.log_head, first.log_head, "a retry leaves no second record");
    assert_eq!(rig.board.drives(), 1);
}

#[test]
fn one_press_of_enter_opens_once_whoever_asks() {
    let mut rig = rig();
    let (mut one, mut other) = (phone(1), phone(2));
    let advert = rig.press_enter().unwrap().unwrap();
    for (phone, expected) in [(&mut one, Verdict::Opened), (&mut other, Verdict::AlreadyOpened)] {
        let request = phone.request(Operation::OpenKeyBin);
        let visit = rig.visit(phone, &advert, request).unwrap();
        assert_eq!(visit.status().unwrap().verdict, expected);
        rig.disconnect(visit.connection).unwrap();
    }
    let request = one.request(Operation::OpenKeyBin);
    let second_operation = rig.visit(&mut one, &advert, request).unwrap();
    assert_eq!(second_operation.status().unwrap().verdict, Verdict::AlreadyOpened);
    assert_eq!(rig.board.drives(), 1);
    assert_eq!(verdict(&mut rig, &mut other), Verdict::Opened, "the next press opens again");
}

#[test]
fn an_m1_spliced_from_two_phones_opens_nothing() {
    let mut rig = rig();
    let (mut one, mut other) = (phone(1), phone(2));
    let advert = rig.press_enter().unwrap().unwrap();
    let request = one.request(Operation::OpenKeyBin);
    let (_, a) = one.m1(&advert, request).unwrap();
    let request = other.request(Operation::OpenKeyBin);
    let (_, b) = other.m1(&advert, request).unwrap();
    for cut in 1..a.len() {
        let spliced = [&a[..cut], &b[cut..]].concat();
        let connection = rig.connect(247).unwrap();
        rig.write(connection, &spliced).unwrap();
        rig.disconnect(connection).unwrap();
    }
    assert_eq!(rig.board.drives(), 0);
    assert_eq!(rig.lock().unwrap().counters().m1_unproved, 111);
}

#[test]
fn no_flipped_byte_of_advert_or_m1_opens() {
    let mut rig = rig();
    let mut phone = phone(1);
    let advert = rig.press_enter().unwrap().unwrap();
    let request = phone.request(Operation::OpenKeyBin);
    let (_, m1) = phone.m1(&advert, request.clone()).unwrap();
    let mut send = |m1: &[u8]| {
        let connection = rig.connect(247).unwrap();
        rig.write(connection, m1).unwrap();
        rig.disconnect(connection).unwrap();
        assert_eq!(rig.board.drives(), 0);
    };
    for at in 0..m1.len() {
        for bit in [0x01, 0x80] {
            let mut flipped = m1.clone();
            flipped[at] ^= bit;
            send(&flipped);
        }
    }
    for length in 0..m1.len() {
        send(&m1[..length]);
    }
    send(&[m1.as_slice(), &[0]].concat());
    for at in 0..Advert::LEN {
        let mut flipped = advert.encode();
        flipped[at] ^= 1;
        // Version and reserved flags are refused by the phone already.
        let Ok(flipped) = Advert::decode(&flipped) else { continue };
        let (_, m1) = phone.m1(&flipped, request.clone()).unwrap();
        send(&m1);
    }
    let visit = rig.visit(&mut phone, &advert, request).unwrap();
    assert_eq!(visit.status().unwrap().verdict, Verdict::Opened, "the real one still does");
}

#[test]
fn con_2_the_wrong_box_knows_neither_ticket_nor_key() {
    let other_lock = Backend::new(0x77);
    let ticket = other_lock.ticket(1, support::today(), NOW);
    let mut rig = rig();
    // Encrypted to the other lock, and, with this lock's public key, to this one.
    let mut at_other = other_lock.phone(ticket, NOW);
    let mut at_this = at_other.clone();
    at_this.lock_public_key = backend().keys.lock_public_key();
    for phone in [&mut at_other, &mut at_this] {
        let advert = rig.press_enter().unwrap().unwrap();
        let request = phone.request(Operation::OpenKeyBin);
        let (waiting, m1) = phone.m1(&advert, request).unwrap();
        let connection = rig.connect(247).unwrap();
        rig.write(connection, &m1).unwrap();
        assert_eq!(rig.heard(connection), []);
        rig.pass(500).unwrap();
        let heard = rig.heard(connection);
        let [Heard::Message(answer), Heard::HungUp] = heard.as_slice() else { panic!("{heard:?}") };
        assert_eq!(waiting.read(answer).unwrap_err(), PhoneError::NotProved);
    }
    assert_eq!(rig.board.drives(), 0);
}

#[test]
fn con_2_a_window_opens_and_ends_with_its_tolerance_of_five_minutes() {
    let (from, to) = (NOW.plus(2 * HOUR), NOW.plus(4 * HOUR));
    let mut rig = rig();
    let mut phone = phone_in(1, window(from, to));
    let edges: [(Time, Verdict); 4] = [
        (from.minus(302), Verdict::NotYet),
        (from.minus(300), Verdict::Opened),
        (to.plus(299), Verdict::Opened),
        (to.plus(300), Verdict::Opened), // By the right to return: once.
    ];
    for (at, expected) in edges {
        rig.pass(u64::from(at.since(rig.time())) * 1000).unwrap();
        assert_eq!(verdict(&mut rig, &mut phone), expected, "at {at:?}");
    }
    rig.pass(1000).unwrap();
    assert_eq!(verdict(&mut rig, &mut phone), Verdict::Expired);
    assert_eq!(rig.board.drives(), 3);
}

#[test]
fn the_tolerance_grows_by_six_seconds_a_day_up_to_half_an_hour() {
    let mut rig = rig();
    for (days, tolerance) in [(10_u32, 360), (300, 1800)] {
        let at = NOW.plus(days * DAY);
        rig.pass(u64::from(at.since(rig.time())) * 1000).unwrap();
        let mut early = phone_in(1, window(at.plus(tolerance + 1), at.plus(DAY)));
        let mut in_time = phone_in(2, window(at.plus(tolerance), at.plus(DAY)));
        assert_eq!(verdict(&mut rig, &mut early), Verdict::NotYet);
        assert_eq!(verdict(&mut rig, &mut in_time), Verdict::Opened);
    }
}

#[test]
fn not_yet_tells_how_long_until_window_and_hours_agree() {
    let hours = AccessHours::daily(Span::new(8 * 4, 20 * 4).unwrap());
    let mut rig = rig_with(Settings { access_hours: hours, ..Settings::default() });
    // 14:13:20 UTC; the window begins at 22:13:20, hours at 8:00 the next morning.
    let mut late = phone_in(1, window(NOW.plus(8 * HOUR), NOW.plus(2 * DAY)));
    let status = open(&mut rig, &mut late);
    assert_eq!((status.verdict, status.retry_after), (Verdict::NotYet, 64_000));
    let mut soon = phone_in(2, window(NOW.plus(HOUR), NOW.plus(DAY)));
    assert_eq!(open(&mut rig, &mut soon).retry_after, 3300, "an hour less the tolerance");
}

#[test]
fn con_2_outside_the_lockboxs_hours_nothing_opens_and_the_answer_says_when() {
    let hours = AccessHours::daily(Span::new(8 * 4, 14 * 4).unwrap());
    let mut rig = rig_with(Settings { access_hours: hours, ..Settings::default() });
    let mut phone = phone_in(1, window(NOW.minus(HOUR), NOW.plus(DAY)));
    let status = open(&mut rig, &mut phone);
    // 14:13:20, so that it is 17 h 46 min 40 s until 8:00.
    assert_eq!((status.verdict, status.retry_after), (Verdict::OutsideHours, 64_000));
    assert_eq!(rig.board.drives(), 0);
    assert_eq!(rig.board.take_indications().last(), Some(&Indication::Refused));
    rig.pass(64_000_000).unwrap();
    assert_eq!(verdict(&mut rig, &mut phone), Verdict::Opened);
}

#[test]
fn con_2_hours_are_those_of_the_propertys_own_zone_and_of_the_ticket() {
    let hours = AccessHours::daily(Span::new(8 * 4, 9 * 4).unwrap());
    // 14:13 UTC is 8:13 at six hours west.
    let zone = Zone::new(-24, None, None).unwrap();
    let mut rig = rig_with(Settings { access_hours: hours, zone, ..Settings::default() });
    assert_eq!(verdict(&mut rig, &mut phone(1)), Verdict::Opened);
    let backend = backend();
    let mut ticket = backend.ticket(2, support::today(), NOW);
    // Tuesdays only.
    ticket.schedule = Schedule::new(0b10, Span::WHOLE_DAY).unwrap();
    assert_eq!(verdict(&mut rig, &mut backend.phone(ticket, NOW)), Verdict::OutsideHours);
}

#[test]
fn a_key_is_returned_once_within_four_hours_by_the_last_to_open_whatever_the_hours() {
    let end = NOW.plus(HOUR);
    let hours = AccessHours::daily(Span::new(0, 15 * 4).unwrap());
    let mut rig = rig_with(Settings { access_hours: hours, ..Settings::default() });
    let (mut last, mut earlier) =
        (phone_in(1, window(NOW.minus(HOUR), end)), phone_in(2, window(NOW.minus(HOUR), end)));
    assert_eq!(verdict(&mut rig, &mut earlier), Verdict::Opened);
    assert_eq!(verdict(&mut rig, &mut last), Verdict::Opened);
    rig.pass(u64::from(HOUR + 3 * HOUR) * 1000).unwrap();
    assert_eq!(verdict(&mut rig, &mut earlier), Verdict::Expired);
    rig.reboot().unwrap();
    assert_eq!(verdict(&mut rig, &mut last), Verdict::ClockLost, "a reset asks for the time first");
    rig = rig_after_return_time(end);
    assert_eq!(verdict(&mut rig, &mut last), Verdict::Opened);
    assert_eq!(verdict(&mut rig, &mut last), Verdict::Expired, "once");
}

/// A lock at which credential 1 opened last, three hours after its window's end.
fn rig_after_return_time(end: Time) -> Rig {
    let hours = AccessHours::daily(Span::new(0, 15 * 4).expect("a span"));
    let mut rig = rig_with(Settings { access_hours: hours, ..Settings::default() });
    assert_eq!(verdict(&mut rig, &mut phone_in(1, window(NOW.minus(HOUR), end))), Verdict::Opened);
    rig.pass(u64::from(4 * HOUR) * 1000).expect("no power cut");
    rig
}

#[test]
fn no_key_is_returned_after_four_hours_nor_where_settings_or_a_revocation_forbid_it() {
    let end = NOW.plus(HOUR);
    let mut last = phone_in(1, window(NOW.minus(HOUR), end));
    let mut rig = rig_after_return_time(end);
    rig.pass(u64::from(HOUR) * 1000).unwrap();
    assert_eq!(verdict(&mut rig, &mut last), Verdict::Expired);

    let mut settings = Settings::default();
    settings.switches.returns = false;
    let mut rig = rig_with(settings);
    assert_eq!(verdict(&mut rig, &mut last), Verdict::Opened);
    rig.pass(u64::from(2 * HOUR) * 1000).unwrap();
    assert_eq!(verdict(&mut rig, &mut last), Verdict::Expired);

    let mut rig = rig_after_return_time(end);
    hand_over(&mut rig, &revoking(1));
    assert_eq!(verdict(&mut rig, &mut last), Verdict::Revoked);
}

fn revoking(credential: u64) -> RevocationList {
    let what = Revoked::Credential(CredentialId(credential.to_be_bytes()));
    let entry = RevokedEntry { what, until: NOW.plus(30 * DAY) };
    RevocationList::new(1, Epoch(0), vec![entry]).expect("one entry")
}

fn hand_over(rig: &mut Rig, list: &RevocationList) {
    use sentri_protocol::open::channel::PhoneMessage;
    let mut passing = phone_in(99, window(NOW, NOW.plus(300 * DAY)));
    let mut visit = rig.operate(&mut passing, Operation::Service).expect("no power cut");
    rig.ask(&mut visit, &PhoneMessage::Revocations(list.sign(&backend().keys)))
        .expect("no power cut")
        .expect("no power cut");
}

#[test]
fn grt_6_a_revocation_that_another_phone_carried_refuses_a_ticket_in_its_window() {
    let mut rig = rig();
    let mut phone = phone(1);
    assert_eq!(verdict(&mut rig, &mut phone), Verdict::Opened);
    hand_over(&mut rig, &revoking(1));
    let status = open(&mut rig, &mut phone);
    assert_eq!((status.verdict, status.revocation_version), (Verdict::Revoked, 1));
    assert_eq!(verdict(&mut rig, &mut support::phone(2)), Verdict::Opened);
}

#[test]
fn a_ticket_of_a_higher_epoch_raises_the_floor_by_itself_and_for_good() {
    let (mut rig, backend) = (rig(), backend());
    let mut newer = backend.ticket(2, support::today(), NOW);
    newer.epoch = Epoch(3);
    assert_eq!(verdict(&mut rig, &mut phone(1)), Verdict::Opened);
    let status = open(&mut rig, &mut backend.phone(newer, NOW));
    assert_eq!((status.verdict, status.epoch), (Verdict::Opened, Epoch(3)));
    assert_eq!(verdict(&mut rig, &mut phone(1)), Verdict::Revoked);
    rig.reboot().unwrap();
    assert_eq!(verdict(&mut rig, &mut phone(1)), Verdict::Revoked);
}

#[test]
fn rights_say_what_a_ticket_may_ask_for() {
    let (mut rig, backend) = (rig(), backend());
    let mut ticket = backend.ticket(1, support::today(), NOW);
    ticket.rights = Rights::SERVICE;
    let mut service = backend.phone(ticket.clone(), NOW);
    assert_eq!(verdict(&mut rig, &mut service), Verdict::NoRight);
    let visit = rig.operate(&mut service, Operation::Service).unwrap();
    assert_eq!(visit.status().unwrap().verdict, Verdict::Served);
    ticket.rights = Rights::new(0b001).unwrap();
    let visit = rig.operate(&mut backend.phone(ticket, NOW), Operation::Service).unwrap();
    assert_eq!(visit.status().unwrap().verdict, Verdict::NoRight);
    assert_eq!(rig.board.drives(), 0);
}

#[test]
fn new_3_caveats_narrow_the_window_and_unknown_ones_refuse() {
    let mut rig = rig();
    let mut phone = phone(1);
    let caveat = |kind, from: Time, to| Caveat { kind, not_before: from, not_after: to, worker: [1, 2, 3] };
    let cases = [
        (vec![caveat(1, NOW, NOW.plus(HOUR))], Verdict::Opened),
        (vec![caveat(1, NOW.plus(HOUR), NOW.plus(2 * HOUR))], Verdict::NotYet),
        (
            vec![caveat(1, NOW, NOW.plus(HOUR)), caveat(1, NOW.plus(2 * HOUR), NOW.plus(DAY))],
            Verdict::Expired,
        ),
        (vec![caveat(1, NOW.plus(1), NOW)], Verdict::Expired),
        (vec![caveat(7, NOW, NOW.plus(HOUR))], Verdict::UnknownCaveat),
    ];
    for (caveats, expected) in cases {
        let advert = rig.press_enter().unwrap().unwrap();
        let mut request = phone.request(Operation::OpenKeyBin);
        request.caveats = caveats;
        let visit = rig.visit(&mut phone, &advert, request).unwrap();
        assert_eq!(visit.status().unwrap().verdict, expected);
    }
}

#[test]
fn a_stuck_motor_is_told_and_logged_and_does_not_count_as_an_open() {
    let mut rig = rig();
    let mut phone = phone(1);
    rig.board.set_jammed(true);
    let status = open(&mut rig, &mut phone);
    assert_eq!(status.verdict, Verdict::MotorFailed);
    assert!(status.flags.motor_driven);
    assert_eq!(rig.lock().unwrap().counters().opens, 0);
    assert_eq!(rig.board.take_indications().last(), Some(&Indication::NeedsService));
    rig.board.set_jammed(false);
    assert_eq!(verdict(&mut rig, &mut phone), Verdict::Opened);
    let entries = audit(&mut rig, &mut phone);
    assert_eq!(told(&entries), [(Kind::Boot, 0), (Kind::Ble, 0), (Kind::MotorFailed, 9), (Kind::Ble, 0)]);
}

#[test]
fn con_3_opens_and_refusals_are_logged_with_credential_operation_and_skew() {
    let mut rig = rig();
    let mut early = phone_in(5, window(NOW.plus(DAY), NOW.plus(2 * DAY)));
    early.time = NOW.plus(60);
    assert_eq!(verdict(&mut rig, &mut early), Verdict::NotYet);
    assert_eq!(verdict(&mut rig, &mut phone(6)), Verdict::Opened);
    let entries = audit(&mut rig, &mut phone(6));
    assert_eq!(told(&entries), [(Kind::Boot, 0), (Kind::Ble, 2), (Kind::Ble, 0)]);
    assert_eq!((entries[1].who, entries[1].skew), (5_u64.to_be_bytes(), 6));
    assert_eq!(entries[2].who, 6_u64.to_be_bytes());
    assert!(entries.iter().all(|entry| !entry.clock_lost));
}

#[test]
fn worn_flash_opens_nothing_and_says_so() {
    let mut rig = rig();
    let mut phone = phone(1);
    rig.board.with_flash(sentri_lock::sim::SimFlash::wear_out);
    let status = open(&mut rig, &mut phone);
    assert_eq!(status.verdict, Verdict::FlashFailed);
    assert!(status.flags.flash_worn && !status.flags.motor_driven);
    assert_eq!(rig.board.take_indications().last(), Some(&Indication::NeedsService));
    rig.reboot().unwrap();
    assert_eq!(verdict(&mut rig, &mut phone), Verdict::FlashFailed);
    assert_eq!(rig.board.drives(), 0);
}

#[test]
fn entropy_that_repeats_after_a_reset_repeats_neither_nonce_nor_address_nor_ephemeral() {
    let mut rig = rig();
    let mut phone = phone(1);
    rig.board.repeat_entropy_after_reset();
    let mut seen = std::collections::HashSet::new();
    for _ in 0..5 {
        rig.reboot().unwrap();
        let advert = rig.press_enter().unwrap().unwrap();
        let broadcast = rig.board.broadcast().unwrap();
        let request = phone.request(Operation::Service);
        let (_, m1) = phone.m1(&advert, request).unwrap();
        let connection = rig.connect(247).unwrap();
        rig.write(connection, &m1).unwrap();
        let heard = rig.heard(connection);
        let [Heard::Message(m2)] = heard.as_slice() else { panic!("{heard:?}") };
        assert!(seen.insert(advert.nonce.to_vec()), "nonce");
        assert!(seen.insert(broadcast.address.to_vec()), "address");
        assert!(seen.insert(m2[..32].to_vec()), "ephemeral");
    }
}
