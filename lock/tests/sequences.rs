//! The seeds' key sequences, literally, and what must not come of others. [COD-1, COD-4, PIN-3 to PIN-7, RES-2, RES-3]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

mod support;

use sentri_lock::{
    Halt, Key, NotHeld, Provisioning,
    journal::tables::{HeldCode, Role},
    lockout::CodeKind,
    ports::{Indication, Light},
    sim::Rig,
};
use sentri_protocol::{
    audit::Kind,
    codes::{contractor, kind::Profile, smart_pin::Rules, stored::StoredCode, validity::Validity},
    hours::{AccessHours, Schedule, Span},
    open::{Operation, channel::PhoneMessage},
    revocation::{Entry as RevokedEntry, RevocationList, Revoked},
    settings::Settings,
    ticket::{Epoch, Rights},
};
use support::{
    AGENT, DAY, DAY_MS, HOUR, HOUR_MS, NOW, OWNER, PROGRAMMING_CODE, association, audit, backend, card,
    image, phone, provisioning, smac, smart_pin, told, window,
};

fn rig() -> Rig {
    Rig::provisioned(provisioning())
}

fn door() -> Rig {
    Rig::provisioned(Provisioning { profile: Profile::Residential, ..provisioning() })
}

fn rig_with(change: impl FnOnce(&mut Settings)) -> Rig {
    let mut made = provisioning();
    change(&mut made.settings);
    Rig::provisioned(made)
}

fn last(rig: &Rig) -> Indication {
    *rig.board.take_indications().last().expect("the lights showed something")
}

fn enter(rig: &mut Rig, digits: &[u8]) -> Indication {
    rig.type_code(digits).expect("power");
    last(rig)
}

/// Presses what is written: digits, E for ENT, F for FUNC, C for CLR.
fn keys(rig: &mut Rig, keys: &str) -> Indication {
    let press = |key| rig.press(Key::from_char(key).expect("a key"));
    keys.chars().try_for_each(press).expect("power");
    last(rig)
}

fn insert(rig: &mut Rig, serial: u8, holder: u32) -> Indication {
    rig.insert_card(&image(&card(serial, holder), &association())).expect("power");
    last(rig)
}

fn wrong(rig: &Rig, kind: CodeKind) -> u16 {
    rig.lock().expect("a lock").state().wrong_tries.of(kind)
}

fn bring_time(rig: &mut Rig) {
    let mut visit = rig.operate(&mut phone(90), Operation::Service).expect("power");
    let answer = visit.answer.as_ref().expect("an answer").as_ref().expect("a proved ticket");
    let token = backend().fresh_time(answer.channel.handshake_hash(), rig.time(), false);
    rig.ask(&mut visit, &token).expect("power").expect("an answer");
    rig.board.take_indications();
}

fn guest(id: u8, code: &[u8], validity: Validity) -> HeldCode {
    HeldCode { id, role: Role::Guest, code: StoredCode::parse(code).expect("digits"), validity }
}

#[test]
fn cod_4_owner_s_card_pin_and_func_6_1_turn_contractor_mode_on_and_func_6_0_off() {
    let mut rig = rig();
    let code = *contractor::code(&backend().keys, 0, 1).as_ascii();
    assert_eq!(enter(&mut rig, &code), Indication::Refused);
    assert_eq!(insert(&mut rig, 1, OWNER), Indication::Code);
    assert_eq!(Indication::Code.flashes().unwrap().light, Light::Code);
    assert_eq!(keys(&mut rig, "2468E"), Indication::Ready);
    assert_eq!(keys(&mut rig, "F61E"), Indication::Done);
    rig.remove_card().unwrap();
    assert_eq!(enter(&mut rig, &code), Indication::Opened);
    rig.reboot().unwrap();
    assert_eq!(enter(&mut rig, &code), Indication::Opened, "contractor mode outlives the battery");
    bring_time(&mut rig);
    assert_eq!(insert(&mut rig, 1, OWNER), Indication::Code);
    assert_eq!(keys(&mut rig, "2468E"), Indication::Ready);
    assert_eq!(keys(&mut rig, "F60E"), Indication::Done);
    assert_eq!(keys(&mut rig, "F62E"), Indication::Error, "no such command");
    assert_eq!(keys(&mut rig, "E"), Indication::Opened, "ENT at READY opens");
    rig.remove_card().unwrap();
    assert_eq!(enter(&mut rig, &code), Indication::Refused);
    let entries = audit(&mut rig, &mut phone(1));
    assert!(told(&entries).ends_with(&[(Kind::Settings, 1), (Kind::Card, 0), (Kind::Code, 7)]));
    let opened = &entries[entries.len() - 2];
    assert_eq!((opened.who, opened.operation), ([1; 8], OWNER.to_be_bytes()), "the log names card and agent");
}

