//! The access log tells what the lock did, whatever reached the phone: its own records are laid beside what phones
//! report. [CON-3, CON-4]

use sentri_protocol::{
    Time,
    audit::{Batch, CHAIN_START, Entry, Kind, Record},
    open::Verdict,
};
use sentri_wire::{
    Binary,
    agent::Grant,
    credential::Credential,
    event::{AuditReceipt, LogEntry, Outcome, ReceiptResult},
    sync::Message,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    events::{event, log, status, upload},
    world::{BLE, HOUR, NOW, Phone, Ready, World, records},
};

/// A contractor in the middle of an access, with the id of the credential on the phone.
pub async fn visit() -> (World, Ready, [u8; 8]) {
    let world = World::new().await;
    let ready = world.ready().await;
    world.clock.advance(HOUR / 10);
    let who = credential(&world, &ready.bo).await;
    (world, ready, who)
}

async fn credential(world: &World, phone: &Phone) -> [u8; 8] {
    let (changes, _) = world.sync(phone, None).await;
    hex::decode(&records::<Credential>(&changes)[0].id).unwrap().try_into().unwrap()
}

/// What a lock wrote down of an operation, so many seconds after [`NOW`].
pub fn entry(who: [u8; 8], verdict: Verdict, at: i64) -> Entry {
    Entry {
        time: Time::from_unix(NOW + at).unwrap(),
        kind: if verdict == Verdict::MotorFailed { Kind::MotorFailed } else { Kind::Ble },
        clock_lost: verdict == Verdict::ClockLost,
        result: verdict.code(),
        who,
        operation: [7; 4],
        skew: 0,
    }
}

/// Some phone brings all records of the lock, of which these are the ones from `from` on.
pub async fn bring(world: &World, phone: &Phone, from: u32, entries: &[Entry]) {
    let keys = world.keys(BLE);
    let mut carried: Vec<Record> = Vec::new();
    for (number, entry) in (from..).zip(entries) {
        let previous = carried.last().map_or(CHAIN_START, Record::tag);
        carried.push(Record::seal(&keys, number, &previous, entry));
    }
    let batch = Batch { first: from, lost: from - 1, previous: CHAIN_START, records: carried }.sign(&keys);
    let body = json!({ "batch": Binary::from(batch) });
    world.post(phone, &format!("/v1/locks/{BLE}/audit"), &body).await.ok::<AuditReceipt>();
}

fn unanswered(ready: &Ready) -> Value {
    let mut event = event(ready, Uuid::new_v4(), None);
    event["outcome"] = json!("unanswered");
    event
}

async fn times_told(world: &World, ready: &Ready) -> usize {
    let (changes, _) = world.sync(&ready.dana, None).await;
    records::<Message>(&changes).iter().filter(|it| it.title == "SentriConnect Access Used").count()
}

fn seen(log: &[LogEntry]) -> Vec<(Outcome, bool)> {
    log.iter().map(|entry| (entry.outcome, entry.confirmed_by_lock)).collect()
}

/// CON-3, CON-4: the bin opened and M2 never reached the phone. Whoever brings the lock's record tells it.
#[tokio::test]
async fn an_open_that_the_phone_did_not_hear_of_is_told_by_the_locks_record() {
    let (world, ready, who) = visit().await;
    assert_eq!(upload(&world, &ready.bo, &[&unanswered(&ready)]).await, [ReceiptResult::Stored]);
    assert_eq!(seen(&log(&world, &ready.dana).await), [(Outcome::Unanswered, false)]);
    assert_eq!(times_told(&world, &ready).await, 0);

    for _ in 0..2 {
        bring(&world, &ready.bo, 1, &[entry(who, Verdict::Opened, 60)]).await;
        let log = log(&world, &ready.dana).await;
        assert_eq!(seen(&log), [(Outcome::Opened, true)]);
        assert_eq!((log[0].at, log[0].who.as_str()), (NOW + 60, "Bo Lindqvist"));
        assert_eq!(times_told(&world, &ready).await, 1, "once, however often the records come");
    }
    let (changes, _) = world.sync(&ready.dana, None).await;
    assert_eq!(records::<Grant>(&changes)[0].last_used_at, Some(NOW + 60));
}

/// SYN-3: another phone brings the record before the first one reports; the report adds no second line.
#[tokio::test]
async fn a_report_that_comes_after_the_record_is_laid_to_its_line() {
    let (world, ready, who) = visit().await;
    bring(&world, &ready.bo, 1, &[entry(who, Verdict::Opened, 60)]).await;
    let made = log(&world, &ready.dana).await;
    assert_eq!((seen(&made), made[0].listing_id), (vec![(Outcome::Opened, true)], Some(ready.listing.id)));

    let report = unanswered(&ready);
    assert_eq!(upload(&world, &ready.bo, &[&report]).await, [ReceiptResult::Stored]);
    assert_eq!(upload(&world, &ready.bo, &[&report]).await, [ReceiptResult::Duplicate]);
    assert_eq!(seen(&log(&world, &ready.dana).await), [(Outcome::Opened, true)]);
    assert_eq!(times_told(&world, &ready).await, 1);
    // The line has its event now: one more is another try.
    upload(&world, &ready.bo, &[&unanswered(&ready)]).await;
    assert_eq!(log(&world, &ready.dana).await.len(), 2);
}

