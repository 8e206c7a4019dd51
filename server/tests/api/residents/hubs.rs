//! RES-5: locks that are reached by a hub. It carries what is sealed, says which locks it hears, and is believed in nothing
//! else.

use sentri_protocol::{
    clock::FreshTime,
    ticket::{Rights, Ticket},
};
use sentri_server::operator::ProvisionedDoor;
use sentri_wire::{
    Binary,
    credential::TimeResponse,
    event::AuditReceipt,
    hub::{HubLock, HubOrders},
    residence::{CodeState, Door, DoorCode, DoorKind, DoorReach, HubProgress},
};
use serde_json::{Value, json};

use super::{Lock, Maple, UNIT, door};
use crate::world::{DAY, NOW, Phone, Reply, World, records};

const HUB: &str = "HUB-001";
const OTHER_HUB: &str = "HUB-002";
/// Rae's second door, behind a hub.
const BACK: &str = "BACK-001";
const HEARD: &str = "heard";

/// Maple Court with a hub that hears the lock of Rae's back door.
struct Court {
    maple: Maple,
    key: String,
    back: ProvisionedDoor,
}

impl Court {
    async fn new() -> Self {
        let maple = Maple::new().await;
        let operator = maple.world.server.operator();
        let new = door(BACK, DoorKind::Unit, Some("1"), Some(HUB));
        let back = operator.provision_door(&new).await.unwrap();
        let key = key(&maple.world, HUB).await;
        Self { maple, key, back }
    }

    async fn online() -> Self {
        let court = Self::new().await;
        court.hears(0).await;
        court
    }

    fn world(&self) -> &World {
        &self.maple.world
    }

    fn rae(&self) -> &Phone {
        &self.maple.rae
    }

    fn lock(&self) -> Lock {
        Lock::of(&self.back)
    }

    async fn post(&self, key: &str, path: &str, body: &Value) -> Reply {
        self.world().send("POST", path, Some(key), &[], Some(body.to_string().into_bytes())).await
    }

    async fn call(&self, report: Value) -> HubOrders {
        self.post(&self.key, "/v1/hub/calls", &report).await.ok()
    }

    /// The hub calls and says how long ago it heard the lock.
    async fn hears(&self, seconds_ago: u32) -> HubLock {
        let orders = self.call(json!({ HEARD: [{ "lock": BACK, "seconds_ago": seconds_ago }] })).await;
        orders.locks.into_iter().find(|it| it.lock == BACK).unwrap()
    }

    async fn hand_in(&self, lock: &Lock) {
        let body = json!({ "batch": Binary::from(lock.batch()) });
        let path = format!("/v1/hub/locks/{BACK}/audit");
        self.post(&self.key, &path, &body).await.ok::<AuditReceipt>();
    }

    async fn generate(&self) -> Reply {
        let path = format!("/v1/doors/{BACK}/codes/generate");
        self.world().post(self.rae(), &path, &json!({})).await
    }

    async fn code(&self) -> DoorCode {
        self.maple.codes(self.rae(), BACK).await.remove(0)
    }

    async fn progress(&self) -> Option<HubProgress> {
        self.code().await.progress
    }
}

async fn key(world: &World, hub: &str) -> String {
    world.server.operator().renew_hub_key(hub).await.unwrap().key.expose().to_owned()
}

