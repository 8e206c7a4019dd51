//! The key sequences of the seeds, each key as it is written there, and what the lights must say. [COD-1 to COD-6, PIN-1
//! to PIN-7, RES-2]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

mod support;

use sentri_lock::{
    Key, Provisioning,
    ports::{Indication, Light},
    sim::Rig,
};
use sentri_protocol::{
    Time,
    codes::{
        Present, contractor,
        kind::Profile,
        one_day, picked,
        smart_pin::{LockId, Rules, SmartPinKey, Variant, window::PinWindow},
    },
    hours::{AccessHours, Span},
    settings::Settings,
};
use support::{
    DAY, DAY_MS, HOUR_MS, NOW, OWNER, PROGRAMMING_CODE, association, backend, card, image, provisioning,
    smac, smart_pin,
};

fn lockbox(change: impl FnOnce(&mut Settings)) -> Rig {
    let mut made = provisioning();
    change(&mut made.settings);
    Rig::provisioned(made)
}

fn door(change: impl FnOnce(&mut Settings)) -> Rig {
    let mut made = Provisioning { profile: Profile::Residential, ..provisioning() };
    change(&mut made.settings);
    Rig::provisioned(made)
}

/// What the lights show last: which, and how many flashes.
fn shown(rig: &Rig) -> (Light, u8) {
    let mut lights = rig.board.take_indications().into_iter().rev();
    let last = lights.find_map(Indication::flashes).expect("the lights showed something");
    (last.light, last.times)
}

/// Presses keys as the seeds write them: `Enter` and `#`, `FUNC`, `CLR`; anything else is digits, hyphens for the eye.
fn press(rig: &mut Rig, keys: &str) -> (Light, u8) {
    for word in keys.split([' ', ',', '+']).filter(|it| !it.is_empty()) {
        let keys: Vec<Key> = match word {
            "Enter" => vec![Key::Enter],
            "FUNC" => vec![Key::Func],
            "CLR" => vec![Key::Clear],
            digits => digits.chars().filter(|it| *it != '-').filter_map(Key::from_char).collect(),
        };
        keys.into_iter().try_for_each(|key| rig.press(key)).expect("power");
    }
    shown(rig)
}

fn text(code: &[u8]) -> &str {
    core::str::from_utf8(code).expect("digits")
}

const CODE: (Light, u8) = (Light::Code, 0);
const READY: (Light, u8) = (Light::Ready, 0);
const GREEN: (Light, u8) = (Light::Green, 1);
const GREEN_TWICE: (Light, u8) = (Light::Green, 2);
const RED: (Light, u8) = (Light::Red, 1);
const ERROR: (Light, u8) = (Light::Error, 1);

/// "Insert your card into the lockbox. Wait until the CODE light displays, then press your PIN and Enter. After the
/// READY light comes on, press FUNC + 6 + 1 and Enter. … off, enter FUNC + 6 + 0 and Enter. Remove your" card.
#[test]
fn cod_4_seed_000_contractor_mode_by_card_and_keypad() {
    let mut rig = lockbox(|_| ());
    let code = contractor::code(&backend().keys, 1, 1);
    let contractor = format!("{} Enter", code.as_str());
    assert_eq!(press(&mut rig, &contractor), RED);
    for (command, opens) in [("FUNC + 6 + 1 Enter", GREEN), ("FUNC + 6 + 0 Enter", RED)] {
        rig.insert_card(&image(&card(1, OWNER), &association())).unwrap();
        assert_eq!(shown(&rig), CODE);
        assert_eq!(press(&mut rig, "2468 Enter"), READY);
        assert_eq!(press(&mut rig, command), GREEN);
        rig.remove_card().unwrap();
        assert_eq!(press(&mut rig, &contractor), opens, "after {command}");
    }
}

