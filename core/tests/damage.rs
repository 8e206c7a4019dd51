//! SYN-4: a full disk, bits that flip, rows that are swapped: refused, salvaged, and brought anew.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

mod support;

use std::fs;

use sentri_core::{
    CoreError, SentriCore,
    api::types::{BlockedWhy, SyncState},
};
use sentri_wire::{
    event::Outcome,
    sync::{Change, Message, MessageTopic},
};
use support::{EMAIL, NOW, PASSWORD, World, backend::ACCOUNT, lock::Granted, press_ent};
use uuid::Uuid;

fn message(number: u128) -> Change {
    Change::upsert(&Message {
        id: Uuid::from_u128(number),
        at: NOW + i64::try_from(number).unwrap(),
        topic: MessageTopic::AccessGranted,
        title: "SentriConnect Access Granted".into(),
        body: "A message of some length. ".repeat(20),
        access_id: None,
        read: false,
    })
}

/// What the user sees, in one text.
async fn seen(core: &SentriCore) -> String {
    let (accesses, messages) = (core.accesses().await, core.messages().await);
    let messages = messages.unwrap_or_else(|error| panic!("{accesses:?}, {error:?}"));
    let messages: Vec<_> = messages.iter().map(|it| (&it.id[32..], it.body.len(), it.read)).collect();
    format!("{accesses:?} {messages:?}")
}

/// SYN-2, SYN-3: with a full disk nothing is half stored and nothing is lost; with room again all comes.
#[tokio::test(start_paused = true)]
async fn a_full_disk_is_told_and_loses_nothing() {
    let world = World::new();
    world.backend.grant(&Granted::now());
    let core = world.logged_in().await;
    core.sync_now().await.unwrap();
    let before = seen(&core).await;

    world.disk.fill();
    (0..200).for_each(|number| world.backend.change(message(number)));
    let status = core.sync_now().await.unwrap();
    assert_eq!(status.state, SyncState::Blocked { why: BlockedWhy::DeviceTrouble });
    assert_eq!(seen(&core).await, before, "as it was");
    drop(core);
    let core = world.start();
    assert_eq!(seen(&core).await, before, "over a restart too");

    // At the box, until the disk takes no word of it any more: what can't be written down is not asked for.
    world.backend.online(false);
    let (mut told, mut full) = (0, 0);
    for _ in 0..60 {
        match press_ent(&world, &core, None).await {
            Ok(_) => told += 1,
            Err(error) => {
                assert_eq!(error, CoreError::DeviceFull);
                full += 1;
            }
        }
    }
    assert!(full > 0, "the disk was full in the end");
    let motor = usize::try_from(world.lock.state.lock().unwrap().motor).unwrap();

    world.disk.make_room();
    world.backend.online(true);
    let status = core.sync_now().await.unwrap();
    assert_eq!(status.state, SyncState::Current { at: NOW });
    assert_eq!(core.messages().await.unwrap().len(), 200);
    let events = world.backend.events();
    let opened = events.iter().filter(|event| event.outcome == Outcome::Opened).count();
    assert!(told <= opened && opened <= motor, "{told} told, {opened} in the log, {motor} times the motor");
    assert!(events.iter().filter(|event| event.operation.is_some()).count() >= motor, "each left a trace");
    assert_eq!(world.backend.state.lock().unwrap().conflicts, 0);
}

/// A login with a full disk says so, and works once there is room.
#[tokio::test(start_paused = true)]
async fn a_login_with_a_full_disk_is_no_half_login() {
    let world = World::new();
    world.disk.fill();
    let core = world.start();
    let refused = core.login_contractor(EMAIL.into(), PASSWORD.into()).await;
    assert_eq!(refused, Err(CoreError::DeviceFull));
    assert_eq!(core.profile().await, Err(CoreError::NotSignedIn));
    world.disk.make_room();
    core.login_contractor(EMAIL.into(), PASSWORD.into()).await.unwrap();
    core.profile().await.unwrap();
}

/// A small generator, for where to damage what.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

/// A phone with accesses, messages and two queued events, its app closed, its log in the database.
async fn closed() -> (World, String) {
    let world = World::new();
    world.backend.grant(&Granted::now());
    (0..20).for_each(|number| world.backend.change(message(number)));
    let core = world.logged_in().await;
    core.sync_now().await.unwrap();
    let whole = seen(&core).await;
    world.backend.online(false);
    for _ in 0..2 {
        press_ent(&world, &core, None).await.unwrap();
    }
    drop(core);
    world.backend.online(true);
    drop(checkpoint(&world));
    (world, whole)
}

fn checkpoint(world: &World) -> rusqlite::Connection {
    let db = rusqlite::Connection::open(world.database()).unwrap();
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    db
}

