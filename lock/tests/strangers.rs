//! What strangers, bad links and crowds at the door can and can't do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

mod support;

use sentri_lock::{
    ports::Connection,
    sim::{Heard, Rig},
};
use sentri_protocol::{
    advert::Advert,
    frame::frames,
    open::{
        Operation, Verdict,
        channel::{LockMessage, PhoneMessage},
    },
};
use support::{phone, rig, verdict};

/// Where X25519 gives all zeros, whoever's key it meets.
const LOW_ORDER: [[u8; 32]; 4] = [
    [0; 32],
    {
        let mut one = [0; 32];
        one[0] = 1;
        one
    },
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda,
        0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04,
        0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57,
    ],
];

#[test]
fn a_low_order_ephemeral_is_not_proved() {
    let mut rig = rig();
    let mut phone = phone(1);
    let advert = rig.press_enter().unwrap().unwrap();
    let request = phone.request(Operation::OpenKeyBin);
    let (_, m1) = phone.m1(&advert, request).unwrap();
    for point in LOW_ORDER {
        let forged = [&point, &m1[32..]].concat();
        let connection = rig.connect(247).unwrap();
        rig.write(connection, &forged).unwrap();
        rig.pass(500).unwrap();
        assert_eq!(rig.heard(connection), [Heard::Message(vec![0]), Heard::HungUp]);
    }
    assert_eq!(rig.board.drives(), 0);
}

/// A stranger sends garbage M1s for two seconds, each on a connection of its own.
fn forty_garbage_m1s(rig: &mut Rig) {
    for round in 0..40_u8 {
        let connection = rig.connect(247).expect("power");
        rig.write(connection, &[round; 112]).expect("power");
        rig.pass(50).expect("power");
        let expected: &[Heard] = if round < 20 { &[] } else { &[Heard::HungUp] };
        assert_eq!(rig.heard(connection), expected, "round {round}: the stranger got in, and no answer yet");
        rig.disconnect(connection).expect("power");
    }
    assert_eq!(rig.lock().expect("power").counters().m1_unproved, 40);
}

#[test]
fn a_strangers_garbage_gets_one_byte_late_and_never_keeps_a_good_phone_out() {
    let mut rig = rig();
    let mut phone = phone(1);
    let advert = rig.press_enter().unwrap().unwrap();
    for round in 0..40_u8 {
        let connection = rig.connect(247).unwrap();
        rig.write(connection, &[round; 112]).unwrap();
        if round < 20 {
            rig.pass(499).unwrap();
            assert_eq!(rig.heard(connection), [], "not before 500 ms");
            rig.pass(1).unwrap();
            assert_eq!(rig.heard(connection), [Heard::Message(vec![0]), Heard::HungUp]);
        } else {
            assert_eq!(rig.heard(connection), [Heard::HungUp], "at once, unanswered");
        }
    }
    let request = phone.request(Operation::OpenKeyBin);
    let visit = rig.visit(&mut phone, &advert, request).unwrap();
    assert_eq!(visit.status().unwrap().verdict, Verdict::Opened);
    let counters = rig.lock().unwrap().counters();
    assert_eq!((counters.m1_seen, counters.m1_unproved), (41, 40));
}

#[test]
fn a_strangers_garbage_disturbs_no_good_phone_in_the_middle_of_its_m1() {
    let mut rig = rig();
    let mut phone = phone(1);
    let advert = rig.press_enter().unwrap().unwrap();
    let request = phone.request(Operation::OpenKeyBin);
    let (waiting, m1) = phone.m1(&advert, request).unwrap();
    let good: Vec<Vec<u8>> = frames(&m1, 23).collect();
    let (sent, rest) = good.split_at(2);
    let connection = rig.connect(23).unwrap();
    for frame in sent {
        rig.write_frame(connection, frame).unwrap();
    }
    forty_garbage_m1s(&mut rig);
    assert_eq!(rig.heard(connection), []);
    for frame in rest {
        rig.write_frame(connection, frame).unwrap();
    }
    let heard = rig.heard(connection);
    let [Heard::Message(m2)] = heard.as_slice() else { panic!("{heard:?}") };
    assert_eq!(waiting.read(m2).unwrap().status.verdict, Verdict::Opened);
    assert_eq!(rig.board.drives(), 1);
}

