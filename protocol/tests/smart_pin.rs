//! SmartPINs: what is made for a window decodes to that window, and nothing else gets in. [PIN-1 to PIN-4, PIN-7]

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
        Present, Refused,
        smart_pin::{
            Accepted, LockId, NotASmartPin, Rules, SmartPin, SmartPinKey, Variant,
            window::{DailyHours, Edge, HORIZON_DAY, LocalHour, PinWindow, WindowRefusal},
        },
    },
    settings::Settings,
    time::{DAY, Window},
    zone::Zone,
};
use support::{
    keys, seed,
    splitmix::SplitMix,
    zones::{self, named},
};

const HOUR: u32 = 3600;
/// 2027-06-01 00:00 UTC.
const JUNE: Time = Time(1_811_808_000);
const LOCK: LockId = LockId(*b"lock-0000000001\0");

fn key() -> SmartPinKey {
    SmartPinKey::of(&keys(), LOCK)
}

fn hour(day: u32, hour: u8) -> LocalHour {
    LocalHour::new(day, hour).unwrap()
}

fn settings(zone: Zone) -> Settings {
    let mut settings = Settings { zone, ..Settings::default() };
    settings.switches.smart_pins = true;
    settings
}

/// Made, typed and read again.
fn through_the_keypad(window: PinWindow, variant: Variant) -> (PinWindow, Variant) {
    let typed = key().generate(window, variant).digits().as_ascii().to_vec();
    key().decode(&SmartPin::parse(&typed).unwrap()).unwrap()
}

fn between(start: Time, end: Time, zone: Zone) -> Result<PinWindow, WindowRefusal> {
    PinWindow::between(start, end, zone, DailyHours::default())
}

fn round_trip(start: Time, end: Time, zone: Zone) {
    let window = between(start, end, zone).unwrap();
    let (decoded, _) = through_the_keypad(window, Variant::FIRST);
    let instants = decoded.instants(zone, DailyHours::default()).unwrap();
    assert_eq!((instants.not_before(), instants.not_after()), (start, end));
}

#[test]
fn pin_1_any_window_by_the_hour_decodes_to_itself_in_any_zone() {
    let (mut random, mut made, mut refused) = (SplitMix(1), 0, 0);
    for named in zones::all() {
        for _ in 0..400 {
            let day = 20_970 + random.below(300);
            let start = hour(day, 0).first_instant(named.zone).plus(random.below(24) * HOUR);
            let end = start.plus((1 + random.below(768)) * HOUR);
            match between(start, end, named.zone) {
                Ok(_) => round_trip(start, end, named.zone),
                // A change of half an hour, one hour twice, or 768 hours across the change to summer time, which
                // are 769 on the wall: told, never rounded.
                Err(
                    WindowRefusal::OffTheHour(_)
                    | WindowRefusal::HourComesTwice(_)
                    | WindowRefusal::OffTheDay(_),
                ) => refused += 1,
                Err(other) => panic!("{}: {other}", named.name),
            }
            made += 1;
        }
    }
    assert!(refused * 20 < made, "{refused} of {made} refused");
}

#[test]
fn pin_1_any_window_and_variant_on_the_wall_decodes_to_itself() {
    let mut random = SplitMix(2);
    for _ in 0..5_000 {
        let variant = Variant::new(u8::try_from(random.below(3)).unwrap()).unwrap();
        let first = random.below(HORIZON_DAY - 400);
        let window = if random.below(2) == 0 {
            let start = u8::try_from(random.below(24)).unwrap();
            let length = 1 + random.below(768);
            let end = first * 24 + u32::from(start) + length;
            PinWindow::hourly(hour(first, start), hour(end / 24, u8::try_from(end % 24).unwrap())).unwrap()
        } else {
            PinWindow::daily(first, first + 32 + random.below(333)).unwrap()
        };
        assert_eq!(through_the_keypad(window, variant), (window, variant));
    }
}

