//! RES-5: codes on their way into the locks of doors, and what the locks' logs say of it.

use sentri_protocol::ticket::{Rights, Ticket};
use sentri_wire::residence::{CodeState, Door, DoorCode};
use serde_json::json;

use super::{Maple, POOL, UNIT};
use crate::world::{DAY, Phone, records};

/// RES-1, RES-5: the new code is Pending and the old one works, until the lock's own log says that it has the new one.
#[tokio::test]
async fn res_5_the_old_code_works_until_the_lock_says_it_has_the_new_one() {
    let maple = Maple::new().await;
    let mut lock = maple.lock(UNIT);
    let first = maple.generate(&maple.rae, UNIT).await;
    assert_eq!((first.state, first.working.as_ref()), (CodeState::Pending, None));
    assert_eq!(first.next.as_ref().unwrap().expose().len(), 4);
    maple.deliver(&maple.rae, UNIT, &mut lock, 0).await;
    let now = maple.codes(&maple.rae, UNIT).await.remove(0);
    assert_eq!((now.state, &now.working, &now.next), (CodeState::Works, &first.next, &None));
    assert!(lock.holds(now.working.as_ref()));
    assert!(maple.parcel(&maple.rae, UNIT).await.is_none());

    let second = maple.generate(&maple.rae, UNIT).await;
    assert_eq!((second.state, &second.working), (CodeState::Pending, &first.next));
    assert_eq!(second.id, first.id);
    // A phone that lost the link midway brings nothing; one that delivers twice changes nothing.
    maple.upload(&maple.rae, UNIT, &lock).await;
    assert_eq!(maple.codes(&maple.rae, UNIT).await, std::slice::from_ref(&second));
    let parcel = maple.parcel(&maple.rae, UNIT).await.unwrap().deliveries.remove(0);
    assert!(lock.take(parcel.as_ref(), 0) && !lock.take(parcel.as_ref(), 0));
    maple.upload(&maple.rae, UNIT, &lock).await;
    maple.upload(&maple.rae, UNIT, &lock).await;
    let now = maple.codes(&maple.rae, UNIT).await.remove(0);
    assert_eq!((now.state, &now.working, &now.next), (CodeState::Works, &second.next, &None));
    assert!(lock.holds(second.next.as_ref()) && !lock.holds(first.next.as_ref()));
}

/// RES-5: a phone with an older delivery comes by first. What the lock then has is what the app shows.
#[tokio::test]
async fn res_5_an_older_delivery_that_arrives_is_the_code_that_works() {
    let maple = Maple::new().await;
    let mut lock = maple.lock(UNIT);
    let first = maple.generate(&maple.rae, UNIT).await;
    let older = maple.parcel(&maple.rae, UNIT).await.unwrap().deliveries.remove(0);
    let second = maple.generate(&maple.rae, UNIT).await;
    assert!(lock.take(older.as_ref(), 0));
    maple.upload(&maple.rae, UNIT, &lock).await;
    let now = maple.codes(&maple.rae, UNIT).await.remove(0);
    assert_eq!((now.state, &now.working, &now.next), (CodeState::Pending, &first.next, &second.next));
    maple.deliver(&maple.rae, UNIT, &mut lock, 0).await;
    let now = maple.codes(&maple.rae, UNIT).await.remove(0);
    assert_eq!((now.state, &now.working), (CodeState::Works, &second.next));
}

/// RES-5: the lock holds the digits already, as a short PIN say. Its answer names the order, and the old code works on.
#[tokio::test]
async fn res_5_a_code_that_the_lock_did_not_take_leaves_the_old_one() {
    let maple = Maple::new().await;
    let mut lock = maple.lock(UNIT);
    let first = maple.generate(&maple.rae, UNIT).await;
    maple.deliver(&maple.rae, UNIT, &mut lock, 0).await;
    let second = maple.generate(&maple.rae, UNIT).await;
    maple.deliver(&maple.rae, UNIT, &mut lock, 1).await;
    let now = maple.codes(&maple.rae, UNIT).await.remove(0);
    assert_eq!((now.state, &now.working, &now.next), (CodeState::NotTaken, &first.next, &second.next));
    assert!(lock.holds(first.next.as_ref()));
    let third = maple.generate(&maple.rae, UNIT).await;
    maple.deliver(&maple.rae, UNIT, &mut lock, 0).await;
    let now = maple.codes(&maple.rae, UNIT).await.remove(0);
    assert_eq!((now.state, &now.working, &now.next), (CodeState::Works, &third.next, &None));
}