#[test]
fn a_strangers_garbage_disturbs_no_good_phone_in_its_channel() {
    let mut rig = rig();
    let mut visit = rig.operate(&mut phone(1), Operation::OpenKeyBin).unwrap();
    assert_eq!(visit.status().unwrap().verdict, Verdict::Opened);
    forty_garbage_m1s(&mut rig);
    assert_eq!(rig.heard(visit.connection), []);
    let answer = rig.ask(&mut visit, &PhoneMessage::ReadAudit { from: 0, at_most: 24 }).unwrap();
    assert!(matches!(answer, Some(LockMessage::Audit(_))));
}

#[test]
fn strangers_that_say_nothing_keep_a_good_phone_out_for_a_second_at_most() {
    let mut rig = rig();
    let mut phone = phone(1);
    let advert = rig.press_enter().unwrap().unwrap();
    let older = rig.connect(247).unwrap();
    rig.pass(1).unwrap();
    let younger = rig.connect(247).unwrap();
    rig.pass(998).unwrap();
    let early = rig.connect(247).unwrap();
    assert_eq!(rig.heard(early), [Heard::HungUp], "the older has had 999 ms");
    rig.pass(1).unwrap();

    let request = phone.request(Operation::OpenKeyBin);
    let visit = rig.visit(&mut phone, &advert, request).unwrap();
    assert_eq!(visit.status().unwrap().verdict, Verdict::Opened);
    assert_eq!(rig.heard(older), [Heard::HungUp]);
    assert_eq!(rig.heard(younger), [], "one place is enough");
    assert_eq!(rig.lock().unwrap().counters().connections, 3);
}

#[test]
fn strangers_that_reconnect_all_wake_let_a_good_phone_in_each_second() {
    let mut rig = rig();
    let mut phone = phone(1);
    let advert = rig.press_enter().unwrap().unwrap();
    for round in 0..29 {
        // Whoever was evicted or turned away is back at once.
        for _ in 0..3 {
            rig.connect(247).unwrap();
        }
        rig.pass(1_000).unwrap();
        let request = phone.request(Operation::Service);
        let visit = rig.visit(&mut phone, &advert, request).unwrap();
        assert_eq!(visit.status().map(|it| it.verdict), Some(Verdict::Served), "second {round}");
        rig.disconnect(visit.connection).unwrap();
    }
}

#[test]
fn strangers_that_begin_messages_and_end_none_let_a_good_phone_in_each_second() {
    let mut rig = rig();
    let mut phone = phone(1);
    let advert = rig.press_enter().unwrap().unwrap();
    for round in 0..29 {
        for _ in 0..3 {
            let stranger = rig.connect(23).unwrap();
            // Where it was turned away, nobody hears it.
            let _ = rig.write_frame(stranger, &frames(&[7; 112], 23).next().unwrap());
        }
        rig.pass(1_000).unwrap();
        let request = phone.request(Operation::Service);
        let visit = rig.visit(&mut phone, &advert, request).unwrap();
        assert_eq!(visit.status().map(|it| it.verdict), Some(Verdict::Served), "second {round}");
        rig.disconnect(visit.connection).unwrap();
    }
}

#[test]
fn a_link_that_goes_on_sending_or_has_a_channel_is_never_evicted() {
    let mut rig = rig();
    let (mut one, mut other) = (phone(1), phone(2));
    let visit = rig.operate(&mut one, Operation::Service).unwrap();
    let advert = rig.board.broadcast().map(|it| Advert::decode(&it.advert).unwrap()).unwrap();
    let request = other.request(Operation::OpenKeyBin);
    let (waiting, m1) = other.m1(&advert, request).unwrap();
    let good: Vec<Vec<u8>> = frames(&m1, 23).collect();
    let slow = rig.connect(23).unwrap();
    rig.pass(500).unwrap();
    // Almost the three seconds that a message has.
    for frame in &good[..3] {
        rig.write_frame(slow, frame).unwrap();
        rig.pass(999).unwrap();
        let third = rig.connect(247).unwrap();
        assert_eq!(rig.heard(third), [Heard::HungUp]);
    }

    // Where the other link is silent, that one goes, though it came later.
    rig.disconnect(visit.connection).unwrap();
    let silent = rig.connect(247).unwrap();
    for frame in &good[3..] {
        rig.write_frame(slow, frame).unwrap();
    }
    rig.pass(1_000).unwrap();
    let request = one.request(Operation::Service);
    let visit = rig.visit(&mut one, &advert, request).unwrap();
    assert_eq!(visit.status().unwrap().verdict, Verdict::Served);
    assert_eq!(rig.heard(silent), [Heard::HungUp]);
    let heard = rig.heard(slow);
    let [Heard::Message(m2)] = heard.as_slice() else { panic!("{heard:?}") };
    assert_eq!(waiting.read(m2).unwrap().status.verdict, Verdict::Opened);
}

