//! What a home page costs: one sync, and at most three calls, for an agent with 200 listings and a contractor with 200
//! accesses, at the phone's port to the network.

use std::sync::Arc;

use sentri_core::{
    api::types::{App, SyncState},
    open::PhoneChecks,
};
use sentri_sandbox::{
    phone::{Between, Phone},
    story::cast,
};
use sentri_server::bench;
use sentri_tests::{HOUR, House};

use crate::Counted;

const MANY: usize = 200;
const AT_MOST: usize = 3;

/// A new phone, with nothing on it.
fn new_phone(house: &House, app: App) -> (Phone, Arc<Counted>) {
    let counted = Counted::new();
    let mut device = house.town.device("A new phone", app, PhoneChecks::Enforced);
    let between = Between { http: Some(counted.clone()), ..Between::default() };
    (device.start_between(&house.town.surroundings(), between).unwrap(), counted)
}

/// Opens the app; how many calls it made.
async fn opened(house: &House, phone: &Phone, counted: &Counted) -> usize {
    counted.take();
    let status = house.town.clock.scene(phone.core.sync_now()).await.unwrap();
    assert!(matches!(status.state, SyncState::Current { .. }), "{status:?}");
    counted.take()
}

/// SYN-1, LST-1: a new phone as well as one that is opened again.
#[tokio::test(flavor = "multi_thread")]
async fn syn_1_an_agents_home_with_200_listings_is_one_sync_and_at_most_three_calls() {
    let house = House::build(631).await.unwrap();
    for number in 1..MANY {
        let listing = cast::listing(&format!("{number} Orchard Lane"));
        house.agent.core.add_listing(listing).await.unwrap();
    }
    let (phone, counted) = new_phone(&house, App::Agent);
    phone.core.login_agent(cast::SENTRIKEY_ID.into(), cast::AGENT_PASSWORD.into()).await.unwrap();
    let first = opened(&house, &phone, &counted).await;
    let again = opened(&house, &phone, &counted).await;
    assert!(first <= AT_MOST && again == 1, "{first} calls on a new phone, {again} on opening it again");

    // The page is drawn from what the phone holds, by three of its own calls.
    phone.core.sync_status().await.unwrap();
    assert_eq!(phone.core.listings().await.unwrap().len(), MANY);
    phone.core.unread_messages().await.unwrap();
    assert_eq!(counted.take(), 0, "drawing asks nobody");
}

/// SYN-1, CON-1: of 200 accesses 20 are active, so that the phone is given as many credentials.
#[tokio::test(flavor = "multi_thread")]
async fn con_1_a_contractors_home_with_200_accesses_is_one_sync_and_at_most_three_calls() {
    let house = House::build(632).await.unwrap();
    let (phone, counted) = new_phone(&house, App::Connect);
    phone
        .core
        .login_contractor(cast::CONTRACTOR_EMAIL.into(), cast::CONTRACTOR_PASSWORD.into())
        .await
        .unwrap();
    let holder = phone.core.profile().await.unwrap().account_id.parse().unwrap();
    let now = house.town.clock.now();
    for (starts_at, count) in [(now, 20), (now + 48 * HOUR, MANY - 21)] {
        let running = house.town.running().await.unwrap();
        bench::add_accesses(&running, holder, cast::BOX, starts_at, count).await.unwrap();
    }
    let first = opened(&house, &phone, &counted).await;
    let again = opened(&house, &phone, &counted).await;
    assert!(first <= AT_MOST && again == 1, "{first} calls on a new phone, {again} on opening it again");

    let status = phone.core.sync_status().await.unwrap();
    assert_eq!(status.opens_until, Some(now + HOUR));
    // One of them is the access that brought the invitation.
    assert_eq!(phone.core.accesses().await.unwrap().len(), MANY);
    phone.core.unread_messages().await.unwrap();
    assert_eq!(counted.take(), 0, "drawing asks nobody");
}
