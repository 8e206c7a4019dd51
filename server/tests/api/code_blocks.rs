//! Blocks of SmartPINs, on their way to the lock and back.

use sentri_protocol::{
    Time,
    audit::{Entry, Kind},
    codes::{
        delivery::{Delivery, Order},
        smart_pin::SmartPin,
    },
};
use sentri_wire::{
    Binary,
    codes::{Blocked, CodeDelivery, IssuedCode},
    sync::Change,
};
use serde_json::{Value, json};

use crate::{
    codes::of_box,
    locks::Log,
    world::{BLE, HOUR, NOW, Ready, World, records},
};

/// The lock wrote down that it was brought these versions, and what it could not do.
fn record(version: u32, not_done: u16) -> Entry {
    let mut who = [0; 8];
    who[..4].copy_from_slice(&version.to_be_bytes());
    who[4..6].copy_from_slice(&not_done.to_be_bytes());
    Entry {
        time: Time::from_unix(NOW).unwrap(),
        kind: Kind::Codes,
        clock_lost: false,
        result: 1,
        who,
        operation: [0; 4],
        skew: i16::MIN,
    }
}

async fn bring(world: &World, ready: &Ready, entries: &[Entry]) {
    let batch = Log::with(world.keys(BLE), entries).all();
    let path = format!("/v1/locks/{BLE}/audit");
    world.post(&ready.bo, &path, &json!({ "batch": Binary::from(batch) })).await.ok::<Value>();
}

fn opened(world: &World, changes: &[Change]) -> Delivery {
    let delivery = records::<CodeDelivery>(changes).remove(0);
    Delivery::open(&world.keys(BLE), delivery.deliveries[0].as_ref()).unwrap()
}

async fn smart_pin(world: &World, ready: &Ready) -> IssuedCode {
    world.post(&ready.dana, &of_box("keypad"), &json!({ "smart_pins": true })).await.ok::<Value>();
    let gus = json!({ "guest": "Gus", "starts_at": NOW, "ends_at": NOW + HOUR });
    world.post(&ready.dana, &of_box("smart-pins"), &gus).await.ok()
}

/// PIN-7: it travels with the contractor's phone, sealed, until the lock itself says that it was carried out; what the lock
/// had no room for is ordered again.
#[tokio::test]
async fn pin_7_a_block_travels_until_the_lock_has_carried_it_out() {
    let world = World::new().await;
    let ready = world.ready().await;
    let pin = smart_pin(&world, &ready).await;
    let (_, cursor) = world.sync(&ready.bo, None).await;
    let path = format!("/v1/codes/{}/block", pin.id);
    let block = async || world.send("POST", &path, Some(&ready.dana.access), &[], None).await;
    let blocked: IssuedCode = block().await.ok();
    assert_eq!(blocked.blocked, Blocked::Pending);
    assert_eq!(block().await.ok::<IssuedCode>(), blocked, "once more changes nothing");

    let (changes, cursor) = world.sync(&ready.bo, Some(&cursor)).await;
    let delivery = opened(&world, &changes);
    let order = Order::Block(SmartPin::parse(pin.code.expose().as_bytes()).unwrap());
    assert_eq!((delivery.from, delivery.version, delivery.orders()), (0, 1, &[order.clone()][..]));
    let text = serde_json::to_string(&changes).unwrap();
    assert!(!text.contains(pin.code.expose()), "who brings it can't read it");

    bring(&world, &ready, &[record(1, 1)]).await;
    let (changes, cursor) = world.sync(&ready.bo, Some(&cursor)).await;
    let again = opened(&world, &changes);
    assert_eq!((again.from, again.version, again.orders()), (1, 2, &[order][..]));
    bring(&world, &ready, &[record(1, 1), record(2, 0)]).await;
    let (changes, _) = world.sync(&ready.bo, Some(&cursor)).await;
    assert!(changes.iter().any(|it| it.kind == "code_delivery" && it.record.is_none()), "gone");
    let (changes, _) = world.sync(&ready.dana, None).await;
    assert_eq!(records::<IssuedCode>(&changes)[0].blocked, Blocked::AtLock);
}

/// PIN-7: a one day code can't be blocked, and nobody else's SmartPIN.
#[tokio::test]
async fn pin_7_only_ones_own_smart_pins_are_blocked() {
    let world = World::new().await;
    let ready = world.ready().await;
    let pin = smart_pin(&world, &ready).await;
    let day = json!({ "day": "2026-11-20" });
    let one_day: IssuedCode = world.post(&ready.dana, &of_box("one-day-codes"), &day).await.ok();
    let block = async |id: uuid::Uuid, access: &str| {
        world.send("POST", &format!("/v1/codes/{id}/block"), Some(access), &[], None).await
    };
    block(one_day.id, &ready.dana.access).await.refused("conflict", None);
    let ari = world.agent(crate::world::ARI).await;
    block(pin.id, &ari.access).await.refused("not-found", None);
    block(pin.id, &ready.bo.access).await.refused("forbidden", None);
}
