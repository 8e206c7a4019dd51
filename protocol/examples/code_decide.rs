//! Decides one entry of each kind, each in a function of its own, so that callgrind can count instructions
//! (`bench/README.md`). Keys are derived anew for each, as a lock does that was just woken.
//!
//! `RUSTFLAGS='--cfg aes_backend="soft"' cargo build --release -p sentri-protocol --example code_decide`

use std::hint::black_box;

use sentri_protocol::{
    Generation, KeyTree, Seed, Time,
    codes::{
        Digits, Present, contractor,
        one_day::{self, FirstUse},
        smac::{self, DayKey, Slot},
        smart_pin::{
            LockId, Rules, SmartPinKey, Variant,
            window::{LocalHour, PinWindow},
        },
        stored::{self, StoredCode},
        validity::Validity,
    },
    settings::Settings,
    time::DAY,
};
use serde_json::json;

/// 2027-06-01 00:01 UTC: one day codes and SMACs of two days count.
const NOW: Time = Time(20_970 * DAY + 60);
const LOCK: LockId = LockId([7; 16]);
/// A full table of a residential lock.
const STORED_CODES: u32 = 250;

fn main() {
    let keys = KeyTree::new(&Seed::new([0x5e; 32]), Generation::FIRST);
    let mut settings = Settings::default();
    settings.switches.contractor_mode = true;
    settings.switches.smart_pins = true;
    let present = Present::at(NOW, 1800);
    let used = [0, 1, 2, 3].map(|index| FirstUse { day: 20_969, index, at: NOW.minus(600) });
    let table: Vec<StoredCode> = (0..STORED_CODES)
        .filter_map(|it| {
            StoredCode::parse(Digits::<8>::from_number(u64::from(it) * 39_916_801).as_ascii()).ok()
        })
        .collect();

    let contractor = *contractor::code(&keys, 2, 1).as_ascii();
    let one_day = *one_day::code(&keys, 20_969, 3).as_ascii();
    let smac = Slot::new(42).and_then(|slot| DayKey::derive(&keys, 20_969, slot).code(NOW.minus(120)).ok());
    let smac = smac.map(|it| *it.as_ascii()).unwrap_or_default();
    let window = LocalHour::new(20_968, 15).zip(LocalHour::new(20_973, 11));
    let window = window.and_then(|(start, end)| PinWindow::hourly(start, end).ok());
    let pin = window.map(|it| SmartPinKey::of(&keys, LOCK).generate(it, Variant::FIRST));
    let pin = pin.map(|it| *it.digits().as_ascii()).unwrap_or_default();
    let stored = table.last().map(|it| it.as_ascii().to_vec()).unwrap_or_default();

    let right = [
        ("contractor", decide_contractor(&keys, &settings, present, &contractor)),
        ("one day", decide_one_day(&keys, &settings, present, &used, &one_day)),
        ("SMAC", decide_smac(&keys, present, &smac)),
        ("SmartPIN", decide_smart_pin(&keys, &settings, present, &pin)),
        ("stored", decide_stored(&table, &settings, present, &stored)),
    ];
    let rows: Vec<_> = right.iter().map(|(kind, opens)| json!([kind, opens])).collect();
    let report = json!({
        "title": "Deciding one entry",
        "columns": ["kind", "right entry opens"],
        "rows": rows,
        "notes": [
            "Each with its keys derived anew, one day codes and SMACs at midnight with four used codes, the stored one last of a table of 250.",
            "Figure: under 200,000 instructions each, AES in software.",
        ],
        "passed": right.iter().all(|(_, opens)| *opens),
    });
    println!("{report}");
}

#[inline(never)]
fn decide_contractor(keys: &KeyTree, settings: &Settings, present: Present, entry: &[u8]) -> bool {
    contractor::verify(black_box(keys), settings, present, entry).is_ok()
}

#[inline(never)]
fn decide_one_day(
    keys: &KeyTree,
    settings: &Settings,
    present: Present,
    used: &[FirstUse],
    entry: &[u8],
) -> bool {
    one_day::verify(black_box(keys), settings, present, used, entry).is_ok()
}

#[inline(never)]
fn decide_smac(keys: &KeyTree, present: Present, entry: &[u8]) -> bool {
    smac::verify(black_box(keys), present, entry).is_ok()
}

#[inline(never)]
fn decide_smart_pin(keys: &KeyTree, settings: &Settings, present: Present, entry: &[u8]) -> bool {
    let key = SmartPinKey::of(black_box(keys), LOCK);
    key.verify(settings, Rules::default(), present, entry, |_| false).is_ok()
}

#[inline(never)]
fn decide_stored(table: &[StoredCode], settings: &Settings, present: Present, entry: &[u8]) -> bool {
    stored::find(black_box(table), entry).is_some()
        && Validity::Permanent.judge(settings.zone, present).is_ok()
}
