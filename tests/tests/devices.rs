//! Devices through the core's exported calls, against the real backend and the real lock: the limit, one's own list,
//! removal, device keys.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

use std::sync::Arc;

use sentri_core::{
    CoreError,
    api::{
        device_key::{DeviceKey, KeyProtection, SigningReason},
        error::Judge,
        grant_flow::GrantStep,
        types::{App, SyncState},
    },
    open::PhoneChecks,
};
use sentri_sandbox::{
    phone::{Between, Device, Phone},
    story::cast,
};
use sentri_tests::{
    HOUR, House,
    device_keys::{HardwareKey, NoHardware},
    post::Post,
};

fn device(house: &House, name: &str, app: App) -> Device {
    house.town.device(name, app, PhoneChecks::Enforced)
}

async fn logged_in(house: &House, name: &str) -> Result<(Device, Phone), CoreError> {
    let mut device = device(house, name, App::Connect);
    let phone = device.start(&house.town.surroundings())?;
    phone.core.login_contractor(cast::CONTRACTOR_EMAIL.into(), cast::CONTRACTOR_PASSWORD.into()).await?;
    Ok((device, phone))
}

/// ACC-4, ACC-5: past the limit a login is refused with limit and support; the owner frees a registration without one.
#[tokio::test(flavor = "multi_thread")]
async fn acc_5_a_lost_phone_is_removed_from_the_login_page() {
    let house = House::build(121).await.unwrap();
    let (_second, _) = logged_in(&house, "Second").await.unwrap();
    let (_third, _) = logged_in(&house, "Third").await.unwrap();
    let refused = logged_in(&house, "Fourth").await.err();
    let Some(CoreError::DeviceLimitReached { limit: 3, support: Some(support) }) = refused else {
        panic!("{refused:?}")
    };
    assert!(!support.phones.is_empty());

    let fourth = device(&house, "Fourth", App::Connect).start(&house.town.surroundings()).unwrap();
    let core = &fourth.core;
    let wrong = core.prove_identity(cast::CONTRACTOR_EMAIL.into(), "Wrong77".into()).await.err();
    assert_eq!(wrong, Some(CoreError::WrongCredentials));
    let post = Post::from_now(&house.town);
    let proof =
        core.prove_identity(cast::CONTRACTOR_EMAIL.into(), cast::CONTRACTOR_PASSWORD.into()).await.unwrap();
    assert!(
        proof.sent_to().contains('@') && proof.sent_to() != cast::CONTRACTOR_EMAIL,
        "{}",
        proof.sent_to()
    );
    assert_eq!(proof.devices().await.err(), Some(CoreError::NotSignedIn), "not before the code");
    let mailed = post.mailed_code(&house.town, cast::CONTRACTOR_EMAIL).await.unwrap();
    let another = if mailed == "000000" { "000001" } else { "000000" };
    assert_eq!(proof.verify(another.into()).await, Err(CoreError::WrongCode));
    proof.verify(mailed).await.unwrap();

    let devices = proof.devices().await.unwrap();
    assert_eq!(devices.limit, 3);
    let names: Vec<_> = devices.devices.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, [sentri_tests::CONTRACTORS_PHONE, "Second", "Third"]);
    assert!(devices.devices.iter().all(|it| !it.this_one));
    proof.remove_device(devices.devices[1].device_id.clone()).await.unwrap();
    let again = proof.remove_device(devices.devices[1].device_id.clone()).await;
    assert_eq!(again, Err(CoreError::NotFound));
    core.login_contractor(cast::CONTRACTOR_EMAIL.into(), cast::CONTRACTOR_PASSWORD.into()).await.unwrap();
}

