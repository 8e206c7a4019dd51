//! Taking an access back: phones that are offline, boxes without network, and the second at which it begins.

use sentri_core::{
    CoreError,
    api::{
        error::Judge,
        types::{AccessOutcome, AccessState, GrantState, Readiness, Revocation},
    },
};
use sentri_sandbox::story::cast;
use sentri_tests::{HOUR, House};

use crate::{grant_at, next_door, out_of_reach, seen_by_granter};

/// GRT-6: taken back while the phone is out of reach. The granter sees it on its way, until another phone has told the
/// box; from then on the box refuses by itself.
#[tokio::test(flavor = "multi_thread")]
async fn grt_6_taken_back_while_the_phone_is_offline() {
    let mut house = House::build(601).await.unwrap();
    let now = house.town.clock.now();
    let access = house.grant(now + HOUR, now + 3 * HOUR).await.unwrap();
    assert!(!seen_by_granter(&house, &access).await.phone_ready);
    house.sync().await.unwrap();
    assert!(seen_by_granter(&house, &access).await.phone_ready);
    out_of_reach(&mut house);

    let revoked = house.agent.core.revoke(access.clone()).await.unwrap();
    assert_eq!((revoked.state, revoked.revoked_at), (GrantState::Revoked, Some(now)));
    let opens_until = now + 3 * HOUR + 1800;
    assert_eq!(revoked.revocation, Some(Revocation::OnItsWay { opens_until }));

    // Pat's other phone comes by for another access, and brings the list.
    house.grant(now, now + 5 * HOUR).await.unwrap();
    let other = house.unchecked_phone().await.unwrap();
    house.town.clock.set(now + HOUR + 600);
    other.open(&house.lockbox, None).await.unwrap().told.unwrap();
    let seen = seen_by_granter(&house, &access).await;
    assert_eq!(seen.revocation, Some(Revocation::AtTheBox), "at that visit, not at the next");

    let refused = house.contractor.open(&house.lockbox, Some(&access)).await.unwrap().told;
    assert_eq!(refused.err(), Some(CoreError::Revoked { by: Judge::Lock }));
    assert_eq!(house.lockbox.motor_drives(), 1);
    // Back in reach, the phone hands in what it saw.
    house.restart_app().unwrap();
    house.sync().await.unwrap();
    let log = house.log().await.unwrap();
    let outcomes: Vec<_> = log.iter().map(|entry| entry.outcome).collect();
    assert_eq!(outcomes, [AccessOutcome::Revoked, AccessOutcome::Opened]);
}

/// GRT-4, GRT-6: no other phone comes by. What was taken back opens all the same, and the granter is told everything.
#[tokio::test(flavor = "multi_thread")]
async fn grt_6_what_nobody_told_the_box_is_told_to_the_granter() {
    let mut house = House::build(602).await.unwrap();
    let now = house.town.clock.now();
    let access = house.grant(now + HOUR, now + 3 * HOUR).await.unwrap();
    house.sync().await.unwrap();
    out_of_reach(&mut house);
    house.agent.core.revoke(access.clone()).await.unwrap();
    house.town.clock.set(now + 2 * HOUR);
    house.contractor.open(&house.lockbox, Some(&access)).await.unwrap().told.unwrap();
    house.restart_app().unwrap();
    house.sync().await.unwrap();
    let shown = house.contractor.core.accesses().await.unwrap();
    assert_eq!(shown.iter().find(|it| it.id == access).unwrap().state, AccessState::Revoked);

    let seen = seen_by_granter(&house, &access).await;
    assert_eq!((seen.state, seen.last_used_at.is_some()), (GrantState::Revoked, true));
    let message = house.agent.core.messages().await.unwrap().remove(0);
    assert_eq!(message.title, "SentriConnect Access Used");
    assert!(message.body.contains("You took this access back on "), "{}", message.body);
    let log = house.log().await.unwrap();
    assert!(log.len() == 1 && log[0].outcome == AccessOutcome::Opened && log[0].confirmed_by_lock);
}

