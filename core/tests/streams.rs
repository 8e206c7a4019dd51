//! SYN-1, CON-5, BND-1: what a screen follows. Status and messages come when they change and not otherwise; nearby
//! lockboxes come and go with their adverts; a handle that is stopped or dropped leaves nothing behind.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

mod support;

use std::{sync::Arc, time::Duration};

use sentri_core::{
    CoreError, SentriCore,
    api::{
        ports::LinkError,
        streams::{NearbyLockbox, NearbyStream},
        types::{SyncState, SyncStatus},
    },
};
use support::{
    EMAIL, NOW, PASSWORD, World,
    backend::Fault,
    lock::{Granted, PEER, SERIAL},
    message, press_ent,
};
use uuid::Uuid;

/// Reads the stream to its end on a task of its own; what it told comes out there.
fn follow<T: Send + 'static, F>(
    mut next: impl FnMut() -> F + Send + 'static,
) -> tokio::task::JoinHandle<(Vec<T>, Option<CoreError>)>
where
    F: Future<Output = Result<Option<T>, CoreError>> + Send,
{
    tokio::spawn(async move {
        let mut told = Vec::new();
        loop {
            match next().await {
                Ok(Some(value)) => told.push(value),
                Ok(None) => return (told, None),
                Err(error) => return (told, Some(error)),
            }
        }
    })
}

fn follow_status(core: &Arc<SentriCore>) -> tokio::task::JoinHandle<(Vec<SyncStatus>, Option<CoreError>)> {
    let stream = core.clone().watch_sync_status();
    follow(move || {
        let stream = stream.clone();
        async move { stream.next().await }
    })
}

/// Lets every task that can go on do so. With the clock paused, this ends when all wait.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn syn_1_the_status_comes_at_once_and_then_at_each_change() {
    let world = World::new();
    let core = world.logged_in().await;
    let followed = follow_status(&core);
    settle().await;
    core.sync_now().await.unwrap();
    settle().await;
    world.backend.online(false);
    core.sync_now().await.unwrap();
    settle().await;
    core.logout().await.unwrap();
    let (told, error) = followed.await.unwrap();
    let mut states: Vec<SyncState> = told.into_iter().map(|it| it.state).collect();
    // A short one may pass between two looks.
    states.retain(|state| *state != SyncState::Syncing);
    assert_eq!(
        states,
        [
            SyncState::StaleSince { at: None },
            SyncState::Current { at: NOW },
            SyncState::Offline { at: Some(NOW) }
        ]
    );
    assert_eq!(error, Some(CoreError::NotSignedIn), "once nobody is logged in");
}

#[tokio::test(start_paused = true)]
async fn syn_3_the_status_tells_when_a_queued_event_is_gone() {
    let world = World::new();
    world.backend.grant(&Granted::now());
    let core = world.logged_in().await;
    core.sync_now().await.unwrap();
    let followed = follow_status(&core);
    world.backend.online(false);
    press_ent(&world, &core, None).await.unwrap();
    settle().await;
    world.backend.online(true);
    // The second open brings up what the first one left.
    press_ent(&world, &core, None).await.unwrap();
    settle().await;
    core.logout().await.unwrap();
    let queued: Vec<u32> = followed.await.unwrap().0.into_iter().map(|it| it.events_queued).collect();
    assert!(queued.contains(&1), "{queued:?}");
    assert_eq!(queued.last(), Some(&0), "{queued:?}");
}

#[tokio::test(start_paused = true)]
async fn con_5_messages_come_when_they_change_and_not_otherwise() {
    let world = World::new();
    world.backend.change(message(1));
    let core = world.logged_in().await;
    core.sync_now().await.unwrap();
    let stream = core.clone().watch_messages();
    let lists = follow(move || {
        let stream = stream.clone();
        async move { stream.next().await }
    });
    settle().await;
    // Nothing new in it for messages.
    core.sync_now().await.unwrap();
    settle().await;
    world.backend.change(message(2));
    core.sync_now().await.unwrap();
    settle().await;
    core.mark_message_read(Uuid::from_u128(1).to_string()).await.unwrap();
    settle().await;
    core.delete_message(Uuid::from_u128(2).to_string()).await.unwrap();
    settle().await;
    core.logout().await.unwrap();
    let (lists, error) = lists.await.unwrap();
    let seen: Vec<Vec<(String, bool)>> =
        lists.into_iter().map(|list| list.into_iter().map(|it| (it.body, it.read)).collect()).collect();
    let (one, two) = ("Number 1.".to_owned(), "Number 2.".to_owned());
    assert_eq!(
        seen,
        [
            vec![(one.clone(), false)],
            vec![(two.clone(), false), (one.clone(), false)],
            vec![(two, false), (one.clone(), true)],
            vec![(one, true)],
        ]
    );
    assert_eq!(error, Some(CoreError::NotSignedIn));
}

