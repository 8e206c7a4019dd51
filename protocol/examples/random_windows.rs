//! Makes a million SmartPINs for random windows and reads them again; then types ten million random entries and counts
//! how many would open at one moment. Prints one report (`bench/README.md`).
//!
//! `cargo run --release -p sentri-protocol --example random_windows`

#[path = "../tests/support/splitmix.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod splitmix;
#[path = "../tests/support/zones.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod zones;

use sentri_protocol::{
    Generation, KeyTree, Seed, Time,
    codes::{
        Digits,
        smart_pin::{
            LockId, SmartPin, SmartPinKey, Variant,
            window::{DailyHours, LocalHour, PinWindow, WindowRefusal},
        },
    },
    time::Window,
    zone::Zone,
};
use serde_json::json;
use splitmix::SplitMix;

const WINDOWS: u32 = 1_000_000;
const ENTRIES: u32 = 10_000_000;
/// 2027-06-01 12:00 UTC: by day, when the most windows are open.
const NOW: Time = Time(1_811_851_200);
/// Windows that hold a moment of the day.
const LIVE: f64 = 295_296.0 + 66_267.0;
/// Of a normal distribution: 99 % lie within so many deviations.
const DEVIATIONS: f64 = 2.576;

fn main() {
    let seed = Seed::new([0x5e; 32]);
    let key = SmartPinKey::of(&KeyTree::new(&seed, Generation::FIRST), LockId([7; 16]));
    let mut random = SplitMix(2027);
    let exact = round_trips(&key, &mut random);
    let hits = hits(&key, &mut random);
    let mut rows = vec![json!(["windows made and read again", WINDOWS, WINDOWS, WINDOWS, exact])];
    let mut passed = exact == WINDOWS;
    for (variants, hits) in [(1.0, hits[0]), (3.0, hits[0] + hits[1] + hits[2])] {
        let chance = variants * LIVE / 1e10;
        let mean = f64::from(ENTRIES) * chance;
        let reach = DEVIATIONS * (mean * (1.0 - chance)).sqrt();
        let (least, most) = ((mean - reach).ceil(), (mean + reach).floor());
        passed &= (least..=most).contains(&f64::from(hits));
        let what = format!("hits of {ENTRIES} random entries, variants taken: {variants}");
        rows.push(json!([what, mean.round(), least, most, hits]));
    }
    let report = json!({
        "title": "SmartPINs: windows and random entries",
        "columns": ["what", "expected", "at least", "at most", "found"],
        "rows": rows,
        "notes": [
            "Windows by the hour and by the day, in eleven zones with changes of the clock, in three variants: each must decode to itself, and its instants be those it was made for.",
            "Figure: all windows; hits within the 99 % interval around (295,296 + 66,267) / 10^10 for each variant.",
        ],
        "passed": passed,
    });
    println!("{report}");
}

/// How many of the random windows came back as they were.
fn round_trips(key: &SmartPinKey, random: &mut SplitMix) -> u32 {
    let zones = zones::all();
    let mut exact = 0;
    for round in 0..WINDOWS {
        let zone = zones[round as usize % zones.len()].zone;
        let (window, instants) = draw(random, zone);
        let variant = Variant::new(u8::try_from(random.below(3)).unwrap_or(0)).unwrap_or_default();
        let pin = key.generate(window, variant);
        let typed = SmartPin::parse(pin.digits().as_ascii());
        let decoded = typed.ok().and_then(|typed| key.decode(&typed).ok());
        let same = decoded == Some((window, variant))
            && decoded.and_then(|(window, _)| window.instants(zone, DailyHours::default()).ok())
                == Some(instants);
        exact += u32::from(same);
    }
    exact
}

/// A random window of this zone, from its two instants; drawn again where it can't be carried.
fn draw(random: &mut SplitMix, zone: Zone) -> (PinWindow, Window) {
    let daily = DailyHours::default();
    loop {
        let day = 20_970 + random.below(360);
        let at = |day, hour| LocalHour::new(day, hour).map(|it| it.first_instant(zone));
        let (start, end) = if random.below(2) == 0 {
            let start = at(day, u8::try_from(random.below(24)).unwrap_or(0));
            (start, start.map(|it| it.plus(3600 * (1 + random.below(768)))))
        } else {
            (at(day, daily.from()), at(day + 32 + random.below(333), daily.to()))
        };
        let (Some(start), Some(end)) = (start, end) else { continue };
        match (PinWindow::between(start, end, zone, daily), Window::new(start, end)) {
            (Ok(window), Some(instants)) => return (window, instants),
            (
                Err(
                    WindowRefusal::OffTheHour(_)
                    | WindowRefusal::OffTheDay(_)
                    | WindowRefusal::HourComesTwice(_),
                ),
                _,
            ) => {}
            (other, _) => panic!("drawn as none should be: {other:?}"),
        }
    }
}

/// How many random entries would open now, by variant.
fn hits(key: &SmartPinKey, random: &mut SplitMix) -> [u32; 3] {
    let mut hits = [0; 3];
    for _ in 0..ENTRIES {
        // 2^64 is so much more than 10^10 that the remainder is as good as even.
        let entry = Digits::<10>::from_number(random.next());
        let Ok(pin) = SmartPin::parse(entry.as_ascii()) else { continue };
        let Ok((window, variant)) = key.decode(&pin) else { continue };
        let Ok(instants) = window.instants(Zone::UTC, DailyHours::default()) else { continue };
        if instants.not_before() <= NOW && NOW < instants.not_after() {
            hits[usize::from(variant.number())] += 1;
        }
    }
    hits
}
