//! The text that a user can share with support tells how the phone stands, and nothing of whose it is.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

mod support;

use sentri_core::{CoreError, SentriCore};
use sentri_wire::{
    problem::ProblemCode,
    sync::{Change, Message, MessageTopic},
};
use serde_json::Value;
use support::{
    EMAIL, NOW, PASSWORD, World,
    backend::{ACCOUNT, Fault},
    lock::{Granted, SERIAL},
    press_ent,
};
use uuid::Uuid;

fn message() -> Message {
    Message {
        id: Uuid::from_u128(0x77),
        at: NOW - 5,
        topic: MessageTopic::AccessGranted,
        title: "SentriConnect Access Granted".into(),
        body: "Dana Realtor gave you access to 12 Oak Street.".into(),
        access_id: Some(Uuid::from_u128(1)),
        read: false,
    }
}

/// A phone with all that a contractor's can hold, a queued event, and some errors behind it.
async fn filled() -> (World, std::sync::Arc<SentriCore>) {
    let world = World::new();
    world.backend.grant(&Granted::now());
    world.backend.change(Change::upsert(&message()));
    let core = world.start();
    let wrong = core.login_contractor(EMAIL.into(), "Plumbing8".into()).await;
    assert_eq!(wrong.unwrap_err(), CoreError::WrongCredentials);
    core.login_contractor(EMAIL.into(), PASSWORD.into()).await.unwrap();
    core.sync_now().await.unwrap();
    world.backend.fault("/v1/sync", Fault::Problem(ProblemCode::AccountNotActive));
    core.sync_now().await.unwrap();
    core.sync_now().await.unwrap();
    world.backend.online(false);
    press_ent(&world, &core, None).await.unwrap();
    world.lock.state.lock().unwrap().verdict = sentri_protocol::open::Verdict::NoRight;
    press_ent(&world, &core, None).await.unwrap_err();
    (world, core)
}

/// Every text in a JSON value.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(all) => all.iter().for_each(|it| texts(it, found)),
        Value::Object(fields) => fields.values().for_each(|it| texts(it, found)),
        _ => {}
    }
}

/// All that is somebody's: what came by sync, who logged in, and every key, in hex too.
fn personal(world: &World) -> Vec<String> {
    let mut found: Vec<String> =
        [EMAIL, PASSWORD, SERIAL, "Sam", "555-0123", "Plumber", "Dana", "Oak", "127.0.0.1"]
            .map(str::to_owned)
            .into();
    found.push(ACCOUNT.to_string());
    found.push(world.folder.path().display().to_string());
    for change in &world.backend.state.lock().unwrap().changes {
        found.push(change.id.clone());
        change.record.iter().for_each(|record| texts(record, &mut found));
    }
    for headers in &world.backend.state.lock().unwrap().headers {
        let secret = headers.iter().filter(|(name, _)| matches!(*name, "authorization" | "idempotency-key"));
        found.extend(secret.map(|(_, value)| value.trim_start_matches("Bearer ").to_owned()));
    }
    for (name, value) in world.keys.items.lock().unwrap().iter() {
        found.push(name.clone());
        let digits = value.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        found.push(digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect());
        found.extend(String::from_utf8(value.clone()).ok().filter(|text| text.is_ascii() && text.len() > 8));
    }
    // Windows of accesses tell where somebody is when.
    found.extend([NOW - 3600, NOW + 3600, NOW - 5].map(|at| at.to_string()));
    found
}

#[tokio::test(start_paused = true)]
async fn it_tells_how_the_phone_stands() {
    let (_world, core) = filled().await;
    let text = core.diagnostic().await;
    for line in [
        "app: connect/3.2.0",
        "platform: desktop",
        "store format: 1",
        "lock protocol: 1",
        "API: 1",
        "account: in use",
        "events queued: 2",
        &format!("error: WrongCredentials at {NOW}"),
        &format!("error: AccountNotActive at {NOW}"),
        &format!("error: NoRight at {NOW}"),
    ] {
        assert!(text.lines().any(|it| it == line), "{line} is missing in {text}");
    }
    let stored = text.lines().find(|line| line.starts_with("stored: ")).unwrap();
    for count in ["access 1", "credential 1", "message 1"] {
        assert!(stored.contains(count), "{count} is missing in {stored}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_that_is_somebodys_is_in_it() {
    let (world, core) = filled().await;
    let text = core.diagnostic().await;
    let personal = personal(&world);
    assert!(personal.len() > 40, "the test must have something to look for");
    for value in personal.iter().filter(|value| value.len() > 2) {
        // Names of kinds are words of ours, not of a person.
        if !["connect", "contractor", "access", "message"].contains(&value.as_str()) {
            assert!(!text.contains(value.as_str()), "{value} is in {text}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn it_never_fails() {
    let world = World::new();
    let core = world.start();
    assert!(core.diagnostic().await.contains("account: none in use (NotSignedIn)"));
    *world.keys.locked.lock().unwrap() = true;
    assert!(world.start().diagnostic().await.contains("account: none in use (DeviceLocked)"));
}

/// The last ten, however many there were.
#[tokio::test(start_paused = true)]
async fn it_remembers_a_few_errors_only() {
    let world = World::new();
    let core = world.start();
    for _ in 0..25 {
        core.login_contractor(EMAIL.into(), "Plumbing8".into()).await.unwrap_err();
    }
    assert_eq!(core.diagnostic().await.matches("error: WrongCredentials").count(), 10);
}
