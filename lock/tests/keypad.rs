//! Codes on the keypad, and how long a guesser waits. [COD-2, COD-3]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

mod support;

use sentri_lock::{
    lockout::CodeKind,
    ports::Indication,
    sim::{Cut, Rig},
};
use sentri_protocol::{
    audit::Kind,
    codes::derived::{contractor, one_day},
    hours::{AccessHours, Span},
    open::{Verdict, channel::PhoneMessage},
    settings::{Settings, Switches},
    zone::Zone,
};
use support::{DAY_MS, HOUR_MS, NOW, audit, backend, phone, rig_with, told, verdict};

const MINUTE_MS: u64 = 60_000;

fn contractor_mode() -> Settings {
    let switches = Switches { contractor_mode: true, ..Settings::default().switches };
    Settings { switches, contractor_generations: [1, 4, 9], ..Settings::default() }
}

fn slot(index: u8) -> [u8; 7] {
    *contractor(&backend().keys, index, [1, 4, 9][usize::from(index)]).as_ascii()
}

/// A one day code of today, or of so many days later.
fn day_code(later: u32, index: u8) -> [u8; 8] {
    let today = Zone::UTC.local(NOW).day;
    *one_day(&backend().keys, today + later, index).as_ascii()
}

fn enter(rig: &mut Rig, digits: &[u8]) -> Indication {
    rig.type_code(digits).expect("no power cut");
    *rig.board.take_indications().last().expect("the lights showed something")
}

/// Some entry of seven digits that is none of the codes.
fn wrong() -> [u8; 7] {
    let mut digits = slot(0);
    digits[3] = if digits[3] == b'9' { b'0' } else { digits[3] + 1 };
    digits
}

#[test]
fn cod_3_three_contractor_codes_open_over_and_over_in_contractor_mode() {
    let mut rig = rig_with(contractor_mode());
    for round in 0..2 {
        for index in 0..3 {
            assert_eq!(enter(&mut rig, &slot(index)), Indication::Opened, "round {round}, slot {index}");
        }
    }
    let entries = audit(&mut rig, &mut phone(1));
    assert_eq!(told(&entries)[1..], [(Kind::Code, 0); 6]);
    assert_eq!(entries[2].who, [1, 1, 0, 0, 0, 0, 0, 0]);
    assert_eq!(rig.lock().unwrap().counters().codes_entered, 6);
}

#[test]
fn cod_3_contractor_codes_work_only_in_contractor_mode_and_hours_and_all_refusals_look_alike() {
    let closed = AccessHours::daily(Span::new(0, 4).unwrap());
    let outside_hours = Settings { access_hours: closed, ..contractor_mode() };
    let old_code = contractor(&backend().keys, 1, 3);
    for (settings, digits, result) in [
        (Settings { contractor_generations: [1, 4, 9], ..Settings::default() }, slot(0), 7),
        (outside_hours, slot(0), 4),
        (contractor_mode(), wrong(), 7),
        (contractor_mode(), *old_code.as_ascii(), 7),
    ] {
        let mut rig = rig_with(settings);
        assert_eq!(enter(&mut rig, &digits), Indication::Refused);
        assert_eq!(rig.board.drives(), 0);
        assert_eq!(rig.lock().unwrap().state().wrong_tries.of(CodeKind::Contractor), 1);
        let entries = audit(&mut rig, &mut phone(1));
        assert_eq!(told(&entries)[1..], [(Kind::Code, result)]);
    }
}

#[test]
fn cod_3_contractor_codes_work_while_the_clock_is_lost_and_one_day_codes_do_not() {
    let closed = AccessHours::daily(Span::new(0, 4).unwrap());
    let mut rig = rig_with(Settings { access_hours: closed, ..contractor_mode() });
    rig.reboot().unwrap();
    assert_eq!(enter(&mut rig, &slot(2)), Indication::Opened);
    assert_eq!(enter(&mut rig, &day_code(0, 0)), Indication::Refused);
}

