//! CON-2: clocks that are wrong, and clocks that are changed, against the real backend and the real lock.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

use sentri_core::{
    CoreError,
    api::{
        error::Judge,
        types::{AccessState, SyncState},
    },
};
use sentri_sandbox::{phone::Between, story::cast};
use sentri_tests::{HOUR, House};
use sentri_wire::agent::LockboxGeneration;

/// 10 AM in Chicago on November 2, 2030; in the night that follows clocks go back.
const THE_DAY_BEFORE: i64 = 1_919_862_000;
/// 8 AM there on November 3, by the new clocks.
const EIGHT: i64 = 1_919_944_800;

async fn log_in(house: &House) {
    let agent = &house.agent.core;
    agent.login_agent(cast::SENTRIKEY_ID.into(), cast::AGENT_PASSWORD.into()).await.unwrap();
    agent.sync_now().await.unwrap();
    let (email, password) = (cast::CONTRACTOR_EMAIL, cast::CONTRACTOR_PASSWORD);
    house.contractor.core.login_contractor(email.into(), password.into()).await.unwrap();
}

/// Access hours stay the property's own: 8 AM comes an hour later once clocks have gone back, for phone and lock, with
/// no network since the day before.
#[tokio::test(flavor = "multi_thread")]
async fn con_2_access_hours_hold_over_the_night_in_which_clocks_go_back() {
    let mut house = House::build(161).await.unwrap();
    let plan = cast::lockbox(cast::OTHER_BOX, LockboxGeneration::Ble, "08:00-20:00");
    let lockbox = house.town.add_lockbox(&plan).await.unwrap();
    house.town.clock.set(THE_DAY_BEFORE);
    log_in(&house).await;
    let agent = house.agent.core.clone();
    let listing = agent.add_listing(cast::listing(cast::OTHER_ADDRESS)).await.unwrap().id;
    let hung =
        agent.assign_lockbox(listing.clone(), cast::OTHER_BOX.into(), THE_DAY_BEFORE, cast::REGION.into());
    hung.await.unwrap();
    house.listing = listing;
    let access = house.open_house(48).await.unwrap();
    let unchecked = house.unchecked_phone().await.unwrap();
    house.contractor.open(&lockbox, Some(&access)).await.unwrap().told.unwrap();

    house.town.cut_network().await;
    // Ten past eight by the old clocks, which are no more.
    house.town.clock.set(EIGHT - 50 * 60);
    let told = house.contractor.open(&lockbox, Some(&access)).await.unwrap().told;
    assert_eq!(told.err(), Some(CoreError::OutsideHours { next: Some(EIGHT), by: Judge::Phone }));
    let told = unchecked.open(&lockbox, Some(&access)).await.unwrap().told;
    assert!(matches!(told, Err(CoreError::OutsideHours { by: Judge::Lock, .. })), "{told:?}");
    assert_eq!(lockbox.motor_drives(), 1);
    house.town.clock.set(EIGHT + 60);
    house.contractor.open(&lockbox, Some(&access)).await.unwrap().told.unwrap();
    assert_eq!(lockbox.motor_drives(), 2);
}

/// A phone whose clock is a day off shows, opens and logs as any other, over a restart without network too.
#[tokio::test(flavor = "multi_thread")]
async fn con_2_a_phone_that_is_a_day_off_is_set_right_by_its_sync() {
    for (seed, ahead) in [(162, 24 * HOUR), (163, -24 * HOUR)] {
        let mut house = House::build(seed).await.unwrap();
        let now = house.town.clock.now();
        let access = house.grant(now, now + 6 * HOUR).await.unwrap();
        let wrong = Between { ahead, ..Between::default() };
        house.contractor = house.device.start_between(&house.town.surroundings(), wrong.clone()).unwrap();
        let status = house.sync().await.unwrap();
        assert!(matches!(status.state, SyncState::Current { at } if at == now), "{ahead}: {status:?}");
        // The first open, which sets the lock's clock, has network; the second has none.
        house.contractor.open(&house.lockbox, Some(&access)).await.unwrap().told.unwrap();
        house.town.cut_network().await;
        house.contractor = house.device.start_between(&house.town.surroundings(), wrong).unwrap();
        let accesses = house.contractor.core.accesses().await.unwrap();
        let shown = accesses.iter().find(|it| it.id == access).unwrap();
        assert_eq!(shown.state, AccessState::Active, "{ahead}");
        house.contractor.open(&house.lockbox, Some(&access)).await.unwrap().told.unwrap();
        house.town.restore_network().await.unwrap();
        house.sync().await.unwrap();
        let log = house.log().await.unwrap();
        let late = house.town.clock.now();
        assert_eq!(log.len(), 2);
        assert!(log.iter().all(|entry| (now..=late).contains(&entry.at)), "{ahead}: {log:?}");
    }
}