/// "A contractor code can be used any day, over and over, as long as it falls within the access times": three of them.
#[test]
fn cod_3_seed_000_contractor_codes_any_day_over_and_over_within_the_access_times() {
    let mut rig = lockbox(|settings| {
        settings.switches.contractor_mode = true;
        // 9 AM to 5 PM, on Wednesdays from noon, on Sundays not at all.
        let mut days = [Span::new(36, 68); 7];
        days[2] = Span::new(48, 68);
        days[6] = None;
        settings.access_hours = AccessHours(days);
    });
    let mut opened = 0;
    // From Monday 14:13 on, every hour for two weeks.
    for hour in 0..24 * 14_u32 {
        let wall = NOW.plus(hour * 3600).0 % (7 * DAY) + 3 * DAY;
        let (weekday, hour_of_day) = (wall / DAY % 7, wall % DAY / 3600);
        let within = match weekday {
            2 => (12..17).contains(&hour_of_day),
            6 => false,
            _ => (9..17).contains(&hour_of_day),
        };
        let code = contractor::code(&backend().keys, u8::try_from(hour % 3).unwrap(), 1);
        if within {
            assert_eq!(press(&mut rig, &format!("{} Enter", code.as_str())), GREEN, "hour {hour}");
            opened += 1;
        } else if hour % 24 == 0 {
            assert_eq!(press(&mut rig, &format!("{} Enter", code.as_str())), RED, "hour {hour}");
        }
        rig.pass(HOUR_MS).unwrap();
    }
    assert_eq!(opened, 2 * (5 * 8 + 5));
}

/// "One hour from the time the code is initially used"; and for a chosen day, up to two weeks ahead.
#[test]
fn cod_2_seed_000_a_one_day_code_made_two_weeks_ahead_works_on_its_day_for_an_hour() {
    let mut rig = lockbox(|_| ());
    let code = one_day::code(&backend().keys, NOW.0 / DAY + 14, 0);
    let one_day = format!("{} Enter", code.as_str());
    assert_eq!(press(&mut rig, &one_day), RED, "two weeks early");
    rig.pass(14 * DAY_MS).unwrap();
    assert_eq!(press(&mut rig, &one_day), GREEN);
    rig.pass(HOUR_MS - 1000).unwrap();
    assert_eq!(press(&mut rig, &one_day), GREEN);
    rig.pass(1000).unwrap();
    assert_eq!(press(&mut rig, &one_day), RED);
}

/// "SMACs are … instead of using your" card: typed alone, at one lockbox, once.
#[test]
fn cod_1_seed_000_a_smac_in_place_of_the_card() {
    let mut rig = lockbox(|_| ());
    let code = smac(17, NOW);
    assert_eq!(press(&mut rig, &format!("{} Enter", text(&code))), GREEN);
    assert_eq!(press(&mut rig, &format!("{} Enter", text(&code))), RED, "once");
}

/// "Your brokerage may have policies about the use of one day and contractor codes": the lockbox keeps to them.
#[test]
fn cod_6_seed_000_a_brokerage_that_forbids_them_has_the_lockbox_take_none() {
    let mut rig = lockbox(|settings| {
        settings.switches.contractor_mode = true;
        settings.switches.forbids_one_day = true;
        settings.switches.forbids_contractor = true;
    });
    let contractor = contractor::code(&backend().keys, 0, 1);
    let one_day = one_day::code(&backend().keys, NOW.0 / DAY, 0);
    for code in [contractor.as_str(), one_day.as_str()] {
        assert_eq!(press(&mut rig, &format!("{code} Enter")), RED);
    }
    let entries = support::audit(&mut rig, &mut support::phone(1));
    let refusals = entries.iter().filter(|it| it.kind == sentri_protocol::audit::Kind::Code);
    assert!(refusals.clone().count() == 2 && refusals.clone().all(|it| it.who[2] == 1), "switched off");
    rig.board.take_indications();
    rig.insert_card(&image(&card(1, OWNER), &association())).unwrap();
    assert_eq!(press(&mut rig, "2468 Enter"), READY);
    assert_eq!(press(&mut rig, "FUNC + 6 + 1 Enter"), ERROR);
    assert_eq!(press(&mut rig, "FUNC + 6 + 0 Enter"), GREEN, "off is always allowed");
    rig.remove_card().unwrap();
    assert_eq!(press(&mut rig, &format!("{} Enter", text(&smac(3, NOW)))), GREEN, "other kinds work");
}