#[test]
fn pin_2_each_length_of_window_is_kept_apart() {
    for hours in 1..=768_u32 {
        let window = PinWindow::hourly(hour(20_970, 5), hour(20_970, 5).later(hours)).unwrap();
        assert_eq!(through_the_keypad(window, Variant::FIRST).0, window);
    }
    for days in 33..=365 {
        let window = PinWindow::daily(20_970, 20_970 + days - 1).unwrap();
        assert_eq!(through_the_keypad(window, Variant::FIRST).0, window);
    }
}

trait Later {
    fn later(self, hours: u32) -> Self;
}

impl Later for LocalHour {
    fn later(self, hours: u32) -> Self {
        let count = self.count() + hours;
        hour(count / 24, u8::try_from(count % 24).unwrap())
    }
}

#[test]
fn pin_2_windows_in_days_run_from_8_am_on_the_first_to_8_pm_on_the_last_by_default() {
    // 2027-11-01 to 2027-12-31 in New York, across the change to winter time.
    let (first, last) = (21_123, 21_183);
    let window = PinWindow::daily(first, last).unwrap();
    let instants = window.instants(named("America/New_York"), DailyHours::default()).unwrap();
    assert_eq!(instants.not_before(), Time(first * DAY + 12 * HOUR), "8 AM at -4");
    assert_eq!(instants.not_after(), Time((last + 1) * DAY + HOUR), "8 PM at -5");
    round_trip(instants.not_before(), instants.not_after(), named("America/New_York"));
    // As set at another lock.
    let whole_days = DailyHours::new(0, 24).unwrap();
    let instants = window.instants(Zone::UTC, whole_days).unwrap();
    assert_eq!((instants.not_before(), instants.not_after()), (Time(first * DAY), Time((last + 1) * DAY)));
    assert_eq!(
        PinWindow::between(instants.not_before(), instants.not_after(), Zone::UTC, whole_days),
        Ok(window)
    );
}

#[test]
fn pin_2_the_edge_between_hours_and_days() {
    let eight = JUNE.plus(8 * HOUR);
    let by_hour = between(eight, eight.plus(768 * HOUR), Zone::UTC).unwrap();
    assert_eq!(by_hour, PinWindow::hourly(hour(20_970, 8), hour(21_002, 8)).unwrap(), "32 days");
    // An hour more is neither hours nor days; 12 hours more are 33 days, the first and the last counted.
    assert_eq!(between(eight, eight.plus(769 * HOUR), Zone::UTC), Err(WindowRefusal::OffTheDay(Edge::End)));
    let by_day = between(eight, eight.plus(780 * HOUR), Zone::UTC).unwrap();
    assert_eq!(by_day, PinWindow::daily(20_970, 21_002).unwrap(), "33 days");
    assert_eq!(
        between(eight.plus(HOUR), eight.plus(780 * HOUR), Zone::UTC),
        Err(WindowRefusal::OffTheDay(Edge::Start))
    );
    // 32 days on the calendar are 32 days, although the change to winter time makes them 769 hours.
    let new_york = named("America/New_York");
    let (start, end) = (hour(21_114, 10).first_instant(new_york), hour(21_146, 10).first_instant(new_york));
    assert_eq!(end.since(start), 769 * HOUR);
    round_trip(start, end, new_york);
}

