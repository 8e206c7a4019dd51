//! What an owner sets reaches the lock with any phone that opens it, and the owner sees when. [LST-3, LST-4, LST-6]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

use sentri_core::{
    CoreError,
    api::types::{BoxSettings, Lockbox},
};
use sentri_sandbox::{
    radio::{Direction, Fate},
    story::cast,
};
use sentri_tests::{House, Trouble, daily};

/// Open every day, from a minute after midnight.
fn from(minute: u16) -> BoxSettings {
    BoxSettings { access_hours: daily(minute), contractor_mode: true, time_zone: None }
}

async fn seen(house: &House) -> Lockbox {
    house.town.clock.scene(house.agent.core.sync_now()).await.unwrap();
    house.agent.core.lockboxes().await.unwrap().remove(0)
}

async fn set(house: &House, minute: u16) {
    let core = &house.agent.core;
    let page = core.set_lockbox_settings(cast::BOX.into(), Some(from(minute))).await.unwrap();
    assert!(page.pending);
    assert!(core.lockboxes().await.unwrap()[0].settings_pending, "at once, without a sync");
}

/// LST-4, LST-6: the agent sets hours; the contractor's phone brings them at its next open, and once it has network the
/// agent sees that they are there. The old ones work until then.
#[tokio::test(flavor = "multi_thread")]
async fn lst_6_any_phone_brings_settings_and_the_owner_sees_it() {
    let house = House::build(61).await.unwrap();
    let access = house.open_house(20).await.unwrap();
    let page = house.agent.core.lockbox_settings(cast::BOX.into()).await.unwrap();
    assert!(!page.pending && !page.working.contractor_mode);
    let before = house.lockbox.insight().settings_version;
    set(&house, 15).await;
    assert!(seen(&house).await.settings_pending);

    house.sync().await.unwrap();
    house.town.cut_network().await;
    house.contractor.open(&house.lockbox, Some(&access)).await.unwrap().told.unwrap();
    assert_eq!(house.lockbox.insight().settings_version, before + 1, "with no network on either side");
    house.town.restore_network().await.unwrap();
    assert!(seen(&house).await.settings_pending, "nobody told the agent yet");
    house.sync().await.unwrap();
    assert!(!seen(&house).await.settings_pending);
    let page = house.agent.core.lockbox_settings(cast::BOX.into()).await.unwrap();
    assert!(!page.pending && page.working == page.set && page.working.contractor_mode);
}

/// LST-6: a phone that has not synced for a while carries settings that are older than the lock's: the lock keeps its own.
#[tokio::test(flavor = "multi_thread")]
async fn lst_6_settings_older_than_the_locks_change_nothing() {
    let house = House::build(62).await.unwrap();
    let access = house.open_house(20).await.unwrap();
    let second = house.unchecked_phone().await.unwrap();
    set(&house, 15).await;
    house.sync().await.unwrap();
    set(&house, 30).await;
    house.town.clock.scene(second.core.sync_now()).await.unwrap();
    second.open(&house.lockbox, Some(&access)).await.unwrap().told.unwrap();
    let newest = house.lockbox.insight().settings_version;
    // The first phone still carries those before.
    house.town.cut_network().await;
    house.contractor.open(&house.lockbox, Some(&access)).await.unwrap().told.unwrap();
    assert_eq!(house.lockbox.insight().settings_version, newest);
    house.town.restore_network().await.unwrap();
    house.sync().await.unwrap();
    house.town.clock.scene(second.core.sync_now()).await.unwrap();
    assert!(!seen(&house).await.settings_pending);
}

/// LST-6: the link breaks while the settings are on their way: Pending stays until another visit brings them, and they are
/// told to be there no sooner than they are.
#[tokio::test(flavor = "multi_thread")]
async fn lst_6_settings_whose_way_breaks_stay_pending() {
    let house = House::build(63).await.unwrap();
    let access = house.open_house(20).await.unwrap();
    set(&house, 15).await;
    house.sync().await.unwrap();
    let before = house.lockbox.insight().settings_version;
    // M1 is one message of one frame; all that comes after it is lost.
    let mut messages = 0;
    house.town.air.set_plan(Some(Box::new(move |passing| {
        messages += u32::from(passing.direction == Direction::ToLock);
        if messages > 1 && passing.direction == Direction::ToLock { Fate::Lost } else { Fate::Arrives }
    })));
    house.contractor.open(&house.lockbox, Some(&access)).await.unwrap().told.unwrap();
    house.town.air.set_plan(None);
    assert_eq!(house.lockbox.insight().settings_version, before);
    house.sync().await.unwrap();
    assert!(seen(&house).await.settings_pending);
    house.contractor.open(&house.lockbox, Some(&access)).await.unwrap().told.unwrap();
    house.sync().await.unwrap();
    assert!(!seen(&house).await.settings_pending);
}

async fn found_on_ent(house: &House) -> Result<Lockbox, Trouble> {
    let scene = async {
        let finder = house.agent.core.find_lockbox_on_ent().await?;
        house.lockbox.press_ent();
        finder.result().await
    };
    Ok(house.town.clock.scene(scene).await?)
}

/// LST-3: the agent presses ENT, the app shows which box it is, and assigns it; by serial number the same.
#[tokio::test(flavor = "multi_thread")]
async fn lst_3_a_box_is_assigned_by_ent_or_by_serial_number() {
    let house = House::build(64).await.unwrap();
    let core = &house.agent.core;
    core.unassign_lockbox(cast::BOX.into()).await.unwrap();
    let found = found_on_ent(&house).await.unwrap();
    assert_eq!((found.serial.as_str(), found.listing_id), (cast::BOX, None));
    let now = house.town.clock.now();
    let hung =
        core.assign_lockbox(house.listing.clone(), found.serial, now, cast::REGION.into()).await.unwrap();
    assert_eq!(hung.listing_id.as_ref(), Some(&house.listing));
    assert_eq!((hung.on_listing_since, hung.region.as_deref()), (Some(now), Some(cast::REGION)));

    let searched = core.search_lockbox(format!(" {} ", cast::BOX)).await.unwrap();
    assert_eq!(searched, hung);
    assert_eq!(core.search_lockbox("B-99999".into()).await.unwrap_err(), CoreError::NotFound);

    // Asleep again, and nobody presses; and without network nobody can tell which box it was.
    house.town.clock.advance(std::time::Duration::from_secs(60));
    let nobody = async { core.find_lockbox_on_ent().await?.result().await };
    assert_eq!(house.town.clock.scene(nobody).await.unwrap_err(), CoreError::NoLockboxHeard);
    house.town.cut_network().await;
    assert!(matches!(found_on_ent(&house).await, Err(Trouble::Phone(CoreError::Offline))));
}
