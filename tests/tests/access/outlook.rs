//! "Will it open?", and whether the box says the same.

use std::time::Duration;

use sentri_core::{
    CoreError,
    api::outlook::{Caution, Obstacle},
};
use sentri_sandbox::story::cast;
use sentri_tests::{HOUR, House};
use sentri_wire::agent::LockboxGeneration;

use crate::{grant_at, out_of_reach};

/// NEW-2: before, within and after the window, with a credential and without; each answer is what ENT then says.
#[tokio::test(flavor = "multi_thread")]
async fn new_2_the_answer_before_the_trip_is_the_answer_at_the_box() {
    let house = House::build(621).await.unwrap();
    let now = house.town.clock.now();
    let access = house.grant(now + HOUR, now + 3 * HOUR).await.unwrap();
    let core = &house.contractor.core;
    let unknown = core.will_it_open(access.clone(), None).await;
    assert_eq!(unknown.err(), Some(CoreError::NotFound), "not synced yet");
    house.sync().await.unwrap();

    let asked = async |at: Option<i64>| core.will_it_open(access.clone(), at).await.unwrap();
    let at_its_start = asked(None).await;
    assert_eq!((at_its_start.at, at_its_start.opens), (now + HOUR, true), "{at_its_start:?}");
    assert_eq!((at_its_start.obstacles.len(), at_its_start.cautions.len()), (0, 0));
    assert_eq!(asked(Some(now)).await.obstacles, [Obstacle::NotBegun { from: now + HOUR }]);
    assert_eq!(asked(Some(now + 4 * HOUR)).await.obstacles, [Obstacle::Over { since: now + 3 * HOUR }]);
    let bad = core.will_it_open(access.clone(), Some(-1)).await;
    assert!(matches!(bad, Err(CoreError::InvalidField { ref field, .. }) if field == "at"), "{bad:?}");

    house.town.cut_network().await;
    house.town.clock.set(now + HOUR);
    assert!(house.contractor.open(&house.lockbox, Some(&access)).await.unwrap().told.is_ok());
    // A day later the phone says that it has not heard anything.
    house.town.clock.advance(Duration::from_secs(25 * 3600));
    let stale = asked(None).await;
    assert!(matches!(stale.cautions[..], [Caution::NotHeardSince { at: Some(_) }]), "{stale:?}");
}

/// NEW-2: a far access needs the phone to connect once; a box with hours says when it opens; a granter who is suspended
/// and a revocation are told.
#[tokio::test(flavor = "multi_thread")]
async fn new_2_each_obstacle_says_what_to_do() {
    let mut house = House::build(622).await.unwrap();
    let new = cast::lockbox(cast::OTHER_BOX, LockboxGeneration::Ble, "12:00-13:00");
    house.town.add_lockbox(&new).await.unwrap();
    let core = &house.agent.core;
    core.sync_now().await.unwrap();
    let listing = core.add_listing(cast::listing(cast::OTHER_ADDRESS)).await.unwrap().id;
    let now = house.town.clock.now();
    core.assign_lockbox(listing.clone(), cast::OTHER_BOX.into(), now, cast::REGION.into()).await.unwrap();
    let hours = grant_at(&house, &listing, now, now + 20 * HOUR).await.id;
    let far = house.grant(now + 72 * HOUR, now + 80 * HOUR).await.unwrap();
    house.sync().await.unwrap();

    let asked = async |house: &House, id: &str| {
        house.contractor.core.will_it_open(id.to_owned(), None).await.unwrap().obstacles
    };
    let Obstacle::OutsideHours { next: Some(next) } = asked(&house, &hours).await[0] else { panic!() };
    let report = house.contractor.core.will_it_open(hours.clone(), Some(next)).await.unwrap();
    assert!(report.opens, "{report:?}");
    assert_eq!(asked(&house, &far).await, [Obstacle::ConnectOnce { after: now + 48 * HOUR }]);

    house.town.operate(async |operator| operator.suspend_agent(cast::SENTRIKEY_ID).await).await.unwrap();
    house.sync().await.unwrap();
    assert_eq!(asked(&house, &far).await, [Obstacle::OnHold]);
    house.town.operate(async |operator| operator.reinstate_agent(cast::SENTRIKEY_ID).await).await.unwrap();
    house.agent.core.revoke(far.clone()).await.unwrap();
    house.sync().await.unwrap();
    assert_eq!(asked(&house, &far).await, [Obstacle::Revoked]);
    out_of_reach(&mut house);
    assert_eq!(asked(&house, &far).await, [Obstacle::Revoked], "with no network too");
}
