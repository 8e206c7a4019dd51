//! SYN-1, SYN-2, SYN-3: pages lost, doubled, out of turn; tokens; the queue of events, killed at each step.
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
    open::PhoneChecks,
};
use sentri_protocol::hours::AccessHours;
use sentri_wire::{
    event::Outcome,
    problem::ProblemCode,
    sync::{Change, Message},
};
use serde_json::json;
use support::{
    EMAIL, Fuse, NOW, PASSWORD, World,
    backend::Fault,
    lock::{Granted, Trouble},
    message, press_ent,
};
use uuid::Uuid;

/// A backend with that many messages, three to a page.
fn with_messages(count: u128) -> World {
    let world = World::new();
    for number in 0..count {
        world.backend.change(message(number));
    }
    world.backend.state.lock().unwrap().page_size = 3;
    world
}

async fn numbers(core: &sentri_core::SentriCore) -> Vec<u128> {
    let messages = core.messages().await.unwrap();
    messages.iter().rev().map(|it| Uuid::parse_str(&it.id).unwrap().as_u128()).collect()
}

#[tokio::test(start_paused = true)]
async fn syn_2_only_what_changed_is_fetched() {
    let world = with_messages(10);
    let core = world.logged_in().await;
    assert_eq!(core.sync_status().await.unwrap().state, SyncState::StaleSince { at: None });
    assert_eq!(core.sync_now().await.unwrap().state, SyncState::Current { at: NOW });
    assert_eq!(numbers(&core).await, (0..10).collect::<Vec<_>>());
    let before = world.backend.count("/v1/sync");
    assert_eq!(before, 4);

    world.backend.change(message(10));
    world.backend.change(Change::gone::<Message>(Uuid::from_u128(0)));
    core.sync_now().await.unwrap();
    assert_eq!(numbers(&core).await, (1..11).collect::<Vec<_>>());
    assert_eq!(world.backend.count("/v1/sync"), before + 1);
}