#[tokio::test(start_paused = true)]
async fn a_stream_goes_with_the_account_in_use() {
    let world = World::new();
    world.backend.change(message(1));
    let core = world.logged_in().await;
    core.sync_now().await.unwrap();
    let stream = core.clone().watch_messages();
    assert_eq!(stream.next().await.unwrap().unwrap().len(), 1);
    core.login_agent("123456789".into(), PASSWORD.into()).await.unwrap();
    assert_eq!(stream.next().await.unwrap(), Some(Vec::new()), "ACC-6: the other account has none");
}

#[tokio::test(start_paused = true)]
async fn stopping_ends_a_call_that_waits_and_every_later_one() {
    let world = World::new();
    let core = world.logged_in().await;
    let stream = core.clone().watch_sync_status();
    assert!(stream.next().await.unwrap().is_some());
    let waiting = tokio::spawn({
        let stream = stream.clone();
        async move { stream.next().await }
    });
    settle().await;
    assert!(!waiting.is_finished(), "nothing has changed");
    stream.stop();
    assert_eq!(waiting.await.unwrap(), Ok(None));
    stream.stop();
    assert_eq!(stream.next().await, Ok(None));
}

#[tokio::test(start_paused = true)]
async fn two_readers_of_one_stream_take_turns() {
    let world = World::new();
    let core = world.logged_in().await;
    let stream = core.clone().watch_sync_status();
    let (one, two) = (stream.clone(), stream.clone());
    let first = tokio::spawn(async move { one.next().await });
    let second = tokio::spawn(async move { two.next().await });
    settle().await;
    core.sync_now().await.unwrap();
    let told = [first.await.unwrap().unwrap().unwrap(), second.await.unwrap().unwrap().unwrap()];
    assert_ne!(told[0], told[1], "a value goes to one of them");
}

#[tokio::test(start_paused = true)]
async fn what_a_stream_cant_read_is_an_error_of_that_call() {
    let world = World::new();
    let core = world.logged_in().await;
    drop(core);
    let core = world.start();
    *world.keys.locked.lock().unwrap() = true;
    let stream = core.clone().watch_sync_status();
    assert_eq!(stream.next().await, Err(CoreError::DeviceLocked));
    *world.keys.locked.lock().unwrap() = false;
    assert!(stream.next().await.unwrap().is_some(), "the next one may go well");
}

/// A phone that has an access to the lock of the tests.
async fn with_access() -> (World, Arc<SentriCore>) {
    let world = World::new();
    world.backend.grant(&Granted::now());
    let core = world.logged_in().await;
    core.sync_now().await.unwrap();
    (world, core)
}

async fn next(stream: &NearbyStream) -> Vec<(String, i16)> {
    let list = stream.next().await.unwrap().unwrap();
    list.into_iter().map(|NearbyLockbox { lockbox, rssi }| (lockbox, rssi)).collect()
}

fn heard(world: &World, rssi: i16) {
    world.lock.events().advert(PEER.into(), world.lock.advert().encode().to_vec(), rssi);
}

#[tokio::test(start_paused = true)]
async fn boxes_of_the_account_come_as_they_are_heard_and_go_as_they_fall_silent() {
    let (world, core) = with_access().await;
    world.backend.online(false);
    let stream = core.watch_nearby().await.unwrap();
    assert!(world.lock.state.lock().unwrap().scanning);
    assert_eq!(next(&stream).await, []);
    // Noise, and a stranger's box.
    world.lock.events().advert("x".into(), vec![1; 18], -30);
    world.lock.events().advert("x".into(), vec![], -30);
    heard(&world, -60);
    assert_eq!(next(&stream).await, [(SERIAL.to_owned(), -60)]);
    // The same again is no change.
    heard(&world, -60);
    heard(&world, -48);
    assert_eq!(next(&stream).await, [(SERIAL.to_owned(), -48)]);
    // Asleep: nothing is heard for some seconds of the test's own time.
    assert_eq!(next(&stream).await, []);
    heard(&world, -70);
    assert_eq!(next(&stream).await, [(SERIAL.to_owned(), -70)]);
}