/// GRT-4: in the very second of its start there is one winner: the contractor, since the key may be out. A second before
/// it is the granter, and the box lets nobody in who has heard of it.
#[tokio::test(flavor = "multi_thread")]
async fn grt_4_the_second_of_the_start_has_one_winner() {
    let house = House::build(603).await.unwrap();
    let begins = house.town.clock.now() + HOUR;
    let one = house.grant(begins, begins + HOUR).await.unwrap();
    let other = house.grant(begins, begins + 2 * HOUR).await.unwrap();
    house.sync().await.unwrap();

    house.town.clock.set(begins - 1);
    assert_eq!(house.agent.core.revoke(one.clone()).await.unwrap().state, GrantState::Revoked);
    house.town.clock.set(begins);
    let (opened, refused) = tokio::join!(
        house.contractor.open(&house.lockbox, Some(&other)),
        house.agent.core.revoke(other.clone())
    );
    opened.unwrap().told.unwrap();
    assert_eq!(refused.err(), Some(CoreError::AlreadyBegun { since: Some(begins) }));
    assert_eq!(seen_by_granter(&house, &other).await.state, GrantState::Granted);

    house.town.clock.set(begins + 60);
    house.sync().await.unwrap();
    let told = house.contractor.open(&house.lockbox, Some(&one)).await.unwrap().told;
    assert_eq!(told.err(), Some(CoreError::Revoked { by: Judge::Phone }));
    house.sync().await.unwrap();
    let outcomes: Vec<_> = house.log().await.unwrap().iter().map(|entry| entry.outcome).collect();
    assert_eq!(outcomes, [AccessOutcome::Revoked, AccessOutcome::Opened], "the log explains it");
}

/// GRT-3: granted twice for one window it is one access; it opens and is revoked as one.
#[tokio::test(flavor = "multi_thread")]
async fn grt_3_granted_twice_it_is_one_access() {
    let house = House::build(604).await.unwrap();
    let now = house.town.clock.now();
    let first = house.grant(now + HOUR, now + 2 * HOUR).await.unwrap();
    assert_eq!(house.grant(now + HOUR, now + 2 * HOUR).await.unwrap(), first);
    house.sync().await.unwrap();
    let shown = house.contractor.core.accesses().await.unwrap();
    assert_eq!(shown.iter().filter(|it| it.starts_at == now + HOUR).count(), 1);
}

/// ACC-7: the granter is suspended. What has not begun rests: the contractor is told, and the box, once a phone that has
/// been in reach comes by. It goes on when the granter does.
#[tokio::test(flavor = "multi_thread")]
async fn grt_6_a_granter_who_is_suspended_lets_nobody_in() {
    let house = House::build(605).await.unwrap();
    let (other_box, other_listing) = next_door(&house).await;
    let now = house.town.clock.now();
    let begun = house.open_house(5).await.unwrap();
    let coming = grant_at(&house, &other_listing, now + HOUR, now + 3 * HOUR).await.id;
    house.sync().await.unwrap();
    house.town.operate(async |operator| operator.suspend_agent(cast::SENTRIKEY_ID).await).await.unwrap();
    house.sync().await.unwrap();
    let readiness = |accesses: &[sentri_core::api::types::Access], id: &str| {
        accesses.iter().find(|it| it.id == id).unwrap().readiness
    };
    let shown = house.contractor.core.accesses().await.unwrap();
    assert_eq!(readiness(&shown, &coming), Readiness::OnHold);
    assert!(matches!(readiness(&shown, &begun), Readiness::Ready { .. }), "the key may be out");
    house.contractor.open(&house.lockbox, Some(&begun)).await.unwrap().told.unwrap();

    house.town.clock.set(now + HOUR + 60);
    let refused = house.contractor.open(&other_box, Some(&coming)).await.unwrap().told;
    assert_eq!(refused.err(), Some(CoreError::NotReady { connect_after: None }));
    house.town.operate(async |operator| operator.reinstate_agent(cast::SENTRIKEY_ID).await).await.unwrap();
    house.sync().await.unwrap();
    house.contractor.open(&other_box, Some(&coming)).await.unwrap().told.unwrap();
}
