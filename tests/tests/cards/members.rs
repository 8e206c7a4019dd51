//! A member opens by card and PIN, and by mobile access code: within hours alone, in good standing alone, where a box hangs
//! at an active listing. By app: `access/members.rs`.

use std::time::Duration;

use sentri_core::{
    CoreError,
    api::types::{AccessMethod, AccessOutcome, App, BoxSettings, DayHours, Weekday},
    open::PhoneChecks,
};
use sentri_sandbox::{card::put_in_and_out, phone::Phone, story::cast};
use sentri_tests::{BEGINS, HOUR, House};
use sentri_wire::problem::ProblemCode;

use crate::{ROBIN, add_robin, keypad_box, opens, opens_by_card, reader, refusal};

const DAY: i64 = 24 * HOUR;

fn wait_until(house: &House, after: i64) {
    let passed = BEGINS + after - house.town.clock.now();
    house.town.clock.advance(Duration::from_secs(u64::try_from(passed).unwrap()));
}

async fn robin_on_a_phone(house: &House) -> Phone {
    add_robin(house).await;
    let mut device = house.town.device("Robin's phone", App::Agent, PhoneChecks::Enforced);
    let phone = device.start(&house.town.surroundings()).unwrap();
    phone.core.login_agent(ROBIN.into(), cast::AGENT_PASSWORD.into()).await.unwrap();
    house.town.clock.scene(phone.core.sync_now()).await.unwrap();
    phone
}

/// AGT-1, CON-3: by card and PIN, within the hours, for three days; whoever is suspended gets no other card, and the log says
/// who was there.
#[tokio::test(flavor = "multi_thread")]
async fn agt_1_a_member_opens_by_card_and_pin() {
    let house = House::build(811).await.unwrap();
    add_robin(&house).await;
    let lockbox = keypad_box(&house, "10:00-12:00").await;
    let (robin, owner) = (reader(&house, ROBIN).await, reader(&house, cast::SENTRIKEY_ID).await);
    let card = robin.renew(cast::AGENT_PIN, None).await.unwrap();
    let owners = owner.renew(cast::AGENT_PIN, None).await.unwrap();
    assert_ne!(card.serial, owners.serial);
    assert_eq!(card.good_until, house.town.clock.now() + 3 * DAY);
    assert!(robin.errands().await.unwrap().is_empty(), "of others' boxes nobody tells");
    assert!(opens_by_card(&lockbox, card.memory.as_ref()));

    house.town.operate(async |operator| operator.suspend_agent(ROBIN).await).await.unwrap();
    let refused = refusal(robin.renew(cast::AGENT_PIN, None).await);
    assert_eq!(refused.code, ProblemCode::AccountNotActive);

    wait_until(&house, 3 * HOUR);
    assert!(!opens_by_card(&lockbox, card.memory.as_ref()), "1 PM");
    assert!(opens_by_card(&lockbox, owners.memory.as_ref()), "its owner's opens at any hour");
    wait_until(&house, 3 * DAY + HOUR / 2);
    assert!(opens_by_card(&lockbox, card.memory.as_ref()), "what was given lasts to its end");
    wait_until(&house, 4 * DAY + HOUR / 2);
    assert!(!opens_by_card(&lockbox, card.memory.as_ref()), "and no longer");

    let back = put_in_and_out(&lockbox, owners.memory.as_ref());
    let owner = reader(&house, cast::SENTRIKEY_ID).await;
    owner.renew(cast::AGENT_PIN, Some(back)).await.unwrap();
    let log = house.log().await.unwrap();
    let mut lines: Vec<_> = log
        .iter()
        .filter(|line| line.method == AccessMethod::Card)
        .map(|line| (line.who.as_str(), line.outcome, line.confirmed_by_lock))
        .collect();
    lines.reverse();
    let robins = |outcome| ("Robin Ellis", outcome, true);
    let own = ("Dana Reyes", AccessOutcome::Opened, true);
    let (opened, outside) = (robins(AccessOutcome::Opened), robins(AccessOutcome::OutsideHours));
    assert_eq!(lines, [opened, outside, own, opened, robins(AccessOutcome::TooLate)]);
}

/// AGT-1, COD-1: a mobile access code is given for a box at an active listing to a member in good standing, and opens within
/// the hours alone.
#[tokio::test(flavor = "multi_thread")]
async fn agt_1_a_member_opens_by_mobile_access_code() {
    let house = House::build(812).await.unwrap();
    let robin = robin_on_a_phone(&house).await;
    let make = async || robin.core.make_mobile_access_code(cast::KEYPAD_BOX.into()).await;
    let lockbox = keypad_box(&house, "10:00-12:00").await;
    assert_eq!(make().await.unwrap_err(), CoreError::NotFound, "it hangs nowhere");

    let core = &house.agent.core;
    let listing = core.add_listing(cast::listing(cast::OTHER_ADDRESS)).await.unwrap().id;
    let now = house.town.clock.now();
    core.assign_lockbox(listing, cast::KEYPAD_BOX.into(), now, cast::REGION.into()).await.unwrap();
    let first = make().await.unwrap();
    assert!(opens(&lockbox, first.code.expose()));
    wait_until(&house, 3 * HOUR);
    let late = make().await.unwrap();
    assert!(!opens(&lockbox, late.code.expose()), "1 PM");

    // What is given lasts for its day; suspended, or off the listing, there is no other.
    wait_until(&house, DAY + HOUR);
    assert!(opens(&lockbox, make().await.unwrap().code.expose()));
    core.unassign_lockbox(cast::KEYPAD_BOX.into()).await.unwrap();
    wait_until(&house, 2 * DAY + HOUR);
    assert_eq!(make().await.unwrap_err(), CoreError::NotFound, "it is off its listing");
    house.town.operate(async |operator| operator.suspend_agent(ROBIN).await).await.unwrap();
    let suspended = make().await;
    assert!(matches!(suspended, Err(CoreError::AccountNotActive { .. })), "{suspended:?}");
    assert_eq!(lockbox.motor_drives(), 2);
}

/// LST-4, LST-6: the owner's own phone brings its box what was set, at the owner's own visit, with no access of anybody's.
#[tokio::test(flavor = "multi_thread")]
async fn lst_6_the_owners_own_phone_brings_settings() {
    let house = House::build(813).await.unwrap();
    let core = &house.agent.core;
    let hours = vec![DayHours { weekday: Weekday::Wednesday, from: 0, to: 1440 }];
    let settings = BoxSettings { access_hours: hours, contractor_mode: true, time_zone: None };
    let before = house.lockbox.insight().settings_version;
    assert!(core.set_lockbox_settings(cast::BOX.into(), Some(settings)).await.unwrap().pending);
    house.town.clock.scene(core.sync_now()).await.unwrap();
    house.agent.open(&house.lockbox, None).await.unwrap().told.unwrap();
    assert_eq!(house.lockbox.insight().settings_version, before + 1);
    house.town.clock.scene(core.sync_now()).await.unwrap();
    assert!(!core.lockbox_settings(cast::BOX.into()).await.unwrap().pending);
}