#[tokio::test(start_paused = true)]
async fn an_open_goes_on_beside_the_list_and_the_search_after_it() {
    let (world, core) = with_access().await;
    let stream = core.watch_nearby().await.unwrap();
    assert_eq!(next(&stream).await, []);
    press_ent(&world, &core, None).await.unwrap();
    assert_eq!(next(&stream).await, [(SERIAL.to_owned(), -50)], "the open's adverts are the list's too");
    // The open has ended the radio's search. The list begins it anew once it is empty.
    while !next(&stream).await.is_empty() {}
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(world.lock.state.lock().unwrap().scanning);
}

#[tokio::test(start_paused = true)]
async fn stopping_or_dropping_the_list_ends_the_search() {
    let (world, core) = with_access().await;
    let scanning = || world.lock.state.lock().unwrap().scanning;
    let stream = core.watch_nearby().await.unwrap();
    assert_eq!(next(&stream).await, []);
    let waiting = tokio::spawn({
        let stream = stream.clone();
        async move { stream.next().await }
    });
    settle().await;
    stream.stop();
    assert_eq!(waiting.await.unwrap(), Ok(None));
    assert_eq!(stream.next().await, Ok(None));
    settle().await;
    assert!(!scanning(), "stopped");

    let stream = core.watch_nearby().await.unwrap();
    assert!(scanning());
    drop(stream);
    settle().await;
    assert!(!scanning(), "dropped");
}

#[tokio::test(start_paused = true)]
async fn bnd_4_a_radio_that_cant_search_is_told_at_the_start_and_later() {
    let (world, core) = with_access().await;
    let radio = |state: Result<(), LinkError>| world.lock.state.lock().unwrap().radio = state;
    for (error, told) in [
        (LinkError::PoweredOff, CoreError::BluetoothOff),
        (LinkError::NotAllowed, CoreError::BluetoothNotAllowed),
        (LinkError::Unsupported, CoreError::BluetoothTrouble),
        (LinkError::Failed, CoreError::BluetoothTrouble),
    ] {
        radio(Err(error));
        assert_eq!(core.watch_nearby().await.err(), Some(told));
    }
    radio(Ok(()));
    let stream = core.watch_nearby().await.unwrap();
    assert_eq!(next(&stream).await, []);
    radio(Err(LinkError::PoweredOff));
    assert_eq!(stream.next().await, Err(CoreError::BluetoothOff), "switched off meanwhile");
}

#[tokio::test(start_paused = true)]
async fn what_time_changes_is_told_though_nothing_else_changed() {
    let (world, core) = with_access().await;
    let status = core.sync_status().await.unwrap();
    assert_eq!((status.opens_from, status.opens_until), (Some(NOW - 3600), Some(NOW + 3600)));
    let before = core.accesses().await.unwrap();
    world.clock.set(NOW + 3600);
    let after = core.accesses().await.unwrap();
    assert_ne!(before[0].state, after[0].state);
    assert_eq!(core.sync_status().await.unwrap().opens_until, None);
}

#[tokio::test(start_paused = true)]
async fn a_page_that_failed_leaves_the_home_page_as_it_was_and_the_next_one_shows() {
    let (world, core) = with_access().await;
    assert_eq!(core.accesses().await.unwrap().len(), 1);
    let second = Granted::new(2, 8, NOW, NOW + 60, sentri_protocol::hours::AccessHours::ALWAYS);
    world.backend.grant(&second);
    for _ in 0..4 {
        world.backend.fault("/v1/sync", Fault::LoseAnswer);
    }
    core.sync_now().await.unwrap();
    assert_eq!(core.accesses().await.unwrap().len(), 1);
    core.sync_now().await.unwrap();
    assert_eq!(core.accesses().await.unwrap().len(), 2);
    core.login_contractor(EMAIL.into(), PASSWORD.into()).await.unwrap();
    assert_eq!(core.profile().await.unwrap().email, EMAIL);
}
