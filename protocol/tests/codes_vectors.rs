//! Vectors of the keypad codes (`docs/codes.md`), for any other implementation; see `vectors.rs`.

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
        Present,
        delivery::{Delivery, Holder, Order},
        one_day::{self, FirstUse},
        smac::{self, DayKey, Slot},
        smart_pin::{
            LockId, Rules, SmartPin, SmartPinKey, Variant,
            window::{DailyHours, HORIZON_DAY, LocalHour, PinWindow},
        },
        stored::{self, GeneratedLength, StoredCode},
        validity::Validity,
    },
    hours::{Schedule, Span},
    settings::Settings,
    time::{DAY, Window},
    zone::Zone,
};
use serde_json::{Value, json};
use support::{keys, seed, splitmix::SplitMix, vectors::check, zones};

const LOCK: LockId = LockId([0x5a; 16]);

fn hour(day: u32, hour: u8) -> LocalHour {
    LocalHour::new(day, hour).unwrap()
}

fn pin_windows() -> Vec<PinWindow> {
    let by_hour = [
        (hour(0, 0), hour(0, 1)),
        (hour(20_970, 15), hour(20_971, 11)),
        (hour(20_970, 8), hour(21_002, 8)),
        (hour(21_129, 1), hour(21_129, 2)),
        (hour(21_255, 2), hour(21_255, 5)),
        (hour(21_242, 20), hour(21_244, 7)),
        (hour(21_183, 23), hour(21_184, 1)),
        (hour(HORIZON_DAY - 1, 23), hour(HORIZON_DAY, 0)),
    ];
    let by_day =
        [(0, 32), (20_970, 21_002), (20_970, 21_334), (21_123, 21_183), (HORIZON_DAY - 33, HORIZON_DAY - 1)];
    let by_hour = by_hour.map(|(start, end)| PinWindow::hourly(start, end).unwrap());
    let by_day = by_day.map(|(first, last)| PinWindow::daily(first, last).unwrap());
    by_hour.into_iter().chain(by_day).collect()
}

fn smart_pin(generation: u32, lock: LockId, window: PinWindow, variant: Variant, zone: Zone) -> Value {
    let keys = KeyTree::new(&seed(), Generation(generation));
    let pin = SmartPinKey::of(&keys, lock).generate(window, variant);
    let daily = DailyHours::default();
    let (start, end) = window.wall(daily);
    let instants = window.instants(zone, daily).ok();
    json!({
        "generation": generation,
        "lock": hex::encode(lock.0),
        "by": if end.count() - start.count() > 768 { "days" } else { "hours" },
        "start_hour": start.count(), "end_hour": end.count(),
        "daily_from": daily.from(), "daily_to": daily.to(),
        "variant": variant.number(),
        "pin": pin.digits().as_str(),
        "zone": hex::encode(zone.encode()),
        "not_before": instants.map(|it| it.not_before().0),
        "not_after": instants.map(|it| it.not_after().0),
    })
}

#[test]
fn smart_pins_json() {
    let variant = |number| Variant::new(number).unwrap();
    let mut cases: Vec<_> = pin_windows()
        .into_iter()
        .zip((0..3).cycle())
        .zip(zones::all().iter().cycle())
        .map(|((window, number), zone)| smart_pin(1, LOCK, window, variant(number), zone.zone))
        .collect();
    let window = PinWindow::hourly(hour(20_970, 15), hour(20_971, 11)).unwrap();
    cases.extend((0..3).map(|it| smart_pin(1, LOCK, window, variant(it), Zone::UTC)));
    cases.push(smart_pin(2, LOCK, window, variant(0), Zone::UTC));
    cases.push(smart_pin(1, LockId([0xa5; 16]), window, variant(0), Zone::UTC));
    let new_york = zones::named("America/New_York");
    cases.extend(
        [window, PinWindow::hourly(hour(21_255, 2), hour(21_255, 3)).unwrap()]
            .map(|window| smart_pin(1, LOCK, window, variant(0), new_york)),
    );
    check(
        "smart_pins.json",
        "SmartPINs and their windows, on the wall and as instants; seed as in keys.json.",
        cases,
    );
}

