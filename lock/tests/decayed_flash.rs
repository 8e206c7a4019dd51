//! Flash that has decayed by the next boot: whatever it lost, nothing bound to time opens, what can be read of the log
//! is kept, and the lock says so. [PIN-7, COD-1, COD-2]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

mod support;

use std::collections::HashMap;

use sentri_lock::{
    BootError, Lock,
    ports::{AREA_LEN, Indication},
    sim::{Rig, SimBoard, SimFlash},
};
use sentri_protocol::{
    Time,
    audit::{Entry, Kind},
    codes::{contractor, one_day},
    open::{Operation, Verdict, channel::LockMessage, channel::PhoneMessage},
    time::DAY as DAY_SECONDS,
};
use support::{DAY, NOW, PROGRAMMING_CODE, backend, phone_in, provisioning, smac, smart_pin, window};

/// How an eight-byte unit of flash decays.
const DECAYS: [fn(&mut [u8]); 3] = [
    |unit| unit[3] ^= 0x10,
    |unit| unit.fill(0),
    // What weak cells read as.
    |unit| unit.fill(0xff),
];

fn long_phone() -> sentri_lock::sim::SimPhone {
    phone_in(9, window(NOW.minus(DAY), NOW.plus(300 * DAY)))
}

/// A lock with something of every kind in its flash; `opens` more so that the page turns.
fn used(opens: u64) -> Rig {
    let mut made = provisioning();
    made.settings.switches.contractor_mode = true;
    let mut rig = Rig::provisioned(made);
    for _ in 0..opens {
        rig.type_code(contractor::code(&backend().keys, 0, 1).as_ascii()).expect("power");
    }
    let pin = smart_pin(0, 8, 0);
    let one_day = *one_day::code(&backend().keys, NOW.0 / DAY_SECONDS, 0).as_ascii();
    for entry in [&smac(3, NOW)[..], &one_day, b"7361", &pin, b"7595", &smart_pin(0, 9, 0)] {
        rig.type_code(entry).expect("power");
    }
    rig.pass(11_000).expect("power");
    for entry in [PROGRAMMING_CODE, b"128", &pin, b"7362"] {
        rig.type_code(entry).expect("power");
    }
    rig
}

/// All that must not be forgotten unsaid.
fn counts(lock: &Lock<SimBoard>) -> impl PartialEq + core::fmt::Debug + use<> {
    let state = lock.state();
    (state.tables.clone(), state.first_uses.clone(), state.wrong_tries, state.settings)
}

/// Every record that a phone can read, by number.
fn records(rig: &mut Rig) -> HashMap<u32, Entry> {
    let mut visit = rig.operate(&mut long_phone(), Operation::Service).expect("power");
    let (mut from, mut all) = (0, HashMap::new());
    loop {
        let ask = PhoneMessage::ReadAudit { from, at_most: 24 };
        let Some(LockMessage::Audit(bytes)) = rig.ask(&mut visit, &ask).expect("power") else {
            panic!("no audit batch");
        };
        let (batch, entries, _) = backend().read_batch(&bytes).expect("an authentic batch");
        if entries.is_empty() {
            return all;
        }
        from = batch.first + u32::try_from(entries.len()).expect("a small batch");
        all.extend((batch.first..).zip(entries));
    }
}

fn last(rig: &Rig) -> Option<Indication> {
    rig.board.take_indications().last().copied()
}

fn bring_time(rig: &mut Rig, time: Time) {
    let mut visit = rig.operate(&mut long_phone(), Operation::Service).expect("power");
    let answer = visit.answer.as_ref().expect("an answer").as_ref().expect("a proved ticket");
    let token = backend().fresh_time(answer.channel.handshake_hash(), time, false);
    rig.ask(&mut visit, &token).expect("power").expect("an answer");
    rig.board.take_indications();
}

#[derive(Debug, Default)]
struct Tally {
    unharmed: u32,
    told: u32,
    frozen: u32,
    dead: u32,
    records_lost: usize,
}