#[test]
fn pin_2_leap_day_and_years_end() {
    // 2028-02-28 20:00 to 2028-03-01 07:00: 35 hours, with a day that most years don't have.
    let (feb_28, mar_1) = (21_242, 21_244);
    for zone in zones::all().into_iter().map(|it| it.zone) {
        let (start, end) = (hour(feb_28, 20).first_instant(zone), hour(mar_1, 7).first_instant(zone));
        assert_eq!(end.since(start), 35 * HOUR);
        round_trip(start, end, zone);
        // 2027-12-31 23:00 to 2028-01-01 01:00.
        let (start, end) = (hour(21_183, 23).first_instant(zone), hour(21_184, 1).first_instant(zone));
        round_trip(start, end, zone);
    }
    // 2100 has no leap day: 2100-02-28 is day 47,540 and 2100-03-01 the next.
    round_trip(Time(47_540 * DAY), Time(47_541 * DAY), Zone::UTC);
    // 365 days that hold a leap day, and 365 days that don't.
    for first in [21_184, 20_820] {
        assert_eq!(
            through_the_keypad(PinWindow::daily(first, first + 364).unwrap(), Variant::FIRST).0,
            PinWindow::daily(first, first + 364).unwrap()
        );
        assert_eq!(PinWindow::daily(first, first + 365), Err(WindowRefusal::TooLong));
    }
}

#[test]
fn pin_2_changes_of_the_clock() {
    let new_york = named("America/New_York");
    // 2027-11-07: 1 AM to 2 AM comes twice. A window of that hour holds both; it begins at the first.
    let fall = Time(1_825_567_200);
    let twice = PinWindow::hourly(hour(21_129, 1), hour(21_129, 2)).unwrap();
    let instants = twice.instants(new_york, DailyHours::default()).unwrap();
    assert_eq!((instants.not_before(), instants.not_after()), (fall.minus(HOUR), fall.plus(HOUR)));
    round_trip(instants.not_before(), instants.not_after(), new_york);
    // Its second coming can't be told on the wall, so it is neither a start nor an end.
    assert_eq!(between(fall, fall.plus(2 * HOUR), new_york), Err(WindowRefusal::HourComesTwice(Edge::Start)));
    assert_eq!(between(fall.minus(3 * HOUR), fall, new_york), Err(WindowRefusal::HourComesTwice(Edge::End)));
    // 2028-03-12: 2 AM to 3 AM is skipped. What begins in it begins with the skip; what lies in it is refused.
    let spring = Time(1_836_457_200);
    let into = PinWindow::hourly(hour(21_255, 2), hour(21_255, 5)).unwrap();
    let instants = into.instants(new_york, DailyHours::default()).unwrap();
    assert_eq!((instants.not_before(), instants.not_after()), (spring, spring.plus(2 * HOUR)));
    let skipped = PinWindow::hourly(hour(21_255, 2), hour(21_255, 3)).unwrap();
    assert_eq!(skipped.instants(new_york, DailyHours::default()), Err(WindowRefusal::HourSkipped));
    let pin = key().generate(skipped, Variant::FIRST);
    assert_eq!(verify_at(spring, new_york, &pin), Err(Refused::Unknown));
}

#[test]
fn pin_2_quarter_hour_zones() {
    // 10:00 in Kathmandu is 04:15 UTC.
    let start = JUNE.plus(4 * HOUR + 900);
    round_trip(start, start.plus(HOUR), named("Asia/Kathmandu"));
    assert_eq!(
        between(JUNE, JUNE.plus(HOUR), named("Asia/Kathmandu")),
        Err(WindowRefusal::OffTheHour(Edge::Start))
    );
    // Lord Howe changes by half an hour: 2:00 to 2:30 is skipped, 1:30 to 2:00 comes twice.
    let lord_howe = named("Australia/Lord_Howe");
    let (start, end) = (hour(21_094, 1).first_instant(lord_howe), hour(21_094, 4).first_instant(lord_howe));
    assert_eq!(end.since(start), 2 * HOUR + 1800);
    round_trip(start, end, lord_howe);
}

