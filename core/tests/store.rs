//! SYN-4: what rests on the phone is sealed, whole, and never older than it was.
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
    api::types::{BlockedWhy, SyncState},
};
use sentri_wire::credential::Credential;
use support::{
    NOW, World,
    backend::ACCOUNT,
    bytes_of,
    lock::{Granted, SERIAL},
    press_ent,
};

/// A phone with one credential and one queued event, its app closed.
async fn closed_with_event() -> (World, Granted) {
    let world = World::new();
    let granted = Granted::now();
    world.backend.grant(&granted);
    let core = world.logged_in().await;
    core.sync_now().await.unwrap();
    world.backend.online(false);
    press_ent(&world, &core, None).await.unwrap();
    drop(core);
    world.backend.online(true);
    (world, granted)
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

#[tokio::test(start_paused = true)]
async fn syn_4_a_stolen_folder_reveals_nothing() {
    let (world, granted) = closed_with_event().await;
    let stolen = bytes_of(&world.accounts());
    let secrets: [&[u8]; 8] = [
        granted.credential.secret.as_ref(),
        granted.credential.ticket.as_ref(),
        granted.credential.advert_keys[0].key.as_ref(),
        SERIAL.as_bytes(),
        b"Oak Street",
        b"sam@example.com",
        b"access-",
        granted.credential.id.as_bytes(),
    ];
    for secret in secrets {
        assert!(!contains(&stolen, secret));
    }
    let base64 = serde_json::to_value(&granted.credential.secret).unwrap();
    assert!(!contains(&stolen, base64.as_str().unwrap().as_bytes()));
}

#[tokio::test(start_paused = true)]
async fn syn_4_without_the_key_the_user_signs_in_again_and_is_told_what_is_lost() {
    let (world, _) = closed_with_event().await;
    world.keys.items.lock().unwrap().remove(&format!("{ACCOUNT}/key"));
    let core = world.start();
    assert_eq!(core.profile().await, Err(CoreError::SignInAgain { events_lost: 1 }));
    let signed_in = core.login_contractor(support::EMAIL.into(), support::PASSWORD.into()).await.unwrap();
    assert_eq!(signed_in.events_lost, 1);
    core.sync_now().await.unwrap();
    assert_eq!(core.accesses().await.unwrap().len(), 1);
    press_ent(&world, &core, None).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn syn_4_a_wiped_key_store_is_told_too() {
    let (world, _) = closed_with_event().await;
    world.keys.items.lock().unwrap().clear();
    assert_eq!(world.start().profile().await, Err(CoreError::SignInAgain { events_lost: 1 }));
    assert_eq!(World::new().start().profile().await, Err(CoreError::NotSignedIn));
}

#[tokio::test(start_paused = true)]
async fn syn_4_another_key_opens_nothing() {
    let (world, _) = closed_with_event().await;
    world.keys.items.lock().unwrap().insert(format!("{ACCOUNT}/key"), vec![0; 36]);
    let core = world.start();
    assert_eq!(core.accesses().await.unwrap(), []);
    let status = core.sync_now().await.unwrap();
    assert_eq!(status.state, SyncState::Blocked { why: BlockedWhy::SignInAgain });
}

#[tokio::test(start_paused = true)]
async fn a_locked_device_is_told_as_such() {
    let (world, _) = closed_with_event().await;
    *world.keys.locked.lock().unwrap() = true;
    let core = world.start();
    assert_eq!(core.profile().await, Err(CoreError::DeviceLocked));
    *world.keys.locked.lock().unwrap() = false;
    assert!(core.profile().await.is_ok());
}

/// Closes the log into the database, so that a test can find its rows in one file.
fn checkpoint(world: &World) -> rusqlite::Connection {
    let db = rusqlite::Connection::open(world.database()).unwrap();
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    db
}

#[tokio::test(start_paused = true)]
async fn syn_4_a_flipped_byte_in_any_record_is_refused_and_all_comes_anew() {
    let (world, granted) = closed_with_event().await;
    let before = std::fs::read_dir(world.accounts()).unwrap().count();
    let length: i64 = checkpoint(&world)
        .query_row("SELECT length(sealed) FROM record WHERE kind = 'credential'", [], |row| row.get(0))
        .unwrap();
    for position in [0, 23, 24, length / 2, length - 1] {
        let position = usize::try_from(position).unwrap();
        let db = checkpoint(&world);
        let mut sealed: Vec<u8> = db
            .query_row("SELECT sealed FROM record WHERE kind = 'credential'", [], |row| row.get(0))
            .unwrap();
        sealed[position] ^= 1;
        db.execute("UPDATE record SET sealed = $1 WHERE kind = 'credential'", [&sealed]).unwrap();
        drop(db);
        let core = world.start();
        assert_eq!(core.accesses().await.unwrap(), [], "the damaged store is set aside");
        let status = core.sync_status().await.unwrap();
        assert_eq!(status.events_queued, u32::from(position == 0), "and the queue is saved first");
        core.sync_now().await.unwrap();
        assert_eq!(core.accesses().await.unwrap()[0].id, granted.access.id.to_string());
    }
    assert_eq!(world.backend.events().len(), 1);
    assert!(std::fs::read_dir(world.accounts()).unwrap().count() > before, "the damaged file is kept aside");
}

#[tokio::test(start_paused = true)]
async fn syn_4_rows_that_were_swapped_are_refused() {
    let (world, _) = closed_with_event().await;
    let db = checkpoint(&world);
    db.execute(
        "UPDATE record SET sealed = (SELECT sealed FROM record WHERE kind = 'access') WHERE kind = 'credential'",
        [],
    )
    .unwrap();
    drop(db);
    assert_eq!(world.start().accesses().await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn syn_4_a_file_damaged_anywhere_never_gives_wrong_data() {
    let (world, granted) = closed_with_event().await;
    drop(checkpoint(&world));
    let good = std::fs::read(world.database()).unwrap();
    let keys = world.keys.items.lock().unwrap().clone();
    for position in (0..good.len()).step_by(311) {
        for file in std::fs::read_dir(world.accounts()).unwrap().flatten() {
            std::fs::remove_file(file.path()).unwrap();
        }
        *world.keys.items.lock().unwrap() = keys.clone();
        let mut damaged = good.clone();
        damaged[position] ^= 0x55;
        std::fs::write(world.database(), damaged).unwrap();
        let core = world.start();
        let Ok(accesses) = core.accesses().await else {
            panic!("byte {position}: the store did not recover")
        };
        assert!(accesses.iter().all(|it| it.id == granted.access.id.to_string()), "byte {position}");
        let queued = core.sync_status().await.unwrap().events_queued;
        assert!(queued <= 1, "byte {position}");
    }
}

#[tokio::test(start_paused = true)]
async fn syn_4_no_database_at_all_is_a_full_sync() {
    let (world, _) = closed_with_event().await;
    std::fs::write(world.database(), b"this is no database").unwrap();
    let core = world.start();
    assert_eq!(core.accesses().await.unwrap(), []);
    // The session went with the file.
    let status = core.sync_now().await.unwrap();
    assert_eq!(status.state, SyncState::Blocked { why: BlockedWhy::SignInAgain });
    core.login_contractor(support::EMAIL.into(), support::PASSWORD.into()).await.unwrap();
    assert_eq!(core.sync_now().await.unwrap().state, SyncState::Current { at: NOW });
}

#[tokio::test(start_paused = true)]
async fn syn_4_an_old_copy_of_the_store_forces_a_full_sync() {
    let world = World::new();
    let granted = Granted::now();
    world.backend.grant(&granted);
    let core = world.logged_in().await;
    core.sync_now().await.unwrap();
    drop(core);
    drop(checkpoint(&world));
    let old = std::fs::read(world.database()).unwrap();

    world.backend.change(sentri_wire::sync::Change::gone::<Credential>(granted.credential.id.clone()));
    world.start().sync_now().await.unwrap();
    for file in std::fs::read_dir(world.accounts()).unwrap().flatten() {
        std::fs::remove_file(file.path()).unwrap();
    }
    std::fs::write(world.database(), old).unwrap();

    world.start().sync_now().await.unwrap();
    let last = world.backend.state.lock().unwrap().requests.last().cloned();
    assert_eq!(last.as_deref(), Some("/v1/sync?limit=1000"), "without a cursor");
}

#[tokio::test(start_paused = true)]
async fn a_store_of_a_newer_app_is_left_alone() {
    let (world, _) = closed_with_event().await;
    checkpoint(&world).pragma_update(None, "user_version", 99).unwrap();
    assert_eq!(world.start().accesses().await, Err(CoreError::UpgradeRequired { needed: None }));
    let db = rusqlite::Connection::open(world.database()).unwrap();
    let queued: u32 = db.query_row("SELECT count(*) FROM outbox", [], |row| row.get(0)).unwrap();
    assert_eq!(queued, 1);
}
