//! SYN-4: a store of every released format opens, and its owner goes on.
//!
//! A fixture is a store as an app of that format wrote it, and what was in the phone's key store beside it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

mod support;

use std::{fs, path::Path};

use sentri_core::{
    CoreError,
    api::types::{AccessState, Readiness},
    store::SCHEMA,
};
use support::{
    NOW, World,
    backend::ACCOUNT,
    lock::{Granted, SERIAL},
    press_ent,
};

/// A phone as it was when its app was closed for the update.
fn phone(format: u32) -> World {
    let world = World::new();
    // What the store's cursor stands behind.
    world.backend.grant(&Granted::now());
    let fixture = |extension: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        fs::read_to_string(folder.join(format!("store-{format}.{extension}"))).unwrap()
    };
    fs::create_dir_all(world.accounts()).unwrap();
    let db = rusqlite::Connection::open(world.database()).unwrap();
    db.execute_batch(&fixture("sql")).unwrap();
    for line in fixture("keys").lines() {
        let (name, value) = line.split_once(' ').unwrap();
        let bytes = (0..value.len()).step_by(2).map(|at| u8::from_str_radix(&value[at..at + 2], 16).unwrap());
        world.keys.items.lock().unwrap().insert(name.to_owned(), bytes.collect());
    }
    world
}

/// Reads, opens without network, and syncs on; nothing of it is lost or begun anew.
async fn goes_on(format: u32) {
    let world = phone(format);
    world.backend.online(false);
    let core = world.start();
    assert_eq!(core.profile().await.unwrap().account_id, ACCOUNT.to_string());
    let accesses = core.accesses().await.unwrap();
    assert_eq!((accesses.len(), accesses[0].lockbox.as_str()), (1, SERIAL));
    assert_eq!(accesses[0].state, AccessState::Active);
    assert!(matches!(accesses[0].readiness, Readiness::Ready { until, .. } if until > NOW));
    press_ent(&world, &core, None).await.unwrap();
    assert_eq!(core.sync_status().await.unwrap().events_queued, 2, "the former event and this one");

    world.backend.online(true);
    core.sync_now().await.unwrap();
    assert_eq!(world.backend.events().len(), 2);
    assert!(!world.accounts().join(format!("{ACCOUNT}.db.aside")).exists(), "it was recovered, not migrated");
    let version: u32 = rusqlite::Connection::open(world.database())
        .unwrap()
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .unwrap();
    assert_eq!(version, SCHEMA);
}

/// Whoever raises the format adds a fixture of the one before.
#[tokio::test(start_paused = true)]
async fn every_released_format_goes_on() {
    for format in 1..=SCHEMA {
        goes_on(format).await;
    }
}

/// Forward only: an older app leaves a newer store alone, and says so.
#[tokio::test(start_paused = true)]
async fn a_newer_format_is_told_and_left_alone() {
    let world = phone(1);
    let db = rusqlite::Connection::open(world.database()).unwrap();
    db.pragma_update(None, "user_version", SCHEMA + 1).unwrap();
    assert_eq!(world.start().profile().await, Err(CoreError::UpgradeRequired { needed: None }));
    let rows: u32 = db.query_row("SELECT count(*) FROM outbox", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 1);
}