#[test]
fn agt_1_another_member_s_card_opens_within_hours_and_changes_nothing() {
    let mut rig = rig();
    insert(&mut rig, 2, AGENT);
    assert_eq!(keys(&mut rig, "2468E"), Indication::Ready);
    assert_eq!(keys(&mut rig, "F61E"), Indication::Error);
    assert_eq!(keys(&mut rig, "E"), Indication::Opened);
    let closed = AccessHours::daily(Span::new(0, 4).unwrap());
    for (holder, shown) in [(AGENT, Indication::Refused), (OWNER, Indication::Opened)] {
        let mut rig = rig_with(|settings| settings.access_hours = closed);
        insert(&mut rig, 2, holder);
        keys(&mut rig, "2468E");
        assert_eq!(keys(&mut rig, "E"), shown);
    }
}

#[test]
fn a_card_is_refused_without_its_slot_its_signer_its_time_its_pin_and_when_it_is_revoked() {
    let mut stranger = rig();
    let other = p256::ecdsa::SigningKey::from_slice(&[8; 32]).unwrap();
    stranger.insert_card(&image(&card(1, OWNER), &other)).unwrap();
    assert_eq!(last(&stranger), Indication::Error);
    for bad in [&b""[..], &[0; 117], &[0xff; 400]] {
        stranger.insert_card(bad).unwrap();
        assert_eq!(last(&stranger), Indication::Error);
    }
    assert_eq!(insert(&mut door(), 1, OWNER), Indication::Error, "a door has no slot");

    let mut late = rig();
    late.pass(3 * DAY_MS).unwrap();
    insert(&mut late, 1, OWNER);
    assert_eq!(keys(&mut late, "2468E"), Indication::Refused);
    assert!(
        told(&audit(&mut late, &mut support::phone_in(1, window(NOW, NOW.plus(9 * DAY)))))
            .contains(&(Kind::Card, 3))
    );

    let mut lost = rig();
    lost.reboot().unwrap();
    insert(&mut lost, 1, OWNER);
    assert_eq!(keys(&mut lost, "2468E"), Indication::Refused);
    assert!(told(&audit(&mut lost, &mut phone(1))).contains(&(Kind::Card, 6)));

    let mut revoked = rig();
    let entry = RevokedEntry { what: Revoked::Card([1; 8]), until: NOW.plus(9 * DAY) };
    let signed = RevocationList::new(1, Epoch(0), vec![entry]).unwrap().sign(&backend().keys);
    let mut visit = revoked.operate(&mut phone(1), Operation::Service).unwrap();
    revoked.ask(&mut visit, &PhoneMessage::Revocations(signed)).unwrap();
    insert(&mut revoked, 1, OWNER);
    assert_eq!(keys(&mut revoked, "2468E"), Indication::Refused);
    assert!(told(&audit(&mut revoked, &mut phone(1))).contains(&(Kind::Card, 5)));
}