#[test]
fn cod_2_a_one_day_code_works_on_its_day_for_an_hour_from_its_first_use() {
    let mut rig = rig_with(Settings::default());
    assert_eq!(enter(&mut rig, &day_code(1, 0)), Indication::Refused, "tomorrow's");
    assert_eq!(enter(&mut rig, &day_code(0, 0)), Indication::Opened);
    rig.pass(59 * MINUTE_MS).unwrap();
    assert_eq!(enter(&mut rig, &day_code(0, 0)), Indication::Opened);
    rig.pass(MINUTE_MS).unwrap();
    assert_eq!(enter(&mut rig, &day_code(0, 0)), Indication::Refused);
    assert_eq!(enter(&mut rig, &day_code(0, 3)), Indication::Opened, "another of the four");
}

#[test]
fn cod_2_the_hour_of_a_one_day_code_runs_past_midnight_and_its_day_does_not() {
    let mut rig = rig_with(Settings::default());
    // 23:43:20.
    rig.pass(9 * HOUR_MS + 30 * MINUTE_MS).unwrap();
    assert_eq!(enter(&mut rig, &day_code(0, 0)), Indication::Opened);
    rig.pass(50 * MINUTE_MS).unwrap();
    assert_eq!(enter(&mut rig, &day_code(0, 0)), Indication::Opened);
    assert_eq!(enter(&mut rig, &day_code(0, 1)), Indication::Refused, "yesterday's, never used");
    assert_eq!(enter(&mut rig, &day_code(1, 1)), Indication::Opened);
}

#[test]
fn cod_2_where_the_association_says_so_one_day_codes_end_with_their_day() {
    let switches = Switches { one_day_ends_with_day: true, ..Settings::default().switches };
    let mut rig = rig_with(Settings { switches, ..Settings::default() });
    assert_eq!(enter(&mut rig, &day_code(0, 0)), Indication::Opened);
    rig.pass(9 * HOUR_MS).unwrap();
    assert_eq!(enter(&mut rig, &day_code(0, 0)), Indication::Opened);
    rig.pass(HOUR_MS).unwrap();
    assert_eq!(enter(&mut rig, &day_code(0, 0)), Indication::Refused);
}

#[test]
fn cod_2_a_used_up_one_day_code_stays_used_up_after_a_pulled_battery() {
    let mut rig = rig_with(Settings::default());
    assert_eq!(enter(&mut rig, &day_code(0, 0)), Indication::Opened);
    rig.pass(2 * HOUR_MS).unwrap();
    rig.reboot().unwrap();
    let mut phone = phone(1);
    let mut visit = rig.operate(&mut phone, sentri_protocol::open::Operation::Service).unwrap();
    let hash = *visit.answer.as_ref().unwrap().as_ref().unwrap().channel.handshake_hash();
    let token = backend().fresh_time(&hash, rig.time(), false);
    rig.ask(&mut visit, &token).unwrap().unwrap();
    assert_eq!(enter(&mut rig, &day_code(0, 0)), Indication::Refused);
    assert_eq!(enter(&mut rig, &day_code(0, 1)), Indication::Opened);
}

#[test]
fn four_tries_are_free_and_then_the_waits_grow() {
    let mut rig = rig_with(contractor_mode());
    let minutes = [0, 0, 0, 1, 5, 15, 60, 60, 60, 60, 60, 240, 240];
    for (tries, minutes) in (1..).zip(minutes) {
        assert_eq!(enter(&mut rig, &wrong()), Indication::Refused, "try {tries}");
        if minutes > 0 {
            let seconds = 60 * minutes;
            assert_eq!(
                enter(&mut rig, &slot(0)),
                Indication::Wait { seconds },
                "even a right one, try {tries}"
            );
            rig.pass(u64::from(seconds) * 1000 - 1).unwrap();
            assert_eq!(enter(&mut rig, &wrong()), Indication::Wait { seconds: 1 });
            rig.pass(1).unwrap();
        }
    }
    assert_eq!(enter(&mut rig, &slot(0)), Indication::Opened);
    let tries = &rig.lock().unwrap().state().wrong_tries;
    assert_eq!(tries.of(CodeKind::Contractor), 13, "a right code takes nothing off the count");
}