#[test]
fn smart_pin_entries_json() {
    let key = SmartPinKey::of(&keys(), LOCK);
    let mut random = SplitMix(5);
    let cases = (0..40)
        .map(|_| {
            let digits = format!("{:010}", random.next() % 10_000_000_000);
            let decoded = key.decode(&SmartPin::parse(digits.as_bytes()).unwrap()).ok();
            let wall = decoded.map(|(window, _)| window.wall(DailyHours::default()));
            json!({
                "lock": hex::encode(LOCK.0), "entry": digits,
                "start_hour": wall.map(|it| it.0.count()), "end_hour": wall.map(|it| it.1.count()),
                "variant": decoded.map(|it| it.1.number()),
            })
        })
        .collect();
    check(
        "smart_pin_entries.json",
        "Ten digits typed at random and the window they carry, if any; seed as in keys.json, generation 1, days from 8 to 20.",
        cases,
    );
}

#[test]
fn smart_pin_rules_json() {
    let rules = |from, to, variants, first_use_within_a_day| Rules {
        daily: DailyHours::new(from, to).unwrap(),
        variants: Variant::new(variants).unwrap(),
        first_use_within_a_day,
    };
    let cases = [Rules::default(), rules(15, 11, 2, true), rules(0, 24, 1, false)].map(|rules| {
        json!({
            "daily_from": rules.daily.from(), "daily_to": rules.daily.to(),
            "highest_variant": rules.variants.number(),
            "first_use_within_a_day": rules.first_use_within_a_day,
            "rules": hex::encode(rules.encode()),
        })
    });
    check("smart_pin_rules.json", "A lock's rules for SmartPINs.", cases.into());
}

#[test]
fn smacs_json() {
    let mut random = SplitMix(6);
    let midnight = 20_971 * DAY;
    let edges = [(0, 0), (42, midnight - 1), (42, midnight), (999, midnight + 299), (7, u32::MAX)];
    let drawn = (0..20).map(|_| (u16::try_from(random.below(1000)).unwrap(), random.word()));
    let cases = edges
        .into_iter()
        .chain(drawn.collect::<Vec<_>>())
        .map(|(slot, time)| {
            let key = DayKey::derive(&keys(), time / DAY, Slot::new(slot).unwrap());
            let code = key.code(Time(time)).unwrap();
            let taken = |at: u32| smac::verify(&keys(), Present::at(Time(at), 0), code.as_ascii()).is_ok();
            json!({
                "slot": slot, "time": time, "day": time / DAY, "step": time / 300,
                "day_key": hex::encode(key.key().expose()), "code": code.as_str(),
                "taken_from": first_taken(time, taken),
            })
        })
        .collect();
    check(
        "smacs.json",
        "SMACs; seed as in keys.json, generation 1. `taken_from`: first second at which a lock takes it.",
        cases,
    );
}

/// Looks back from `time` for the first second at which `taken` holds.
fn first_taken(time: u32, taken: impl Fn(u32) -> bool) -> u32 {
    (0..=700).map(|back| time.saturating_sub(back)).take_while(|at| taken(*at)).last().unwrap()
}

#[test]
fn one_day_lives_json() {
    let zone = zones::named("America/New_York");
    let first = zone.first_instant(20_970 * 86_400 + 85_500);
    let cases =
        [(false, 0), (false, 3599), (false, 3600), (true, 0), (true, 899), (true, 1199), (true, 1200)];
    let cases = cases.map(|(ends_with_day, after)| {
        let mut settings = Settings { zone, ..Settings::default() };
        settings.switches.one_day_ends_with_day = ends_with_day;
        let used = [FirstUse { day: 20_970, index: 1, at: first }];
        let code = one_day::code(&keys(), 20_970, 1);
        let now = first.plus(after);
        let found = one_day::verify(&keys(), &settings, Present::at(now, 300), &used, code.as_ascii());
        json!({
            "zone": hex::encode(zone.encode()), "day": 20_970, "index": 1, "code": code.as_str(),
            "first_used": first.0, "ends_with_day": ends_with_day, "tolerance": 300, "now": now.0,
            "works": found.is_ok(),
            "until": match found {
                Ok(found) => found.until.0,
                Err(sentri_protocol::codes::Refused::Expired { at }) => at.0,
                Err(other) => panic!("{other}"),
            },
        })
    });
    check(
        "one_day_lives.json",
        "A one day code after its first use; seed as in keys.json, generation 1.",
        cases.into(),
    );
}