#[test]
fn wrong_pins_are_counted_for_each_card_and_outlive_the_battery() {
    let mut rig = rig();
    for _ in 0..4 {
        insert(&mut rig, 1, OWNER);
        assert_eq!(keys(&mut rig, "2469E"), Indication::Refused);
    }
    rig.pass(59_000).unwrap();
    rig.reboot().unwrap();
    bring_time(&mut rig);
    insert(&mut rig, 1, OWNER);
    assert_eq!(keys(&mut rig, "2468E"), Indication::Wait { seconds: 60 });
    insert(&mut rig, 2, AGENT);
    assert_eq!(keys(&mut rig, "2468E"), Indication::Ready, "another card doesn't wait");
    rig.pass(60_000).unwrap();
    insert(&mut rig, 1, OWNER);
    assert_eq!(keys(&mut rig, "2468E"), Indication::Ready);
}

#[test]
fn pin_5_a_short_pin_is_picked_within_ten_seconds_and_ends_with_its_smart_pin() {
    for mut rig in [rig(), door()] {
        let pin = smart_pin(0, 8, 0);
        assert_eq!(enter(&mut rig, b"7595"), Indication::Refused);
        assert_eq!(enter(&mut rig, &pin), Indication::Opened);
        rig.pass(9_000).unwrap();
        assert_eq!(enter(&mut rig, b"7595"), Indication::Done);
        assert_eq!(enter(&mut rig, b"7595"), Indication::Opened);
        assert_eq!(enter(&mut rig, &pin), Indication::Opened);
        rig.pass(10_000).unwrap();
        assert_eq!(enter(&mut rig, b"8686"), Indication::Refused, "ten seconds are over");
        rig.reboot().unwrap();
        assert_eq!(enter(&mut rig, b"7595"), Indication::Refused, "no time, no short PIN");
        bring_time(&mut rig);
        assert_eq!(enter(&mut rig, b"7595"), Indication::Opened);
        rig.pass(8 * HOUR_MS).unwrap();
        assert_eq!(enter(&mut rig, b"7595"), Indication::Refused);
        assert_eq!(enter(&mut rig, &pin), Indication::Refused);
        assert_eq!(rig.board.drives(), 4);
    }
}

#[test]
fn pin_5_easy_short_pins_and_other_people_s_are_refused() {
    let mut rig = rig();
    rig.hold_code(guest(9, b"4071", Validity::Permanent)).unwrap().unwrap();
    assert_eq!(enter(&mut rig, &smart_pin(0, 8, 0)), Indication::Opened);
    for easy in [&b"2222"[..], b"1234", b"6789", b"8901", b"4321", b"222222"] {
        assert_eq!(enter(&mut rig, easy), Indication::Error);
    }
    assert_eq!(wrong(&rig, CodeKind::Stored), 0);
    assert_eq!(enter(&mut rig, b"4071"), Indication::Error, "choose another");
    assert_eq!(wrong(&rig, CodeKind::Stored), 1, "it told that the code is somebody's");
    assert_eq!(enter(&mut rig, b"407162"), Indication::Done);
    assert_eq!(wrong(&rig, CodeKind::Stored), 1);
    for pick in [&b"4072"[..], b"4073", b"4074"] {
        assert_eq!(enter(&mut rig, &smart_pin(0, 8, 0)), Indication::Opened);
        assert_eq!(enter(&mut rig, pick), Indication::Done);
    }
    assert_eq!(wrong(&rig, CodeKind::Stored), 4, "further picks could search");
    assert_eq!(enter(&mut rig, &smart_pin(0, 8, 0)), Indication::Opened);
    assert_eq!(enter(&mut rig, b"4071"), Indication::Wait { seconds: 60 });
}

