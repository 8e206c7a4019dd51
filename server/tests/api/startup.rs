//! What keeps a server from starting is told; stopping and starting keeps everything.

use sentri_server::{Config, Mailbox, Ports, Server, StartError, StoreError, ports::ManualClock};
use serde_json::Value;

use crate::world::{DANA, NOW, World, config};

async fn start_error(config: Config) -> StartError {
    let ports = Ports::with_mailbox(ManualClock::at(NOW), &Mailbox::new());
    match Server::start(config, ports).await {
        Ok(_) => panic!("it must not start"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_port_in_use_is_told() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let mut second = config(folder.path()).await;
    second.bind = world.server.addr();
    let error = start_error(second).await;
    assert!(matches!(error, StartError::Listen { address, .. } if address == world.server.addr()), "{error}");
}

#[tokio::test]
async fn an_unusable_database_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path()).await;
    config.database = format!("sqlite://{}/no/such/folder/sentri.db", folder.path().display());
    assert!(matches!(start_error(config.clone()).await, StartError::Store(StoreError::Unusable(_))));
    config.database = "mysql://nobody".into();
    assert!(matches!(start_error(config.clone()).await, StartError::Store(StoreError::UnknownDatabase)));
    let file = folder.path().join("not-a-database");
    std::fs::write(&file, "no database at all, but long enough to be looked at".repeat(100)).unwrap();
    config.database = format!("sqlite://{}", file.display());
    assert!(matches!(start_error(config).await, StartError::Store(_)));
}

/// Migrations go forward only: an older server leaves a newer database alone.
#[tokio::test]
async fn a_database_of_the_future_is_told() {
    let world = World::new().await;
    let url = world.config.database.clone();
    let config = world.config.clone();
    let folder = world.folder;
    world.server.stop().await;
    {
        use sqlx::Connection;
        let mut conn = sqlx::AnyConnection::connect(&url).await.unwrap();
        sqlx::raw_sql(
            "INSERT INTO _sqlx_migrations (version, description, installed_on, success, checksum, execution_time) \
             SELECT 9999, 'future', installed_on, success, checksum, 0 FROM _sqlx_migrations WHERE version = 1",
        )
        .execute(&mut conn)
        .await
        .unwrap();
        conn.close().await.unwrap();
    }
    let error = start_error(config).await;
    assert!(matches!(error, StartError::Store(StoreError::FutureSchema(9999))), "{error}");
    drop(folder);
}

/// An operator who copies the file of a server that has stopped has everything, and copies no file that goes away.
#[tokio::test]
async fn a_server_that_has_stopped_leaves_one_file_with_everything_in_it() {
    let world = World::new().await;
    let Some(file) = world.config.database.strip_prefix("sqlite://").map(std::path::PathBuf::from) else {
        return;
    };
    world.server.stop().await;
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    let beside = |entry: &String| entry.starts_with(&name) && *entry != name;
    let entries = std::fs::read_dir(file.parent().unwrap()).unwrap();
    let left: Vec<_> = entries.map(|it| it.unwrap().file_name().to_string_lossy().into_owned()).collect();
    assert!(left.contains(&name), "{left:?}");
    assert!(!left.iter().any(beside), "{left:?}");
}

#[tokio::test]
async fn a_master_key_is_needed_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path()).await;
    config.master_key_file = Some(folder.path().join("missing"));
    assert!(matches!(start_error(config.clone()).await, StartError::Vault(_)));
    let file = folder.path().join("bad");
    std::fs::write(&file, "abc").unwrap();
    config.master_key_file = Some(file);
    assert!(matches!(start_error(config).await, StartError::Vault(_)));
}

/// The story cuts the network by closing the listener: the same port comes back.
#[tokio::test]
async fn the_listener_stops_and_comes_back_on_its_port() {
    let mut world = World::new().await;
    let dana = world.agent(DANA).await;
    let address = world.server.addr();
    world.server.stop_listener().await;
    let cut = world.http.get(format!("http://{address}/v1/health")).send().await;
    assert!(cut.is_err_and(|error| error.is_connect()));
    world.server.start_listener().await.unwrap();
    assert_eq!(world.server.addr(), address);
    world.get(&dana, "/v1/me").await.ok::<Value>();
}

/// OPS-1: the operator is told what is wrong, as an app is.
#[tokio::test]
async fn operators_commands_name_the_field() {
    use sentri_server::operator::{NewAssociation, NewLockbox};
    use sentri_wire::agent::LockboxGeneration;
    let world = World::new().await;
    let operator = world.server.operator();
    let field = |refusal: sentri_server::Refusal| match refusal {
        sentri_server::Refusal::Problem(problem) => problem.field.unwrap_or_default(),
        sentri_server::Refusal::Fault(fault) => panic!("{fault}"),
    };
    let agent = crate::world::new_agent;
    for (new, named) in [
        (agent("12345678", "A", "a@b.example", "503-555-0133"), "sentrikey_id"),
        (agent(DANA, "A", "a@b.example", "503-555-0133"), "sentrikey_id"),
        (agent("111111111", "", "a@b.example", "503-555-0133"), "first_name"),
        (agent("111111111", "A", "Dana@realty.example", "503-555-0133"), "email"),
        (agent("111111111", "A", "a@b.example", "1"), "phone"),
    ] {
        assert_eq!(field(operator.add_agent(&new).await.unwrap_err()), named);
    }
    let again = NewAssociation { name: "Cascade Realtors".into(), ..NewAssociation::default() };
    assert_eq!(field(operator.add_association(&again).await.unwrap_err()), "name");
    let good = NewLockbox {
        serial: "BLE-0009".into(),
        generation: LockboxGeneration::Ble,
        owner: DANA.into(),
        time_zone: "America/Los_Angeles".into(),
        access_hours: "always".into(),
    };
    for (new, named) in [
        (NewLockbox { serial: "x".into(), ..good.clone() }, "serial"),
        (NewLockbox { serial: crate::world::BLE.into(), ..good.clone() }, "serial"),
        (NewLockbox { owner: "000000000".into(), ..good.clone() }, "sentrikey_id"),
        (NewLockbox { time_zone: "Nowhere".into(), ..good.clone() }, "time_zone"),
        (NewLockbox { access_hours: "8-20".into(), ..good.clone() }, "access_hours"),
        (NewLockbox { access_hours: "08:10-20:00".into(), ..good.clone() }, "access_hours"),
    ] {
        assert_eq!(field(operator.provision_lockbox(&new).await.unwrap_err()), named);
    }
    operator.provision_lockbox(&good).await.unwrap();
    assert_eq!(operator.lockboxes(DANA).await.unwrap().len(), 3);
    assert_eq!(operator.agents("Cascade Realtors").await.unwrap().len(), 2);
    assert_eq!(operator.associations().await.unwrap().len(), 1);
    assert_eq!(operator.reseal().await.unwrap(), 0, "all is under the only key");
}
