//! A database of every released schema is brought forward, and its people go on where they were.
//!
//! A fixture is the migrations up to its schema, as they were released, and what a server had stored under it.

use std::path::{Path, PathBuf};

use sentri_server::{Config, Mailbox, Ports, Schema, Server, StartError, StoreError, ports::ManualClock};
use sentri_wire::{
    agent::{GrantState, Grants},
    credential::{Access, Credential},
    event::LogPage,
};
use sqlx::{Connection, migrate::Migrator};

use crate::world::{BLE, DANA, DANAS_EMAIL, DAY, HOUR, NOW, World, config, phone, records};

const SCHEMA_1: &str = "schema-1";

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// A database with the fixture's schema and rows, and the configuration for it.
async fn restored(folder: &Path, name: &str) -> Config {
    let (mut config, fixture) = (config(folder).await, fixture(name));
    config.master_key_file = Some(fixture.join("master.key"));
    let released = folder.join("released");
    std::fs::create_dir(&released).unwrap();
    for file in std::fs::read_dir(&fixture).unwrap().flatten() {
        if file.file_name().to_str().is_some_and(|name| name.starts_with(|it: char| it.is_ascii_digit())) {
            std::fs::copy(file.path(), released.join(file.file_name())).unwrap();
        }
    }
    sqlx::any::install_default_drivers();
    let url = if config.database.starts_with("sqlite") {
        format!("{}?mode=rwc", config.database)
    } else {
        config.database.clone()
    };
    let mut conn = sqlx::AnyConnection::connect(&url).await.unwrap();
    Migrator::new(released.as_path()).await.unwrap().run(&mut conn).await.unwrap();
    let rows = std::fs::read_to_string(fixture.join("data.sql")).unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(rows)).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
    config
}

/// Brings a fixture's database forward by these migrations alone, as a server did that knew no others.
async fn bring_forward(config: &Config, folder: &Path, versions: &[&str]) {
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    for file in std::fs::read_dir(migrations).unwrap().flatten() {
        if versions.iter().any(|version| file.file_name().to_str().unwrap().starts_with(version)) {
            std::fs::copy(file.path(), folder.join("released").join(file.file_name())).unwrap();
        }
    }
    let mut conn = sqlx::AnyConnection::connect(&config.database).await.unwrap();
    Migrator::new(folder.join("released").as_path()).await.unwrap().run(&mut conn).await.unwrap();
    conn.close().await.unwrap();
}

/// A world around a backend that was restored.
async fn world(name: &str) -> World {
    let folder = tempfile::tempdir().unwrap();
    let config = restored(folder.path(), name).await;
    World::around(config, folder).await
}

#[tokio::test]
async fn schema_1_goes_on() {
    let world = world(SCHEMA_1).await;
    let dana = world.agent(DANA).await;
    let log: LogPage = world.get(&dana, "/v1/access-log").await.ok();
    assert_eq!(log.entries.len(), 1);
    assert_eq!((log.entries[0].who.as_str(), log.entries[0].lockbox.as_str()), ("Bo Lindqvist", BLE));
    let mut conn = sqlx::AnyConnection::connect(&world.config.database).await.unwrap();
    let with_events = "SELECT COUNT(*) FROM access_log l JOIN access_events e ON e.id = l.event_id";
    assert_eq!(sqlx::query_scalar::<_, i64>(with_events).fetch_one(&mut conn).await.unwrap(), 1);
    conn.close().await.unwrap();
    let (changes, _) = world.sync(&dana, None).await;
    let listing = records::<sentri_wire::agent::Listing>(&changes).remove(0);
    let given: Grants = world.get(&dana, &format!("/v1/grants?listing_id={}", listing.id)).await.ok();
    let mut states: Vec<_> = given.grants.iter().map(|it| (it.email.as_str(), it.state)).collect();
    states.sort_unstable_by_key(|(email, _)| *email);
    let expected = [("al@paint.example", GrantState::Invited), ("bo@plumbing.example", GrantState::Granted)];
    assert_eq!(states, expected);

    // The contractor's access still gives a ticket, sealed seed and all; the next grant reaches them.
    let bo = world.contractor("bo@plumbing.example").await;
    world.grant(&dana, &listing, "bo@plumbing.example", NOW + DAY, NOW + DAY + HOUR).await;
    let (changes, _) = world.sync(&bo, None).await;
    assert_eq!(records::<Access>(&changes).len(), 2);
    assert_eq!(records::<Credential>(&changes)[0].lockbox, BLE);
}

/// Schema 5 was out before 3 and 4 were: such a database gets those after the fact.
#[tokio::test]
async fn schema_5_without_3_and_4_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let config = restored(folder.path(), SCHEMA_1).await;
    bring_forward(&config, folder.path(), &["0002", "0005"]).await;
    let mut conn = sqlx::AnyConnection::connect(&config.database).await.unwrap();
    let logged = "UPDATE access_log SET operation = '0102030405060708', record = 7";
    sqlx::query(logged).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
    let schema = Schema::read(&config.database).await.unwrap();
    assert_eq!((schema.has, &schema.pending[..2]), (5, &[3, 4][..]));

    let world = World::around(config, folder).await;
    let dana = world.agent(DANA).await;
    let log: LogPage = world.get(&dana, "/v1/access-log").await.ok();
    assert_eq!(log.entries[0].who, "Bo Lindqvist");
    let devices = world.prove(&serde_json::json!({ "sentrikey_id": DANA }), DANAS_EMAIL).await;
    let devices: sentri_wire::device::OwnDevices = world.get(&devices, "/v1/identity/devices").await.ok();
    assert!(!devices.devices.is_empty());
    assert!(Schema::read(&world.config.database).await.unwrap().pending.is_empty());
}

/// A second start finds nothing to migrate.
#[tokio::test]
async fn a_migrated_database_starts_again() {
    let mut world = world(SCHEMA_1).await;
    world.restart(|_, _| {}).await;
    let install = uuid::Uuid::new_v4();
    let login = serde_json::json!({ "sentrikey_id": DANA });
    phone(world.try_login(login, crate::world::PASSWORD, install).await);
}

/// A released migration is never edited: the server would not open a database that was made with the former one.
#[tokio::test]
async fn a_migration_that_is_not_the_released_one_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let config = restored(folder.path(), SCHEMA_1).await;
    let mut conn = sqlx::AnyConnection::connect(&config.database).await.unwrap();
    let other = if config.database.starts_with("sqlite") { "X'00'" } else { "'\\x00'::bytea" };
    let edited = format!("UPDATE _sqlx_migrations SET checksum = {other} WHERE version = 1");
    sqlx::raw_sql(sqlx::AssertSqlSafe(edited)).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
    let ports = Ports::with_mailbox(ManualClock::at(NOW), &Mailbox::new());
    match Server::start(config, ports).await.map(drop) {
        Err(StartError::Store(StoreError::Migration(_))) => {}
        other => panic!("{other:?}"),
    }
}