#[test]
fn pin_6_programming_code_128_and_the_smart_pin_block_it_and_its_short_pin() {
    for mut rig in [rig(), door()] {
        let pin = smart_pin(0, 8, 0);
        assert_eq!(enter(&mut rig, &pin), Indication::Opened);
        assert_eq!(enter(&mut rig, b"7595"), Indication::Done);
        assert_eq!(enter(&mut rig, PROGRAMMING_CODE), Indication::Ready);
        assert_eq!(enter(&mut rig, b"128"), Indication::Code);
        assert_eq!(enter(&mut rig, &pin), Indication::Blocked);
        let flashes = Indication::Blocked.flashes().unwrap();
        assert_eq!((flashes.light, flashes.times), (Light::Green, 2));
        rig.reboot().unwrap();
        bring_time(&mut rig);
        assert_eq!(enter(&mut rig, b"7595"), Indication::Refused);
        assert_eq!(enter(&mut rig, &pin), Indication::Refused);
        let results = told(&audit(&mut rig, &mut phone(1)));
        assert_eq!(results.last(), Some(&(Kind::Code, 5)), "revoked, says the log");
        assert_eq!(wrong(&rig, CodeKind::Programming), 0);
    }
}

#[test]
fn pin_6_nothing_else_is_blocked_and_no_other_function_is_known() {
    let mut rig = rig();
    for (function, pin, shown) in [
        (&b"128"[..], &b"1234567890"[..], None),
        (b"128", b"123", Some(Indication::Error)),
        (b"129", b"", Some(Indication::Error)),
        (b"1281", b"", Some(Indication::Error)),
    ] {
        assert_eq!(enter(&mut rig, PROGRAMMING_CODE), Indication::Ready);
        let at_function = enter(&mut rig, function);
        let at_pin = if pin.is_empty() { at_function } else { enter(&mut rig, pin) };
        assert!(shown.is_none_or(|shown| shown == at_pin), "{at_pin:?}");
    }
    rig.pass(31_000).unwrap();
    assert_eq!(enter(&mut rig, PROGRAMMING_CODE), Indication::Ready);
    rig.pass(31_000).unwrap();
    assert_eq!(enter(&mut rig, b"128"), Indication::Refused, "the sequence was over");
    assert_eq!(enter(&mut rig, b"864214"), Indication::Refused);
    assert_eq!(rig.board.drives(), 0, "the programming code opens nothing");
}

#[test]
fn pin_7_two_guests_with_one_window_are_blocked_apart_where_the_rules_allow_two() {
    let mut rig = rig_with(|settings| {
        let variants = sentri_protocol::codes::smart_pin::Variant::new(1).unwrap();
        settings.smart_pin_rules = Rules { variants, ..Rules::default() };
    });
    let (first, second) = (smart_pin(0, 8, 0), smart_pin(0, 8, 1));
    enter(&mut rig, PROGRAMMING_CODE);
    enter(&mut rig, b"128");
    assert_eq!(enter(&mut rig, &first), Indication::Blocked);
    assert_eq!(enter(&mut rig, &first), Indication::Refused);
    assert_eq!(enter(&mut rig, &second), Indication::Opened);
    assert_eq!(enter(&mut rig, &smart_pin(0, 8, 2)), Indication::Refused, "a third variant isn't taken");
}

#[test]
fn pin_3_pin_4_a_smart_pin_works_only_enabled_in_its_window_and_at_its_lock() {
    let mut rig = rig();
    assert_eq!(enter(&mut rig, &smart_pin(2, 8, 0)), Indication::Refused, "not yet");
    assert_eq!(enter(&mut rig, &smart_pin(-9, 8, 0)), Indication::Refused, "expired");
    assert_eq!(keys(&mut rig, "#").flashes(), None);
    let results = told(&audit(&mut rig, &mut phone(1)));
    assert!(results.ends_with(&[(Kind::Code, 2), (Kind::Code, 3)]), "{results:?}");
    rig.pass(2 * HOUR_MS).unwrap();
    assert_eq!(enter(&mut rig, &smart_pin(2, 8, 0)), Indication::Opened);
    let mut off = rig_with(|settings| settings.switches.smart_pins = false);
    assert_eq!(enter(&mut off, &smart_pin(0, 8, 0)), Indication::Refused);
    let entries = audit(&mut off, &mut phone(1));
    assert_eq!(entries.last().unwrap().who[..3], [4, 0xff, 1], "switched off, says the log");
    let id = sentri_protocol::codes::smart_pin::LockId([9; 16]);
    let mut other = Rig::provisioned(Provisioning { id, ..provisioning() });
    assert_ne!(enter(&mut other, &smart_pin(0, 8, 0)), Indication::Opened, "another lock's");
}

