//! CON-2: pressing ENT opens the key bin, with no network; refusals by phone and by lock; faults of the radio.
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
    api::{
        error::Judge,
        ports::LinkError,
        types::{AccessState, Readiness},
    },
    open::PhoneChecks,
};
use sentri_protocol::{
    audit,
    hours::{AccessHours, Span},
    open::Verdict,
    revocation::RevocationList as SignedList,
    ticket::Epoch,
};
use sentri_wire::{credential::RevocationList, event::Outcome, sync::Change};
use support::{
    Fuse, NOW, World,
    lock::{Granted, SERIAL, Trouble, keys_of},
    press_ent,
};

const HOUR: i64 = 3600;

/// A phone that has synced these accesses and is offline now.
async fn offline_with(granted: &[Granted]) -> World {
    let world = World::new();
    for granted in granted {
        world.backend.grant(granted);
    }
    world.logged_in().await.sync_now().await.unwrap();
    world.backend.online(false);
    world
}

fn skipped(world: &World) -> std::sync::Arc<sentri_core::SentriCore> {
    world.start_with(&Fuse::never(), PhoneChecks::SkippedForDiagnosis)
}

/// What the backend has got once the network is back.
async fn reported(world: &World) -> Vec<(Outcome, bool)> {
    world.backend.online(true);
    world.start().sync_now().await.unwrap();
    world.backend.events().into_iter().map(|event| (event.outcome, event.status.is_some())).collect()
}

#[tokio::test(start_paused = true)]
async fn con_2_ent_opens_the_bin_with_no_network() {
    let world = offline_with(&[Granted::now()]).await;
    let report = press_ent(&world, &world.start(), None).await.unwrap();
    assert_eq!(report.lockbox, SERIAL);
    assert_eq!(report.battery_percent, 81);
    assert_eq!((report.figures.m1_bytes, report.figures.m2_bytes, report.figures.tries), (112, 92, 1));
    assert_eq!(world.lock.state.lock().unwrap().motor, 1);
    assert_eq!(reported(&world).await, [(Outcome::Opened, true)]);
}

#[tokio::test(start_paused = true)]
async fn con_2_the_smallest_mtu_and_doubled_frames_change_nothing() {
    let world = offline_with(&[Granted::now()]).await;
    {
        let mut lock = world.lock.state.lock().unwrap();
        lock.mtu = 23;
        lock.troubles = vec![Trouble::Doubled];
    }
    let report = press_ent(&world, &world.start(), None).await.unwrap();
    assert_eq!(report.figures.m1_frames, 6);
    assert_eq!(report.figures.m2_frames, 9, "nine of ten: the repeat of the last one came too late");
}

#[tokio::test(start_paused = true)]
async fn con_2_a_lost_answer_is_asked_for_again_and_the_motor_runs_once() {
    for trouble in [Trouble::Lost, Trouble::Silent, Trouble::Flipped] {
        let world = offline_with(&[Granted::now()]).await;
        world.lock.state.lock().unwrap().troubles = vec![trouble, trouble];
        let report = press_ent(&world, &world.start(), None).await.unwrap();
        assert_eq!(report.figures.tries, 3);
        let lock = world.lock.state.lock().unwrap();
        assert_eq!(lock.motor, 1, "{trouble:?}");
        assert_eq!(lock.operations, [lock.operations[0]; 3], "one operation id within one wake");
    }
}

#[tokio::test(start_paused = true)]
async fn con_2_no_answer_at_all_is_told_well_before_the_wake_ends_and_logged() {
    let world = offline_with(&[Granted::now()]).await;
    world.lock.state.lock().unwrap().troubles = vec![Trouble::Silent; 9];
    let started = tokio::time::Instant::now();
    assert_eq!(press_ent(&world, &world.start(), None).await, Err(CoreError::NoAnswer));
    assert!(started.elapsed().as_secs() < 25, "in the test's own time");
    assert_eq!(reported(&world).await, [(Outcome::Unanswered, false)]);
}

#[tokio::test(start_paused = true)]
async fn con_2_connections_that_fail_or_hang_are_tried_again() {
    let world = offline_with(&[Granted::now()]).await;
    {
        let mut lock = world.lock.state.lock().unwrap();
        lock.refuse_connections = 1;
        lock.hang_connections = 1;
    }
    assert_eq!(press_ent(&world, &world.start(), None).await.unwrap().figures.tries, 3);
}