#[test]
fn stored_codes_json() {
    let mut random = SplitMix(7);
    let drawn: Vec<Vec<u32>> = (0..8).map(|_| (0..4).map(|_| random.word()).collect()).collect();
    let chosen = [vec![u32::MAX, 1_111, 7_595], vec![4_294_960_000, 12], vec![4_294_959_999], vec![123_456]];
    let generated = drawn.into_iter().chain(chosen).flat_map(|numbers| {
        [(GeneratedLength::Four, 4), (GeneratedLength::Six, 6)].map(|(length, digits)| {
            let code = stored::generate(length, numbers.clone(), |_| false).ok();
            json!({
                "digits": digits, "random": numbers, "code": code.as_ref().map(StoredCode::as_str),
                "stored": code.map(|it| hex::encode(it.encode())),
            })
        })
    });
    check("stored_codes.json", "Codes generated from random numbers, and as stored.", generated.collect());
}

#[test]
fn validities_json() {
    let zone = zones::named("America/New_York");
    let start = zone.first_instant(20_970 * 86_400 + 18 * 3600);
    let window = Window::new(start, start.plus(7200)).unwrap();
    let schedule = Schedule::new(0b001_0010, Span::new(72, 80).unwrap()).unwrap();
    let week = Window::new(start, start.plus(6 * DAY)).unwrap();
    let validities = [
        ("permanent", Validity::Permanent),
        ("temporary", Validity::Temporary(window)),
        ("recurring", Validity::Recurring(schedule, None)),
        ("recurring", Validity::Recurring(schedule, Some(week))),
        ("delivery", Validity::delivery(start).unwrap()),
    ];
    let moments = [
        start.minus(301),
        start.minus(300),
        start,
        start.plus(7199),
        start.plus(7500),
        start.plus(3 * DAY),
        start.plus(7 * DAY),
    ];
    let cases = validities.into_iter().flat_map(|(kind, validity)| {
        moments.map(|now| {
            let present = Present::at(now, 300);
            json!({
                "kind": kind, "validity": hex::encode(validity.encode()),
                "zone": hex::encode(zone.encode()), "tolerance": 300, "now": now.0,
                "works": validity.judge(zone, present).is_ok(),
                "works_without_clock": validity.judge(zone, Present::LOST).is_ok(),
            })
        })
    });
    check("validities.json", "When stored codes work.", cases.collect());
}

/// What an order says, in the words of the page.
fn order_json(order: &Order) -> Value {
    match order {
        Order::TakeOut(place) => json!({"order": "take out", "place": place}),
        Order::Put { place, holder, code, validity } => json!({
            "order": if *holder == Holder::Resident { "resident" } else { "guest" },
            "place": place, "code": code.as_str(), "validity": hex::encode(validity.encode()),
        }),
        Order::Programming(code) => json!({"order": "programming", "code": code.as_str()}),
        Order::Block(pin) => json!({"order": "block", "pin": pin.digits().as_str()}),
    }
}

#[test]
fn code_deliveries_json() {
    let code = |digits: &str| StoredCode::parse(digits.as_bytes()).unwrap();
    let put =
        |place, holder, digits: &str, validity| Order::Put { place, holder, code: code(digits), validity };
    let window = Window::new(Time(1_811_808_000), Time(1_811_894_400)).unwrap();
    let pin = |digits: &[u8; 10]| Order::Block(SmartPin::parse(digits).unwrap());
    let full = (2..18).map(|place| {
        put(place, Holder::Guest, &format!("{:06}", 407_162 + u32::from(place)), Validity::Permanent)
    });
    let cases = [
        (1, 0, 1, vec![put(2, Holder::Resident, "0070", Validity::Permanent)]),
        (
            1,
            7,
            9,
            vec![
                Order::TakeOut(64),
                put(64, Holder::Guest, "75951234", Validity::Temporary(window)),
                Order::Programming(code("864213")),
                pin(b"0123456789"),
                pin(b"9999999999"),
            ],
        ),
        (2, u32::MAX - 1, u32::MAX, full.collect()),
    ];
    let cases = cases.map(|(generation, from, version, orders)| {
        let keys = KeyTree::new(&seed(), Generation(generation));
        let delivery = Delivery::new(from, version, orders).unwrap();
        let sealed = delivery.seal(&keys);
        assert_eq!(Delivery::open(&keys, &sealed), Some(delivery.clone()));
        json!({
            "generation": generation, "from": from, "version": version,
            "orders": delivery.orders().iter().map(order_json).collect::<Vec<_>>(),
            "sealed": hex::encode(sealed),
        })
    });
    check("code_deliveries.json", "Codes on their way to a lock; seed as in keys.json.", cases.into());
}