#[test]
fn a_smart_pin_that_must_be_used_in_a_day_is_refused_later_unless_it_was() {
    let rules = Rules { first_use_within_a_day: true, ..Rules::default() };
    let mut rig = rig_with(|settings| settings.smart_pin_rules = rules);
    let (used, unused) = (smart_pin(0, 200, 0), smart_pin(0, 201, 0));
    assert_eq!(enter(&mut rig, &used), Indication::Opened);
    rig.pass(DAY_MS).unwrap();
    rig.reboot().unwrap();
    let mut visit =
        rig.operate(&mut support::phone_in(1, window(NOW, NOW.plus(9 * DAY))), Operation::Service).unwrap();
    let hash = *visit.answer.as_ref().unwrap().as_ref().unwrap().channel.handshake_hash();
    let token = backend().fresh_time(&hash, rig.time(), false);
    rig.ask(&mut visit, &token).unwrap().unwrap();
    assert_eq!(enter(&mut rig, &used), Indication::Opened);
    assert_eq!(enter(&mut rig, &unused), Indication::Refused);
}

#[test]
fn cod_1_a_smac_opens_once_and_the_log_names_its_slot() {
    let mut rig = rig();
    let code = smac(314, NOW);
    assert_eq!(enter(&mut rig, &code), Indication::Opened);
    assert_eq!(enter(&mut rig, &code), Indication::Refused, "used");
    rig.reboot().unwrap();
    bring_time(&mut rig);
    assert_eq!(enter(&mut rig, &code), Indication::Refused, "used, battery or not");
    assert_eq!(enter(&mut rig, &smac(7, NOW)), Indication::Opened);
    assert_eq!(enter(&mut rig, &smac(8, NOW.plus(900))), Indication::Refused, "a later step");
    rig.pass(900_000).unwrap();
    assert_eq!(enter(&mut rig, &smac(9, NOW)), Indication::Refused, "an earlier step");
    assert_eq!(enter(&mut door(), &smac(314, NOW)), Indication::Refused, "a door has none");
    let entries = audit(&mut rig, &mut phone(1));
    let opened: Vec<_> = entries.iter().filter(|it| it.kind == Kind::Code && it.result == 0).collect();
    assert_eq!(opened[0].who, [3, 0, 0, 1, 58, 0, 0, 0]);
}

