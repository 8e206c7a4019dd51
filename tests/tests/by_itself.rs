//! SYN-1: an app that is left alone keeps its tickets fresh by itself, against the real backend; one that is put away
//! does not, and a push wakes it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

use std::time::Duration;

use sentri_core::{CoreError, api::types::SyncState};
use sentri_sandbox::clock::Pull;
use sentri_tests::{HOUR, House};

/// Until after that moment, hour by hour; what falls due is done before the next hour begins.
async fn left_alone_until(house: &House, moment: i64) {
    let clock = &house.town.clock;
    while clock.now() <= moment {
        clock.set(clock.now() + HOUR);
        clock.scene(clock.sleep(Duration::from_secs(1), Pull::Yes)).await;
    }
}

/// An access of days, its first ticket on the phone, the app in front; when that ticket ends.
async fn in_front(house: &House) -> (String, i64) {
    let now = house.town.clock.now();
    let access = house.grant(now, now + 60 * HOUR).await.unwrap();
    let core = house.contractor.core.clone();
    let status = house.town.clock.scene(core.app_resumed()).await.unwrap();
    assert!(matches!(status.state, SyncState::Current { .. }), "{status:?}");
    let ends = status.opens_until.unwrap();
    assert!(ends < now + 50 * HOUR, "the ticket ends before the access does");
    (access, ends)
}

#[tokio::test(flavor = "multi_thread")]
async fn syn_1_left_in_front_it_opens_offline_long_after_its_first_ticket() {
    let house = House::build(151).await.unwrap();
    let (access, ends) = in_front(&house).await;
    left_alone_until(&house, ends + 2 * HOUR).await;
    house.town.cut_network().await;
    let status = house.contractor.core.sync_status().await.unwrap();
    assert!(matches!(status.state, SyncState::Current { .. }), "{status:?}");
    house.contractor.open(&house.lockbox, Some(&access)).await.unwrap().told.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn syn_1_put_away_it_runs_dry_and_a_push_makes_it_ready() {
    let house = House::build(152).await.unwrap();
    let (access, ends) = in_front(&house).await;
    house.contractor.core.app_paused();
    left_alone_until(&house, ends + 2 * HOUR).await;
    let dry = house.contractor.open(&house.lockbox, Some(&access)).await.unwrap().told;
    assert!(matches!(dry, Err(CoreError::NotReady { .. } | CoreError::Expired { .. })), "{dry:?}");
    assert_eq!(house.lockbox.motor_drives(), 0);
    let status = house.town.clock.scene(house.contractor.core.push_received()).await.unwrap();
    assert!(matches!(status.state, SyncState::Current { .. }), "{status:?}");
    house.contractor.open(&house.lockbox, Some(&access)).await.unwrap().told.unwrap();
}