/// ACC-4: logging in again on a registered device uses no registration. (With answers that are lost: `account_kills`.)
#[tokio::test(flavor = "multi_thread")]
async fn acc_4_logging_in_again_uses_no_registration() {
    let house = House::build(122).await.unwrap();
    let core = &house.contractor.core;
    for _ in 0..4 {
        core.logout().await.unwrap();
        core.login_contractor(cast::CONTRACTOR_EMAIL.into(), cast::CONTRACTOR_PASSWORD.into()).await.unwrap();
    }
    let post = Post::from_now(&house.town);
    let proof = core.prove_own_identity(cast::CONTRACTOR_PASSWORD.into()).await.unwrap();
    proof.verify(post.mailed_code(&house.town, cast::CONTRACTOR_EMAIL).await.unwrap()).await.unwrap();
    let devices = proof.devices().await.unwrap().devices;
    assert_eq!(devices.len(), 1);
    assert!(devices[0].this_one);
}

/// ACC-5: a device that another one removed uploads what it has seen, wipes itself, and opens nothing.
#[tokio::test(flavor = "multi_thread")]
async fn acc_5_a_removed_device_uploads_its_queue_and_wipes_itself() {
    let house = House::build(123).await.unwrap();
    let access = house.open_house(6).await.unwrap();
    house.town.cut_network().await;
    house.contractor.open(&house.lockbox, Some(&access)).await.unwrap().told.unwrap();
    house.town.restore_network().await.unwrap();

    let (_second, second) = logged_in(&house, "Second").await.unwrap();
    let post = Post::from_now(&house.town);
    let proof = second.core.prove_own_identity(cast::CONTRACTOR_PASSWORD.into()).await.unwrap();
    proof.verify(post.mailed_code(&house.town, cast::CONTRACTOR_EMAIL).await.unwrap()).await.unwrap();
    let first = proof.devices().await.unwrap().devices.into_iter().find(|it| !it.this_one).unwrap();
    proof.remove_device(first.device_id).await.unwrap();

    let core = &house.contractor.core;
    let account = core.profile().await.unwrap().account_id;
    let told = house.town.clock.scene(core.sync_now()).await;
    assert_eq!(told.err(), Some(CoreError::DeviceRemoved));
    assert_eq!(core.profile().await, Err(CoreError::NotSignedIn));
    assert_eq!(core.accounts().await.unwrap(), []);
    assert!(house.device.keys().items().keys().all(|key| !key.contains(&account)), "its key is destroyed");
    let log = house.log().await.unwrap();
    assert_eq!(log.len(), 1, "what it had seen is in the log: {log:?}");
    let opened = house.contractor.open(&house.lockbox, None).await;
    assert_eq!(opened.err(), Some(CoreError::NotSignedIn));
    assert_eq!(house.lockbox.motor_drives(), 1);
    // The other device goes on, and whoever logs in again here is a new device.
    assert!(matches!(second.core.sync_now().await.unwrap().state, SyncState::Current { .. }));
    core.login_contractor(cast::CONTRACTOR_EMAIL.into(), cast::CONTRACTOR_PASSWORD.into()).await.unwrap();
    assert_eq!(proof.devices().await.unwrap().devices.len(), 2);
}

/// ACC-5: a lost phone that never syncs again is shut out by the lock, once any other phone has been there.
#[tokio::test(flavor = "multi_thread")]
async fn acc_5_a_removed_phone_without_network_is_shut_out_by_the_lock() {
    let house = House::build(128).await.unwrap();
    let access = house.open_house(6).await.unwrap();
    let (_second, second) = logged_in(&house, "Second").await.unwrap();
    let post = Post::from_now(&house.town);
    let proof = second.core.prove_own_identity(cast::CONTRACTOR_PASSWORD.into()).await.unwrap();
    proof.verify(post.mailed_code(&house.town, cast::CONTRACTOR_EMAIL).await.unwrap()).await.unwrap();
    let lost = proof.devices().await.unwrap().devices.into_iter().find(|it| !it.this_one).unwrap();
    proof.remove_device(lost.device_id).await.unwrap();

    // The other phone brings the lock the list.
    house.town.clock.scene(second.core.sync_now()).await.unwrap();
    second.open(&house.lockbox, Some(&access)).await.unwrap().told.unwrap();
    house.town.cut_network().await;
    let refused = house.contractor.open(&house.lockbox, Some(&access)).await.unwrap().told;
    assert_eq!(refused.err(), Some(CoreError::Revoked { by: Judge::Lock }));
    assert_eq!(house.lockbox.motor_drives(), 1);
}