#[test]
fn pin_2_bad_windows_are_refused_with_their_reason() {
    let noon = JUNE.plus(12 * HOUR);
    let cases = [
        (noon, noon, WindowRefusal::Zero),
        (noon, noon.minus(HOUR), WindowRefusal::Reversed),
        (noon.plus(1), noon.plus(HOUR), WindowRefusal::OffTheHour(Edge::Start)),
        (noon, noon.plus(HOUR + 1800), WindowRefusal::OffTheHour(Edge::End)),
        (noon, noon.plus(40 * DAY), WindowRefusal::OffTheDay(Edge::Start)),
        // 366 days, the first and the last counted, and as 366 times 24 hours.
        (JUNE.plus(8 * HOUR), JUNE.plus(365 * DAY + 20 * HOUR), WindowRefusal::TooLong),
        (JUNE.plus(8 * HOUR), JUNE.plus(366 * DAY + 8 * HOUR), WindowRefusal::TooLong),
        (noon, Time(u32::MAX), WindowRefusal::TooLong),
    ];
    for (start, end, refusal) in cases {
        assert_eq!(between(start, end, Zone::UTC), Err(refusal), "{start:?} to {end:?}");
    }
    assert_eq!(PinWindow::hourly(hour(9, 1), hour(9, 1)), Err(WindowRefusal::Zero));
    assert_eq!(PinWindow::hourly(hour(9, 2), hour(9, 1)), Err(WindowRefusal::Reversed));
    assert_eq!(PinWindow::hourly(hour(9, 0), hour(41, 1)), Err(WindowRefusal::TooLongForHours));
    assert_eq!(PinWindow::daily(9, 8), Err(WindowRefusal::Reversed));
    assert_eq!(PinWindow::daily(9, 9 + 31), Err(WindowRefusal::TooShortForDays));
    assert_eq!(PinWindow::daily(0, u32::MAX), Err(WindowRefusal::TooLong));
    assert_eq!(LocalHour::new(9, 25), None);
    assert_eq!(LocalHour::new(u32::MAX, 0), None);
}

#[test]
fn pin_2_the_horizons_end() {
    // The last hour of 2105, and the last 33 days.
    let last = PinWindow::hourly(hour(HORIZON_DAY - 1, 23), hour(HORIZON_DAY, 0)).unwrap();
    assert_eq!(through_the_keypad(last, Variant::new(2).unwrap()).0, last);
    let last = PinWindow::daily(HORIZON_DAY - 33, HORIZON_DAY - 1).unwrap();
    assert_eq!(through_the_keypad(last, Variant::new(2).unwrap()).0, last);
    // It ends before the protocol's times do, even in the last zone to see it, tolerance included.
    let west = Zone::new(-56, None, None).unwrap();
    let instants = last.instants(west, DailyHours::new(8, 24).unwrap()).unwrap();
    assert!(instants.not_after() < Time(u32::MAX - 1800));
    // One more of each is past it.
    assert_eq!(LocalHour::new(HORIZON_DAY, 1), None);
    assert_eq!(PinWindow::daily(HORIZON_DAY - 32, HORIZON_DAY), Err(WindowRefusal::PastHorizon));
    let midnight = Time(HORIZON_DAY * DAY);
    assert_eq!(
        between(midnight.minus(HOUR), midnight.plus(HOUR), Zone::UTC),
        Err(WindowRefusal::PastHorizon)
    );
}

fn verify_at(now: Time, zone: Zone, pin: &SmartPin) -> Result<Accepted, Refused> {
    let present = Present::at(now, 0);
    key().verify(&settings(zone), Rules::default(), present, pin.digits().as_ascii(), |_| false)
}

#[test]
fn pin_3_works_only_after_its_start_and_expires_by_itself() {
    let zone = named("Pacific/Chatham");
    let window = PinWindow::hourly(hour(20_970, 15), hour(20_971, 11)).unwrap();
    let pin = key().generate(window, Variant::FIRST);
    let instants = window.instants(zone, DailyHours::default()).unwrap();
    let (from, to) = (instants.not_before(), instants.not_after());
    assert_eq!(verify_at(from.minus(1), zone, &pin), Err(Refused::NotYet { from }));
    let accepted = verify_at(from, zone, &pin).unwrap();
    assert_eq!((accepted.window, accepted.until(), &accepted.pin), (window, to, &pin));
    assert!(verify_at(to.minus(1), zone, &pin).is_ok());
    assert_eq!(verify_at(to, zone, &pin), Err(Refused::Expired { at: to }));
}

