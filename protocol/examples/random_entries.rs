//! Types ten million entries of each kind, drawn at random, and counts those that would open at one moment; contractor
//! codes instead by every entry there is. Prints one report (`bench/README.md`).
//!
//! `cargo run --release -p sentri-protocol --example random_entries`

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a bench that can't be set up measures nothing"
)]

#[path = "code_odds/odds.rs"]
#[allow(dead_code, reason = "the tables use more of it")]
mod odds;
#[path = "../tests/support/splitmix.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod splitmix;

use std::thread;

use odds::Target;
use sentri_protocol::{
    Generation, KeyTree, Seed, Time,
    codes::{
        Digits, Present, contractor, one_day, smac,
        smart_pin::{LockId, Rules, SmartPinKey, Variant},
    },
    settings::Settings,
    time::DAY,
};
use serde_json::{Value, json};
use splitmix::SplitMix;

const ENTRIES: u32 = 10_000_000;
/// 2027-06-01 12:00 UTC: by day, when the most windows are open.
const NOW: Time = Time(20_970 * DAY + DAY / 2);
/// Just before the first midnight after it, when one day codes of two days count.
const MIDNIGHT: Time = Time(20_971 * DAY - 60);
const TOLERANCE: u32 = 300;

/// A kind, how many of its entries open now, and what was found.
struct Row {
    kind: &'static str,
    live: u32,
    entries: f64,
    hits: u32,
    /// Every entry there is was tried, none twice.
    all: bool,
}

fn main() {
    let lock = Lock::new();
    let rows = thread::scope(|scope| {
        let kinds: [fn(&Lock) -> Vec<Row>; 4] = [smart_pins, contractors, one_days, smacs];
        let lock = &lock;
        let running = kinds.map(|kind| scope.spawn(move || kind(lock)));
        running.map(|it| it.join().expect("no kind panics")).into_iter().flatten().collect::<Vec<_>>()
    });
    println!("{}", report(&rows));
}

fn report(rows: &[Row]) -> Value {
    let mut passed = true;
    let shown: Vec<Value> = rows
        .iter()
        .map(|row| {
            let expected = f64::from(ENTRIES) * f64::from(row.live) / row.entries;
            let (least, most) = if row.all { (row.live, row.live) } else { poisson_99(expected) };
            passed &= (least..=most).contains(&row.hits);
            json!([row.kind, ENTRIES, rounded(expected), least, most, row.hits])
        })
        .collect();
    json!({
        "title": "Random entries of each kind",
        "columns": ["kind", "entries", "hits expected", "at least", "at most", "found"],
        "rows": shown,
        "notes": [
            "Of contractor codes every entry was tried, of the others ten million drawn at random: SmartPINs at noon, one day codes and SMACs of both days around midnight.",
            "Figure: within the 99 % interval around the rate that docs/codes.md, section 9, computes.",
        ],
        "passed": passed,
    })
}

/// One lock, and what its codes are judged by.
struct Lock {
    keys: KeyTree,
    settings: Settings,
}

impl Lock {
    fn new() -> Self {
        let mut settings = Settings::default();
        settings.switches.smart_pins = true;
        settings.switches.contractor_mode = true;
        Self { keys: KeyTree::new(&Seed::new([0x5e; 32]), Generation::FIRST), settings }
    }
}

fn target(name: &str) -> Target {
    odds::targets().into_iter().find(|it| it.name == name).expect("a kind of the table")
}

/// Ten million entries, of which 2^64 is so much more than a multiple that the remainder is as good as even.
fn count<const N: usize>(seed: u64, opens: impl Fn(&[u8]) -> bool) -> u32 {
    let mut random = SplitMix(seed);
    (0..ENTRIES).map(|_| u32::from(opens(Digits::<N>::from_number(random.next()).as_ascii()))).sum()
}

fn row(kind: &'static str, target: Target, hits: u32) -> Row {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number of codes")]
    let live = target.live as u32;
    Row { kind, live, entries: 10_f64.powi(target.digits.cast_signed()), hits, all: false }
}

fn smart_pins(lock: &Lock) -> Vec<Row> {
    let key = SmartPinKey::of(&lock.keys, LockId([7; 16]));
    let mut random = SplitMix(2027);
    // No tolerance: the table's figure is for a clock that is right.
    let present = Present::at(NOW, 0);
    let rules = Rules { variants: Variant::new(2).unwrap_or_default(), ..Rules::default() };
    let mut hits = [0; 2];
    for _ in 0..ENTRIES {
        let entry = Digits::<10>::from_number(random.next());
        if let Ok(it) = key.verify(&lock.settings, rules, present, entry.as_ascii(), |_| false) {
            hits[0] += u32::from(it.variant == Variant::FIRST);
            hits[1] += 1;
        }
    }
    let kinds = ["SmartPIN, one variant", "SmartPIN, three variants"];
    kinds.into_iter().zip(hits).map(|(kind, hits)| row(kind, target(kind), hits)).collect()
}

fn contractors(lock: &Lock) -> Vec<Row> {
    let opens = |entry: &[u8]| contractor::verify(&lock.keys, &lock.settings, Present::LOST, entry).is_ok();
    let hits = (0..ENTRIES).filter(|it| opens(Digits::<7>::from_number(u64::from(*it)).as_ascii())).count();
    let hits = u32::try_from(hits).unwrap_or(u32::MAX);
    vec![Row { all: true, ..row("contractor, every entry", target("contractor (mode on)"), hits) }]
}

fn one_days(lock: &Lock) -> Vec<Row> {
    let present = Present::at(MIDNIGHT, TOLERANCE);
    let hits =
        count::<8>(8, |entry| one_day::verify(&lock.keys, &lock.settings, present, &[], entry).is_ok());
    vec![row("one day", target("one day"), hits)]
}

fn smacs(lock: &Lock) -> Vec<Row> {
    let hits =
        count::<9>(9, |entry| smac::verify(&lock.keys, Present::at(MIDNIGHT, TOLERANCE), entry).is_ok());
    vec![row("SMAC", target("SMAC"), hits)]
}

fn rounded(expected: f64) -> f64 {
    (expected * 10.0).round() / 10.0
}

/// The fewest and the most hits that leave at most 0.5 % of a Poisson distribution outside on either side: what many tries at
/// long odds come to.
fn poisson_99(mean: f64) -> (u32, u32) {
    // Logarithms, since e^-1000 is no number that a machine has.
    let (mut chance, mut sum, mut hits) = (-mean, 0.0, 0);
    let mut least = None;
    loop {
        sum += chance.exp();
        if least.is_none() && sum > 0.005 {
            least = Some(hits);
        }
        if sum >= 0.995 {
            return (least.unwrap_or(hits), hits);
        }
        hits += 1;
        chance += (mean / f64::from(hits)).ln();
    }
}
