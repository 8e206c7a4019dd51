//! Bad input at the keypad: the log tells refusals apart, the lights tell a guesser nothing. [COD-1 to COD-3, PIN-3 to
//! PIN-7, RES-2, RES-3]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

mod support;

use sentri_lock::{
    Provisioning,
    journal::tables::{HeldCode, Role},
    lockout::CodeKind,
    ports::Indication,
    sim::{Backend, Rig},
};
use sentri_protocol::{
    audit::Kind,
    codes::{
        contractor,
        kind::Profile,
        one_day,
        smart_pin::{Rules, SmartPinKey, Variant, window::LocalHour, window::PinWindow},
        stored::StoredCode,
        validity::Validity,
    },
    hours::{AccessHours, Schedule, Span},
    open::{Operation, Verdict},
    settings::Settings,
    zone::Zone,
};
use support::{
    DAY, DAY_MS, HOUR, HOUR_MS, NOW, PROGRAMMING_CODE, audit, backend, phone, phone_in, provisioning, smac,
    smart_pin, window,
};

fn locked(profile: Profile, change: impl FnOnce(&mut Settings)) -> Rig {
    let mut made = Provisioning { profile, ..provisioning() };
    made.settings.switches.contractor_mode = true;
    change(&mut made.settings);
    Rig::provisioned(made)
}

fn lockbox() -> Rig {
    locked(Profile::Lockbox, |_| ())
}

fn enter(rig: &mut Rig, digits: &[u8]) -> Indication {
    rig.board.take_indications();
    rig.type_code(digits).expect("power");
    *rig.board.take_indications().last().expect("the lights showed something")
}

fn contractor_code(slot: u8) -> [u8; 7] {
    *contractor::code(&backend().keys, slot, 1).as_ascii()
}

fn day_code(later: u32, index: u8) -> [u8; 8] {
    *one_day::code(&backend().keys, Zone::UTC.local(NOW).day + later, index).as_ascii()
}

/// The same with its last digit changed, twice where that is a code as well.
fn but_one<const N: usize>(mut code: [u8; N]) -> Vec<u8> {
    code[N - 1] = if code[N - 1] == b'9' { b'0' } else { code[N - 1] + 1 };
    code.to_vec()
}

fn hold(rig: &mut Rig, code: &[u8], validity: Validity) {
    let code = StoredCode::parse(code).expect("digits");
    rig.hold_code(HeldCode { id: 2, role: Role::Guest, code, validity }).expect("power").expect("it fits");
}

/// An entry that is refused, and what the log must say of it.
struct Case {
    name: &'static str,
    rig: Rig,
    entry: Vec<u8>,
    kind: CodeKind,
    verdict: Verdict,
    why: u8,
}

const PLAIN: u8 = 0;
const OFF: u8 = 1;
const MODE_OFF: u8 = 2;
const WAITS: u8 = 3;
const USED: u8 = 4;

fn case(
    name: &'static str,
    rig: Rig,
    entry: impl Into<Vec<u8>>,
    kind: CodeKind,
    (verdict, why): (Verdict, u8),
) -> Case {
    Case { name, rig, entry: entry.into(), kind, verdict, why }
}

fn after(mut rig: Rig, happens: impl FnOnce(&mut Rig)) -> Rig {
    happens(&mut rig);
    rig
}

fn lost_clock() -> Rig {
    after(lockbox(), |rig| rig.reboot().expect("it boots"))
}

