//! Access events and the log. [CON-3, CON-4, SYN-3]

use sentri_protocol::{
    Time,
    open::{OperationId, Verdict},
    status::{ClockQuality, Status, StatusFlags},
    ticket::Epoch,
};
use sentri_wire::{
    Binary,
    agent::{Grant, Lockbox},
    event::{EventReceipts, LogPage, Outcome, ReceiptResult},
    sync::Message,
};
use serde_json::{Value, json};
use sqlx::Connection as _;
use uuid::Uuid;

use crate::{
    accounts::join_all,
    world::{ARIS_BOX, BLE, HOUR, NOW, Phone, Ready, World, records},
};

const OPERATION: [u8; 8] = [7; 8];

pub fn status(verdict: Verdict) -> Status {
    Status {
        verdict,
        operation_id: OperationId(OPERATION),
        clock: Time::from_unix(NOW + 60).unwrap(),
        quality: ClockQuality::Good { days: 0 },
        epoch: Epoch(1),
        revocation_version: 0,
        settings_version: 1,
        log_head: 1,
        unacknowledged: 1,
        battery: 87,
        firmware: 1,
        retry_after: 0,
        flags: StatusFlags::default(),
    }
}

pub fn event(ready: &Ready, id: Uuid, status: Option<&[u8]>) -> Value {
    let mut event = json!({ "id": id, "at": NOW, "lockbox": BLE, "access_id": ready.grant.id,
        "operation": Binary::from(OPERATION), "outcome": "opened" });
    if let Some(status) = status {
        event["status"] = json!(Binary::from(status.to_vec()));
    }
    event
}

pub async fn upload(world: &World, phone: &Phone, events: &[&Value]) -> Vec<ReceiptResult> {
    let receipts: EventReceipts = world.post(phone, "/v1/events", &json!({ "events": events })).await.ok();
    receipts.receipts.into_iter().map(|receipt| receipt.result).collect()
}

pub async fn log(world: &World, phone: &Phone) -> Vec<sentri_wire::event::LogEntry> {
    world.get(phone, "/v1/access-log").await.ok::<LogPage>().entries
}

/// SYN-3: uploaded twice it is stored once; with another body the first one stays.
#[tokio::test]
async fn an_event_is_stored_once() {
    let world = World::new().await;
    let ready = world.ready().await;
    world.clock.advance(HOUR / 10);
    let signed = status(Verdict::Opened).sign(&world.keys(BLE));
    let first = event(&ready, Uuid::new_v4(), Some(&signed));
    assert_eq!(upload(&world, &ready.bo, &[&first]).await, [ReceiptResult::Stored]);
    assert_eq!(upload(&world, &ready.bo, &[&first]).await, [ReceiptResult::Duplicate]);
    let mut other = first.clone();
    other["outcome"] = json!("too_early");
    let both = upload(&world, &ready.bo, &[&other, &first]).await;
    assert_eq!(both, [ReceiptResult::Conflict, ReceiptResult::Duplicate]);
    let log = log(&world, &ready.dana).await;
    assert_eq!(log.len(), 1);
    assert_eq!(log[0].outcome, Outcome::Opened);

    // Doubled within one upload.
    let second = event(&ready, Uuid::new_v4(), None);
    let both = upload(&world, &ready.bo, &[&second, &second]).await;
    assert_eq!(both, [ReceiptResult::Stored, ReceiptResult::Duplicate]);
}

/// SYN-3: what comes at one moment is stored together, and each phone hears of its own: new, known already, not its own.
#[tokio::test]
async fn uploads_at_one_moment_are_each_answered_for_themselves_and_stored_once() {
    let world = World::new().await;
    let ready = world.ready().await;
    let plain = || {
        let mut event = event(&ready, Uuid::new_v4(), None);
        event["operation"] = Value::Null;
        event
    };
    let (shared, mut foreign) = (plain(), plain());
    foreign["access_id"] = json!(Uuid::new_v4());
    let one = || async {
        let own = plain();
        upload(&world, &ready.bo, &[&own, &shared, &foreign]).await
    };
    let all = join_all((0..6).map(|_| one())).await;
    for receipts in &all {
        assert_eq!((receipts[0], receipts[2]), (ReceiptResult::Stored, ReceiptResult::Refused));
    }
    let stored = all.iter().filter(|receipts| receipts[1] == ReceiptResult::Stored).count();
    let known = all.iter().filter(|receipts| receipts[1] == ReceiptResult::Duplicate).count();
    assert_eq!((stored, known), (1, 5), "the shared one: {all:?}");
    assert_eq!(log(&world, &ready.dana).await.len(), 7);
    // As many as may come at once, which no single statement stores.
    let many: Vec<Value> = (0..100).map(|_| plain()).collect();
    let many: Vec<&Value> = many.iter().collect();
    assert_eq!(upload(&world, &ready.bo, &many).await, [ReceiptResult::Stored; 100]);
    assert_eq!(upload(&world, &ready.bo, &many).await, [ReceiptResult::Duplicate; 100]);
}

