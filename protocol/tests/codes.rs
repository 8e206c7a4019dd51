//! Contractor, one day, SMAC and stored codes. [COD-1 to COD-3, PIN-5, RES-1 to RES-3]

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

mod support;

use sentri_protocol::{
    Generation, KeyTree, Time,
    codes::{
        Digits, Present, Refused, contractor,
        kind::{Kind, Profile},
        lockout,
        one_day::{self, FirstUse},
        picked::{self, PickedRefusal},
        short_pin,
        smac::{self, DayKey, Slot, WrongDay},
        stored::{self, GenerateRefusal, GeneratedLength, StoredCode},
        validity::Validity,
    },
    hours::{AccessHours, Schedule, Span},
    settings::Settings,
    time::{DAY, Window},
};
use support::{NOW, keys, seed, splitmix::SplitMix, zones::named};

const HOUR: u32 = 3600;

fn now() -> Present {
    Present::at(NOW, 300)
}

fn contractor_settings() -> Settings {
    let mut settings = Settings { contractor_generations: [1, 2, 7], ..Settings::default() };
    settings.switches.contractor_mode = true;
    settings
}

#[test]
fn cod_3_three_contractor_codes_each_of_its_own_generation() {
    let settings = contractor_settings();
    for (slot, generation) in (0..3).zip([1, 2, 7]) {
        let code = contractor::code(&keys(), slot, generation);
        assert_eq!(contractor::verify(&keys(), &settings, now(), code.as_ascii()), Ok(slot));
        // The one before, and the same of another lock or of another owner.
        let stale = contractor::code(&keys(), slot, generation + 1);
        assert_eq!(contractor::verify(&keys(), &settings, now(), stale.as_ascii()), Err(Refused::Unknown));
        let others = KeyTree::new(&seed(), Generation(2));
        assert_eq!(contractor::verify(&others, &settings, now(), code.as_ascii()), Err(Refused::Unknown));
    }
}

#[test]
fn cod_3_only_with_contractor_mode_on_and_within_hours() {
    let code = contractor::code(&keys(), 0, 1);
    let mut settings = contractor_settings();
    // Saturday; open on weekdays only.
    let weekdays = Some(Span::new(32, 80).unwrap());
    settings.access_hours = AccessHours([weekdays, weekdays, weekdays, weekdays, weekdays, None, None]);
    let monday_8 = Time(NOW.0 - NOW.0 % DAY + 2 * DAY + 8 * HOUR);
    assert_eq!(
        contractor::verify(&keys(), &settings, now(), code.as_ascii()),
        Err(Refused::OutsideHours { next: Some(monday_8) })
    );
    assert_eq!(contractor::verify(&keys(), &settings, Present::at(monday_8, 0), code.as_ascii()), Ok(0));
    // A lost clock knows no hours; contractor codes work on.
    assert_eq!(contractor::verify(&keys(), &settings, Present::LOST, code.as_ascii()), Ok(0));
    settings.switches.contractor_mode = false;
    assert_eq!(
        contractor::verify(&keys(), &settings, Present::LOST, code.as_ascii()),
        Err(Refused::ContractorModeOff)
    );
}

#[test]
fn cod_2_one_hour_from_its_first_use_across_midnight() {
    let (keys, settings) = (keys(), Settings { zone: named("America/New_York"), ..Settings::default() });
    // 2027-06-01, a quarter to midnight in New York.
    let day = 20_970;
    let first = settings.zone.first_instant(i64::from(day) * 86_400 + 85_500);
    let code = one_day::code(&keys, day, 2);
    let verify = |at: Time, used: &[FirstUse]| {
        one_day::verify(&keys, &settings, Present::at(at, 0), used, code.as_ascii())
    };
    let new = verify(first, &[]).unwrap();
    assert_eq!((new.is_first, new.first), (true, FirstUse { day, index: 2, at: first }));
    assert_eq!(new.until, first.plus(HOUR));
    // From then on the lock remembers.
    let used = [new.first];
    assert_eq!(verify(first.plus(HOUR - 1), &used).map(|it| it.is_first), Ok(false));
    assert_eq!(verify(first.plus(HOUR), &used), Err(Refused::Expired { at: first.plus(HOUR) }));
    // A code of yesterday that nobody used is no code of today.
    assert_eq!(verify(first.plus(HOUR - 1), &[]), Err(Refused::Unknown));
}

