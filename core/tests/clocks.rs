//! SYN-3, CON-2: a phone whose clock is wrong by a day, moved by its user, or in another zone than the lockbox.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

mod support;

use sentri_core::{
    CoreError,
    api::{
        error::Judge,
        types::{AccessState, Readiness, SyncState},
    },
};
use sentri_protocol::hours::{AccessHours, Span};
use sentri_wire::credential::Zone;
use support::{NOW, World, lock::Granted, press_ent};

const DAY: i64 = 86_400;

/// Wrong from the start, either way: nothing of what is shown, opened or logged goes by it.
#[tokio::test(start_paused = true)]
async fn con_2_a_clock_that_is_a_day_off_changes_nothing_once_synced() {
    for off in [-DAY, -3600, 3600, DAY] {
        let world = World::new();
        world.clock.set_off(off);
        world.backend.grant(&Granted::now());
        let core = world.logged_in().await;
        let status = core.sync_now().await.unwrap();
        assert_eq!(status.state, SyncState::Current { at: NOW }, "{off}");
        assert_eq!((status.opens_from, status.opens_until), (Some(NOW - 3600), Some(NOW + 3600)));
        let access = &core.accesses().await.unwrap()[0];
        assert_eq!(access.state, AccessState::Active, "{off}");
        assert!(matches!(access.readiness, Readiness::Ready { .. }), "{off}");

        world.backend.online(false);
        let report = press_ent(&world, &core, None).await.unwrap();
        assert_eq!(report.at, NOW, "{off}");
        drop(core);
        // Over a restart too, with no network.
        let core = world.start();
        assert_eq!(core.accesses().await.unwrap()[0].state, AccessState::Active, "{off}");
        press_ent(&world, &core, None).await.unwrap();
        world.backend.online(true);
        core.sync_now().await.unwrap();
        assert!(world.backend.events().iter().all(|event| event.at == NOW), "{off}: as the log has it");
    }
}

/// Set back after the sync, so as to make an access last longer: it does not.
#[tokio::test(start_paused = true)]
async fn con_2_setting_the_clock_back_gains_nothing() {
    let world = World::new();
    world.backend.grant(&Granted::now());
    let core = world.logged_in().await;
    core.sync_now().await.unwrap();
    world.clock.run();
    tokio::time::sleep(std::time::Duration::from_secs(3 * 3600)).await;
    world.clock.set_off(-DAY);
    let refused = press_ent(&world, &core, None).await;
    assert!(matches!(refused, Err(CoreError::Expired { by: Judge::Phone, .. })), "{refused:?}");
    assert_eq!(world.lock.state.lock().unwrap().motor, 0);
    let status = core.sync_status().await.unwrap();
    assert_eq!(status.opens_until, None);
}

/// Set forward after the sync: the phone refuses by itself, which loses nothing, and one sync sets it right.
#[tokio::test(start_paused = true)]
async fn con_2_setting_the_clock_forward_is_mended_by_one_sync() {
    let world = World::new();
    world.backend.grant(&Granted::now());
    let core = world.logged_in().await;
    core.sync_now().await.unwrap();
    world.clock.set_off(DAY);
    assert!(press_ent(&world, &core, None).await.is_err());
    assert_eq!(core.sync_now().await.unwrap().state, SyncState::Current { at: NOW });
    press_ent(&world, &core, None).await.unwrap();
}

/// Hours of the box are of the box's own zone, on both sides of the night in which its clocks go back.
#[tokio::test(start_paused = true)]
async fn con_2_access_hours_follow_the_propertys_clocks_over_a_change_of_them() {
    // 8 AM to 6 PM at a place that is 4 hours behind UTC until an hour before NOW (8 AM UTC), and 5 from then on.
    let change = u32::try_from(NOW - 3600).unwrap();
    let zone = Zone { offset: -16, next_at: change, next_offset: -20, after_at: 0, after_offset: 0 };
    let hours = AccessHours::daily(Span::new(32, 72).unwrap());
    let world = World::new();
    let mut granted = Granted::new(1, 7, NOW - DAY, NOW + DAY, hours);
    granted.credential.zone = zone;
    world.backend.grant(&granted);
    let core = world.logged_in().await;
    core.sync_now().await.unwrap();
    // It is 3 AM there; 8 AM is in five hours, by the new clocks.
    let refused = press_ent(&world, &core, None).await;
    assert_eq!(refused, Err(CoreError::OutsideHours { next: Some(NOW + 5 * 3600), by: Judge::Phone }));
    world.clock.set(NOW + 5 * 3600);
    press_ent(&world, &core, None).await.unwrap();
}