#[test]
fn garbage_leaves_nothing_in_flash() {
    let mut rig = rig();
    rig.press_enter().unwrap();
    let before = rig.board.with_flash(|flash| flash.operations());
    for round in 0..40_u8 {
        let connection = rig.connect(247).unwrap();
        rig.write(connection, &[round; 112]).unwrap();
        rig.disconnect(connection).unwrap();
    }
    assert_eq!(rig.board.with_flash(|flash| flash.operations()), before);
}

#[test]
fn at_the_smallest_mtu_the_bin_opens_and_the_answer_fits() {
    let mut rig = rig();
    let mut phone = phone(1);
    let advert = rig.press_enter().unwrap().unwrap();
    let request = phone.request(Operation::OpenKeyBin);
    let (waiting, m1) = phone.m1(&advert, request).unwrap();
    let connection = rig.connect(23).unwrap();
    rig.write(connection, &m1).unwrap();
    let heard = rig.heard(connection);
    let [Heard::Message(m2)] = heard.as_slice() else { panic!("{heard:?}") };
    assert_eq!(waiting.read(m2).unwrap().status.verdict, Verdict::Opened);
    let counters = rig.lock().unwrap().counters();
    assert_eq!((counters.frames_in, counters.frames_out), (6, 5));
}

#[test]
fn frames_missing_doubled_reordered_or_too_many_never_open_by_mistake() {
    let mut rig = rig();
    let mut phone = phone(1);
    let advert = rig.press_enter().unwrap().unwrap();
    let request = phone.request(Operation::OpenKeyBin);
    let (_, m1) = phone.m1(&advert, request).unwrap();
    let good: Vec<Vec<u8>> = frames(&m1, 23).collect();

    let mut missing = good.clone();
    missing.remove(2);
    let mut reordered = good.clone();
    reordered.swap(1, 2);
    let mut stale = good.clone();
    stale.insert(3, good[0].clone());
    let mut headless = good.clone();
    headless[1].truncate(1);
    let oversize: Vec<Vec<u8>> = (0..6).map(|index| [vec![index], vec![0; 243]].concat()).collect();
    for (what, bad) in [
        ("missing", missing),
        ("reordered", reordered),
        ("stale", stale),
        ("headless", headless),
        ("oversize", oversize),
        ("empty", vec![vec![]]),
    ] {
        let connection = rig.connect(247).unwrap();
        for frame in &bad {
            rig.write_frame(connection, frame).unwrap();
        }
        assert_eq!(rig.heard(connection), [Heard::HungUp], "{what}");
        assert_eq!(rig.board.drives(), 0, "{what}");
    }

    let connection = rig.connect(23).unwrap();
    for frame in &good {
        rig.write_frame(connection, frame).unwrap();
        rig.write_frame(connection, frame).unwrap();
    }
    assert_eq!(rig.board.drives(), 1, "exact repeats are ignored");
    assert_eq!(rig.lock().unwrap().counters().m1_seen, 1);
}

#[test]
fn m1_must_be_whole_three_seconds_from_its_first_frame_and_eight_from_connecting() {
    let mut rig = rig();
    let mut phone = phone(1);
    let advert = rig.press_enter().unwrap().unwrap();
    let request = phone.request(Operation::OpenKeyBin);
    let (_, m1) = phone.m1(&advert, request).unwrap();
    let good: Vec<Vec<u8>> = frames(&m1, 23).collect();

    let slow = rig.connect(23).unwrap();
    rig.write_frame(slow, &good[0]).unwrap();
    rig.pass(2_999).unwrap();
    assert_eq!(rig.heard(slow), []);
    rig.pass(1).unwrap();
    assert_eq!(rig.heard(slow), [Heard::HungUp]);

    let silent = rig.connect(23).unwrap();
    rig.pass(7_999).unwrap();
    assert_eq!(rig.heard(silent), []);
    rig.pass(1).unwrap();
    assert_eq!(rig.heard(silent), [Heard::HungUp]);
    assert_eq!(rig.board.drives(), 0);
}

