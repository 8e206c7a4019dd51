//! A backup is restored, and the lock of a door has heard of codes that the database does not know. [OPS-3, RES-5]

use sentri_wire::residence::{CodeState, DoorCode};
use serde_json::json;

use super::{Maple, RAE, UNIT};

/// Places of a lock's table that the backend gives out.
const PLACES: usize = 63;

impl Maple {
    async fn permanent(&self) -> DoorCode {
        self.guest(&self.rae, json!({ "kind": "permanent" })).await.ok()
    }

    /// The digits that Rae's phone shows as working.
    async fn shown(&self) -> Vec<String> {
        let codes = self.codes(&self.rae, UNIT).await;
        assert!(codes.iter().all(|it| it.state == CodeState::Works && it.next.is_none()), "{codes:?}");
        let mut digits: Vec<_> =
            codes.iter().map(|it| it.working.clone().unwrap().expose().to_owned()).collect();
        digits.sort();
        digits
    }
}

/// A lock takes no order for done that it never had, keeps no code that nobody sees, and ends with those that are shown.
#[tokio::test]
async fn ops_3_after_a_restore_a_lock_has_the_codes_that_are_shown() {
    let mut maple = Maple::new().await;
    if !maple.world.is_embedded() {
        return;
    }
    let mut lock = maple.lock(UNIT);
    maple.generate(&maple.rae, UNIT).await;
    let guests = [maple.permanent().await, maple.permanent().await];
    maple.deliver(&maple.rae, UNIT, &mut lock, 0).await;
    // Ordered when the backup is made: one more code, one in another's place, and one to leave.
    maple.permanent().await;
    maple.generate(&maple.rae, UNIT).await;
    let path = format!("/v1/door-codes/{}", guests[0].id);
    assert_eq!(maple.world.delete(&maple.rae, &path).await.status, 204);
    let backup = maple.world.backup();
    for _ in 0..3 {
        maple.permanent().await;
    }
    maple.deliver(&maple.rae, UNIT, &mut lock, 0).await;
    let (_, cursor) = maple.world.sync(&maple.rae, None).await;
    maple.world.restore(&backup).await;
    let refused = maple.world.get(&maple.rae, &format!("/v1/sync?cursor={cursor}")).await;
    refused.refused("not-logged-in", Some("authorization"));
    maple.rae = maple.world.contractor(RAE).await;

    // The lock's word of a version that is known no more changes nothing.
    maple.upload(&maple.rae, UNIT, &lock).await;
    assert!(maple.codes(&maple.rae, UNIT).await.iter().any(|it| it.state == CodeState::Pending));
    // Something is ordered besides, before anybody comes to the door.
    maple.permanent().await;
    let before = lock.version;
    maple.deliver(&maple.rae, UNIT, &mut lock, 0).await;
    assert!(lock.version > before + 1_000);
    let mut held: Vec<_> = lock.table.values().cloned().collect();
    held.sort();
    assert_eq!(maple.shown().await, held);
    assert_eq!(held.len(), 4);
}

/// Whatever is in the lock, each place is told of, and later orders build on that.
#[tokio::test]
async fn ops_3_each_place_is_ordered_anew() {
    let mut maple = Maple::new().await;
    let mut lock = maple.lock(UNIT);
    for _ in 0..20 {
        maple.permanent().await;
    }
    maple.deliver(&maple.rae, UNIT, &mut lock, 0).await;
    let shown = maple.shown().await;
    maple.world.server.operator().renew_incarnation().await.unwrap();
    maple.rae = maple.world.contractor(RAE).await;
    lock.table = (2..=64).map(|place| (place, format!("{place}"))).collect();
    assert_eq!(lock.table.len(), PLACES);
    lock.version += 7;
    maple.deliver(&maple.rae, UNIT, &mut lock, 0).await;
    assert_eq!(
        lock.table.values().cloned().collect::<std::collections::BTreeSet<_>>(),
        shown.iter().cloned().collect()
    );
    assert_eq!(maple.shown().await, shown);
    maple.permanent().await;
    maple.deliver(&maple.rae, UNIT, &mut lock, 0).await;
    assert_eq!(maple.shown().await.len(), 21);
}