/// RES-5: the way of a code by the hub, with its progress; the old one works until the lock's own record says otherwise.
#[tokio::test]
async fn res_5_a_hub_carries_a_code_and_the_resident_sees_how_far_it_is() {
    let court = Court::online().await;
    let mut lock = court.lock();
    let first: DoorCode = court.generate().await.ok();
    assert_eq!((first.state, first.progress), (CodeState::Pending, Some(HubProgress::WaitingForHub)));
    let due = court.hears(0).await.codes.expect("what is due");
    assert_eq!(court.progress().await, Some(HubProgress::OnItsWay));
    assert!(lock.take(due.deliveries[0].as_ref(), 0));
    // The hub says so: it is shown, and nothing more.
    court.call(json!({ "brought": [{ "lock": BACK, "version": due.version }] })).await;
    let told = court.code().await;
    assert_eq!((told.state, told.progress), (CodeState::Pending, Some(HubProgress::AtLock)));
    court.hand_in(&lock).await;
    let now = court.code().await;
    assert_eq!((now.state, &now.working, now.progress), (CodeState::Works, &first.next, None));

    let second: DoorCode = court.generate().await.ok();
    assert_eq!((second.working.as_ref(), second.state), (first.next.as_ref(), CodeState::Pending));
    let synced: Vec<DoorCode> = records(&court.world().sync(court.rae(), None).await.0);
    assert_eq!(synced[0].progress, Some(HubProgress::WaitingForHub));
    // What a phone gets by sync follows.
    let (_, cursor) = court.world().sync(court.rae(), None).await;
    court.hears(0).await;
    let (changes, _) = court.world().sync(court.rae(), Some(&cursor)).await;
    assert_eq!(records::<DoorCode>(&changes)[0].progress, Some(HubProgress::OnItsWay));
}

/// RES-5: refused, and nothing changed, while the hub is offline; and while the hub is online and does not hear the lock.
#[tokio::test]
async fn res_5_a_change_is_refused_while_hub_or_lock_is_offline() {
    let court = Court::new().await;
    let clock = &court.world().clock;
    court.generate().await.refused("hub-offline", None);
    // Online, and has never heard the lock.
    court.call(json!({})).await;
    court.generate().await.refused("lock-offline", None);
    court.hears(600).await;
    court.generate().await.refused("lock-offline", None);
    assert_eq!(court.maple.codes(court.rae(), BACK).await, []);
    court.hears(0).await;
    clock.advance(119);
    let made: DoorCode = court.generate().await.ok();
    clock.advance(1);
    // Every kind of change, and nothing has moved.
    let pick = court.maple.pick(court.rae(), BACK, "8264").await;
    assert!(pick.refused("hub-offline", None).detail.unwrap().contains("Nothing was changed"));
    let guests = format!("/v1/doors/{BACK}/codes/guests");
    let guest = json!({ "guest": "Kim", "validity": { "kind": "permanent" } });
    court.world().post(court.rae(), &guests, &guest).await.refused("hub-offline", None);
    let path = format!("/v1/door-codes/{}", made.id);
    court.world().delete(court.rae(), &path).await.refused("hub-offline", None);
    assert_eq!(court.code().await.next, made.next);
    // The hub is back, and the lock was last heard two minutes ago: that is near enough, ten are not.
    court.call(json!({})).await;
    court.generate().await.ok::<DoorCode>();
    clock.advance(480);
    court.call(json!({})).await;
    court.generate().await.refused("lock-offline", None);
    // Doors that phones reach don't care.
    let rae = court.world().again(court.rae()).await;
    court.maple.generate(&rae, UNIT).await;
}

/// RES-5: what a hub has in hand it is not given twice, until its time for it is over; a newer version at once.
#[tokio::test]
async fn res_5_a_delivery_is_in_one_hand_at_a_time() {
    let court = Court::online().await;
    assert_eq!(court.hears(0).await.codes, None);
    court.generate().await.ok::<DoorCode>();
    let first = court.hears(0).await.codes.unwrap();
    assert_eq!(court.hears(0).await.codes, None);
    // The hub lost the link midway, or forgot: it gets the same again.
    court.world().clock.advance(119);
    assert_eq!(court.hears(0).await.codes, None);
    court.world().clock.advance(1);
    assert_eq!(court.progress().await, Some(HubProgress::WaitingForHub));
    assert_eq!(court.hears(0).await.codes.as_ref(), Some(&first));
    court.generate().await.ok::<DoorCode>();
    assert_eq!(court.progress().await, Some(HubProgress::WaitingForHub));
    let second = court.hears(0).await.codes.unwrap();
    assert_eq!((first.version, second.version), (1, 2));
    // Two calls at one moment: one of them gets it.
    court.generate().await.ok::<DoorCode>();
    let (one, other) = tokio::join!(court.hears(0), court.hears(0));
    assert_eq!(usize::from(one.codes.is_some()) + usize::from(other.codes.is_some()), 1);
}