#[tokio::test(start_paused = true)]
async fn con_2_the_phone_refuses_what_the_lock_would_and_says_why() {
    let by = Judge::Phone;
    let nights = AccessHours::daily(Span::new(80, 90).unwrap());
    let cases = [
        (
            Granted::new(1, 7, NOW + HOUR, NOW + 2 * HOUR, AccessHours::ALWAYS),
            CoreError::NotYetValid { from: NOW + HOUR, by },
            Outcome::TooEarly,
        ),
        (
            Granted::new(1, 7, NOW - 2 * HOUR, NOW - HOUR, AccessHours::ALWAYS),
            CoreError::Expired { since: Some(NOW - HOUR), by },
            Outcome::TooLate,
        ),
        // NOW is 08:00; quarter 80 begins at 20:00.
        (
            Granted::new(1, 7, NOW - HOUR, NOW + HOUR, nights),
            CoreError::OutsideHours { next: Some(NOW + 12 * HOUR), by },
            Outcome::OutsideHours,
        ),
    ];
    for (granted, refusal, outcome) in cases {
        let world = offline_with(&[granted]).await;
        assert_eq!(press_ent(&world, &world.start(), None).await, Err(refusal));
        assert_eq!(world.lock.state.lock().unwrap().connections, 0, "the lock was not asked");
        assert_eq!(reported(&world).await, [(outcome, false)]);
    }
}

#[tokio::test(start_paused = true)]
async fn con_2_the_lock_refuses_a_phone_whose_own_checks_are_off() {
    let early = Granted::new(1, 7, NOW + HOUR, NOW + 2 * HOUR, AccessHours::ALWAYS);
    let late = Granted::new(1, 7, NOW - 2 * HOUR, NOW - HOUR, AccessHours::ALWAYS);
    let by = Judge::Lock;
    let cases = [
        (early, Verdict::NotYet, CoreError::NotYetValid { from: NOW + HOUR, by }, Outcome::TooEarly),
        (late, Verdict::Expired, CoreError::Expired { since: Some(NOW - HOUR), by }, Outcome::TooLate),
        (Granted::now(), Verdict::Revoked, CoreError::Revoked { by }, Outcome::Revoked),
        (Granted::now(), Verdict::AlreadyOpened, CoreError::PressEntAgain, Outcome::Refused),
        (Granted::now(), Verdict::MotorFailed, CoreError::LockboxDefect, Outcome::Refused),
    ];
    for (granted, verdict, refusal, outcome) in cases {
        let world = offline_with(&[granted]).await;
        world.lock.state.lock().unwrap().verdict = verdict;
        assert_eq!(press_ent(&world, &skipped(&world), None).await, Err(refusal));
        assert_eq!(reported(&world).await, [(outcome, true)], "with the lock's own word");
    }
}

#[tokio::test(start_paused = true)]
async fn con_2_the_wrong_box_is_refused_by_phone_and_by_lock() {
    let elsewhere = Granted::new(1, 8, NOW - HOUR, NOW + HOUR, AccessHours::ALWAYS);
    let world = offline_with(std::slice::from_ref(&elsewhere)).await;
    let id = Some(elsewhere.access.id.to_string());
    let phone = Err(CoreError::WrongBox { by: Judge::Phone });
    assert_eq!(press_ent(&world, &world.start(), id.clone()).await, phone);
    assert_eq!(press_ent(&world, &world.start(), None).await, phone);
    assert_eq!(world.lock.state.lock().unwrap().connections, 0);
    assert_eq!(
        press_ent(&world, &skipped(&world), id).await,
        Err(CoreError::WrongBox { by: Judge::Lock }),
        "the lock can't prove another lock's ticket"
    );
    assert_eq!(world.lock.state.lock().unwrap().motor, 0);
}

#[tokio::test(start_paused = true)]
async fn con_2_from_an_accesses_page_another_box_of_mine_is_the_wrong_one() {
    let here = Granted::now();
    let elsewhere = Granted::new(2, 8, NOW - HOUR, NOW + HOUR, AccessHours::ALWAYS);
    let world = offline_with(&[here, elsewhere.clone()]).await;
    let id = Some(elsewhere.access.id.to_string());
    assert_eq!(press_ent(&world, &world.start(), id).await, Err(CoreError::WrongBox { by: Judge::Phone }));
}