#[test]
fn res_3_guest_codes_work_in_their_time_and_no_two_codes_are_alike() {
    let mut rig = door();
    let nine_to_five = Schedule::new(0x1f, Span::new(36, 68).unwrap()).unwrap();
    let hold = |rig: &mut Rig, held| rig.hold_code(held).unwrap();
    let within = |from: u32, to: u32| window(NOW.plus(from), NOW.plus(to));
    hold(&mut rig, guest(2, b"4071", Validity::Permanent)).unwrap();
    hold(&mut rig, guest(3, b"40716", Validity::Temporary(within(HOUR, 2 * HOUR)))).unwrap();
    hold(&mut rig, guest(4, b"407162", Validity::Recurring(nine_to_five, None))).unwrap();
    hold(&mut rig, guest(5, b"40716253", Validity::delivery(NOW).unwrap())).unwrap();
    assert_eq!(hold(&mut rig, guest(6, b"4071", Validity::Permanent)), Err(NotHeld::ChooseAnother));
    assert_eq!(hold(&mut rig, guest(6, PROGRAMMING_CODE, Validity::Permanent)), Err(NotHeld::ChooseAnother));
    assert_eq!(hold(&mut rig, guest(97, b"5555", Validity::Permanent)), Err(NotHeld::NoSuchPlace));
    let box_ = &mut self::rig();
    assert_eq!(hold(box_, guest(2, b"4071625", Validity::Permanent)), Err(NotHeld::WrongLength));
    for (code, shown) in [
        (&b"4071"[..], Indication::Opened),
        (b"40716", Indication::Refused),
        (b"407162", Indication::Opened),
        (b"40716253", Indication::Opened),
        (b"04071", Indication::Refused),
        (b"40710", Indication::Refused),
    ] {
        assert_eq!(enter(&mut rig, code), shown, "{code:?}");
    }
    rig.pass(3 * HOUR_MS).unwrap();
    for (code, shown) in [(&b"4071"[..], Indication::Opened), (b"40716", Indication::Wait { seconds: 60 })] {
        if let Indication::Wait { .. } = shown {
            assert_eq!(enter(&mut rig, code), Indication::Refused);
            assert_eq!(enter(&mut rig, b"4071"), shown, "four wrong ones");
        } else {
            assert_eq!(enter(&mut rig, code), shown);
        }
    }
    rig.reboot().unwrap();
    rig.pass(60_000).unwrap();
    assert_eq!(enter(&mut rig, b"4071"), Indication::Opened, "permanent, clock or not");
    assert_eq!(enter(&mut rig, b"407162"), Indication::Refused, "its hours need a clock");
}

#[test]
fn res_5_a_new_code_replaces_the_old_one_at_once_and_not_before() {
    let mut rig = door();
    let resident = |code: &[u8]| HeldCode { role: Role::Resident, ..guest(2, code, Validity::Permanent) };
    rig.hold_code(resident(b"4071")).unwrap().unwrap();
    rig.board.with_flash(|flash| flash.cut_at(flash.operations(), sentri_lock::sim::Cut::TornEarly));
    assert_eq!(rig.hold_code(resident(b"5182")), Err(Halt));
    rig.reboot().unwrap();
    assert_eq!(enter(&mut rig, b"5182"), Indication::Refused);
    assert_eq!(enter(&mut rig, b"4071"), Indication::Opened);
    rig.hold_code(resident(b"5182")).unwrap().unwrap();
    assert_eq!(enter(&mut rig, b"4071"), Indication::Refused);
    assert_eq!(enter(&mut rig, b"5182"), Indication::Opened);
}

#[test]
fn the_programming_code_works_while_stored_codes_wait_and_has_its_own_count() {
    let mut rig = rig();
    for _ in 0..4 {
        assert_eq!(enter(&mut rig, b"736154"), Indication::Refused);
    }
    assert_eq!(enter(&mut rig, b"7361"), Indication::Wait { seconds: 60 });
    assert_eq!(wrong(&rig, CodeKind::Programming), 0, "not of its length");
    assert_eq!(enter(&mut rig, PROGRAMMING_CODE), Indication::Ready);
    assert_eq!(keys(&mut rig, "C"), Indication::KeyTaken);
    for count in 1..=4 {
        assert_eq!(enter(&mut rig, b"736154"), Indication::Wait { seconds: 60 });
        assert_eq!(wrong(&rig, CodeKind::Programming), count);
    }
    assert_eq!(enter(&mut rig, PROGRAMMING_CODE), Indication::Wait { seconds: 60 });
    // Two waits, and the lights tell of one: else the programming code's length would be told.
    rig.pass(60_000).unwrap();
    assert_eq!(enter(&mut rig, b"7361"), Indication::Refused);
    rig.pass(10_000).unwrap();
    for entry in [&b"736154"[..], b"736155", b"7361", PROGRAMMING_CODE] {
        assert_eq!(enter(&mut rig, entry), Indication::Wait { seconds: 290 });
    }
    assert_eq!(wrong(&rig, CodeKind::Programming), 5, "the second was not looked at");
}