/// ACC-9: a forgotten PIN is set anew with password and emailed code, which ends a wait after wrong ones.
#[tokio::test(flavor = "multi_thread")]
async fn acc_9_a_forgotten_pin_is_reset_with_password_and_code() {
    let house = House::build(124).await.unwrap();
    let core = &house.agent.core;
    let now = house.town.clock.now();
    let flow = core.start_grant(house.listing.clone()).await.unwrap();
    flow.fill_form("lee@roofing.example".into(), now, now + HOUR).unwrap();
    let mut last = None;
    for _ in 0..6 {
        last = flow.authenticate("9753".into()).await.err();
    }
    assert!(matches!(last, Some(CoreError::TooManyTries { retry_after: Some(_) })), "{last:?}");
    assert!(flow.authenticate(cast::AGENT_PIN.into()).await.is_err(), "the right one waits as well");

    let post = Post::from_now(&house.town);
    let proof = core.prove_own_identity(cast::AGENT_PASSWORD.into()).await.unwrap();
    proof.verify(post.mailed_code(&house.town, cast::AGENT_EMAIL).await.unwrap()).await.unwrap();
    let run = proof.set_pin("4321".into()).await;
    assert!(matches!(run, Err(CoreError::InvalidField { ref field, .. }) if field == "pin"), "{run:?}");
    proof.set_pin("8351".into()).await.unwrap();
    assert_eq!(flow.authenticate(cast::AGENT_PIN.into()).await.err(), Some(CoreError::WrongCode));
    let done = flow.authenticate("8351".into()).await.unwrap();
    assert!(matches!(done, GrantStep::Done { .. }));
}

/// Starts the contractor's app anew, with that key in its hardware, and logs it in.
async fn with_key(house: &mut House, key: Arc<dyn DeviceKey>) {
    house.contractor.core.logout().await.unwrap();
    let between = Between { device_key: Some(key), ..Between::default() };
    let around = house.town.surroundings();
    house.contractor = house.device.start_between(&around, between).unwrap();
    let core = &house.contractor.core;
    core.login_contractor(cast::CONTRACTOR_EMAIL.into(), cast::CONTRACTOR_PASSWORD.into()).await.unwrap();
    house.sync().await.unwrap();
}

/// ACC-12: with a key in hardware a ticket is bound to it, and M1 carries its signature, without which nothing opens.
#[tokio::test(flavor = "multi_thread")]
async fn acc_12_a_ticket_bound_to_hardware_opens_only_with_its_signature() {
    let mut house = House::build(125).await.unwrap();
    assert_eq!(house.contractor.core.key_protection().await, Ok(KeyProtection::NoKey));
    let key = Arc::new(HardwareKey::new(7));
    with_key(&mut house, key.clone()).await;
    assert_eq!(house.contractor.core.key_protection().await, Ok(KeyProtection::Hardware));
    assert_eq!(key.asked(), [SigningReason::Register]);
    let access = house.open_house(6).await.unwrap();

    house.town.cut_network().await;
    let report = house.contractor.open(&house.lockbox, Some(&access)).await.unwrap().told.unwrap();
    assert_eq!(report.figures.m1_bytes, 209);
    assert_eq!(key.asked()[1..], [SigningReason::Open]);
    key.set_owner_looks(false);
    let refused = house.contractor.open(&house.lockbox, Some(&access)).await.unwrap().told;
    assert_eq!(refused.err(), Some(CoreError::Cancelled), "whoever is not the owner opens nothing");
    assert_eq!(house.lockbox.motor_drives(), 1);
    // The same store and keys on a device with another chip: the ticket is worth nothing there.
    let between = Between { device_key: Some(Arc::new(HardwareKey::new(8))), ..Between::default() };
    let around = house.town.surroundings();
    let stolen = house.device.start_between(&around, between).unwrap();
    let refused = stolen.open(&house.lockbox, Some(&access)).await.unwrap().told;
    assert!(matches!(refused, Err(CoreError::NotReady { .. })), "{refused:?}");
    assert_eq!(house.lockbox.motor_drives(), 1);
}