#[test]
fn cod_2_ends_with_its_day_where_the_association_says_so() {
    let mut settings = Settings::default();
    settings.switches.one_day_ends_with_day = true;
    let (day, midnight) = (20_970, Time(20_971 * DAY));
    let code = one_day::code(&keys(), day, 0);
    let used = [FirstUse { day, index: 0, at: midnight.minus(600) }];
    let verify = |at: Time, tolerance| {
        let present = Present::at(at, tolerance);
        one_day::verify(&keys(), &settings, present, &used, code.as_ascii()).map(|it| it.until)
    };
    assert_eq!(verify(midnight.minus(1), 0), Ok(midnight));
    assert_eq!(verify(midnight, 0), Err(Refused::Expired { at: midnight }));
    // The clock's error counts for the holder.
    assert_eq!(verify(midnight.plus(299), 300), Ok(midnight));
    assert_eq!(verify(midnight.plus(300), 300), Err(Refused::Expired { at: midnight }));
}

#[test]
fn cod_2_a_day_is_the_propertys_and_drift_at_midnight_is_tolerated() {
    let (keys, settings) = (keys(), Settings { zone: named("Asia/Kathmandu"), ..Settings::default() });
    let midnight = settings.zone.first_instant(20_971 * 86_400);
    let (today, tomorrow) = (one_day::code(&keys, 20_970, 0), one_day::code(&keys, 20_971, 0));
    let works = |at: Time, code: &Digits<{ one_day::DIGITS }>| {
        one_day::verify(&keys, &settings, Present::at(at, 300), &[], code.as_ascii()).is_ok()
    };
    assert!(works(midnight.minus(301), &today) && !works(midnight.minus(301), &tomorrow));
    assert!(works(midnight.minus(300), &today) && works(midnight.minus(300), &tomorrow));
    assert!(works(midnight.plus(299), &today) && works(midnight.plus(299), &tomorrow));
    assert!(!works(midnight.plus(300), &today) && works(midnight.plus(300), &tomorrow));
    let lost = one_day::verify(&keys, &settings, Present::LOST, &[], today.as_ascii());
    assert_eq!(lost, Err(Refused::ClockLost));
}

#[test]
fn cod_1_a_smac_names_its_slot_and_lasts_for_a_step_before_and_after() {
    let (keys, slot) = (keys(), Slot::new(42).unwrap());
    let key = DayKey::derive(&keys, NOW.0 / DAY, slot);
    let code = key.code(NOW).unwrap();
    assert_eq!(&code.as_ascii()[..3], b"042");
    let verify = |at: Time| smac::verify(&keys, Present::at(at, 0), code.as_ascii());
    let step = NOW.0 / 300;
    let right = smac::Use { slot, step };
    for at in [NOW.minus(300), NOW, NOW.plus(599)] {
        assert_eq!(verify(at), Ok(right));
    }
    for at in [NOW.minus(301), NOW.plus(600)] {
        assert_eq!(verify(at), Err(Refused::Unknown));
    }
    assert_eq!(smac::verify(&keys, Present::LOST, code.as_ascii()), Err(Refused::ClockLost));
    // Of another slot, and at another lock.
    let mut other = *code.as_ascii();
    other[2] = b'3';
    assert_eq!(smac::verify(&keys, now(), &other), Err(Refused::Unknown));
    let elsewhere = KeyTree::new(&sentri_protocol::Seed::new([9; 32]), Generation::FIRST);
    assert_eq!(smac::verify(&elsewhere, now(), code.as_ascii()), Err(Refused::Unknown));
    for entry in ["", "04212345", "0421234567", "04212345a"] {
        assert_eq!(smac::verify(&keys, now(), entry.as_bytes()), Err(Refused::Unknown));
    }
}

#[test]
fn cod_1_a_day_key_is_for_one_utc_day_and_holds_across_its_end() {
    let (keys, slot) = (keys(), Slot::new(999).unwrap());
    let midnight = Time(20_971 * DAY);
    let key = DayKey::derive(&keys, 20_970, slot);
    let code = key.code(midnight.minus(1)).unwrap();
    assert_eq!(
        smac::verify(&keys, Present::at(midnight.plus(299), 0), code.as_ascii()).map(|it| it.slot),
        Ok(slot)
    );
    assert_eq!(key.code(midnight), Err(WrongDay { day: 20_970 }));
    let next = DayKey::from_parts(DayKey::derive(&keys, 20_971, slot).key().clone(), 20_971, slot);
    let code = next.code(midnight).unwrap();
    assert!(smac::verify(&keys, Present::at(midnight.minus(1), 0), code.as_ascii()).is_ok());
    assert_eq!(Slot::new(1000), None);
}

#[test]
fn an_entry_is_of_one_kind_by_its_length_or_of_none() {
    use Kind::{Contractor, OneDay, Smac, SmartPin, Stored};
    let lockbox = (0..12).map(|digits| Profile::Lockbox.kind_of(digits));
    let residential = (0..12).map(|digits| Profile::Residential.kind_of(digits));
    let none = [None; 4];
    let stored = [Some(Stored); 3];
    let derived = [Some(Contractor), Some(OneDay), Some(Smac), Some(SmartPin), None];
    assert!(lockbox.eq(none.into_iter().chain(stored).chain(derived)));
    let longer = [Some(Stored), Some(Stored), None, Some(SmartPin), None];
    assert!(residential.eq(none.into_iter().chain(stored).chain(longer)));
}