#[test]
fn the_right_owner_ends_a_wait_once_a_day_and_the_count_stays() {
    let mut rig = rig();
    let mut ticket = backend().ticket(5, window(NOW.minus(HOUR), NOW.plus(5 * DAY)), NOW);
    ticket.rights = Rights::OWNER;
    let mut owner = backend().phone(ticket, NOW);
    let fill = |rig: &mut Rig| while enter(rig, b"736154") == Indication::Refused {};
    fill(&mut rig);
    let before = wrong(&rig, CodeKind::Stored);
    rig.operate(&mut phone(6), Operation::Service).unwrap();
    assert!(matches!(enter(&mut rig, b"7361"), Indication::Wait { .. }), "another's ticket ends nothing");
    rig.operate(&mut owner, Operation::Service).unwrap();
    assert_eq!(wrong(&rig, CodeKind::Stored), before);
    assert_eq!(enter(&mut rig, b"736154"), Indication::Refused);
    assert!(matches!(enter(&mut rig, b"7361"), Indication::Wait { .. }));
    rig.operate(&mut owner, Operation::Service).unwrap();
    assert!(matches!(enter(&mut rig, b"7361"), Indication::Wait { .. }), "once a day");
    rig.pass(DAY_MS).unwrap();
    fill(&mut rig);
    rig.operate(&mut owner, Operation::Service).unwrap();
    assert_eq!(enter(&mut rig, b"736154"), Indication::Refused);
}

#[test]
fn clr_forgets_the_entry_and_then_the_sequence() {
    let mut rig = rig();
    assert_eq!(keys(&mut rig, "86C864213E"), Indication::Ready);
    assert_eq!(keys(&mut rig, "12C"), Indication::KeyTaken);
    assert_eq!(keys(&mut rig, "128E"), Indication::Code);
    assert_eq!(keys(&mut rig, "C"), Indication::KeyTaken);
    assert_eq!(keys(&mut rig, "128E"), Indication::Refused);
    assert_eq!(keys(&mut rig, "12F"), Indication::Error);
    assert_eq!(keys(&mut rig, "F61E"), Indication::Error, "no card");
}

#[test]
fn a_gap_in_the_journal_closes_what_is_bound_to_time_keeps_the_log_and_says_so() {
    let mut rig = rig_with(|settings| settings.switches.contractor_mode = true);
    let code = *contractor::code(&backend().keys, 0, 1).as_ascii();
    let before = rig.board.with_flash(|flash| flash.image());
    assert_eq!(enter(&mut rig, &smac(3, NOW)), Indication::Opened);
    for _ in 0..3 {
        enter(&mut rig, &code);
    }
    let mut after = rig.board.with_flash(|flash| flash.image());
    let changed = before.iter().zip(&after).position(|(a, b)| a != b).expect("something was written");
    after[changed + 9] ^= 0x10;
    let flash = sentri_lock::sim::SimFlash::from_image(&after).unwrap();
    let mut rig = Rig::with_flash(flash, NOW);
    rig.reboot().unwrap();
    assert_eq!(last(&rig), Indication::NeedsService);
    bring_time(&mut rig);
    for timed in [&smac(3, NOW)[..], &smac(4, NOW), &smart_pin(0, 8, 0)] {
        assert_eq!(enter(&mut rig, timed), Indication::NeedsService);
    }
    assert_eq!(enter(&mut rig, &code), Indication::Opened);
    rig.reboot().unwrap();
    assert_eq!(last(&rig), Indication::NeedsService, "still");
    let entries = audit(&mut rig, &mut phone(1));
    assert!(told(&entries).contains(&(Kind::FlashFailed, 0)));
    let status = rig.operate(&mut phone(2), Operation::Service).unwrap().status().unwrap();
    assert!(status.flags.flash_worn);
}
