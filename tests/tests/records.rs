//! What the phone never heard of is told all the same: by the lock's own records, whoever carries them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

use sentri_core::{CoreError, api::types::AccessOutcome};
use sentri_sandbox::radio::{Direction, Fate};
use sentri_tests::House;

/// CON-3, CON-4: the bin opens, and nothing that the lock sends comes through. The phone can't say how it ended; the
/// next phone at the box, another one, brings the lock's record, and the agent reads that it opened, once.
#[tokio::test(flavor = "multi_thread")]
async fn an_open_whose_answer_never_came_is_told_by_the_next_phone() {
    let house = House::build(51).await.unwrap();
    let access = house.open_house(20).await.unwrap();
    let second = house.unchecked_phone().await.unwrap();
    house.town.air.set_plan(Some(Box::new(|passing| {
        if passing.direction == Direction::ToPhone { Fate::Lost } else { Fate::Arrives }
    })));
    let opened = house.contractor.open(&house.lockbox, Some(&access)).await.unwrap();
    assert_eq!(opened.told, Err(CoreError::NoAnswer));
    assert_eq!(house.lockbox.motor_drives(), 1, "it opened all the same");
    house.town.air.set_plan(None);
    house.sync().await.unwrap();
    let before = house.log().await.unwrap();
    assert_eq!(before.iter().map(|it| it.outcome).collect::<Vec<_>>(), [AccessOutcome::Unanswered]);

    second.open(&house.lockbox, Some(&access)).await.unwrap().told.unwrap();
    house.town.clock.scene(second.core.sync_now()).await.unwrap();
    let after = house.log().await.unwrap();
    assert_eq!(after.len(), 2, "{after:?}");
    assert!(after.iter().all(|it| it.outcome == AccessOutcome::Opened && it.confirmed_by_lock), "{after:?}");
    assert_eq!(after[1].id, before[0].id, "the line is the same, and says more");
}