#[tokio::test(start_paused = true)]
async fn syn_2_a_lost_page_or_answer_changes_nothing() {
    for fault in [Fault::LoseRequest, Fault::LoseAnswer] {
        let world = with_messages(7);
        let core = world.logged_in().await;
        // Each page is tried three times before the sync gives up.
        for _ in 0..4 {
            world.backend.fault("/v1/sync", fault);
        }
        assert_eq!(core.sync_now().await.unwrap().state, SyncState::Offline { at: None });
        core.sync_now().await.unwrap();
        assert_eq!(numbers(&core).await, (0..7).collect::<Vec<_>>(), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn syn_2_pages_doubled_or_out_of_turn_change_nothing() {
    let world = with_messages(7);
    let core = world.logged_in().await;
    core.sync_now().await.unwrap();
    world.backend.change(message(7));
    // The answer to an older question arrives first; its changes are all there already.
    world.backend.fault("/v1/sync", Fault::StaleAnswer);
    core.sync_now().await.unwrap();
    core.sync_now().await.unwrap();
    assert_eq!(numbers(&core).await, (0..8).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn syn_2_a_restored_backend_starts_the_phone_over() {
    let world = with_messages(7);
    let core = world.logged_in().await;
    core.sync_now().await.unwrap();
    {
        let mut state = world.backend.state.lock().unwrap();
        state.incarnation = 1;
        state.changes.truncate(2);
    }
    core.sync_now().await.unwrap();
    assert_eq!(numbers(&core).await, [0, 1]);
}

#[tokio::test(start_paused = true)]
async fn unknown_kinds_are_skipped_and_broken_records_stop_the_page() {
    let world = with_messages(1);
    let hologram = Change { kind: "hologram".into(), id: "1".into(), record: Some(json!({"depth": 3})) };
    world.backend.change(hologram);
    let core = world.logged_in().await;
    assert_eq!(core.sync_now().await.unwrap().state, SyncState::Current { at: NOW });

    let broken = Change { kind: "message".into(), id: "x".into(), record: Some(json!({"id": 5})) };
    world.backend.change(broken);
    let blocked = SyncState::Blocked { why: BlockedWhy::ServiceTrouble };
    assert_eq!(core.sync_now().await.unwrap().state, blocked);
    assert_eq!(numbers(&core).await, [0]);
    world.backend.state.lock().unwrap().changes.pop();
    world.backend.change(message(1));
    core.sync_now().await.unwrap();
    assert_eq!(numbers(&core).await, [0, 1], "nothing was skipped over");
}

#[tokio::test(start_paused = true)]
async fn unknown_fields_are_ignored() {
    let world = with_messages(0);
    let mut change = message(1);
    change.record.as_mut().unwrap()["colour"] = json!("green");
    world.backend.change(change);
    let core = world.logged_in().await;
    core.sync_now().await.unwrap();
    assert_eq!(numbers(&core).await, [1]);
}

#[tokio::test(start_paused = true)]
async fn syn_1_the_status_is_honest() {
    let world = World::new();
    let granted = Granted::now();
    world.backend.grant(&granted);
    let core = world.logged_in().await;
    let status = core.sync_now().await.unwrap();
    assert_eq!(status.state, SyncState::Current { at: NOW });
    assert_eq!((status.opens_from, status.opens_until), (Some(NOW - 3600), Some(NOW + 3600)));

    world.backend.online(false);
    assert_eq!(core.sync_now().await.unwrap().state, SyncState::Offline { at: Some(NOW) });
    drop(core);
    world.clock.set(NOW + 3600);
    let core = world.start();
    let status = core.sync_status().await.unwrap();
    assert_eq!(status.state, SyncState::StaleSince { at: Some(NOW) }, "the credential wants renewal");
    assert_eq!(status.opens_until, None);
}

#[tokio::test(start_paused = true)]
async fn acc_7_a_suspended_account_holds_no_working_credential_from_its_next_sync_on() {
    let world = World::new();
    world.backend.grant(&Granted::now());
    let core = world.logged_in().await;
    core.sync_now().await.unwrap();
    world.backend.fault("/v1/sync", Fault::Problem(ProblemCode::AccountNotActive));
    let status = core.sync_now().await.unwrap();
    let SyncState::Blocked { why: BlockedWhy::AccountNotActive { support, .. } } = status.state else {
        panic!("{status:?}")
    };
    assert_eq!(support.unwrap().phones, ["555-0100"]);
    assert_eq!(status.opens_until, None);
    assert!(matches!(press_ent(&world, &core, None).await, Err(CoreError::NotReady { .. })));

    let status = core.sync_now().await.unwrap();
    assert_eq!(status.opens_until, Some(NOW + 3600), "active again, everything comes back");
}

#[tokio::test(start_paused = true)]
async fn an_expired_token_is_refreshed_once_and_a_lost_answer_does_not_end_the_session() {
    let world = with_messages(1);
    let core = world.logged_in().await;
    world.backend.expire_tokens();
    world.backend.fault("/v1/token/refresh", Fault::LoseAnswer);
    core.sync_now().await.unwrap();
    assert_eq!(numbers(&core).await, [0]);
    assert_eq!(world.backend.count("/v1/token/refresh"), 2);
    let keys: Vec<String> = {
        let state = world.backend.state.lock().unwrap();
        let refreshes =
            state.requests.iter().zip(&state.headers).filter(|(path, _)| path.contains("refresh"));
        let key = |headers: &Vec<(&str, String)>| {
            headers.iter().find(|(name, _)| *name == "idempotency-key").map(|(_, value)| value.clone())
        };
        refreshes.filter_map(|(_, headers)| key(headers)).collect()
    };
    assert_eq!(keys[0], keys[1], "the repeat says that it is one");
}

#[tokio::test(start_paused = true)]
async fn every_call_names_app_and_version() {
    let world = with_messages(0);
    world.logged_in().await.sync_now().await.unwrap();
    let state = world.backend.state.lock().unwrap();
    for headers in &state.headers {
        assert!(headers.contains(&("sentri-client", "connect/3.2.0".into())));
    }
}

#[tokio::test(start_paused = true)]
async fn acc_1_login_errors_are_typed() {
    let world = World::new();
    let core = world.start();
    let wrong = core.login_contractor(EMAIL.into(), "Wrong1".into()).await;
    assert_eq!(wrong, Err(CoreError::WrongCredentials));
    assert_eq!(core.profile().await, Err(CoreError::NotSignedIn));
    world.backend.fault("/v1/login", Fault::Problem(ProblemCode::DeviceLimitReached));
    let refused = core.login_contractor(EMAIL.into(), PASSWORD.into()).await;
    let Err(CoreError::DeviceLimitReached { limit: 3, support: Some(support) }) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(support.name, "Support");
    let bad = core.login_agent("12345".into(), PASSWORD.into()).await;
    assert!(matches!(bad, Err(CoreError::InvalidField { field, .. }) if field == "sentrikey_id"));
    world.backend.online(false);
    assert_eq!(core.login_contractor(EMAIL.into(), PASSWORD.into()).await, Err(CoreError::Offline));
}

#[tokio::test(start_paused = true)]
async fn acc_4_a_device_stays_the_same_device() {
    let world = World::new();
    for _ in 0..2 {
        let core = world.logged_in().await;
        core.logout().await.unwrap();
    }
    let items = world.keys.items.lock().unwrap();
    assert_eq!(items.keys().filter(|key| key.starts_with("install/")).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn acc_6_logging_out_leaves_nothing_but_what_was_not_uploaded() {
    let world = World::new();
    world.backend.grant(&Granted::now());
    let core = world.logged_in().await;
    core.sync_now().await.unwrap();
    world.backend.online(false);
    press_ent(&world, &core, None).await.unwrap();
    core.logout().await.unwrap();
    assert_eq!(core.profile().await, Err(CoreError::NotSignedIn));
    let accounts = core.accounts().await.unwrap();
    assert_eq!((accounts.len(), accounts[0].signed_in, accounts[0].active), (1, false, false));
    assert!(world.database().exists(), "an event waits");

    world.backend.online(true);
    core.login_contractor(EMAIL.into(), PASSWORD.into()).await.unwrap();
    core.sync_now().await.unwrap();
    assert_eq!(world.backend.events().len(), 1);
    core.logout().await.unwrap();
    assert!(!world.database().exists());
}

/// SYN-3: opens, and a refusal, with the network coming and going, killed at every single step of it; then the
/// app starts anew. What was told to the user is in the log, each event is there once, and none was altered.
#[tokio::test(start_paused = true)]
async fn syn_3_a_kill_at_any_step_loses_no_event_and_doubles_none() {
    let mut points = 0;
    loop {
        let world = World::new();
        let later = Granted::new(2, 8, NOW + 7200, NOW + 9000, AccessHours::ALWAYS);
        for granted in [Granted::now(), later] {
            world.backend.grant(&granted);
        }
        world.logged_in().await.sync_now().await.unwrap();
        world.backend.online(false);

        let fuse = Fuse::after(points);
        let told = live_until_killed(&world, &fuse).await;

        world.lock.state.lock().unwrap().troubles.clear();
        world.backend.online(true);
        let core = world.start();
        let status = core.sync_now().await.unwrap();
        let step = fuse.last_step();
        assert_eq!(status.events_queued, 0, "after {step}");
        let events = world.backend.events();
        let opened = events.iter().filter(|it| it.outcome == Outcome::Opened).count();
        let motor = usize::try_from(world.lock.state.lock().unwrap().motor).unwrap();
        assert!(opened >= told, "after {step}: {told} opens were told, {opened} are in the log");
        assert!(opened <= motor, "after {step}");
        let of_lock = events.iter().filter(|it| it.operation.is_some()).count();
        assert!(of_lock >= motor, "after {step}: each open left a trace");
        assert_eq!(world.backend.state.lock().unwrap().conflicts, 0, "after {step}");

        points += 1;
        if !fuse.burned() {
            assert_eq!((told, opened, events.len()), (2, 2, 3), "the run that nothing cut");
            break;
        }
    }
    println!("killed at {points} points");
    assert!(points > 50, "{points}");
}

/// Opens offline, is refused at a wrong access, opens with a lost answer, comes online and syncs. Gives how
/// many opens the user was told of.
async fn live_until_killed(world: &World, fuse: &std::sync::Arc<Fuse>) -> usize {
    let core = world.start_with(fuse, PhoneChecks::Enforced);
    let mut told = usize::from(press_ent(world, &core, None).await.is_ok());
    world.lock.state.lock().unwrap().troubles = vec![Trouble::Lost];
    told += usize::from(press_ent(world, &core, None).await.is_ok());
    let later = Some(Uuid::from_u128(2).to_string());
    let refused = press_ent(world, &core, later).await;
    assert!(refused.is_err());
    world.backend.online(true);
    world.backend.fault("/v1/events", Fault::LoseAnswer);
    let _ = core.sync_now().await;
    told
}

#[tokio::test(start_paused = true)]
async fn one_event_that_no_backend_takes_does_not_hold_up_the_others() {
    let world = World::new();
    world.backend.grant(&Granted::now());
    let core = world.logged_in().await;
    core.sync_now().await.unwrap();
    world.backend.online(false);
    for _ in 0..3 {
        press_ent(&world, &core, None).await.unwrap();
    }
    world.backend.online(true);
    // The batch is refused, then the first event alone; the other two are taken.
    world.backend.fault("/v1/events", Fault::Problem(ProblemCode::Invalid));
    world.backend.fault("/v1/events", Fault::Problem(ProblemCode::Invalid));
    assert_eq!(core.sync_now().await.unwrap().events_queued, 0);
    assert_eq!(world.backend.events().len(), 2);
}