#[test]
fn no_part_of_a_longer_entry_is_a_match() {
    let code = contractor::code(&keys(), 0, 1);
    let mut longer = code.as_ascii().to_vec();
    longer.push(b'0');
    assert!(code.matches(code.as_ascii()));
    assert!(!code.matches(&longer) && !code.matches(&longer[..6]) && !code.matches(b""));
    let stored = StoredCode::parse(b"0070").unwrap();
    assert!(stored.matches(b"0070"));
    assert!(!stored.matches(b"00700") && !stored.matches(b"70") && !stored.matches(b"007"));
}

#[test]
fn pin_5_short_pins_keep_the_rules_for_picked_codes() {
    let digits = ["759", "7595", "75951", "759512", "7595123", "75951234", "759512345"];
    let lengths = |profile| digits.map(|it| short_pin::pick(profile, it.as_bytes()).is_ok());
    assert_eq!(lengths(Profile::Residential), [false, true, true, true, true, true, false]);
    assert_eq!(lengths(Profile::Lockbox), [false, true, true, true, false, false, false]);
    let refused = |entry: &str| short_pin::pick(Profile::Residential, entry.as_bytes()).err();
    assert_eq!(refused("2222"), Some(PickedRefusal::OneDigitRepeated));
    for run in ["1234", "6789", "9876", "8901", "10987654", "01234567"] {
        assert_eq!(refused(run), Some(PickedRefusal::ConsecutiveRun), "{run}");
    }
    assert_eq!(refused("12a4"), Some(PickedRefusal::NotDigits));
    assert_eq!(refused("123"), Some(PickedRefusal::WrongLength));
}

#[test]
fn res_2_a_residents_own_code() {
    assert_eq!(picked::check_resident("7595", false), Ok(()));
    assert_eq!(picked::check_resident("759512", false), Err(PickedRefusal::WrongLength));
    assert_eq!(picked::check_resident("759512", true), Ok(()));
    assert_eq!(picked::check_resident("75951", true), Err(PickedRefusal::WrongLength));
    assert_eq!(picked::check_resident("654321", true), Err(PickedRefusal::ConsecutiveRun));
}

#[test]
fn res_3_generated_codes_are_even_and_never_easy() {
    let mut random = SplitMix(4);
    let mut seen = vec![0_u32; 10_000];
    for _ in 0..200_000 {
        let words: Vec<u32> = (0..8).map(|_| random.word()).collect();
        let code = stored::generate(GeneratedLength::Four, words, |_| false).unwrap();
        assert_eq!(picked::check(code.as_str(), &[4]), Ok(()));
        seen[code.as_str().parse::<usize>().unwrap()] += 1;
    }
    // All that the rule leaves, each about as often: chi-square of 9,969 degrees, within six deviations.
    let codes: Vec<f64> = seen
        .iter()
        .enumerate()
        .filter(|(code, _)| picked::check(&format!("{code:04}"), &[4]).is_ok())
        .map(|(_, count)| f64::from(*count))
        .collect();
    assert_eq!(codes.len(), 9_970);
    let mean = 200_000.0 / 9_970.0;
    let chi: f64 = codes.iter().map(|count| (count - mean).powi(2) / mean).sum();
    assert!((chi - 9_969.0).abs() < 6.0 * (2.0 * 9_969.0_f64).sqrt(), "{chi}");
}

#[test]
fn res_3_biased_numbers_easy_codes_and_taken_ones_are_drawn_again() {
    let generate = |length, random: &[u32], taken: &[&[u8]]| {
        let taken = |code: &StoredCode| taken.iter().any(|it| code.matches(it));
        stored::generate(length, random.to_vec(), taken).map(|code| code.as_str().to_owned())
    };
    // 2^32 is 7,296 more than a multiple of 10,000: numbers in that rest are not used.
    let rest = u32::MAX - 7_295;
    assert_eq!(generate(GeneratedLength::Four, &[rest, u32::MAX, 7_595], &[]).unwrap(), "7595");
    assert_eq!(generate(GeneratedLength::Four, &[rest - 10_000 + 52], &[]).unwrap(), "0052");
    assert_eq!(generate(GeneratedLength::Six, &[1_111_111, 123_456, 20_000_007], &[]).unwrap(), "000007");
    assert_eq!(generate(GeneratedLength::Four, &[7_595, 17_595, 52], &[b"7595"]).unwrap(), "0052");
    assert_eq!(
        generate(GeneratedLength::Four, &[1_111, u32::MAX], &[]),
        Err(GenerateRefusal::RandomnessSpent)
    );
}