/// The seed's own example: "234-693-0987, Enter, 7595, Enter", at a lock of which that is a SmartPIN.
#[test]
fn pin_5_seed_004_the_example_of_a_custom_short_pin() {
    let key = SmartPinKey::derive(&backend().keys);
    let mut settings = provisioning().settings;
    settings.switches.smart_pins = true;
    let opens = |id: &LockId| {
        let key = SmartPinKey::from_parts(&key, *id);
        let present = Present::at(NOW, 0);
        key.verify(&settings, Rules::default(), present, b"2346930987", |_| false).is_ok()
    };
    // One id in 27,658 will do.
    let mut ids = (0..1_000_000_u128).map(|id| LockId(id.to_be_bytes()));
    let id = ids.find(opens).expect("an id");
    let made = Provisioning { id, profile: Profile::Residential, ..backend().provisioning(settings, NOW) };
    let mut rig = Rig::provisioned(made);
    assert_eq!(press(&mut rig, "7595, Enter"), RED, "not before it is made");
    assert_eq!(press(&mut rig, "234-693-0987, Enter"), GREEN);
    assert_eq!(press(&mut rig, "7595, Enter"), GREEN);
    assert_eq!(rig.board.drives(), 1, "saved, not opened");
    assert_eq!(press(&mut rig, "7595, Enter"), GREEN);
    assert_eq!(rig.board.drives(), 2);
}

/// "Simply enter the PIN on the keypad and press Enter (Lock/Unlock button or #)."
#[test]
fn pin_3_seed_004_a_smart_pin_works_on_enter_and_on_hash_after_its_start_and_expires_by_itself() {
    for enter in ["Enter", "#"] {
        for mut rig in [lockbox(|_| ()), door(|_| ())] {
            let pin = smart_pin(1, 2, 0);
            let typed = format!("{} {enter}", text(&pin));
            assert_eq!(press(&mut rig, &typed), RED, "before its start");
            rig.pass(HOUR_MS).unwrap();
            assert_eq!(press(&mut rig, &typed), GREEN);
            // To 2 h 46 min from the beginning, and the tolerance of five minutes.
            rig.pass(HOUR_MS + 3_100_000).unwrap();
            assert_eq!(press(&mut rig, &typed), RED, "it expired by itself");
        }
    }
}

/// "Look for the `SmartPINEnabled` setting and ensure it is set to Enabled."
#[test]
fn pin_4_seed_004_smart_pins_must_be_enabled() {
    let typed = format!("{} Enter", text(&smart_pin(0, 8, 0)));
    assert_eq!(press(&mut door(|settings| settings.switches.smart_pins = false), &typed), RED);
    assert_eq!(press(&mut door(|_| ()), &typed), GREEN);
}

/// "Resolution 1 hour: 1 to 32 days; 1 day: 33 to 365 days … 8AM on the starting day … 8PM on the ending day." At the lock's
/// edges, with its tolerance of five minutes.
#[test]
fn pin_1_pin_2_seed_004_windows_end_where_they_say_at_the_lock() {
    // Midnight before the test begins; the lock has been told the time then.
    let midnight = Time(NOW.0 - NOW.0 % DAY);
    let day = midnight.0 / DAY;
    let hourly = smart_pin(-14, 768, 0);
    let daily = |days: u32| {
        let window = PinWindow::daily(day, day + days - 1).expect("33 to 365 days");
        let key = SmartPinKey::of(&backend().keys, backend().lock);
        *key.generate(window, Variant::FIRST).digits().as_ascii()
    };
    let ends = [(hourly, 0, 32 * 24), (daily(33), 8, 32 * 24 + 20), (daily(365), 8, 364 * 24 + 20)];
    for (pin, from, to) in ends {
        for (hour, off, light) in [(from, -400, RED), (from, 0, GREEN), (to, -1, GREEN), (to, 2400, RED)] {
            let mut made = provisioning();
            made.time = Time(u32::try_from(midnight.unix() + hour * 3600 + off).expect("after 1970"));
            let mut rig = Rig::provisioned(made);
            assert_eq!(press(&mut rig, &format!("{} #", text(&pin))), light, "hour {hour} and {off} s");
        }
    }
}