/// A phone reports and another brings the records at the same moment: one line for each try all the same.
#[tokio::test]
async fn a_report_and_a_record_at_one_moment_make_one_line() {
    let (world, ready, who) = visit().await;
    for round in 1..=12_u8 {
        let mut report = unanswered(&ready);
        report["operation"] = json!(Binary::from([round; 8]));
        let entry = Entry { operation: [round; 4], ..entry(who, Verdict::Opened, 60) };
        let (records, report) = ([entry], [&report]);
        tokio::join!(bring(&world, &ready.bo, round.into(), &records), upload(&world, &ready.bo, &report));
        let log = log(&world, &ready.dana).await;
        assert_eq!(seen(&log), vec![(Outcome::Opened, true); round.into()], "round {round}");
    }
}

/// What the status said already is not said again by the records that it was made of.
#[tokio::test]
async fn records_of_a_try_that_was_told_add_nothing() {
    let (world, ready, who) = visit().await;
    let mut told = status(Verdict::Opened);
    told.log_head = 2;
    let signed = told.sign(&world.keys(BLE));
    upload(&world, &ready.bo, &[&event(&ready, Uuid::new_v4(), Some(&signed))]).await;
    // Judged twice in that session: before the phone brought the time, and after.
    let both = [entry(who, Verdict::ClockLost, 10), entry(who, Verdict::Opened, 60)];
    bring(&world, &ready.bo, 1, &both).await;
    assert_eq!(seen(&log(&world, &ready.dana).await), [(Outcome::Opened, true)]);
    assert_eq!(times_told(&world, &ready).await, 1);
}

/// The lock judges an operation again once it has the time, and its motor may fail: its newest word counts.
#[tokio::test]
async fn the_locks_newest_word_counts() {
    let (world, ready, who) = visit().await;
    upload(&world, &ready.bo, &[&unanswered(&ready)]).await;
    let words = [
        (Verdict::ClockLost, Outcome::ClockLost),
        (Verdict::Opened, Outcome::Opened),
        (Verdict::MotorFailed, Outcome::Refused),
    ];
    for (number, (verdict, outcome)) in (1..).zip(words) {
        bring(&world, &ready.bo, number, &[entry(who, verdict, 60)]).await;
        assert_eq!(seen(&log(&world, &ready.dana).await), [(outcome, true)], "{verdict:?}");
    }
}

/// A phone chooses its operations: two opens under one name are two lines, also where it reports one of them only.
#[tokio::test]
async fn no_open_hides_behind_another_of_the_same_name() {
    let (world, ready, who) = visit().await;
    let mut told = status(Verdict::Opened);
    told.log_head = 9;
    let signed = told.sign(&world.keys(BLE));
    upload(&world, &ready.bo, &[&event(&ready, Uuid::new_v4(), Some(&signed))]).await;
    bring(&world, &ready.bo, 5, &[entry(who, Verdict::Opened, -HOUR)]).await;
    bring(&world, &ready.bo, 9, &[entry(who, Verdict::Opened, 60), entry(who, Verdict::Opened, 300)]).await;
    let opened: Vec<_> = log(&world, &ready.dana).await.iter().map(|line| line.at - NOW).collect();
    assert_eq!(opened, [300, 60, -HOUR]);
    assert_eq!(times_told(&world, &ready).await, 3);
}

/// What another person's phone says of an operation with the same name stays that person's.
#[tokio::test]
async fn a_record_confirms_nobody_elses_report() {
    let (world, ready, who) = visit().await;
    world.grant(&ready.dana, &ready.listing, "cy@roof.example", NOW + HOUR, NOW + 2 * HOUR).await;
    let cy = world.sign_up("cy@roof.example", "503-555-0198").await;
    world.sync(&cy, None).await;
    let mut report = unanswered(&ready);
    report["access_id"] = json!(null);
    assert_eq!(upload(&world, &cy, &[&report]).await, [ReceiptResult::Stored]);
    bring(&world, &cy, 1, &[entry(who, Verdict::Opened, 60)]).await;
    let seen = seen(&log(&world, &ready.dana).await);
    assert_eq!(seen.len(), 2);
    assert!(seen.contains(&(Outcome::Opened, true)) && seen.contains(&(Outcome::Unanswered, false)));
}

/// ACC-11: a credential that nobody here knows any more opened: the line has no name.
#[tokio::test]
async fn a_try_of_somebody_who_is_gone_has_no_name() {
    let (world, ready, _) = visit().await;
    bring(&world, &ready.bo, 1, &[entry([9; 8], Verdict::Revoked, 60)]).await;
    let log = log(&world, &ready.dana).await;
    assert_eq!(seen(&log), [(Outcome::Revoked, true)]);
    assert_eq!(log[0].who, "Former user");
}

/// What is no try by phone (a boot, settings that arrived) makes no line.
#[tokio::test]
async fn what_the_lock_did_by_itself_is_no_try() {
    let (world, ready, who) = visit().await;
    let boot = Entry { kind: Kind::Boot, ..entry([0; 8], Verdict::Opened, 60) };
    let settings = Entry { kind: Kind::Settings, ..entry(who, Verdict::Opened, 60) };
    let unknown = Entry { result: 200, ..entry(who, Verdict::Opened, 60) };
    bring(&world, &ready.bo, 1, &[boot, settings, unknown]).await;
    assert!(log(&world, &ready.dana).await.is_empty());
}