#[test]
fn a_second_phone_in_mid_handshake_disturbs_nobody_and_a_third_is_turned_away() {
    let mut rig = rig();
    let (mut one, mut other) = (phone(1), phone(2));
    let advert = rig.press_enter().unwrap().unwrap();
    let request = one.request(Operation::OpenKeyBin);
    let (first_waiting, first_m1) = one.m1(&advert, request).unwrap();
    let request = other.request(Operation::OpenKeyBin);
    let (second_waiting, second_m1) = other.m1(&advert, request).unwrap();
    let (first, second) = (rig.connect(23).unwrap(), rig.connect(23).unwrap());
    let third = rig.connect(23).unwrap();
    assert_eq!(rig.heard(third), [Heard::HungUp]);

    let pairs = frames(&first_m1, 23).zip(frames(&second_m1, 23));
    for (a, b) in pairs.collect::<Vec<_>>() {
        rig.write_frame(first, &a).unwrap();
        rig.write_frame(second, &b).unwrap();
    }
    for (connection, waiting, expected) in
        [(first, first_waiting, Verdict::Opened), (second, second_waiting, Verdict::AlreadyOpened)]
    {
        let heard = rig.heard(connection);
        let [Heard::Message(m2)] = heard.as_slice() else { panic!("{heard:?}") };
        assert_eq!(waiting.read(m2).unwrap().status.verdict, expected);
    }
    assert_eq!(rig.board.drives(), 1);
}

#[test]
fn a_wake_lasts_half_a_minute_and_the_next_press_ends_it() {
    let mut rig = rig();
    let mut phone = phone(1);
    let first = rig.press_enter().unwrap().unwrap();
    let waiting = rig.connect(247).unwrap();
    let second = rig.press_enter().unwrap().unwrap();
    assert_eq!(rig.heard(waiting), [Heard::HungUp]);
    assert_ne!(first.nonce, second.nonce);
    let request = phone.request(Operation::OpenKeyBin);
    let stale = rig.visit(&mut phone, &first, request).unwrap();
    assert!(stale.answer.is_none(), "an M1 to the former wake proves nothing");

    rig.pass(29_999).unwrap();
    assert!(rig.board.broadcast().is_some());
    rig.pass(1).unwrap();
    assert!(rig.board.broadcast().is_none());
    let late = rig.connect(247).unwrap();
    assert_eq!(rig.heard(late), [Heard::HungUp]);
    assert_eq!(verdict(&mut rig, &mut phone), Verdict::Opened);
}

#[test]
fn the_advert_is_known_to_its_own_phones_and_two_presses_cant_be_linked() {
    let mut rig = rig();
    let keys = support::backend().keys;
    let advert = rig.press_enter().unwrap().unwrap();
    let address = rig.board.broadcast().unwrap().address;
    assert!(advert.is_from(&keys.advert_key(support::NOW.week())));
    assert!(!advert.is_from(&sentri_lock::sim::Backend::new(1).keys.advert_key(support::NOW.week())));
    let next = rig.press_enter().unwrap().unwrap();
    let next_address = rig.board.broadcast().unwrap().address;
    assert_ne!((advert.nonce, address), (next.nonce, next_address));
    assert_ne!(advert.encode()[10..], next.encode()[10..]);
    rig.reboot().unwrap();
    let lost = rig.press_enter().unwrap().unwrap();
    assert!(lost.flags.clock_lost && lost.is_from(&keys.advert_key_lost()));
    assert!(!lost.is_from(&keys.advert_key(support::NOW.week())));
}

#[test]
fn frames_on_connections_that_the_lock_does_not_hold_change_nothing() {
    let mut rig = rig();
    rig.write_frame(Connection(400), &[0x80, 1]).unwrap();
    rig.disconnect(Connection(400)).unwrap();
    rig.press_enter().unwrap();
    rig.write_frame(Connection(400), &[0x80, 1]).unwrap();
    assert_eq!(rig.lock().unwrap().counters().frames_in, 0);
}

#[test]
fn low_battery_is_told_by_the_advert_and_the_lights() {
    let mut rig = rig();
    rig.board.set_battery(10);
    let advert = rig.press_enter().unwrap().unwrap();
    assert!(advert.flags.battery_low);
    assert_eq!(rig.board.take_indications(), [sentri_lock::ports::Indication::BatteryLow]);
}