/// SYN-3: what the database won't take of one upload is nothing to those that came at the same moment.
#[tokio::test]
async fn an_upload_that_can_t_be_stored_fails_alone() {
    let world = World::new().await;
    let ready = world.ready().await;
    let poison = Uuid::new_v4();
    refuse_in_the_database(&world, poison).await;
    let one = |n: usize| {
        let id = if n == 20 { poison } else { Uuid::new_v4() };
        let mut event = event(&ready, id, None);
        event["operation"] = Value::Null;
        let (world, bo) = (&world, &ready.bo);
        async move { world.post(bo, "/v1/events", &json!({ "events": [event] })).await }
    };
    let all = join_all((0..40).map(one)).await;
    for (n, reply) in all.into_iter().enumerate() {
        if n == 20 {
            assert_eq!(reply.status, 500);
        } else {
            assert_eq!(reply.ok::<EventReceipts>().receipts[0].result, ReceiptResult::Stored);
        }
    }
    assert_eq!(log(&world, &ready.dana).await.len(), 39);
}

/// From now on, an event with this id breaks its statement.
async fn refuse_in_the_database(world: &World, id: Uuid) {
    let sql = if world.config.database.starts_with("sqlite") {
        format!(
            "CREATE TRIGGER poison BEFORE INSERT ON access_events WHEN NEW.id = '{id}' \
             BEGIN SELECT RAISE(ABORT, 'poison'); END"
        )
    } else {
        format!("ALTER TABLE access_events ADD CONSTRAINT poison CHECK (id <> '{id}')")
    };
    let mut conn = sqlx::AnyConnection::connect(&world.config.database).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
}

/// CON-4, LST-2: the lock's own word confirms, and the granter is told.
#[tokio::test]
async fn a_confirmed_open_tells_the_granter() {
    let world = World::new().await;
    let ready = world.ready().await;
    world.clock.advance(HOUR / 10);
    let signed = status(Verdict::Opened).sign(&world.keys(BLE));
    upload(&world, &ready.bo, &[&event(&ready, Uuid::new_v4(), Some(&signed))]).await;

    let entry = &log(&world, &ready.dana).await[0];
    assert!(entry.confirmed_by_lock);
    assert_eq!((entry.at, entry.who.as_str()), (NOW + 60, "Bo Lindqvist"));
    assert_eq!(entry.listing_id, Some(ready.listing.id));
    let (changes, _) = world.sync(&ready.dana, None).await;
    let used: Vec<_> = records::<Message>(&changes)
        .into_iter()
        .filter(|it| it.title == "SentriConnect Access Used")
        .collect();
    assert_eq!(used.len(), 1);
    assert!(used[0].body.starts_with("Bo Lindqvist opened the lockbox at 12 Oak St"), "{}", used[0].body);
    assert_eq!(records::<Grant>(&changes)[0].last_used_at, Some(NOW + 60));
    let ble = records::<Lockbox>(&changes).into_iter().find(|it| it.serial == BLE).unwrap();
    assert_eq!((ble.battery_percent, ble.last_heard_at), (Some(87), Some(NOW + 360)));
    // The settings have arrived, so that phones need not carry them any more.
    let (changes, _) = world.sync(&ready.bo, None).await;
    assert!(records::<sentri_wire::credential::LockSettings>(&changes).is_empty());
}