#[test]
fn pin_7_drift_is_tolerated_by_the_stated_figure_and_no_second_more() {
    let window = PinWindow::hourly(hour(20_970, 15), hour(20_971, 11)).unwrap();
    let entry = *key().generate(window, Variant::FIRST).digits().as_ascii();
    let instants = window.instants(Zone::UTC, DailyHours::default()).unwrap();
    let verify = |now| {
        key()
            .verify(&settings(Zone::UTC), Rules::default(), Present::at(now, 300), &entry, |_| false)
            .map(|accepted| accepted.instants)
    };
    assert_eq!(verify(instants.not_before().minus(300)), Ok(instants));
    assert!(matches!(verify(instants.not_before().minus(301)), Err(Refused::NotYet { .. })));
    assert_eq!(verify(instants.not_after().plus(299)), Ok(instants));
    assert!(matches!(verify(instants.not_after().plus(300)), Err(Refused::Expired { .. })));
}

#[test]
fn pin_7_two_guests_with_one_window_get_two_pins() {
    let window = PinWindow::hourly(hour(20_970, 15), hour(20_971, 11)).unwrap();
    let pins: Vec<_> = (0..3).map(|it| key().generate(window, Variant::new(it).unwrap())).collect();
    assert!(pins[0] != pins[1] && pins[1] != pins[2] && pins[0] != pins[2]);
    assert_eq!(Variant::new(3), None);
    // Variants above the first open only where the lock's rules allow them.
    let now = Time(20_970 * DAY + 16 * HOUR);
    let two = Rules { variants: Variant::new(1).unwrap(), ..Rules::default() };
    let verify = |rules, pin: &SmartPin| {
        key()
            .verify(&settings(Zone::UTC), rules, Present::at(now, 0), pin.digits().as_ascii(), |_| false)
            .map(|accepted| accepted.variant.number())
    };
    assert_eq!(
        pins.iter().map(|pin| verify(Rules::default(), pin)).collect::<Vec<_>>(),
        [Ok(0), Err(Refused::Off), Err(Refused::Off)]
    );
    assert_eq!(
        pins.iter().map(|pin| verify(two, pin)).collect::<Vec<_>>(),
        [Ok(0), Ok(1), Err(Refused::Off)]
    );
}

#[test]
fn pin_4_only_while_enabled_and_only_with_a_clock() {
    let window = PinWindow::hourly(hour(20_970, 15), hour(20_971, 11)).unwrap();
    let entry = *key().generate(window, Variant::FIRST).digits().as_ascii();
    let now = Present::at(Time(20_970 * DAY + 16 * HOUR), 0);
    let verify = |settings: &Settings, present| {
        key().verify(settings, Rules::default(), present, &entry, |_| false).err()
    };
    assert_eq!(verify(&settings(Zone::UTC), now), None);
    assert_eq!(verify(&Settings::default(), now), Some(Refused::Off));
    assert_eq!(verify(&settings(Zone::UTC), Present::LOST), Some(Refused::ClockLost));
}

#[test]
fn first_use_within_a_day_where_the_lock_asks_it() {
    let window = PinWindow::hourly(hour(20_970, 15), hour(20_973, 11)).unwrap();
    let entry = *key().generate(window, Variant::FIRST).digits().as_ascii();
    let start = Time(20_970 * DAY + 15 * HOUR);
    let rules = Rules { first_use_within_a_day: true, ..Rules::default() };
    let verify = |after: u32, used: bool| {
        let present = Present::at(start.plus(after), 0);
        key().verify(&settings(Zone::UTC), rules, present, &entry, |_| used).err()
    };
    assert_eq!(verify(DAY - 1, false), None);
    assert_eq!(verify(DAY, false), Some(Refused::Expired { at: start.plus(DAY) }));
    assert_eq!(verify(DAY, true), None);
}