#[tokio::test(start_paused = true)]
async fn grt_3_a_synced_revocation_is_told_at_the_box() {
    let granted = Granted::now();
    let world = offline_with(std::slice::from_ref(&granted)).await;
    world.backend.online(true);
    let mut access = granted.access.clone();
    access.revoked = true;
    world.backend.change(Change::upsert(&access));
    world.backend.change(Change::gone::<sentri_wire::credential::Credential>(granted.credential.id.clone()));
    let core = world.start();
    core.sync_now().await.unwrap();
    let seen = core.accesses().await.unwrap();
    assert_eq!((seen[0].state, seen[0].readiness), (AccessState::Revoked, Readiness::Never));
    assert_eq!(press_ent(&world, &core, None).await, Err(CoreError::Revoked { by: Judge::Phone }));
}

#[tokio::test(start_paused = true)]
async fn con_2_an_access_without_a_credential_says_when_to_connect() {
    let granted = Granted::new(1, 7, NOW + 48 * HOUR, NOW + 50 * HOUR, AccessHours::ALWAYS);
    let world = World::new();
    world.backend.change(Change::upsert(&granted.access));
    let core = world.logged_in().await;
    core.sync_now().await.unwrap();
    let seen = core.accesses().await.unwrap();
    assert_eq!(seen[0].readiness, Readiness::ConnectAfter { at: granted.access.ready_from });
    let id = Some(granted.access.id.to_string());
    let early = CoreError::NotYetValid { from: granted.access.starts_at, by: Judge::Phone };
    assert_eq!(press_ent(&world, &core, id.clone()).await, Err(early));
    world.clock.set(NOW + 49 * HOUR);
    let connect = CoreError::NotReady { connect_after: Some(granted.access.ready_from) };
    assert_eq!(press_ent(&world, &core, id).await, Err(connect));
}

#[tokio::test(start_paused = true)]
async fn con_2_the_key_can_be_returned_once_after_the_end() {
    let world = offline_with(&[Granted::now()]).await;
    press_ent(&world, &world.start(), None).await.unwrap();
    world.clock.set(NOW + 2 * HOUR);
    press_ent(&world, &world.start(), None).await.unwrap();
    assert!(matches!(
        press_ent(&world, &world.start(), None).await,
        Err(CoreError::Expired { by: Judge::Phone, .. })
    ));
}