/// RES-5: delivered twice, by hub and phone, and older after newer: the lock's version counts.
#[tokio::test]
async fn res_5_delivered_twice_or_late_changes_nothing() {
    let court = Court::online().await;
    let mut lock = court.lock();
    court.generate().await.ok::<DoorCode>();
    let older = court.hears(0).await.codes.unwrap().deliveries.remove(0);
    let second: DoorCode = court.generate().await.ok();
    // A resident's phone was faster with the newer one.
    court.maple.deliver(court.rae(), BACK, &mut lock, 0).await;
    assert!(!lock.take(older.as_ref(), 0), "the lock has a newer version");
    for version in [1, 2, 7] {
        court.call(json!({ "brought": [{ "lock": BACK, "version": version }] })).await;
    }
    for _ in 0..2 {
        court.hand_in(&lock).await;
    }
    let now = court.code().await;
    assert_eq!((now.state, &now.working, now.progress), (CodeState::Works, &second.next, None));
    assert_eq!(court.hears(0).await.codes, None);
    // What a hub says of a version that it never had counts for nothing.
    court.generate().await.ok::<DoorCode>();
    court.call(json!({ "brought": [{ "lock": BACK, "version": 3 }, { "lock": UNIT, "version": 1 }] })).await;
    assert_ne!(court.progress().await, Some(HubProgress::AtLock));
}

/// RES-5: a hub reaches its own locks alone, and what it says of others counts for nothing.
#[tokio::test]
async fn res_5_another_hubs_lock_is_refused() {
    let court = Court::new().await;
    let operator = court.world().server.operator();
    operator.add_hub(OTHER_HUB, "Maple Court").await.unwrap();
    let other = key(court.world(), OTHER_HUB).await;
    court.call(json!({})).await;
    let orders: HubOrders = court
        .post(&other, "/v1/hub/calls", &json!({ HEARD: [{ "lock": BACK, "seconds_ago": 0 }] }))
        .await
        .ok();
    assert_eq!(orders.locks, []);
    court.generate().await.refused("lock-offline", None);
    let hash = json!({ "handshake_hash": Binary::from([0; 32]) });
    let batch = json!({ "batch": Binary::from(court.lock().batch()) });
    for (action, body) in [("time", &hash), ("audit", &batch)] {
        for lock in [BACK, UNIT, "BLE-0001", "NONE-001"] {
            let path = format!("/v1/hub/locks/{lock}/{action}");
            court.post(&other, &path, body).await.refused("not-found", None);
        }
    }
    // Its own key opens nothing that is a person's.
    for path in ["/v1/me", "/v1/sync", "/v1/doors"] {
        let reply = court.world().send("GET", path, Some(&other), &[], None).await;
        reply.refused("not-logged-in", Some("authorization"));
    }
}

/// RES-5, OPS-1: a hub that is suspended or retired, or whose key was replaced, is refused at once, and is offline.
#[tokio::test]
async fn res_5_a_hub_out_of_use_is_refused() {
    let court = Court::online().await;
    let operator = court.world().server.operator();
    operator.suspend_hub(HUB).await.unwrap();
    court.post(&court.key, "/v1/hub/calls", &json!({})).await.refused("forbidden", None);
    court.generate().await.refused("hub-offline", None);
    operator.reinstate_hub(HUB).await.unwrap();
    court.generate().await.ok::<DoorCode>();

    let renewed = key(court.world(), HUB).await;
    court.post(&court.key, "/v1/hub/calls", &json!({})).await.refused("not-logged-in", Some("authorization"));
    court.post(&renewed, "/v1/hub/calls", &json!({})).await.ok::<HubOrders>();
    operator.retire_hub(HUB).await.unwrap();
    court.post(&renewed, "/v1/hub/calls", &json!({})).await.refused("not-logged-in", Some("authorization"));
    court.generate().await.refused("hub-offline", None);
    assert!(operator.renew_hub_key(HUB).await.is_err() && operator.reinstate_hub(HUB).await.is_err());
    assert!(operator.reach_door(BACK, Some(HUB)).await.is_err());

    // Another hub takes the door over; what the former one told of it counts no more.
    operator.add_hub(OTHER_HUB, "Maple Court").await.unwrap();
    operator.reach_door(BACK, Some(OTHER_HUB)).await.unwrap();
    let other = key(court.world(), OTHER_HUB).await;
    let orders: HubOrders = court.post(&other, "/v1/hub/calls", &json!({})).await.ok();
    assert_eq!(orders.locks[0].codes.as_ref().unwrap().version, 1);
    court.generate().await.refused("lock-offline", None);
    // Or none: then phones bring it, as everywhere.
    operator.reach_door(BACK, None).await.unwrap();
    assert_eq!(court.generate().await.ok::<DoorCode>().progress, None);
    let doors: Vec<Door> = records(&court.world().sync(court.rae(), None).await.0);
    let back = doors.iter().find(|door| door.lock == BACK).unwrap();
    assert_eq!(back.reach, DoorReach::Bluetooth);
}

