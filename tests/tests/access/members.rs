//! A member opens any box of the association, at an active listing, within its hours, by app.

use std::{sync::Arc, time::Duration};

use sentri_core::{
    CoreError,
    api::{
        error::Judge,
        types::{AccessOutcome, AccessState, App, MessageTopic},
    },
    open::PhoneChecks,
};
use sentri_sandbox::{clock::Pull, lockbox::Lockbox, phone::Phone, story::cast};
use sentri_tests::{HOUR, House};
use sentri_wire::agent::LockboxGeneration;

const ROBIN: &str = cast::MEMBER_ID;

/// Another agent of the association, logged in on a phone that has never heard of any box.
async fn robin(house: &House) -> Phone {
    house.town.operate(async |operator| operator.add_agent(&cast::member()).await).await.unwrap();
    let mut device = house.town.device("Robin's phone", App::Agent, PhoneChecks::Enforced);
    let phone = device.start(&house.town.surroundings()).unwrap();
    phone.core.login_agent(ROBIN.into(), cast::AGENT_PASSWORD.into()).await.unwrap();
    house.town.clock.scene(phone.core.sync_now()).await.unwrap();
    phone
}

/// ENT on this box, after a while in which every other one has gone to sleep.
async fn ent(house: &House, phone: &Phone, lockbox: &Arc<Lockbox>) -> Result<(), CoreError> {
    house.town.clock.advance(Duration::from_secs(60));
    phone.open(lockbox, None).await.unwrap().told.map(drop)
}

/// AGT-1: the ticket is fetched on ENT, serves for an hour without network, and the owner reads who was there.
#[tokio::test(flavor = "multi_thread")]
async fn agt_1_a_member_opens_a_box_that_the_phone_never_synced() {
    let house = House::build(651).await.unwrap();
    let robin = robin(&house).await;
    ent(&house, &robin, &house.lockbox).await.unwrap();
    let visits = robin.core.accesses().await.unwrap();
    let [visit] = &visits[..] else { panic!("{visits:?}") };
    assert_eq!((visit.lockbox.as_str(), visit.state), (cast::BOX, AccessState::Active));

    // To bring the key back no network is needed, nor another visit.
    house.town.cut_network().await;
    ent(&house, &robin, &house.lockbox).await.unwrap();
    house.town.restore_network().await.unwrap();
    assert_eq!(house.lockbox.motor_drives(), 2);
    house.town.clock.scene(robin.core.sync_now()).await.unwrap();

    let log = house.log().await.unwrap();
    assert!(
        log.len() == 2 && log.iter().all(|it| it.who == "Robin Ellis" && it.confirmed_by_lock),
        "{log:?}"
    );
    let core = &house.agent.core;
    house.town.clock.scene(core.sync_now()).await.unwrap();
    let told = core.messages().await.unwrap().remove(0);
    assert_eq!((told.title.as_str(), told.topic), ("Lockbox Opened By A Member", MessageTopic::AccessUsed));
    assert!(core.grants().await.unwrap().iter().all(|it| it.email != "robin.ellis@harbor-realty.example"));

    // Once the right to return the key is over too, the next visit is another one.
    house.town.clock.set(house.town.clock.now() + 6 * HOUR);
    ent(&house, &robin, &house.lockbox).await.unwrap();
    assert_eq!(robin.core.accesses().await.unwrap().len(), 2);
    assert_eq!(house.lockbox.motor_drives(), 3);
}

/// AGT-1: the ticket takes its time, and the member presses ENT again meanwhile: by then the phone knows the box.
#[tokio::test(flavor = "multi_thread")]
async fn agt_1_a_member_may_press_ent_again_while_the_ticket_is_fetched() {
    let house = House::build(655).await.unwrap();
    let robin = robin(&house).await;
    let lockbox = house.lockbox.clone();
    // The first advert is heard a moment before.
    let again = house.town.clock.after(Duration::from_millis(110), Pull::Yes, move || lockbox.press_ent());
    let opened = robin.open(&house.lockbox, None).await.unwrap();
    drop(again);
    assert!(opened.told.is_ok(), "{:?}", opened.told);
    assert_eq!(house.lockbox.motor_drives(), 1);
}

/// AGT-1: not without network at a box that is new to the phone, not outside the hours, not off a listing, not once the
/// member is suspended, and not by whoever is no member.
#[tokio::test(flavor = "multi_thread")]
async fn agt_1_a_member_opens_nothing_else() {
    let house = House::build(652).await.unwrap();
    let robin = robin(&house).await;
    house.town.cut_network().await;
    assert_eq!(ent(&house, &robin, &house.lockbox).await, Err(CoreError::Offline));
    house.town.restore_network().await.unwrap();

    // A box that hangs nowhere, then one with hours.
    let new = cast::lockbox(cast::OTHER_BOX, LockboxGeneration::Ble, "02:00-03:00");
    let other = house.town.add_lockbox(&new).await.unwrap();
    let nobodys = Err(CoreError::WrongBox { by: Judge::Phone });
    assert_eq!(ent(&house, &robin, &other).await, nobodys);
    let core = &house.agent.core;
    core.sync_now().await.unwrap();
    let listing = core.add_listing(cast::listing(cast::OTHER_ADDRESS)).await.unwrap().id;
    let now = house.town.clock.now();
    core.assign_lockbox(listing, cast::OTHER_BOX.into(), now, cast::REGION.into()).await.unwrap();
    let refused = ent(&house, &robin, &other).await;
    assert!(matches!(refused, Err(CoreError::OutsideHours { next: Some(_), .. })), "{refused:?}");

    // Whoever is no member is not let in by being there.
    assert_eq!(ent(&house, &house.contractor, &other).await, nobodys);

    ent(&house, &robin, &house.lockbox).await.unwrap();
    house.town.operate(async |operator| operator.suspend_agent(ROBIN).await).await.unwrap();
    house.town.clock.scene(robin.core.sync_now()).await.unwrap();
    let suspended = ent(&house, &robin, &house.lockbox).await;
    assert!(matches!(suspended, Err(CoreError::AccountNotActive { .. })), "{suspended:?}");
    assert_eq!((house.lockbox.motor_drives(), other.motor_drives()), (1, 0));
}

/// AGT-1, LST-3: a box that is taken off its listing is closed to members, the ticket of a visit that goes on included.
#[tokio::test(flavor = "multi_thread")]
async fn agt_1_a_visit_ends_with_the_listing() {
    let house = House::build(653).await.unwrap();
    let robin = robin(&house).await;
    ent(&house, &robin, &house.lockbox).await.unwrap();
    // A visit keeps nobody from taking the box down.
    house.agent.core.unassign_lockbox(cast::BOX.into()).await.unwrap();
    house.town.clock.scene(robin.core.sync_now()).await.unwrap();
    assert_eq!(robin.core.accesses().await.unwrap()[0].state, AccessState::Revoked);
    assert_eq!(ent(&house, &robin, &house.lockbox).await, Err(CoreError::Revoked { by: Judge::Phone }));
    assert_eq!(house.lockbox.motor_drives(), 1);
    let log = house.log().await.unwrap();
    assert_eq!(log.first().unwrap().outcome, AccessOutcome::Revoked);
}