fn lockbox_kinds() -> Vec<Case> {
    use CodeKind::{Contractor, OneDay, Smac};
    let closed = AccessHours::daily(Span::new(0, 4).expect("a span"));
    let mode_off = |settings: &mut Settings| settings.switches.contractor_mode = false;
    let old = *contractor::code(&backend().keys, 0, 2).as_ascii();
    let hour_over = after(lockbox(), |rig| {
        enter(rig, &day_code(0, 0));
        rig.pass(HOUR_MS).expect("power");
    });
    let used = after(lockbox(), |rig| {
        assert_eq!(enter(rig, &smac(3, NOW)), Indication::Opened);
    });
    vec![
        case("wrong", lockbox(), but_one(contractor_code(0)), Contractor, (Verdict::NoRight, PLAIN)),
        case("of another generation", lockbox(), old, Contractor, (Verdict::NoRight, PLAIN)),
        case(
            "mode off",
            locked(Profile::Lockbox, mode_off),
            contractor_code(0),
            Contractor,
            (Verdict::NoRight, MODE_OFF),
        ),
        case(
            "outside hours",
            locked(Profile::Lockbox, |settings| settings.access_hours = closed),
            contractor_code(0),
            Contractor,
            (Verdict::OutsideHours, PLAIN),
        ),
        case("wrong", lockbox(), but_one(day_code(0, 0)), OneDay, (Verdict::NoRight, PLAIN)),
        case("tomorrow's", lockbox(), day_code(1, 0), OneDay, (Verdict::NoRight, PLAIN)),
        case("its hour over", hour_over, day_code(0, 0), OneDay, (Verdict::Expired, PLAIN)),
        case("clock lost", lost_clock(), day_code(0, 0), OneDay, (Verdict::ClockLost, PLAIN)),
        case("wrong", lockbox(), but_one(smac(3, NOW)), Smac, (Verdict::NoRight, PLAIN)),
        case("a later step", lockbox(), smac(3, NOW.plus(900)), Smac, (Verdict::NoRight, PLAIN)),
        case("used", used, smac(3, NOW), Smac, (Verdict::NoRight, USED)),
        case("clock lost", lost_clock(), smac(3, NOW), Smac, (Verdict::ClockLost, PLAIN)),
    ]
}

fn smart_pins(profile: Profile) -> Vec<Case> {
    let kind = CodeKind::SmartPin;
    let plain = || locked(profile, |_| ());
    let off = |settings: &mut Settings| settings.switches.smart_pins = false;
    let rules = Rules { first_use_within_a_day: true, ..Rules::default() };
    let never_used = after(locked(profile, |settings| settings.smart_pin_rules = rules), |rig| {
        rig.pass(DAY_MS).expect("power");
    });
    let blocked = after(plain(), |rig| {
        for entry in [PROGRAMMING_CODE, b"128", &smart_pin(0, 8, 0)] {
            enter(rig, entry);
        }
    });
    let lost = after(plain(), |rig| rig.reboot().expect("it boots"));
    let pin = smart_pin(0, 8, 0);
    vec![
        case("no window", plain(), no_window(), kind, (Verdict::NoRight, PLAIN)),
        case("not yet", plain(), smart_pin(2, 8, 0), kind, (Verdict::NotYet, PLAIN)),
        case("expired", plain(), smart_pin(-9, 8, 0), kind, (Verdict::Expired, PLAIN)),
        case("not used in a day", never_used, smart_pin(0, 200, 0), kind, (Verdict::Expired, PLAIN)),
        case("blocked", blocked, pin, kind, (Verdict::Revoked, PLAIN)),
        case("kind off", locked(profile, off), pin, kind, (Verdict::NoRight, OFF)),
        case("a variant not taken", plain(), smart_pin(0, 8, 1), kind, (Verdict::NoRight, OFF)),
        case("clock lost", lost, pin, kind, (Verdict::ClockLost, PLAIN)),
    ]
}

/// Ten digits that this lock's key makes of no window.
fn no_window() -> Vec<u8> {
    let key = SmartPinKey::of(&backend().keys, backend().lock);
    let entries = (0..100_u64).map(|number| format!("{number:010}").into_bytes());
    let parsed = |entry: &Vec<u8>| sentri_protocol::codes::smart_pin::SmartPin::parse(entry).expect("digits");
    entries.into_iter().find(|entry| key.decode(&parsed(entry)).is_err()).expect("72 % are none")
}

fn stored(profile: Profile) -> Vec<Case> {
    let kind = CodeKind::Stored;
    let with = |validity| after(locked(profile, |_| ()), |rig| hold(rig, b"4071", validity));
    let within = |from, to| Validity::Temporary(window(from, to));
    let sundays = Schedule::new(0x40, Span::new(36, 68).expect("a span")).expect("a schedule");
    let lost = after(with(within(NOW, NOW.plus(HOUR))), |rig| rig.reboot().expect("it boots"));
    let blocked = after(locked(profile, |_| ()), |rig| {
        for entry in [&smart_pin(0, 8, 0)[..], b"4071", PROGRAMMING_CODE, b"128", &smart_pin(0, 8, 0)] {
            enter(rig, entry);
        }
    });
    let expired = with(within(NOW.minus(HOUR), NOW.minus(HOUR / 2)));
    let recurring = with(Validity::Recurring(sundays, None));
    vec![
        case("wrong", with(Validity::Permanent), b"4072", kind, (Verdict::NoRight, PLAIN)),
        case("not yet", with(within(NOW.plus(HOUR), NOW.plus(DAY))), b"4071", kind, (Verdict::NotYet, PLAIN)),
        case("expired", expired, b"4071", kind, (Verdict::Expired, PLAIN)),
        case("outside hours", recurring, b"4071", kind, (Verdict::OutsideHours, PLAIN)),
        case("clock lost", lost, b"4071", kind, (Verdict::ClockLost, PLAIN)),
        case("a blocked guest's", blocked, b"4071", kind, (Verdict::NoRight, PLAIN)),
    ]
}