/// Boots flash with one unit decayed, and checks what is told of it.
fn check(
    image: &[u8],
    intact: &Rig,
    held: &HashMap<u32, Entry>,
    at: usize,
    tally: &mut Tally,
    context: &str,
) {
    let flash = SimFlash::from_image(image).expect("two areas");
    let mut rig = Rig::with_flash(flash, NOW.plus(60));
    match rig.reboot() {
        Ok(()) => {}
        // With its seed gone from the only page there is, it opens nothing, and can't be provisioned over.
        Err(BootError::Unreadable(_)) => {
            tally.dead += 1;
            let again = Lock::provision(rig.board.clone(), provisioning());
            assert!(matches!(again, Err(sentri_lock::ProvisionError::AlreadyProvisioned)), "{context}");
            return;
        }
        Err(error) => panic!("{context}: {error}"),
    }
    let says_so = last(&rig) == Some(Indication::NeedsService);
    let same = counts(rig.lock().expect("a lock")) == counts(intact.lock().expect("a lock"));
    assert!(same || says_so, "{context}: something is forgotten, and it doesn't say so");
    let frozen = says_so && !rig.lock().expect("a lock").state().damaged;
    let read = records(&mut rig);
    let missing = held.iter().filter(|(number, entry)| read.get(number) != Some(entry)).count();
    assert!(missing == 0 || says_so, "{context}: records are gone, and it doesn't say so");
    for (number, entry) in &read {
        assert!(held.get(number).is_none_or(|it| it == entry), "{context}: another record {number} at {at}");
    }
    if !says_so {
        tally.unharmed += 1;
        return;
    }
    if frozen {
        tally.frozen += 1;
    } else {
        tally.told += 1;
        tally.records_lost += missing;
        // What was in the broken entry, and the one after it whose chain it broke.
        assert!(missing <= 25, "{context}: {missing} records are gone");
        assert!(read.values().any(|it| it.kind == Kind::FlashFailed), "{context}: not in the log");
        let lost = rig.lock().expect("a lock").state().audit.start().lost;
        assert!(usize::try_from(lost).expect("few") >= missing, "{context}: gone uncounted");
    }
    bring_time(&mut rig, NOW.plus(60));
    let drives = rig.board.drives();
    // The last is wrong: no light tells it from a right one.
    for timed in
        [&smac(3, NOW)[..], &smac(4, NOW), &smart_pin(0, 8, 0), &smart_pin(0, 7, 0), b"7595", b"7363"]
    {
        rig.type_code(timed).expect("power");
        assert!(
            matches!(last(&rig), Some(Indication::NeedsService | Indication::Wait { .. })),
            "{context}: {timed:?}"
        );
    }
    assert_eq!(rig.board.drives(), drives, "{context}: opened");
    let status = rig.operate(&mut long_phone(), Operation::Service).expect("power").status();
    assert!(status.expect("a proved ticket").flags.flash_worn, "{context}");
    rig.reboot().expect("it boots");
    assert_eq!(last(&rig), Some(Indication::NeedsService), "{context}: says so no more");
}

/// Where the newest page begins, and its last entry: that one can't be told from one that a power cut left.
fn newest_page(before: &[u8], after: &[u8]) -> (usize, usize) {
    let last_entry = before.iter().zip(after).position(|(a, b)| a != b).expect("something was written");
    (last_entry / AREA_LEN * AREA_LEN, last_entry)
}

fn decay_everywhere(opens: u64, every: usize) -> Tally {
    let mut rig = used(opens);
    let before = rig.board.with_flash(|flash| flash.image());
    // A last entry, which alone may be forgotten unsaid: the hourly time.
    rig.pass(3_600_000).expect("power");
    let after = rig.board.with_flash(|flash| flash.image());
    let (begin, end) = newest_page(&before, &after);
    let image = after;
    let held = {
        let flash = SimFlash::from_image(&image).expect("two areas");
        let mut copy = Rig::with_flash(flash, NOW);
        copy.reboot().expect("it boots");
        let head = rig.lock().expect("a lock").state().audit.head();
        records(&mut copy).into_iter().filter(|(number, _)| *number <= head).collect::<HashMap<_, _>>()
    };
    let mut tally = Tally::default();
    let units =
        (begin..end).step_by(8 * every).chain([begin + 8, begin + AREA_LEN - 16, begin + AREA_LEN - 8]);
    for at in units {
        for (way, decay) in DECAYS.iter().enumerate() {
            let mut image = image.clone();
            decay(&mut image[at..at + 8]);
            check(&image, &rig, &held, at, &mut tally, &format!("byte {at}, way {way}"));
        }
    }
    println!("after {opens} opens: {tally:?}");
    tally
}

#[test]
fn flash_that_decayed_anywhere_closes_what_is_bound_to_time_keeps_the_log_and_says_so() {
    let first_page = decay_everywhere(3, 1);
    assert!(first_page.told > 100 && first_page.dead > 0, "{first_page:?}");
    let turned = decay_everywhere(200, 6);
    assert!(turned.told > 100 && turned.frozen > 0 && turned.dead == 0, "{turned:?}");
    assert!(first_page.unharmed >= 6 && turned.unharmed >= 6, "either header suffices");
}

#[test]
fn a_lock_whose_newest_page_has_no_beginning_reads_the_page_before_and_opens_nothing() {
    let rig = used(200);
    assert!(rig.board.with_flash(|flash| flash.erases()) >= 2, "the page turned");
    let head = rig.lock().unwrap().state().audit.head();
    let image = rig.board.with_flash(|flash| flash.image());
    // Without the newest page's beginning the log ends earlier: it shows which page that is.
    let mut frozen = 0;
    for area in [0, AREA_LEN] {
        let mut image = image.clone();
        image[area + 16..area + 32].fill(0);
        let mut rig = Rig::with_flash(SimFlash::from_image(&image).unwrap(), NOW);
        rig.reboot().unwrap();
        if rig.lock().unwrap().state().audit.head() >= head {
            continue;
        }
        frozen += 1;
        assert_eq!(last(&rig), Some(Indication::NeedsService));
        let writes = rig.board.with_flash(|flash| flash.operations());
        let code = contractor::code(&backend().keys, 0, 1);
        rig.type_code(code.as_ascii()).unwrap();
        assert_eq!(last(&rig), Some(Indication::NeedsService));
        let told = rig.open(&mut long_phone()).unwrap().unwrap();
        assert_eq!((told.verdict, told.flags.flash_worn), (Verdict::FlashFailed, true));
        assert!(!records(&mut rig).is_empty(), "what is there of the log can be fetched");
        assert_eq!(rig.board.with_flash(|flash| flash.operations()), writes, "nothing is written over");
        assert_eq!(rig.board.drives(), 0);
    }
    assert_eq!(frozen, 1);
}
