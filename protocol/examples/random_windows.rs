//! Makes a million SmartPINs for random windows and reads them again. Prints one report (`bench/README.md`).
//!
//! `cargo run --release -p sentri-protocol --example random_windows`
#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a bench that can't go on ends by it"
)]

#[path = "../tests/support/splitmix.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod splitmix;
#[path = "../tests/support/zones.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod zones;

use sentri_protocol::{
    Generation, KeyTree, Seed,
    codes::smart_pin::{
        LockId, SmartPin, SmartPinKey, Variant,
        window::{DailyHours, LocalHour, PinWindow, WindowRefusal},
    },
    time::Window,
    zone::Zone,
};
use serde_json::json;
use splitmix::SplitMix;

const WINDOWS: u32 = 1_000_000;

fn main() {
    let seed = Seed::new([0x5e; 32]);
    let key = SmartPinKey::of(&KeyTree::new(&seed, Generation::FIRST), LockId([7; 16]));
    let exact = round_trips(&key, &mut SplitMix(2027));
    let report = json!({
        "title": "Random windows, made into SmartPINs and read again",
        "columns": ["windows", "read as they were"],
        "rows": [[WINDOWS, exact]],
        "notes": [
            "Windows by the hour and by the day, in eleven zones with changes of the clock, in three variants: each must decode to itself, and its instants be those it was made for.",
            "Figure: all of them.",
        ],
        "passed": exact == WINDOWS,
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
