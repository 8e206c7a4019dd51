//! SYN-2, OPS-3: an old backup of the backend, or of a phone, is noticed, and nothing that was revoked comes back.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

use std::{collections::HashMap, fs, path::Path};

use sentri_core::{
    CoreError,
    api::types::{AccessState, App, BlockedWhy, GrantState, Readiness, SyncState},
    open::PhoneChecks,
};
use sentri_sandbox::{phone::Phone, story::cast};
use sentri_tests::{HOUR, House};

/// Files of a folder whose names begin so.
fn files(folder: &Path, begin: &str) -> HashMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().flatten().filter(|it| it.file_type().unwrap().is_file());
    let named = entries.map(|it| (it.file_name().into_string().unwrap(), fs::read(it.path()).unwrap()));
    named.filter(|(name, _)| name.starts_with(begin)).collect()
}

fn put_back(folder: &Path, begin: &str, kept: &HashMap<String, Vec<u8>>) {
    for name in files(folder, begin).keys() {
        fs::remove_file(folder.join(name)).unwrap();
    }
    for (name, bytes) in kept {
        fs::write(folder.join(name), bytes).unwrap();
    }
}

async fn synced(house: &House, phone: &Phone) -> SyncState {
    house.town.clock.scene(phone.core.sync_now()).await.unwrap().state
}

/// A restored backend ends all sessions; whoever logs in again goes on.
async fn on_again(house: &House, phone: &Phone, agent: bool) {
    let state = synced(house, phone).await;
    if matches!(state, SyncState::Blocked { why: BlockedWhy::SignInAgain }) {
        if agent {
            phone.core.login_agent(cast::SENTRIKEY_ID.into(), cast::AGENT_PASSWORD.into()).await.unwrap();
        } else {
            let (email, password) = (cast::CONTRACTOR_EMAIL, cast::CONTRACTOR_PASSWORD);
            phone.core.login_contractor(email.into(), password.into()).await.unwrap();
        }
    }
    let state = synced(house, phone).await;
    assert!(matches!(state, SyncState::Current { .. }), "{state:?}");
}

/// The access was revoked after the backup; the restored backend has forgotten it, the granter's phone has not.
#[tokio::test(flavor = "multi_thread")]
async fn ops_3_what_was_revoked_after_the_backup_stays_revoked() {
    let house = House::build(141).await.unwrap();
    let now = house.town.clock.now();
    let access = house.grant(now + HOUR, now + 9 * HOUR).await.unwrap();
    house.sync().await.unwrap();
    house.agent.core.sync_now().await.unwrap();

    // As an operator does: the file is whole once the backend has stopped.
    house.town.stop().await;
    let backup = files(house.town.folder(), "sentri.db");
    if backup.is_empty() {
        // The suite runs on a database server, whose backups are its own tools'.
        return;
    }
    house.town.restart_backend(true).await.unwrap();
    house.agent.core.revoke(access.clone()).await.unwrap();
    house.agent.core.sync_now().await.unwrap();
    house.sync().await.unwrap();

    house.town.stop().await;
    put_back(house.town.folder(), "sentri.db", &backup);
    house.town.restart_backend(true).await.unwrap();
    house.town.clock.set(now + HOUR + 60);

    // The contractor's phone is first: it gets no ticket for what the backend can't be sure of.
    on_again(&house, &house.contractor, false).await;
    let seen = house.contractor.core.accesses().await.unwrap();
    let of_it = seen.iter().find(|it| it.id == access);
    assert!(of_it.is_none_or(|it| !matches!(it.readiness, Readiness::Ready { .. })), "{of_it:?}");
    assert!(house.contractor.open(&house.lockbox, Some(&access)).await.unwrap().told.is_err());

    // The granter's phone tells what it knows, by itself.
    on_again(&house, &house.agent, true).await;
    let grants = house.agent.core.grants().await.unwrap();
    let revoked = grants.iter().find(|it| it.id == access).unwrap();
    assert_eq!(revoked.state, GrantState::Revoked);
    house.sync().await.unwrap();
    let seen = house.contractor.core.accesses().await.unwrap();
    assert!(seen.iter().find(|it| it.id == access).is_none_or(|it| it.state == AccessState::Revoked));
    assert!(house.contractor.open(&house.lockbox, Some(&access)).await.unwrap().told.is_err());
    assert_eq!(house.lockbox.motor_drives(), 0);

    // What stands works again once the granter's phone has spoken.
    let now = house.town.clock.now();
    let fresh = house.grant(now, now + HOUR).await.unwrap();
    house.sync().await.unwrap();
    house.contractor.open(&house.lockbox, Some(&fresh)).await.unwrap().told.unwrap();
}

/// The phone's folder comes back from an old backup: noticed by the key store's mark, and everything is fetched anew.
#[tokio::test(flavor = "multi_thread")]
async fn syn_4_an_old_backup_of_the_phone_brings_nothing_back() {
    let mut house = House::build(142).await.unwrap();
    let now = house.town.clock.now();
    let access = house.grant(now + HOUR, now + 9 * HOUR).await.unwrap();
    house.sync().await.unwrap();
    let folder = house.town.folder().join("phones").join("pat-s-phone").join("accounts");
    let store = house.contractor.core.profile().await.unwrap().account_id;
    close_app(&mut house);
    let backup = files(&folder, &store);
    house.restart_app().unwrap();
    house.agent.core.revoke(access.clone()).await.unwrap();
    house.sync().await.unwrap();

    close_app(&mut house);
    put_back(&folder, &store, &backup);
    house.restart_app().unwrap();
    let state = synced(&house, &house.contractor).await;
    assert!(matches!(state, SyncState::Current { .. }), "{state:?}");
    let seen = house.contractor.core.accesses().await.unwrap();
    assert!(seen.iter().find(|it| it.id == access).is_none_or(|it| it.state == AccessState::Revoked));
}

/// Closes the contractor's app, so that its files are nobody's; some other phone holds its place.
fn close_app(house: &mut House) {
    let mut nobodys = house.town.device("Nobody's phone", App::Connect, PhoneChecks::Enforced);
    house.contractor = nobodys.start(&house.town.surroundings()).unwrap();
}

/// ACC-4: what a reinstall makes of a device. The key store decides: with it, the same device; without, another.
#[tokio::test(flavor = "multi_thread")]
async fn acc_4_a_reinstalled_app_is_the_same_device_while_its_key_store_is() {
    let mut house = House::build(143).await.unwrap();
    let folder = house.town.folder().join("phones").join("pat-s-phone");
    let mut registered = Vec::new();
    for keys_too in [false, true] {
        close_app(&mut house);
        fs::remove_dir_all(&folder).unwrap();
        if keys_too {
            house.device.keys().restore(HashMap::new());
        }
        house.restart_app().unwrap();
        let core = house.contractor.core.clone();
        assert_eq!(core.profile().await, Err(CoreError::NotSignedIn));
        core.login_contractor(cast::CONTRACTOR_EMAIL.into(), cast::CONTRACTOR_PASSWORD.into()).await.unwrap();
        let text = core.export_personal_data().await.unwrap();
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        registered.push(document["devices"].as_array().unwrap().len());
    }
    assert_eq!(registered, [1, 2]);
}
