//! How old an app may be: for the whole, and for a feature.

use sentri_server::{Mailbox, Ports, Server, StartError, ports::ManualClock};
use sentri_wire::agent::Grants;

use crate::world::{BLE, DANA, HOUR, NOW, World, config, grant};

#[tokio::test]
async fn an_app_below_the_minimum_is_told_to_update() {
    let world = World::with(|config| {
        config.minimum_versions.insert("connect".into(), "2.8.0".into());
    })
    .await;
    let call =
        async |version| world.send("GET", "/v1/health", None, &[("sentri-client", version)], None).await;
    assert_eq!(call("connect/2.8.0").await.status, 200);
    assert_eq!(call("connect/2.10").await.status, 200);
    assert_eq!(call("agent/1.0.0").await.status, 200);
    let old = call("connect/2.7.9").await.refused("upgrade-required", None);
    assert!(old.detail.unwrap().contains("2.8.0"));
    call("connect").await.refused("malformed", Some("sentri-client"));
}

/// A feature can ask more of an app than the rest does.
#[tokio::test]
async fn an_app_too_old_for_a_feature_may_do_the_rest() {
    let world = World::with(|config| {
        config.minimum_versions.insert("agent".into(), "2.0.0".into());
        config.minimum_versions.insert("agent:grant".into(), "2.8.0".into());
    })
    .await;
    let dana = world.agent(DANA).await;
    let listing = world.place(&dana, BLE).await;
    let body = grant(&listing, "bo@plumbing.example", NOW, NOW + HOUR).to_string();
    let call = async |method: &str, version: &str| {
        let (headers, body) = ([("sentri-client", version)], body.clone().into_bytes());
        let path = format!("/v1/grants?listing_id={}", listing.id);
        match method {
            "GET" => world.send("GET", &path, Some(&dana.access), &headers, None).await,
            _ => world.send("POST", "/v1/grants", Some(&dana.access), &headers, Some(body)).await,
        }
    };
    let old = call("POST", "agent/2.7.9").await.refused("upgrade-required", None);
    assert_eq!(old.detail.unwrap(), "This feature needs version 2.8.0 or newer.");
    assert_eq!(call("GET", "agent/2.7.9").await.ok::<Grants>().grants, []);
    let too_old = call("GET", "agent/1.9.0").await.refused("upgrade-required", None);
    assert_eq!(too_old.detail.unwrap(), "This needs version 2.0.0 or newer.");
    // It is asked of this app only.
    assert_eq!(call("POST", "connect/1.0.0").await.status, 201);
    assert_eq!(call("POST", "agent/2.8.0").await.status, 201);
}

#[tokio::test]
async fn a_minimum_that_means_nothing_is_told_to_the_operator() {
    for (name, version, named) in [
        ("agent:grnt", "2.8.0", "agent:grnt"),
        ("agent", "two", "two"),
        ("agent:grant", "1.2.3.4", "1.2.3.4"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(folder.path()).await;
        config.minimum_versions.insert(name.into(), version.into());
        let ports = Ports::with_mailbox(ManualClock::at(NOW), &Mailbox::new());
        match Server::start(config, ports).await.map(drop) {
            Err(StartError::Config(told)) => assert!(told.contains(named), "{told}"),
            other => panic!("{other:?}"),
        }
    }
}