#[test]
fn refusals_are_told_apart_in_the_log_and_are_alike_in_lights_count_and_flash() {
    let doors = [smart_pins(Profile::Residential), stored(Profile::Residential)];
    let boxes = [lockbox_kinds(), smart_pins(Profile::Lockbox), stored(Profile::Lockbox)];
    for mut it in boxes.into_iter().chain(doors).flatten() {
        let context = format!("{:?}: {}", it.kind, it.name);
        let count = |rig: &Rig| rig.lock().expect("a lock").state().wrong_tries.of(it.kind);
        let operations = |rig: &Rig| rig.board.with_flash(|flash| flash.operations());
        let (counted, written, drives) = (count(&it.rig), operations(&it.rig), it.rig.board.drives());
        it.rig.board.take_indications();
        it.rig.type_code(&it.entry).expect("power");
        let mut lights = vec![Indication::KeyTaken; it.entry.len()];
        lights.push(Indication::Refused);
        assert_eq!(it.rig.board.take_indications(), lights, "{context}");
        assert_eq!(count(&it.rig), counted + 1, "{context}: counts as wrong, right digits or not");
        assert_eq!(operations(&it.rig), written + 2, "{context}: takes as many writes");
        assert_eq!(it.rig.board.drives(), drives, "{context}");
        let entries = audit(&mut it.rig, &mut phone_in(1, window(NOW.minus(DAY), NOW.plus(9 * DAY))));
        let last = entries.iter().rfind(|it| it.kind == Kind::Code).expect("a record");
        assert_eq!(last.result, it.verdict.code(), "{context}");
        assert_eq!(last.who[..3], [it.kind.number(), 0xff, it.why], "{context}");
    }
}

#[test]
fn a_wait_is_told_by_its_own_light_and_logged_once() {
    let mut rig = lockbox();
    for _ in 0..4 {
        assert_eq!(enter(&mut rig, &but_one(contractor_code(0))), Indication::Refused);
    }
    for entry in [contractor_code(0).to_vec(), but_one(contractor_code(1))] {
        assert_eq!(enter(&mut rig, &entry), Indication::Wait { seconds: 60 }, "right or wrong");
    }
    let entries = audit(&mut rig, &mut phone(1));
    let waits = entries.iter().filter(|it| it.kind == Kind::Code && it.who[2] == WAITS);
    assert_eq!(waits.count(), 1);
}

/// A right code of each kind that the lock takes now, for whoever chains digits to it.
fn right_codes(rig: &mut Rig, profile: Profile) -> Vec<Vec<u8>> {
    hold(rig, b"4071", Validity::Permanent);
    let both = [b"4071".to_vec(), smart_pin(0, 8, 0).to_vec()];
    let lockboxes = [contractor_code(2).to_vec(), day_code(0, 1).to_vec(), smac(5, NOW).to_vec()];
    both.into_iter().chain(lockboxes.into_iter().filter(|_| profile == Profile::Lockbox)).collect()
}

#[test]
fn no_part_of_an_entry_is_ever_a_match() {
    for profile in [Profile::Lockbox, Profile::Residential] {
        let count = right_codes(&mut locked(profile, |_| ()), profile).len();
        for (place, other) in (0..count).flat_map(|place| (0..count).map(move |other| (place, other))) {
            let mut rig = locked(profile, |_| ());
            let codes = right_codes(&mut rig, profile);
            let (code, other) = (&codes[place], &codes[other]);
            let mut chains: Vec<Vec<u8>> = vec![
                [&code[..], other].concat(),
                [&code[..], &code[..], other].concat(),
                [b"0", &code[..]].concat(),
                [&code[..], b"0"].concat(),
                code[1..].to_vec(),
                code[..code.len() - 1].to_vec(),
                code.repeat(20),
            ];
            chains.push([&code[..], &vec![b'7'; 300 - code.len()]].concat());
            for entry in chains {
                let shown = enter(&mut rig, &entry);
                assert!(
                    matches!(shown, Indication::Refused | Indication::Wait { .. }),
                    "{profile:?}: {} digits around a code of {}: {shown:?}",
                    entry.len(),
                    code.len()
                );
            }
            assert_eq!(rig.board.drives(), 0);
            rig.pass(HOUR_MS / 2).expect("power");
            if code.len() != 9 {
                assert_eq!(enter(&mut rig, code), Indication::Opened, "by itself it is one");
            }
        }
    }
}