/// Puts the phone back to how it was when its app was closed.
fn put_back(world: &World, file: &[u8], keys: &std::collections::BTreeMap<String, Vec<u8>>) {
    for file in fs::read_dir(world.accounts()).unwrap().flatten() {
        fs::remove_file(file.path()).unwrap();
    }
    fs::write(world.database(), file).unwrap();
    world.keys.items.lock().unwrap().clone_from(keys);
    world.backend.state.lock().unwrap().events.clear();
}

/// Starts, syncs, signs in where the session went with the file, and compares with what the backend has.
async fn comes_back(world: &World, whole: &str, what: &str) -> usize {
    let core = world.start();
    // Reading finds what is damaged; the core tells so, and a sync brings it anew.
    seen(&core).await;
    let mut status = core.sync_now().await.unwrap_or_else(|error| panic!("{what}: {error}"));
    if status.state == (SyncState::Blocked { why: BlockedWhy::SignInAgain }) {
        core.login_contractor(EMAIL.into(), PASSWORD.into()).await.unwrap();
        status = core.sync_now().await.unwrap();
    }
    assert_eq!(status.state, SyncState::Current { at: NOW }, "{what}");
    assert_eq!(seen(&core).await, whole, "{what}");
    assert_eq!(world.backend.state.lock().unwrap().conflicts, 0, "{what}");
    world.backend.events().len()
}

/// One bit anywhere in the file, 200 times: in the end the phone shows what the backend has, and no event changed.
#[tokio::test(start_paused = true)]
async fn syn_4_one_flipped_bit_anywhere_is_found_or_harmless() {
    let (world, whole) = closed().await;
    let good = fs::read(world.database()).unwrap();
    let keys = world.keys.items.lock().unwrap().clone();
    let mut chance = Chance(17);
    let (mut saved, rounds) = (0, 200);
    for round in 0..rounds {
        let mut damaged = good.clone();
        let (byte, bit) = (chance.below(damaged.len()), chance.below(8));
        damaged[byte] ^= 1 << bit;
        put_back(&world, &damaged, &keys);
        saved += comes_back(&world, &whole, &format!("round {round}: bit {bit} of byte {byte}")).await;
    }
    assert!(saved >= 2 * rounds * 9 / 10, "{saved} events of {} were saved", 2 * rounds);
}

/// Rows that are swapped within a table, between tables, and between accounts are refused; the queue is read as far
/// as it is whole.
#[tokio::test(start_paused = true)]
async fn syn_4_rows_put_in_other_places_are_refused() {
    let (world, whole) = closed().await;
    let good = fs::read(world.database()).unwrap();
    let keys = world.keys.items.lock().unwrap().clone();
    let swaps = [
        (
            "two messages",
            "UPDATE record SET sealed = (SELECT sealed FROM record WHERE kind = 'message' LIMIT 1)
          WHERE kind = 'message'",
            2,
        ),
        (
            "an access as a credential",
            "UPDATE record SET sealed = (SELECT sealed FROM record WHERE kind = 'access')
          WHERE kind = 'credential'",
            2,
        ),
        ("an event twice", "UPDATE outbox SET sealed = (SELECT sealed FROM outbox ORDER BY seq LIMIT 1)", 1),
        (
            "an event under another's id",
            "UPDATE outbox SET id = randomblob(16) WHERE seq = (SELECT max(seq) FROM outbox)",
            1,
        ),
        (
            "the tokens as the mark",
            "UPDATE meta SET sealed = (SELECT sealed FROM meta WHERE name = 'tokens')
          WHERE name = 'sync'",
            2,
        ),
    ];
    for (what, swap, events) in swaps {
        put_back(&world, &good, &keys);
        checkpoint(&world).execute(swap, []).unwrap();
        assert_eq!(comes_back(&world, &whole, what).await, events, "{what}");
    }
}

/// Another account's file in this one's place is not read, whoever's it is.
#[tokio::test(start_paused = true)]
async fn syn_4_another_accounts_file_is_not_read() {
    let (world, whole) = closed().await;
    let core = world.start();
    core.login_agent("123456789".into(), PASSWORD.into()).await.unwrap();
    drop(core);
    let agents = world.accounts().join(format!("{}.db", support::backend::AGENT));
    let db = rusqlite::Connection::open(&agents).unwrap();
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(db);
    fs::copy(&agents, world.database()).unwrap();
    let core = world.start();
    core.switch_account(ACCOUNT.to_string()).await.err().unwrap();
    core.login_contractor(EMAIL.into(), PASSWORD.into()).await.unwrap();
    core.sync_now().await.unwrap();
    assert_eq!(seen(&core).await, whole);
}