#[test]
fn after_forty_wrong_codes_each_waits_a_day() {
    let mut rig = rig_with(contractor_mode());
    let mut tries = 0;
    // Quiet time between tries stays under a day, so that nothing falls.
    while tries < 40 {
        match enter(&mut rig, &wrong()) {
            Indication::Refused => tries += 1,
            Indication::Wait { seconds } => rig.pass(u64::from(seconds) * 1000).unwrap(),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(enter(&mut rig, &slot(0)), Indication::Wait { seconds: 86_400 });
}

#[test]
fn a_count_falls_by_two_each_quiet_day_and_by_nothing_else() {
    let mut rig = rig_with(contractor_mode());
    let count = |rig: &Rig| rig.lock().unwrap().state().wrong_tries.of(CodeKind::Contractor);
    for _ in 0..4 {
        enter(&mut rig, &wrong());
    }
    rig.pass(MINUTE_MS).unwrap();
    assert_eq!(enter(&mut rig, &wrong()), Indication::Refused);
    rig.pass(5 * MINUTE_MS).unwrap();
    assert_eq!(enter(&mut rig, &slot(0)), Indication::Opened);
    assert_eq!(count(&rig), 5);
    rig.pass(DAY_MS - 5 * MINUTE_MS - 1).unwrap();
    assert_eq!(count(&rig), 5);
    rig.pass(1).unwrap();
    assert_eq!(count(&rig), 3);
    rig.reboot().unwrap();
    rig.pass(DAY_MS - 1).unwrap();
    assert_eq!(count(&rig), 3, "a reset begins the quiet day anew");
    rig.pass(2 * DAY_MS).unwrap();
    assert_eq!(count(&rig), 0);
}

#[test]
fn a_pulled_battery_keeps_the_count_and_begins_the_wait_anew_in_full() {
    let mut rig = rig_with(contractor_mode());
    for _ in 0..4 {
        enter(&mut rig, &wrong());
    }
    rig.pass(59_000).unwrap();
    rig.reboot().unwrap();
    assert_eq!(enter(&mut rig, &slot(0)), Indication::Wait { seconds: 60 });
    rig.pass(60_000).unwrap();
    assert_eq!(enter(&mut rig, &slot(0)), Indication::Opened);
}

#[test]
fn each_kind_of_code_and_the_radio_wait_for_themselves() {
    let mut rig = rig_with(contractor_mode());
    for _ in 0..4 {
        enter(&mut rig, &wrong());
    }
    assert_eq!(enter(&mut rig, &slot(0)), Indication::Wait { seconds: 60 });
    assert_eq!(enter(&mut rig, &day_code(0, 0)), Indication::Opened);
    assert_eq!(verdict(&mut rig, &mut phone(1)), Verdict::Opened);
}

#[test]
fn an_attempt_is_in_flash_before_it_is_looked_at_and_its_use_before_the_motor_moves() {
    for digits in [slot(0), wrong()] {
        let mut rig = rig_with(contractor_mode());
        rig.board.with_flash(|flash| flash.cut_at(flash.operations(), Cut::After));
        rig.type_code(&digits).unwrap_err();
        assert_eq!(rig.board.drives(), 0);
        assert_eq!(rig.board.take_indications(), [Indication::KeyTaken; 7], "nothing tells what it was");
        rig.reboot().unwrap();
        let tries = rig.lock().unwrap().state().wrong_tries;
        assert_eq!(tries.of(CodeKind::Contractor), 1, "right or wrong, it counts");
    }
    let mut rig = rig_with(Settings::default());
    rig.board.cut_while_driving();
    rig.type_code(&day_code(0, 0)).unwrap_err();
    assert_eq!(rig.board.drives(), 1);
    rig.reboot().unwrap();
    let state = rig.lock().unwrap().state();
    assert_eq!((state.first_uses.len(), state.wrong_tries.of(CodeKind::OneDay)), (1, 0));
}

#[test]
fn entries_are_taken_whole_and_forgotten_after_ten_seconds() {
    let mut rig = rig_with(contractor_mode());
    let code = slot(0);
    for bad in [&code[..6], &[&code[..], b"0"].concat(), &[b"0", &code[..]].concat(), &[b'1'; 40]] {
        assert_ne!(enter(&mut rig, bad), Indication::Opened);
    }
    for key in &code[..3] {
        rig.type_digit(*key).unwrap();
    }
    rig.pass(10_000).unwrap();
    assert_eq!(enter(&mut rig, &code), Indication::Opened, "the forgotten digits don't stand before it");
    assert_eq!(rig.lock().unwrap().counters().wakes, 0);
}

#[test]
fn cod_5_a_rotated_code_works_once_a_phone_has_delivered_it_and_not_before() {
    let mut rig = rig_with(contractor_mode());
    let backend = backend();
    let new_code = contractor(&backend.keys, 0, 2);
    assert_eq!(enter(&mut rig, new_code.as_ascii()), Indication::Refused, "pending");
    assert_eq!(enter(&mut rig, &slot(0)), Indication::Opened);
    let rotated = Settings { version: 1, contractor_generations: [2, 4, 9], ..contractor_mode() };
    let mut visit = rig.operate(&mut phone(1), sentri_protocol::open::Operation::Service).unwrap();
    rig.ask(&mut visit, &PhoneMessage::Settings(rotated.sign(&backend.keys))).unwrap().unwrap();
    assert_eq!(enter(&mut rig, &slot(0)), Indication::Refused);
    assert_eq!(enter(&mut rig, new_code.as_ascii()), Indication::Opened);
}

#[test]
fn ops_2_a_transferred_box_knows_neither_old_codes_nor_their_uses() {
    let mut rig = rig_with(contractor_mode());
    assert_eq!(enter(&mut rig, &day_code(0, 0)), Indication::Opened);
    let mut backend = backend();
    let generation = sentri_protocol::Generation(2);
    let transferred = Settings { version: 1, generation, ..contractor_mode() };
    let mut visit = rig.operate(&mut phone(1), sentri_protocol::open::Operation::Service).unwrap();
    rig.ask(&mut visit, &PhoneMessage::Settings(transferred.sign(&backend.keys))).unwrap().unwrap();
    rig.pass(2 * HOUR_MS).unwrap();
    for old in [&slot(0)[..], &day_code(0, 0), &day_code(0, 1)] {
        assert_eq!(enter(&mut rig, old), Indication::Refused);
    }
    backend.rotate(generation);
    let today = Zone::UTC.local(NOW).day;
    assert_eq!(enter(&mut rig, one_day(&backend.keys, today, 0).as_ascii()), Indication::Opened);
    assert_eq!(enter(&mut rig, contractor(&backend.keys, 0, 1).as_ascii()), Indication::Opened);
}

#[test]
fn first_uses_of_a_lock_that_nobody_visits_stay_few_and_the_newest_are_kept() {
    let mut rig = rig_with(Settings::default());
    for day in 0..10 {
        for index in 0..3 {
            assert_eq!(enter(&mut rig, &day_code(day, index)), Indication::Opened);
        }
        rig.pass(2 * HOUR_MS).unwrap();
        assert_eq!(enter(&mut rig, &day_code(day, 0)), Indication::Refused, "day {day}");
        rig.pass(DAY_MS - 2 * HOUR_MS).unwrap();
    }
    rig.reboot().unwrap();
    let first_uses = &rig.lock().unwrap().state().first_uses;
    assert_eq!(first_uses.len(), 16);
    let newest = Zone::UTC.local(NOW).day + 9;
    assert_eq!(first_uses.iter().filter(|it| it.day == newest).count(), 3);
}

#[test]
fn worn_flash_looks_at_no_code() {
    let mut rig = rig_with(contractor_mode());
    rig.board.with_flash(sentri_lock::sim::SimFlash::wear_out);
    assert_eq!(enter(&mut rig, &slot(0)), Indication::NeedsService);
    assert_eq!(rig.board.drives(), 0);
}

/// COD-2: nobody waits at the keypad while flash turns its page: it does so between entries.
#[test]
fn flash_turns_its_pages_between_entries() {
    let mut rig = rig_with(contractor_mode());
    let erases = |rig: &Rig| rig.board.with_flash(|flash| flash.erases());
    let before = erases(&rig);
    for entry in 0..600 {
        let earlier = erases(&rig);
        assert_eq!(enter(&mut rig, &slot(0)), Indication::Opened, "entry {entry}");
        assert_eq!(erases(&rig), earlier, "entry {entry} waited for flash");
        rig.pass(1000).unwrap();
    }
    let turned = erases(&rig) - before;
    assert!((2..=12).contains(&turned), "{turned} pages turned in 600 entries");
    rig.reboot().unwrap();
    assert_eq!(rig.lock().unwrap().state().audit.records().count(), 256);
}