#[tokio::test(start_paused = true)]
async fn a_pulled_battery_needs_the_network_once() {
    let world = offline_with(&[Granted::now()]).await;
    world.lock.state.lock().unwrap().clock_lost = true;
    assert_eq!(press_ent(&world, &world.start(), None).await, Err(CoreError::ClockUntrusted));
    assert_eq!(world.lock.state.lock().unwrap().motor, 0);

    world.backend.online(true);
    press_ent(&world, &world.start(), None).await.unwrap();
    assert_eq!(world.lock.state.lock().unwrap().motor, 1);
    assert_eq!(reported(&world).await, [(Outcome::ClockLost, true), (Outcome::Opened, true)]);
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_still_refuses_with_the_right_time_is_believed() {
    let world = offline_with(&[Granted::now()]).await;
    world.backend.online(true);
    {
        let mut lock = world.lock.state.lock().unwrap();
        lock.clock_lost = true;
        lock.verdict_with_time = Verdict::OutsideHours;
    }
    assert!(matches!(
        press_ent(&world, &world.start(), None).await,
        Err(CoreError::OutsideHours { by: Judge::Lock, .. })
    ));
}

#[tokio::test(start_paused = true)]
async fn grt_6_a_passing_phone_hands_over_revocations_and_takes_records() {
    let world = offline_with(&[Granted::now()]).await;
    let keys = keys_of(7);
    let list = SignedList::new(5, Epoch(1), Vec::new()).unwrap().sign(&keys).into();
    world.backend.change(Change::upsert(&RevocationList { lockbox: SERIAL.into(), version: 5, list }));
    world.backend.online(true);
    let core = world.start();
    core.sync_now().await.unwrap();
    world.backend.online(false);
    seal_records(&world, 30);

    press_ent(&world, &core, None).await.unwrap();
    assert_eq!(world.lock.state.lock().unwrap().revocations, 5);

    world.backend.online(true);
    core.sync_now().await.unwrap();
    assert_eq!(world.backend.state.lock().unwrap().audit.len(), 2, "30 records in batches of 24");

    press_ent(&world, &core, None).await.unwrap();
    assert_eq!(world.lock.state.lock().unwrap().acknowledged, 30);
}

/// What is left to do at one box waits for another time when the user has gone to the next.
#[tokio::test(start_paused = true)]
async fn con_2_the_next_open_need_not_wait_for_the_errands_of_the_last() {
    let world = offline_with(&[Granted::now()]).await;
    let core = world.start();
    seal_records(&world, 200);
    let first = core.open_on_ent(None).await.unwrap();
    world.lock.press();
    first.result().await.unwrap();
    let second = core.open_on_ent(None).await.unwrap();
    assert_eq!(core.open_on_ent(None).await.err(), Some(CoreError::AlreadyOpening), "one waits already");
    second.cancel();
    assert_eq!(second.result().await, Err(CoreError::Cancelled));
    let ended = core.open_on_ent(None).await.unwrap();
    ended.cancel();
    // At once: one that was ended makes way too.
    let third = core.open_on_ent(None).await.unwrap();
    world.lock.press();
    third.result().await.unwrap();
    third.finished().await;
    assert_eq!(world.lock.state.lock().unwrap().motor, 2);

    world.backend.online(true);
    core.sync_now().await.unwrap();
    let batches = world.backend.state.lock().unwrap().audit.len();
    // How many the first brought before it made way is up to the machine's threads.
    assert!((9..18).contains(&batches), "all nine by the third, and not all by the first: {batches}");
}

fn seal_records(world: &World, count: u32) {
    let keys = keys_of(7);
    let mut previous = audit::CHAIN_START;
    let mut lock = world.lock.state.lock().unwrap();
    for number in 1..=count {
        let entry = audit::Entry {
            time: sentri_protocol::Time(1_700_000_000),
            kind: audit::Kind::Boot,
            clock_lost: false,
            result: 0,
            who: [0; 8],
            operation: [0; 4],
            skew: 0,
        };
        let record = audit::Record::seal(&keys, number, &previous, &entry);
        previous = record.tag();
        lock.records.push(record);
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_heard_bluetooth_off_and_cancel_are_told_apart() {
    let world = offline_with(&[Granted::now()]).await;
    let core = world.start();
    let attempt = core.open_on_ent(None).await.unwrap();
    assert!(matches!(core.open_on_ent(None).await, Err(CoreError::AlreadyOpening)));
    assert_eq!(attempt.result().await, Err(CoreError::NoLockboxHeard));

    // At once: who is told may try again.
    let attempt = core.open_on_ent(None).await.unwrap();
    attempt.cancel();
    assert_eq!(attempt.result().await, Err(CoreError::Cancelled));

    let cases = [
        (LinkError::PoweredOff, CoreError::BluetoothOff),
        (LinkError::NotAllowed, CoreError::BluetoothNotAllowed),
        (LinkError::Failed, CoreError::BluetoothTrouble),
    ];
    for (error, told) in cases {
        world.lock.state.lock().unwrap().radio = Err(error);
        assert_eq!(press_ent(&world, &core, None).await, Err(told));
    }
    let unknown = uuid::Uuid::from_u128(99).to_string();
    assert_eq!(press_ent(&world, &core, Some(unknown)).await, Err(CoreError::NotFound));
}

#[tokio::test(start_paused = true)]
async fn noise_on_the_radio_neither_opens_nor_breaks_anything() {
    let world = offline_with(&[Granted::now()]).await;
    let core = world.start();
    let attempt = core.open_on_ent(None).await.unwrap();
    let events = world.lock.events();
    for length in 0..40_usize {
        events.advert("x".into(), vec![1; length], -40);
        events.received("x".into(), vec![0xFF; length]);
        events.connected("x".into(), 0);
        events.disconnected("x".into(), sentri_core::api::ports::DisconnectReason::Lost);
    }
    world.lock.press();
    assert!(attempt.result().await.is_ok());
    attempt.finished().await;
    for _ in 0..5000 {
        events.advert("x".into(), vec![1; 18], -40);
    }
}