/// ACC-12: a key that is gone, as with new fingers, is replaced by another one with the password, and with nothing less.
#[tokio::test(flavor = "multi_thread")]
async fn acc_12_a_lost_key_is_replaced_with_the_password() {
    let mut house = House::build(129).await.unwrap();
    with_key(&mut house, Arc::new(HardwareKey::new(10))).await;
    let access = house.open_house(6).await.unwrap();
    let between = Between { device_key: Some(Arc::new(HardwareKey::new(11))), ..Between::default() };
    house.contractor = house.device.start_between(&house.town.surroundings(), between).unwrap();
    let core = &house.contractor.core;
    let quietly = core.register_device_key(None).await;
    assert!(matches!(quietly, Err(CoreError::Conflict { .. })), "{quietly:?}");
    assert_eq!(core.register_device_key(Some("Wrong77".into())).await, Err(CoreError::WrongCredentials));
    core.register_device_key(Some(cast::CONTRACTOR_PASSWORD.into())).await.unwrap();
    house.sync().await.unwrap();
    house.town.cut_network().await;
    let report = house.contractor.open(&house.lockbox, Some(&access)).await.unwrap().told.unwrap();
    assert_eq!(report.figures.m1_bytes, 209);
    assert_eq!(house.lockbox.motor_drives(), 1);
}

/// ACC-12: without such hardware the core makes a software key, says so, and tickets are bound to it all the same.
#[tokio::test(flavor = "multi_thread")]
async fn acc_12_without_hardware_a_software_key_signs_and_is_told_as_such() {
    let mut house = House::build(126).await.unwrap();
    with_key(&mut house, Arc::new(NoHardware)).await;
    assert_eq!(house.contractor.core.key_protection().await, Ok(KeyProtection::Software));
    let access = house.open_house(6).await.unwrap();
    house.town.cut_network().await;
    let report = house.contractor.open(&house.lockbox, Some(&access)).await.unwrap().told.unwrap();
    assert_eq!(report.figures.m1_bytes, 209);
    assert_eq!(house.lockbox.motor_drives(), 1);
}

/// ACC-12: a grant is approved by the hardware key; a software key approves none, and the PIN is asked for.
#[tokio::test(flavor = "multi_thread")]
async fn acc_12_a_grant_is_approved_by_the_hardware_key() {
    let mut house = House::build(127).await.unwrap();
    let key = Arc::new(HardwareKey::new(9));
    for (port, hardware) in [(key.clone() as Arc<dyn DeviceKey>, true), (Arc::new(NoHardware), false)] {
        house.agent.core.logout().await.unwrap();
        let mut device =
            device(&house, if hardware { "Dana's new phone" } else { "Dana's old phone" }, App::Agent);
        let between = Between { device_key: Some(port), ..Between::default() };
        house.agent = device.start_between(&house.town.surroundings(), between).unwrap();
        let core = &house.agent.core;
        core.login_agent(cast::SENTRIKEY_ID.into(), cast::AGENT_PASSWORD.into()).await.unwrap();
        core.sync_now().await.unwrap();
        assert!(core.profile().await.unwrap().device_key_approves);
        let now = house.town.clock.now();
        let flow = core.start_grant(house.listing.clone()).await.unwrap();
        flow.fill_form(cast::CONTRACTOR_EMAIL.into(), now, now + HOUR).unwrap();
        if !hardware {
            assert_eq!(flow.authenticate_by_device_key().await.err(), Some(CoreError::PinNeeded));
            assert!(matches!(flow.authenticate(cast::AGENT_PIN.into()).await, Ok(GrantStep::Done { .. })));
            continue;
        }
        key.set_owner_looks(false);
        assert_eq!(flow.authenticate_by_device_key().await.err(), Some(CoreError::Cancelled));
        key.set_owner_looks(true);
        let done = flow.authenticate_by_device_key().await.unwrap();
        assert!(matches!(done, GrantStep::Done { .. }));
        let approvals = key.asked().into_iter().filter(|it| *it == SigningReason::Approve).count();
        assert_eq!(approvals, 2);
    }
}