#[test]
fn lengths_that_no_kind_has_open_nothing_cost_no_try_and_write_nothing() {
    for (profile, lengths) in [
        (Profile::Lockbox, &[1, 2, 3, 11, 15, 16, 17, 40][..]),
        (Profile::Residential, &[1, 2, 3, 9, 11, 16, 99]),
    ] {
        let mut rig = locked(profile, |_| ());
        let written = rig.board.with_flash(|flash| flash.operations());
        for length in lengths {
            assert_eq!(enter(&mut rig, &vec![b'3'; *length]), Indication::Refused, "{length} digits");
        }
        assert_eq!(rig.board.with_flash(|flash| flash.operations()), written);
        assert_eq!(rig.lock().unwrap().state().wrong_tries, sentri_lock::lockout::WrongTries::default());
        assert_eq!(rig.lock().unwrap().counters().codes_entered, 0);
    }
}

#[test]
fn leading_zeros_count_in_every_kind() {
    let keys = &backend().keys;
    let generation =
        (1..200).find(|it| contractor::code(keys, 0, *it).as_ascii()[0] == b'0').expect("one in ten");
    let mut rig = locked(Profile::Lockbox, |settings| settings.contractor_generations = [generation, 1, 1]);
    let hours = (1..400).find(|hours| smart_pin(0, *hours, 0)[0] == b'0').expect("one in ten");
    let days = (0..60).flat_map(|day| (0..4).map(move |index| (day, index)));
    let (day, index) =
        days.into_iter().find(|(day, index)| day_code(*day, *index)[0] == b'0').expect("one in ten");
    let contractor = *contractor::code(keys, 0, generation).as_ascii();
    hold(&mut rig, b"0071", Validity::Permanent);
    let codes: [&[u8]; 4] = [&contractor, &smac(7, NOW), b"0071", &smart_pin(0, hours, 0)];
    for code in codes {
        assert_eq!(code[0], b'0');
        assert_eq!(enter(&mut rig, &code[1..]), Indication::Refused, "{} digits", code.len());
        assert_eq!(enter(&mut rig, code), Indication::Opened, "{} digits", code.len());
        rig.pass(11_000).unwrap();
    }
    rig.pass(u64::from(day) * DAY_MS).unwrap();
    assert_eq!(enter(&mut rig, &day_code(day, index)[1..]), Indication::Refused);
    assert_eq!(enter(&mut rig, &day_code(day, index)), Indication::Opened);
}

#[test]
fn codes_of_lock_a_open_nothing_at_lock_b() {
    let a = backend();
    for seed in 0..20 {
        let b = Backend::new(0x60 + seed);
        for profile in [Profile::Lockbox, Profile::Residential] {
            let mut settings = provisioning().settings;
            settings.switches.contractor_mode = true;
            settings.smart_pin_rules.variants = Variant::new(2).unwrap();
            let mut rig = Rig::provisioned(Provisioning { profile, ..b.provisioning(settings, NOW) });
            let codes: [&[u8]; 4] =
                [&contractor_code(0), &day_code(0, 0), &smac(3, NOW), &smart_pin(0, 8, 0)];
            for code in codes.into_iter().chain([PROGRAMMING_CODE]) {
                assert_eq!(enter(&mut rig, code), Indication::Refused, "lock {seed}");
            }
            // Where two locks share a seed by mistake, the id still tells SmartPINs apart.
            let id = sentri_protocol::codes::smart_pin::LockId([seed; 16]);
            let twin = Provisioning { profile, id, ..a.provisioning(settings, NOW) };
            assert_eq!(enter(&mut Rig::provisioned(twin), &smart_pin(0, 8, 0)), Indication::Refused);
        }
    }
}

