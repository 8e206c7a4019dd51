//! SYN-1: the phone syncs by itself, at its start and before a credential runs dry, and its status follows.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

mod support;

use std::{sync::Arc, time::Duration};

use sentri_core::{
    CoreError,
    api::types::{BlockedWhy, SyncState},
};
use sentri_protocol::hours::AccessHours;
use sentri_wire::problem::ProblemCode;
use support::{EMAIL, NOW, PASSWORD, World, backend::Fault, lock::Granted};

const HOUR: u64 = 3600;

/// A phone with one credential that wants renewal in an hour, where time passes.
fn world() -> World {
    let world = World::new();
    world.backend.grant(&Granted::now());
    world.clock.run();
    world
}

/// So many hours, and a minute in which what they brought is done.
async fn hours(count: u64) {
    tokio::time::sleep(Duration::from_secs(count * HOUR + 60)).await;
}

fn syncs(world: &World) -> usize {
    world.backend.count("/v1/sync")
}

#[tokio::test(start_paused = true)]
async fn syn_1_the_app_syncs_at_its_start_before_expiry_and_now_and_then() {
    let world = world();
    world.logged_in().await;
    let core = world.start();
    let status = core.clone().app_resumed().await.unwrap();
    assert!(matches!(status.state, SyncState::Current { .. }), "{status:?}");
    assert_eq!(syncs(&world), 1);
    // The credential wants renewal in an hour, and the backend has one.
    let now = world.clock.truth();
    let next = Granted::new(1, 7, now - 3600, now + 3 * 86_400, AccessHours::ALWAYS);
    world.backend.grant(&next);
    hours(1).await;
    assert_eq!(syncs(&world), 2, "before the credential ran dry");
    assert_eq!(core.sync_status().await.unwrap().opens_until, Some(now + 3 * 86_400));
    hours(5).await;
    assert_eq!(syncs(&world), 3, "now and then");
}

#[tokio::test(start_paused = true)]
async fn syn_1_paused_it_rests_and_a_push_still_syncs() {
    let world = world();
    world.logged_in().await;
    let core = world.start();
    core.clone().app_resumed().await.unwrap();
    core.app_paused();
    hours(48).await;
    assert_eq!(syncs(&world), 1);
    core.push_received().await.unwrap();
    assert_eq!(syncs(&world), 2);
    core.clone().app_resumed().await.unwrap();
    core.clone().app_resumed().await.unwrap();
    assert_eq!(syncs(&world), 4, "each resume syncs once");
    hours(5).await;
    assert_eq!(syncs(&world), 5, "and only one of them goes on by itself");
}

#[tokio::test(start_paused = true)]
async fn syn_1_without_network_it_tries_with_longer_waits_and_comes_back_by_itself() {
    let world = world();
    world.logged_in().await;
    let core = world.start();
    world.backend.online(false);
    let status = core.clone().app_resumed().await.unwrap();
    assert_eq!(status.state, SyncState::Offline { at: None });
    hours(1).await;
    world.backend.online(true);
    // No wait is longer than a quarter of an hour.
    tokio::time::sleep(Duration::from_secs(16 * 60)).await;
    assert!(matches!(core.sync_status().await.unwrap().state, SyncState::Current { .. }));
}

#[tokio::test(start_paused = true)]
async fn syn_1_a_login_is_synced_by_itself() {
    let world = world();
    let core = world.start();
    assert_eq!(core.clone().app_resumed().await, Err(CoreError::NotSignedIn));
    core.login_contractor(EMAIL.into(), PASSWORD.into()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(core.accesses().await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_app_that_lets_go_of_the_core_ends_it() {
    let world = world();
    world.logged_in().await;
    let core = world.start();
    core.clone().app_resumed().await.unwrap();
    let gone = Arc::downgrade(&core);
    drop(core);
    assert!(gone.upgrade().is_none(), "nothing holds it");
    hours(10).await;
    assert!(syncs(&world) <= 2);
}

/// What the stream shows next.
async fn next(stream: &sentri_core::api::streams::SyncStatusStream) -> SyncState {
    stream.next().await.unwrap().unwrap().state
}

/// SYN-1: each state of the home page, in the order of a day; time alone moves it too.
#[tokio::test(start_paused = true)]
async fn syn_1_the_stream_tells_every_state_even_when_only_time_passes() {
    let world = World::new();
    world.clock.run();
    let now = NOW;
    world.backend.grant(&Granted::new(1, 7, now, now + 40 * 3600, AccessHours::ALWAYS));
    let core = world.logged_in().await;
    let stream = Arc::clone(&core).watch_sync_status();
    assert_eq!(next(&stream).await, SyncState::StaleSince { at: None });

    let (shown, _) = tokio::join!(next(&stream), core.sync_now());
    let mut states = vec![shown];
    if states[0] == SyncState::Syncing {
        states.push(next(&stream).await);
    }
    let Some(SyncState::Current { at }) = states.last().cloned() else { panic!("{states:?}") };

    // Nobody does anything: a day later the green check mark is gone.
    assert_eq!(next(&stream).await, SyncState::StaleSince { at: Some(at) });
    assert!(world.clock.truth() >= at + 86_400);

    world.backend.online(false);
    core.sync_now().await.unwrap();
    assert_eq!(next(&stream).await, SyncState::Offline { at: Some(at) });
    world.backend.online(true);
    world.backend.fault("/v1/sync", Fault::Problem(ProblemCode::UpgradeRequired));
    core.sync_now().await.unwrap();
    assert_eq!(next(&stream).await, SyncState::Blocked { why: BlockedWhy::UpgradeRequired });
}

/// SYN-3: "opens offline until …" ends when it says, with nobody doing anything.
#[tokio::test(start_paused = true)]
async fn syn_3_the_stream_tells_when_nothing_opens_any_more() {
    let world = world();
    let core = world.logged_in().await;
    core.sync_now().await.unwrap();
    let stream = Arc::clone(&core).watch_sync_status();
    let status = stream.next().await.unwrap().unwrap();
    assert_eq!(status.opens_until, Some(NOW + 3600));
    let later = stream.next().await.unwrap().unwrap();
    assert_eq!((later.opens_from, later.opens_until), (None, None));
    assert!(world.clock.truth() >= NOW + 3600);
}
