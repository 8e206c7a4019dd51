//! OPS-3: master keys are changed under a running deployment, and a backup is restored.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

mod deployment;

use deployment::{Deployment, PASSWORD};
use serde_json::{Value, json};
use uuid::Uuid;

async fn populated() -> Deployment {
    let ours = Deployment::with("").await;
    ours.line("association add --name Cascade", &[]);
    ours.line(
        "agent add --association Cascade --sentrikey-id 123456789 --first-name Dana --last-name Reyes \
         --email dana@realty.example --phone 503-555-0101",
        &[],
    );
    provision(&ours, "BLE-0001");
    ours
}

fn provision(ours: &Deployment, serial: &str) -> Value {
    let line = "lockbox provision --generation ble --owner 123456789 --time-zone America/Chicago --serial";
    ours.line(line, &[serial])
}

/// An access token for a new device.
async fn login(url: &str) -> String {
    let body = json!({ "login": { "sentrikey_id": "123456789" }, "password": PASSWORD,
        "device": { "install_id": Uuid::new_v4(), "name": "Phone", "platform": "desktop" } });
    let answer = client().post(format!("{url}/v1/login")).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let answer: Value = answer.json().await.unwrap();
    answer["tokens"]["access"].as_str().unwrap().to_owned()
}

fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

/// Added, promoted, everything sealed anew, the old one retired: each step by command, none out of turn.
#[tokio::test]
async fn a_master_key_is_changed() {
    let ours = populated().await;
    let first = ours.json(&["key", "status"]);
    assert_eq!((first.as_array().unwrap().len(), &first[0]["current"]), (1, &json!(true)));
    assert!(first[0]["values"].as_i64().unwrap() >= 1);
    assert!(ours.refused(&["key", "promote"]).contains("key add"));

    ours.json(&["key", "add"]);
    assert!(ours.refused(&["key", "add"]).contains("promote"));
    let added = ours.json(&["key", "status"]);
    assert_eq!((&added[0]["current"], &added[1]["current"]), (&json!(true), &json!(false)));
    provision(&ours, "BLE-0002");
    assert_eq!(ours.json(&["key", "status"])[1]["values"], 0, "it opens only");

    ours.json(&["key", "promote"]);
    provision(&ours, "BLE-0003");
    let promoted = ours.json(&["key", "status"]);
    assert_eq!((&promoted[1]["current"], promoted[1]["values"].as_i64()), (&json!(true), Some(1)));
    assert!(ours.refused(&["key", "retire"]).contains("key reseal"));
    let resealed = ours.json(&["key", "reseal"])["resealed"].as_i64().unwrap();
    assert_eq!(resealed, promoted[0]["values"].as_i64().unwrap());
    assert_eq!(ours.json(&["key", "retire"])["retired"], 1);

    let last = ours.json(&["key", "status"]);
    assert_eq!((last.as_array().unwrap().len(), &last[0]["key"]), (1, &promoted[1]["key"]));
    assert_eq!(std::fs::read_to_string(ours.path("master.key")).unwrap().lines().count(), 1);
    assert!(!ours.path("master.key.new").exists());
    // The boxes of before are served: their settings are signed with seeds that only the new key opens.
    let moved = "agent add --association Cascade --sentrikey-id 222222222 --first-name Ari --last-name Ray \
                 --email ari@realty.example --phone 503-555-0102 --without-password";
    ours.line(moved, &[]);
    for serial in ["BLE-0001", "BLE-0002", "BLE-0003"] {
        ours.line("lockbox transfer --owner 222222222", &[serial]);
    }
}

/// Only its owner reads the file, before and after.
#[cfg(unix)]
#[tokio::test]
async fn nobody_else_reads_the_master_key() {
    use std::os::unix::fs::PermissionsExt;
    let ours = Deployment::with("").await;
    let mode = || std::fs::metadata(ours.path("master.key")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    ours.json(&["key", "add"]);
    assert_eq!(mode(), 0o600);
}

/// A copy is made while the server runs, and holds all that was acknowledged; restored, phones start over.
#[tokio::test]
async fn a_backup_is_made_and_restored() {
    let ours = populated().await;
    let copy = ours.path("copy.db");
    if ours.database.starts_with("postgres") {
        assert!(ours.refused(&["database", "backup", copy.to_str().unwrap()]).contains("pg_dump"));
        return;
    }
    let serving = ours.serve();
    let token = login(&serving.url).await;
    let page = sync(&serving.url, &token, "").await;
    let cursor = format!("?cursor={}", page["cursor"].as_str().unwrap());
    assert_eq!(sync(&serving.url, &token, &cursor).await["restart"], false);
    ours.json(&["database", "backup", copy.to_str().unwrap()]);
    assert!(ours.refused(&["database", "backup", copy.to_str().unwrap()]).contains("file"));
    serving.kill();

    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(ours.path(&format!("sentri.db{end}")));
    }
    std::fs::rename(&copy, ours.path("sentri.db")).unwrap();
    assert_eq!(ours.json(&["database", "restored"])["restored"], true);
    let serving = ours.serve();
    let page = sync(&serving.url, &login(&serving.url).await, &cursor).await;
    assert_eq!(page["restart"], true, "a cursor of before is of another database: {page}");
    assert!(page["changes"].to_string().contains("BLE-0001"));
}

async fn sync(url: &str, token: &str, cursor: &str) -> Value {
    client()
        .get(format!("{url}/v1/sync{cursor}"))
        .bearer_auth(token)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap()
}