/// RES-5: a hub's pass opens nothing, is sent once, and renewed in time; the time that it fetches is for that session.
#[tokio::test]
async fn res_5_a_hub_has_a_pass_that_opens_nothing() {
    let court = Court::online().await;
    let pass = court.hears(0).await.pass.unwrap();
    let ticket = Ticket::decode(pass.ticket.as_ref()).unwrap();
    assert_eq!(ticket.rights, Rights::SERVICE);
    let keys = court.lock().keys;
    assert_eq!(pass.secret.as_ref(), keys.ticket_secret(pass.ticket.as_ref()).expose());
    assert_eq!(court.call(json!({ "passes": [pass.id] })).await.locks[0].pass, None);
    assert_eq!(court.hears(0).await.pass.as_ref(), Some(&pass));
    court.world().clock.advance(16 * DAY);
    let renewed = court.call(json!({ "passes": [pass.id] })).await.locks[0].pass.clone().unwrap();
    assert_ne!(renewed.id, pass.id);

    let path = format!("/v1/hub/locks/{BACK}/time");
    let hash = json!({ "handshake_hash": Binary::from([7; 32]) });
    let answer: TimeResponse = court.post(&court.key, &path, &hash).await.ok();
    let token = FreshTime::decode(answer.token.as_ref()).unwrap();
    assert_eq!(token.time.unix(), NOW + 16 * DAY);
    assert!(token.verify(&keys, &[7; 32]) && !token.verify(&keys, &[8; 32]));
    court
        .post(&court.key, &path, &json!({ "handshake_hash": "AAAA" }))
        .await
        .refused("invalid", Some("handshake_hash"));
}

/// RES-5: what a hub sends that it should not is told by its field, and changes nothing.
#[tokio::test]
async fn res_5_a_hubs_bad_input_names_its_field() {
    let court = Court::online().await;
    let many: Vec<String> = (0..1_001).map(|n| format!("{n:016x}")).collect();
    let calls = [
        (json!({ "passes": many }), "invalid", "passes"),
        (json!({ HEARD: [{ "lock": BACK }] }), "malformed", "heard[0].seconds_ago"),
        (json!({ HEARD: [{ "lock": BACK, "seconds_ago": -1 }] }), "malformed", "heard[0].seconds_ago"),
        (json!({ "brought": [{ "lock": BACK, "version": "1" }] }), "malformed", "brought[0].version"),
        (json!({ "colour": "red" }), "malformed", "colour"),
    ];
    for (body, code, field) in calls {
        court.post(&court.key, "/v1/hub/calls", &body).await.refused(code, Some(field));
    }
    let audit = format!("/v1/hub/locks/{BACK}/audit");
    let strangers = Binary::from(court.maple.lock(UNIT).batch());
    court.post(&court.key, &audit, &json!({ "batch": strangers })).await.refused("invalid", Some("batch"));
    court.call(json!({ HEARD: [{ "lock": BACK, "seconds_ago": u32::MAX }] })).await;
    court.generate().await.ok::<DoorCode>();
}