/// The backend believes only what the status MAC covers.
#[tokio::test]
async fn a_forged_or_borrowed_status_confirms_nothing() {
    let world = World::new().await;
    let ready = world.ready().await;
    let good = status(Verdict::Opened).sign(&world.keys(BLE));
    let mut flipped = good;
    flipped[10] ^= 1;
    let of_another_lock = status(Verdict::Opened).sign(&world.keys(ARIS_BOX));
    for bad in [&flipped[..], &of_another_lock, &good[..43], &[]] {
        upload(&world, &ready.bo, &[&event(&ready, Uuid::new_v4(), Some(bad))]).await;
    }
    let mut other_operation = event(&ready, Uuid::new_v4(), Some(&good));
    other_operation["operation"] = json!(Binary::from([8; 8]));
    upload(&world, &ready.bo, &[&other_operation]).await;
    assert!(log(&world, &ready.dana).await.iter().all(|entry| !entry.confirmed_by_lock));
    let (changes, _) = world.sync(&ready.dana, None).await;
    assert!(records::<Message>(&changes).iter().all(|it| it.title != "SentriConnect Access Used"));

    // The lock's word serves one event.
    upload(&world, &ready.bo, &[&event(&ready, Uuid::new_v4(), Some(&good))]).await;
    upload(&world, &ready.bo, &[&event(&ready, Uuid::new_v4(), Some(&good))]).await;
    let confirmed = log(&world, &ready.dana).await.into_iter().filter(|it| it.confirmed_by_lock).count();
    assert_eq!(confirmed, 1);
}

/// CON-3: refusals are in the log too, as the lock judged them, whatever the phone says.
#[tokio::test]
async fn refusals_are_logged_as_the_lock_judged() {
    let world = World::new().await;
    let ready = world.ready().await;
    let signed = status(Verdict::OutsideHours).sign(&world.keys(BLE));
    upload(&world, &ready.bo, &[&event(&ready, Uuid::new_v4(), Some(&signed))]).await;
    let mut own =
        json!({ "id": Uuid::new_v4(), "at": NOW + 10 * HOUR, "lockbox": BLE, "outcome": "wrong_box" });
    upload(&world, &ready.bo, &[&own]).await;
    let log = log(&world, &ready.dana).await;
    let seen: Vec<_> = log.iter().map(|entry| (entry.outcome, entry.confirmed_by_lock)).collect();
    assert_eq!(seen.len(), 2);
    assert!(seen.contains(&(Outcome::OutsideHours, true)) && seen.contains(&(Outcome::WrongBox, false)));
    // A phone's clock that runs ahead does not put entries into the future.
    assert!(log.iter().all(|entry| entry.at <= NOW + 60));

    own["lockbox"] = json!(ARIS_BOX);
    own["id"] = json!(Uuid::new_v4());
    assert_eq!(upload(&world, &ready.bo, &[&own]).await, [ReceiptResult::Refused]);
    own["lockbox"] = json!("NOPE");
    assert_eq!(upload(&world, &ready.bo, &[&own]).await, [ReceiptResult::Refused]);
}

/// WEB-4: by time range and listing, in pages.
#[tokio::test]
async fn the_log_is_read_in_pages() {
    let world = World::new().await;
    let ready = world.ready().await;
    world.clock.advance(HOUR / 10);
    let events: Vec<Value> = (0..75)
        .map(|n| json!({ "id": Uuid::new_v4(), "at": NOW + n, "lockbox": BLE, "outcome": "too_early" }))
        .collect();
    upload(&world, &ready.bo, &events.iter().collect::<Vec<_>>()).await;
    let first: LogPage = world.get(&ready.dana, "/v1/access-log").await.ok();
    assert_eq!((first.entries.len(), first.entries[0].at), (50, NOW + 74));
    let path = format!("/v1/access-log?after={}", first.next.unwrap());
    let second: LogPage = world.get(&ready.dana, &path).await.ok();
    assert_eq!((second.entries.len(), second.next), (25, None));
    let path = format!("/v1/access-log?from={}&to={}&listing_id={}", NOW + 5, NOW + 7, ready.listing.id);
    let range: LogPage = world.get(&ready.dana, &path).await.ok();
    assert_eq!(range.entries.iter().map(|entry| entry.at).collect::<Vec<_>>(), [NOW + 6, NOW + 5]);

    let too_many: Vec<&Value> = events.iter().chain(&events).collect();
    let reply = world.post(&ready.bo, "/v1/events", &json!({ "events": too_many })).await;
    assert_eq!(reply.refused("invalid", Some("events")).limit, Some(100));
}