#[test]
fn stored_codes_are_found_among_many_and_read_as_written() {
    let codes: Vec<_> = ["0070", "12345", "759512", "75951234"]
        .iter()
        .map(|it| StoredCode::parse(it.as_bytes()).unwrap())
        .collect();
    assert_eq!(stored::find(&codes, b"759512"), Some(2));
    assert_eq!(stored::find(&codes, b"7595123"), None);
    for code in &codes {
        assert_eq!(StoredCode::decode(code.encode()).as_ref(), Ok(code));
    }
    assert_eq!(codes[0].encode(), [0x00, 0x70, 0xff, 0xff]);
    for bad in [[0xff; 4], [0x12, 0x3f, 0xff, 0xff], [0x12, 0x34, 0xf5, 0xff], [0x12, 0xa4, 0xff, 0xff]] {
        assert!(StoredCode::decode(bad).is_err(), "{bad:02x?}");
    }
}

#[test]
fn res_3_each_guest_code_works_when_its_kind_says() {
    let zone = named("America/New_York");
    // Tuesday 2027-06-01 18:00 to 20:00 in New York.
    let start = zone.first_instant(20_970 * 86_400 + 18 * 3600);
    let window = Window::new(start, start.plus(2 * HOUR)).unwrap();
    assert_eq!(Validity::delivery(start), Some(Validity::Delivery(window)));
    for validity in [Validity::Temporary(window), Validity::Delivery(window)] {
        let judge = |at: Time| validity.judge(zone, Present::at(at, 300));
        assert_eq!(judge(start.minus(300)), Ok(()));
        assert_eq!(judge(start.minus(301)), Err(Refused::NotYet { from: start }));
        assert_eq!(judge(window.not_after().plus(300)), Err(Refused::Expired { at: window.not_after() }));
        assert_eq!(validity.judge(zone, Present::LOST), Err(Refused::ClockLost));
    }
    // Tuesdays and Fridays from 6 PM to 8 PM.
    let schedule = Schedule::new(0b001_0010, Span::new(72, 80).unwrap()).unwrap();
    let weekly = Validity::Recurring(schedule, None);
    let judge = |validity: Validity, at: Time| validity.judge(zone, Present::at(at, 0));
    assert_eq!(judge(weekly, start), Ok(()));
    assert_eq!(judge(weekly, start.plus(7 * DAY)), Ok(()));
    let friday = start.plus(3 * DAY);
    assert_eq!(judge(weekly, start.plus(2 * HOUR)), Err(Refused::OutsideHours { next: Some(friday) }));
    let this_week = Validity::Recurring(schedule, Window::new(start, start.plus(4 * DAY)));
    assert_eq!(judge(this_week, friday), Ok(()));
    assert!(matches!(judge(this_week, start.plus(7 * DAY)), Err(Refused::Expired { .. })));
    assert_eq!(weekly.judge(zone, Present::LOST), Err(Refused::ClockLost));
    // What is not bound to time needs no clock.
    assert_eq!(Validity::Permanent.judge(zone, Present::LOST), Ok(()));
    for validity in
        [Validity::Permanent, Validity::Temporary(window), Validity::Delivery(window), weekly, this_week]
    {
        assert_eq!(Validity::decode(&validity.encode()), Ok(validity));
    }
    let mut untidy = Validity::Permanent.encode();
    untidy[11] = 1;
    assert!(Validity::decode(&untidy).is_err());
    assert!(Validity::decode(&[1; 12]).is_err() && Validity::decode(&[9; 12]).is_err());
}

#[test]
fn pin_7_lockout_grows_with_wrong_tries_and_falls_with_quiet_days_alone() {
    let waits: Vec<_> = [0, 3, 4, 5, 6, 7, 11, 12, 39, 40, u16::MAX].map(lockout::wait_after).into();
    assert_eq!(waits, [0, 0, 60, 300, 900, 3600, 3600, 14_400, 14_400, 86_400, 86_400]);
    assert!((0..100).all(|wrong| lockout::wait_after(wrong) <= lockout::wait_after(wrong + 1)));
    assert_eq!(lockout::after_quiet(7, DAY - 1), 7);
    assert_eq!(lockout::after_quiet(7, DAY), 5);
    assert_eq!(lockout::after_quiet(7, 4 * DAY), 0);
    assert_eq!(lockout::after_quiet(u16::MAX, u32::MAX), 0);
}

#[test]
fn no_code_is_shown() {
    let contractor = contractor::code(&keys(), 0, 1);
    let stored = StoredCode::parse(b"759512").unwrap();
    let key = DayKey::derive(&keys(), 20_970, Slot::new(1).unwrap());
    let shown = format!("{contractor:?} {stored:?} {key:?}");
    assert!(!shown.contains(contractor.as_str()) && !shown.contains("759512"), "{shown}");
    assert!(!shown.contains(&hex::encode(&key.key().expose()[..4])), "{shown}");
}