/// "Programming Code, Enter, 128, Enter, [SmartPIN], Enter. If successful, you will see two green flashes."
#[test]
fn pin_6_seed_004_blocking_at_the_keypad() {
    for mut rig in [lockbox(|_| ()), door(|_| ())] {
        let pin = text(&smart_pin(0, 8, 0)).to_owned();
        assert_eq!(press(&mut rig, &format!("{pin} Enter 7595 Enter")), GREEN);
        let block = format!("{}, Enter, 128, Enter, {pin}, Enter", text(PROGRAMMING_CODE));
        assert_eq!(press(&mut rig, &block), GREEN_TWICE);
        for dead in [&pin[..], "7595"] {
            assert_eq!(press(&mut rig, &format!("{dead} Enter")), RED);
        }
    }
}

/// "Custom PINs cannot be single digit pins (2222) or consecutive (1234, 6789)."
#[test]
fn pin_5_seed_004_easy_custom_pins_are_refused() {
    let mut rig = door(|_| ());
    assert_eq!(press(&mut rig, &format!("{} Enter", text(&smart_pin(0, 8, 0)))), GREEN);
    for easy in ["2222", "1234", "6789"] {
        assert_eq!(press(&mut rig, &format!("{easy} Enter")), ERROR);
    }
    // "Then within 10 seconds."
    rig.pass(10_000).unwrap();
    assert_eq!(press(&mut rig, "7595 Enter"), RED);
}

/// "Must not repeat the same number (i.e. 1111) or use a consecutive sequence of numbers (i.e. 1234, 5432)"; "four or six
/// digits"; and the examples of the questions and answers.
#[test]
fn res_2_seeds_002_003_custom_codes_are_refused_by_rule() {
    use picked::PickedRefusal::{ConsecutiveRun, OneDigitRepeated, WrongLength};
    for (code, refusal) in [
        ("1111", OneDigitRepeated),
        ("1234", ConsecutiveRun),
        ("5432", ConsecutiveRun),
        ("4321", ConsecutiveRun),
        ("654321", ConsecutiveRun),
        ("123456", ConsecutiveRun),
        ("12345", WrongLength),
    ] {
        assert_eq!(picked::check_resident(code, true), Err(refusal), "{code}");
    }
    assert_eq!(picked::check_resident("759513", true), Ok(()));
    assert_eq!(picked::check_resident("759513", false), Err(WrongLength), "six digits must be enabled");
}

/// A guest's window is by the property's wall: what the guest was told, whatever zone that is in.
#[test]
fn pin_2_seed_004_a_window_is_lock_local() {
    // Kathmandu: 5 h 45 min ahead, no change ahead.
    let kathmandu = sentri_protocol::zone::Zone::new(23, None, None).expect("a zone");
    let mut rig = door(|settings| settings.zone = kathmandu);
    // 14:13 UTC is 19:58 there: from 20:00 on by that wall, six hours later than by UTC's.
    let pin = smart_pin(6, 1, 0);
    rig.pass(60_000).unwrap();
    assert_eq!(press(&mut rig, &format!("{} Enter", text(&pin))), GREEN, "a minute early, within tolerance");
    rig.pass(2 * HOUR_MS).unwrap();
    assert_eq!(press(&mut rig, &format!("{} Enter", text(&pin))), RED);
}