#[test]
fn while_the_clock_is_lost_timed_codes_wait_and_contractor_codes_and_ble_work() {
    let mut rig = lockbox();
    hold(&mut rig, b"4071", Validity::Permanent);
    assert_eq!(enter(&mut rig, &smart_pin(0, 8, 0)), Indication::Opened);
    assert_eq!(enter(&mut rig, b"7595"), Indication::Done);
    rig.reboot().unwrap();
    for works in [&contractor_code(0)[..], &contractor_code(1), b"4071"] {
        assert_eq!(enter(&mut rig, works), Indication::Opened, "{works:?}");
    }
    for waits in [&day_code(0, 0)[..], &smac(3, NOW), &smart_pin(0, 8, 0), b"7595"] {
        assert_eq!(enter(&mut rig, waits), Indication::Refused, "{waits:?}");
    }
    let card = support::image(&support::card(1, support::OWNER), &support::association());
    rig.insert_card(&card).unwrap();
    assert_eq!(enter(&mut rig, b"2468"), Indication::Refused, "a card is for three days");
    rig.remove_card().unwrap();
    assert_eq!(enter(&mut rig, PROGRAMMING_CODE), Indication::Ready, "blocks can be made");
    rig.pass(31_000).unwrap();
    // A ticket waits for a phone that brings the time; then it opens in the same wake.
    let mut visit = rig.operate(&mut phone(4), Operation::OpenKeyBin).unwrap();
    assert_eq!(visit.status().unwrap().verdict, Verdict::ClockLost);
    let hash = *visit.answer.as_ref().unwrap().as_ref().unwrap().channel.handshake_hash();
    let drives = rig.board.drives();
    rig.ask(&mut visit, &backend().fresh_time(&hash, rig.time(), false)).unwrap().unwrap();
    assert_eq!(rig.board.drives(), drives + 1);
    for works in [&day_code(0, 0)[..], &smac(4, NOW), &smart_pin(0, 8, 0), b"7595"] {
        assert_ne!(enter(&mut rig, works), Indication::Refused, "{works:?}");
    }
}

#[test]
fn pin_2_a_window_that_ends_past_the_horizon_or_never_is_opens_nothing_at_the_lock() {
    // All of it falls into an hour that the wall skips: made by no honest phone, and no code at the lock.
    let new_york = Zone::new(-20, Some((sentri_protocol::Time(1_805_007_600), -16)), None).unwrap();
    let mut made = provisioning();
    made.settings.zone = new_york;
    made.time = sentri_protocol::Time(1_805_007_600);
    let mut rig = Rig::provisioned(made);
    let hour = |hour| LocalHour::new(20_891, hour).unwrap();
    let key = SmartPinKey::of(&backend().keys, backend().lock);
    let pin = |from, to| {
        *key.generate(PinWindow::hourly(hour(from), hour(to)).unwrap(), Variant::FIRST).digits().as_ascii()
    };
    assert_eq!(enter(&mut rig, &pin(2, 3)), Indication::Refused, "2 AM to 3 AM never was");
    assert_eq!(enter(&mut rig, &pin(2, 4)), Indication::Opened, "it begins with the skip");
}

/// The three rules of a pick, at both sorts of lock: length, one digit, a run, across 9 and 0 too.
#[test]
fn pin_5_res_2_every_easy_pick_is_refused_at_the_keypad_and_costs_no_try() {
    for profile in [Profile::Lockbox, Profile::Residential] {
        let mut rig = locked(profile, |_| ());
        for length in profile.stored_digits() {
            let run = |first: usize, step: usize| -> Vec<u8> {
                (0..length).map(|place| b"0123456789"[(first + place * step) % 10]).collect()
            };
            for easy in (0..10).flat_map(|first| [0, 1, 9].map(|step| run(first, step))) {
                assert_eq!(enter(&mut rig, &smart_pin(0, 8, 0)), Indication::Opened);
                assert_eq!(enter(&mut rig, &easy), Indication::Error, "{easy:?}");
            }
            assert_eq!(enter(&mut rig, &run(1, 2)), Indication::Done, "odd digits are no run");
        }
        // More than the first pick of a SmartPIN counts; what is too easy doesn't.
        let picks = profile.stored_digits().count() - 1;
        let counted = rig.lock().unwrap().state().wrong_tries.of(CodeKind::Stored);
        assert_eq!(usize::from(counted), picks);
        assert_eq!(enter(&mut rig, &smart_pin(0, 8, 0)), Indication::Opened);
        let drives = rig.board.drives();
        assert_eq!(enter(&mut rig, b"2222"), Indication::Error);
        rig.pass(11_000).unwrap();
        assert_ne!(enter(&mut rig, b"2222"), Indication::Opened, "nothing was kept");
        assert_eq!(rig.board.drives(), drives);
    }
}