#[test]
fn a_pin_of_one_lock_means_nothing_at_another() {
    let window = PinWindow::hourly(hour(20_970, 15), hour(20_971, 11)).unwrap();
    let pin = key().generate(window, Variant::FIRST);
    let others = [
        SmartPinKey::of(&keys(), LockId(*b"lock-0000000002\0")),
        SmartPinKey::of(&KeyTree::new(&seed(), Generation(2)), LOCK),
    ];
    for other in others {
        assert_ne!(other.decode(&pin).ok(), Some((window, Variant::FIRST)));
    }
    // An owner's phone that holds the key makes the same PIN.
    let phone = SmartPinKey::from_parts(&SmartPinKey::derive(&keys()), LOCK);
    assert_eq!(phone.generate(window, Variant::FIRST), pin);
}

#[test]
fn entries_that_are_no_smart_pin_are_refused() {
    for entry in ["", "123456789", "12345678901", "123456789a", "12345 7890"] {
        assert!(SmartPin::parse(entry.as_bytes()).is_err(), "{entry}");
        let present = Present::at(JUNE, 0);
        let refused =
            key().verify(&settings(Zone::UTC), Rules::default(), present, entry.as_bytes(), |_| true);
        assert_eq!(refused, Err(Refused::Unknown));
    }
    // 2,796,341,535 of 10^10 entries are some window's PIN; the rest decode to nothing.
    let mut random = SplitMix(3);
    let decoded = (0..4_000)
        .filter(|_| {
            let digits = format!("{:010}", random.next() % 10_000_000_000);
            key().decode(&SmartPin::parse(digits.as_bytes()).unwrap()) != Err(NotASmartPin)
        })
        .count();
    assert!((980..1260).contains(&decoded), "{decoded} of 4000: 28 % expected");
}

#[test]
fn as_many_windows_hold_a_moment_as_the_document_says() {
    // All windows whose wall hours hold noon of a day: by the hour, then by the day.
    let noon = 21_000 * 24 + 12;
    let hourly = (1..=768_u32)
        .flat_map(|hours| (noon - 800..=noon).map(move |start| (start, hours)))
        .filter(|(start, hours)| start + hours > noon)
        .count();
    assert_eq!(hourly, 295_296);
    let daily = (21_000 - 400..=21_000)
        .flat_map(|first| (32..=364).map(move |more| PinWindow::daily(first, first + more).unwrap()))
        .filter(|window| {
            let (start, end) = window.wall(DailyHours::default());
            start.count() <= noon && noon < end.count()
        })
        .count();
    assert_eq!(daily, 66_267);
}

#[test]
fn rules_are_read_as_they_are_written() {
    let rules = Rules {
        daily: DailyHours::new(15, 11).unwrap(),
        variants: Variant::new(2).unwrap(),
        first_use_within_a_day: true,
    };
    for rules in [Rules::default(), rules] {
        assert_eq!(Rules::decode(rules.encode()), Ok(rules));
    }
    assert_eq!(Rules::default().encode(), [8, 20, 0]);
    for bad in [[24, 20, 0], [8, 0, 0], [8, 25, 0], [8, 20, 3], [8, 20, 8]] {
        assert!(Rules::decode(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn nothing_of_a_pin_is_shown() {
    let window = PinWindow::hourly(hour(20_970, 15), hour(20_971, 11)).unwrap();
    let pin = key().generate(window, Variant::FIRST);
    let now = Time(20_970 * DAY + 16 * HOUR);
    let accepted = verify_at(now, Zone::UTC, &pin).unwrap();
    let shown = format!("{pin:?} {:?} {accepted:?} {:?}", pin.digits(), key());
    assert!(!shown.contains(pin.digits().as_str()), "{shown}");
    assert!(Window::new(now, now).is_none());
}