/// RES-5: more changes than one delivery holds go in several, each on top of the one before.
#[tokio::test]
async fn res_5_forty_changes_reach_the_lock_in_turn() {
    let maple = Maple::new().await;
    let mut lock = maple.lock(UNIT);
    for _ in 0..40 {
        maple.guest(&maple.rae, json!({ "kind": "permanent" })).await.ok::<DoorCode>();
    }
    assert_eq!(maple.parcel(&maple.rae, UNIT).await.unwrap().deliveries.len(), 3);
    maple.deliver(&maple.rae, UNIT, &mut lock, 0).await;
    let codes = maple.codes(&maple.rae, UNIT).await;
    assert_eq!((codes.len(), lock.table.len()), (40, 40));
    assert!(codes.iter().all(|it| it.state == CodeState::Works && lock.holds(it.working.as_ref())));
    // 63 places, and no more: each still another code.
    for _ in 40..63 {
        maple.guest(&maple.rae, json!({ "kind": "permanent" })).await.ok::<DoorCode>();
    }
    maple.guest(&maple.rae, json!({ "kind": "permanent" })).await.refused("conflict", None);
    maple.deliver(&maple.rae, UNIT, &mut lock, 0).await;
    let digits: std::collections::BTreeSet<_> = lock.table.values().collect();
    assert_eq!(digits.len(), 63);
}

/// RES-5: a deleted code works until the lock has heard of that, and is shown so.
#[tokio::test]
async fn res_5_a_deleted_code_leaves_with_the_next_delivery() {
    let maple = Maple::new().await;
    let mut lock = maple.lock(UNIT);
    let guest: DoorCode = maple.guest(&maple.rae, json!({ "kind": "permanent" })).await.ok();
    maple.deliver(&maple.rae, UNIT, &mut lock, 0).await;
    let path = format!("/v1/door-codes/{}", guest.id);
    maple.world.delete(&maple.max, &path).await.refused("not-found", None);
    assert_eq!(maple.world.delete(&maple.rae, &path).await.status, 204);
    assert_eq!(maple.world.delete(&maple.rae, &path).await.status, 204);
    let now = maple.codes(&maple.rae, UNIT).await.remove(0);
    assert_eq!((now.state, &now.working), (CodeState::Leaving, &guest.next));
    maple.deliver(&maple.rae, UNIT, &mut lock, 0).await;
    assert_eq!(maple.codes(&maple.rae, UNIT).await, []);
    assert!(lock.table.is_empty());
    maple.world.delete(&maple.rae, &path).await.refused("not-found", None);
}

/// RES-5: a copy of a request to delete, come late, takes nothing away that was made since.
#[tokio::test]
async fn res_5_a_code_is_deleted_once() {
    let maple = Maple::new().await;
    let delete = async |id: &str| {
        let path = format!("/v1/door-codes/{id}");
        let key = [("idempotency-key", "delete-1")];
        maple.world.send("DELETE", &path, Some(&maple.rae.access), &key, None).await
    };
    let first = maple.generate(&maple.rae, UNIT).await;
    assert_eq!(delete(&first.id).await.status, 204);
    let second = maple.generate(&maple.rae, UNIT).await;
    assert_eq!(second.id, first.id, "the same place");
    assert_eq!(delete(&first.id).await.status, 204);
    let now = maple.codes(&maple.rae, UNIT).await.remove(0);
    assert_eq!((now.state, &now.next), (CodeState::Pending, &second.next));
    delete("DOOR-001.9").await.refused("conflict", Some("idempotency-key"));
}

/// RES-5: each phone has a pass of its own for its doors, which opens nothing and is renewed in time.
#[tokio::test]
async fn res_5_a_phone_has_a_pass_that_opens_nothing() {
    let maple = Maple::new().await;
    let doors = async |phone: &Phone| -> Vec<Door> { records(&maple.world.sync(phone, None).await.0) };
    let held = doors(&maple.rae).await;
    assert_eq!(held.iter().map(|door| door.lock.as_str()).collect::<Vec<_>>(), [UNIT, POOL]);
    let pass = held[0].pass.clone().unwrap();
    let ticket = Ticket::decode(pass.ticket.as_ref()).unwrap();
    assert_eq!(ticket.rights, Rights::SERVICE);
    let keys = maple.lock(&held[0].lock).keys;
    assert_eq!(pass.secret.as_ref(), keys.ticket_secret(pass.ticket.as_ref()).expose());
    // Fetched again it is the same, until it is time for another.
    assert_eq!(doors(&maple.rae).await[0].pass, Some(pass.clone()));
    maple.world.clock.advance(16 * DAY);
    let rae = maple.world.again(&maple.rae).await;
    assert_ne!(doors(&rae).await[0].pass.as_ref().unwrap().id, pass.id);
}
