//! A database that came back from an old backup: noticed, nothing revoked comes back, no number is given out twice.
//! [OPS-3]

use std::collections::BTreeSet;

use sentri_protocol::{open::Verdict, revocation, settings::Settings, ticket::Ticket};
use sentri_wire::{
    agent::{Grant, GrantState},
    credential::{Credential, LockSettings, RevocationList},
    sync::Change,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    events::{event, status, upload},
    locks::{Log, acknowledged},
    world::{BLE, DANA, DAY, HOUR, NOW, Phone, Ready, World, grant, records},
};

const BO: &str = "bo@plumbing.example";

/// The rows of a database as they were.
pub struct Backup(Vec<(&'static str, Vec<u8>)>);

const FILES: [&str; 2] = ["sentri.db", "sentri.db-wal"];

impl World {
    /// A copy of the files, while nobody writes. PostgreSQL is backed up by its own means.
    pub fn backup(&self) -> Backup {
        let read = |name| std::fs::read(self.folder.path().join(name)).ok().map(|bytes| (name, bytes));
        Backup(FILES.iter().copied().filter_map(read).collect())
    }

    /// The server goes on with the files of the backup.
    pub async fn restore(&mut self, backup: &Backup) {
        let folder = self.folder.path().join("restored");
        std::fs::create_dir(&folder).unwrap();
        for (name, bytes) in &backup.0 {
            std::fs::write(folder.join(name), bytes).unwrap();
        }
        self.config.database = format!("sqlite://{}", folder.join(FILES[0]).display());
        self.restart(|_, _| {}).await;
    }

    pub fn is_embedded(&self) -> bool {
        self.config.database.starts_with("sqlite")
    }
}

/// Bo's tickets and all that syncs gave out, by kind.
fn numbers(world: &World, changes: &[Change]) -> (BTreeSet<u32>, BTreeSet<u16>) {
    let lists = records::<RevocationList>(changes);
    let settings = records::<LockSettings>(changes);
    for it in &settings {
        assert_eq!(Settings::open(&world.keys(BLE), it.settings.as_ref()).unwrap().version, it.version);
    }
    let versions = lists.iter().map(|it| it.version).chain(settings.iter().map(|it| it.version));
    let tickets = records::<Credential>(changes);
    let epochs = tickets.iter().map(|it| Ticket::decode(it.ticket.as_ref()).unwrap().epoch.0);
    (versions.collect(), epochs.collect())
}

/// What happened after the backup: one access was revoked, another one given.
async fn after_the_backup(world: &World, ready: &Ready, later: &Grant) -> (String, Credential) {
    let (changes, _) = world.sync(&ready.bo, None).await;
    let held = records::<Credential>(&changes);
    let revoked = held.into_iter().find(|it| it.access_id == later.id).expect("a ticket for the later one");
    let path = format!("/v1/grants/{}/revoke", later.id);
    assert_eq!(world.post(&ready.dana, &path, &json!({})).await.ok::<Grant>().state, GrantState::Revoked);
    let (_, cursor) = world.sync(&ready.bo, None).await;
    (cursor, revoked)
}

async fn prepared() -> (World, Ready, Grant) {
    let world = World::new().await;
    let ready = world.ready().await;
    let later = world.grant(&ready.dana, &ready.listing, BO, NOW + HOUR, NOW + DAY).await;
    world.deliver_all().await;
    (world, ready, later)
}

/// A phone shows a cursor that this database gave out and has never reached.
#[tokio::test]
async fn a_phones_cursor_shows_that_a_backup_was_restored() {
    let (mut world, ready, later) = prepared().await;
    if !world.is_embedded() {
        return;
    }
    let backup = world.backup();
    let (cursor, revoked) = after_the_backup(&world, &ready, &later).await;
    let (_, danas_cursor) = world.sync(&ready.dana, None).await;
    world.restore(&backup).await;

    let refused = world.get(&ready.bo, &format!("/v1/sync?cursor={cursor}")).await;
    refused.refused("not-logged-in", Some("authorization"));
    // Everybody logs in again, since ended sessions would have come back.
    world.get(&ready.dana, "/v1/me").await.refused("not-logged-in", Some("authorization"));
    let (dana, bo) = (world.agent(DANA).await, world.contractor(BO).await);
    assert!(world.page(&dana, Some(&danas_cursor)).await.restart);

    // Nothing of before opens until the granter's phone has told what was revoked.
    let (changes, bos_cursor) = world.sync(&bo, Some(&cursor)).await;
    assert!(records::<Credential>(&changes).is_empty());
    let told = json!({ "revoked": [later.id, Uuid::new_v4()] });
    assert_eq!(world.post(&dana, "/v1/grants/reassert", &told).await.status, 204);
    let (changes, _) = world.sync(&bo, Some(&bos_cursor)).await;
    let [standing] = &records::<Credential>(&changes)[..] else { panic!("one stands") };
    assert_eq!(standing.access_id, ready.grant.id);
    let (changes, _) = world.sync(&dana, None).await;
    let state = records::<Grant>(&changes).into_iter().find(|it| it.id == later.id).unwrap().state;
    assert_eq!(state, GrantState::Revoked);

    // The lock is told of a new epoch, in which the ticket of before is dead.
    let fresh = Ticket::decode(standing.ticket.as_ref()).unwrap();
    let dead = Ticket::decode(revoked.ticket.as_ref()).unwrap();
    assert!(fresh.epoch > dead.epoch);
    let (changes, _) = world.sync(&bo, None).await;
    let list = records::<RevocationList>(&changes).pop().expect("a list");
    let list = revocation::RevocationList::open(&world.keys(BLE), list.list.as_ref()).unwrap();
    assert!(list.revokes(dead.credential, dead.epoch));
    assert!(!list.revokes(fresh.credential, fresh.epoch));
}

/// No list, no settings, no epoch has a number that was given out before.
#[tokio::test]
async fn no_number_is_given_out_twice() {
    let (mut world, ready, later) = prepared().await;
    if !world.is_embedded() {
        return;
    }
    let (changes, _) = world.sync(&ready.bo, None).await;
    let backup = world.backup();
    let (mut versions, mut epochs) = numbers(&world, &changes);
    let (cursor, _) = after_the_backup(&world, &ready, &later).await;
    let (changes, _) = world.sync(&ready.bo, None).await;
    let more = numbers(&world, &changes);
    versions.extend(more.0);
    epochs.extend(more.1);
    world.restore(&backup).await;
    world
        .get(&ready.bo, &format!("/v1/sync?cursor={cursor}"))
        .await
        .refused("not-logged-in", Some("authorization"));
    let (dana, bo) = (world.agent(DANA).await, world.contractor(BO).await);
    world.post(&dana, "/v1/grants/reassert", &json!({ "revoked": [] })).await;
    let (changes, fresh) = world.sync(&bo, None).await;
    let (new_versions, new_epochs) = numbers(&world, &changes);
    assert!(!new_versions.is_empty() && !new_epochs.is_empty());
    assert!(versions.is_disjoint(&new_versions), "{versions:?} {new_versions:?}");
    assert!(epochs.is_disjoint(&new_epochs), "{epochs:?} {new_epochs:?}");
    assert_ne!(cursor.split('.').next(), fresh.split('.').next());
}

/// A lock that knows a newer list than this database has made shows it too.
#[tokio::test]
async fn a_locks_word_shows_that_a_backup_was_restored() {
    let world = World::new().await;
    let ready = world.ready().await;
    world.clock.advance(HOUR / 10);
    let mut said = status(Verdict::Opened);
    said.revocation_version = 1;
    // An altered word is no evidence.
    let mut forged = said.sign(&world.keys(BLE));
    forged[43] ^= 1;
    upload(&world, &ready.bo, &[&event(&ready, Uuid::new_v4(), Some(&forged))]).await;
    world.get(&ready.bo, "/v1/me").await.ok::<Value>();

    let signed = said.sign(&world.keys(BLE));
    upload(&world, &ready.bo, &[&event(&ready, Uuid::new_v4(), Some(&signed))]).await;
    world.get(&ready.bo, "/v1/me").await.refused("not-logged-in", Some("authorization"));
    // What it reported is stored all the same.
    assert_eq!(crate::events::log(&world, &world.agent(DANA).await).await.len(), 2);
    // Told once: the next word of the lock is no news.
    let bo = world.contractor(BO).await;
    let mut next = event(&ready, Uuid::new_v4(), Some(&signed));
    next["operation"] = json!(sentri_wire::Binary::from([8; 8]));
    said.operation_id = sentri_protocol::open::OperationId([8; 8]);
    next["status"] = json!(sentri_wire::Binary::from(said.sign(&world.keys(BLE)).to_vec()));
    upload(&world, &bo, &[&next]).await;
    world.get(&bo, "/v1/me").await.ok::<Value>();
}

/// A guessed cursor makes nobody log in again.
#[tokio::test]
async fn a_forged_cursor_is_no_evidence() {
    let world = World::new().await;
    let dana = world.agent(DANA).await;
    let cursor = world.page(&dana, None).await.cursor;
    let (incarnation, rest) = cursor.split_once('.').unwrap();
    let (_, tag) = rest.split_once('.').unwrap();
    for forged in [format!("{incarnation}.00000000000fffff.{tag}"), format!("{incarnation}.00000000000fffff")]
    {
        assert!(world.page(&dana, Some(&forged)).await.restart);
    }
    // Another account's, who has seen more.
    let ari = world.agent(crate::world::ARI).await;
    assert!(world.page(&ari, Some(&cursor)).await.restart);
    world.get(&dana, "/v1/me").await.ok::<Value>();
}

/// GRT-4: reasserting is no way to revoke an access that has begun; it counts once after a restore only.
#[tokio::test]
async fn nothing_is_reasserted_without_a_restore() {
    let world = World::new().await;
    let ready = world.ready().await;
    let told = json!({ "revoked": [ready.grant.id] });
    let reassert = async |phone: &Phone, told: &Value| world.post(phone, "/v1/grants/reassert", told).await;
    assert_eq!(reassert(&ready.dana, &told).await.status, 204);
    let (changes, _) = world.sync(&ready.dana, None).await;
    assert_eq!(records::<Grant>(&changes)[0].state, GrantState::Granted);

    world.server.operator().renew_incarnation().await.unwrap();
    let dana = world.agent(DANA).await;
    let many = json!({ "revoked": vec![Uuid::new_v4(); 1001] });
    reassert(&dana, &many).await.refused("invalid", Some("revoked"));
    assert_eq!(reassert(&dana, &json!({ "revoked": [] })).await.status, 204);
    assert_eq!(reassert(&dana, &told).await.status, 204);
    let (changes, _) = world.sync(&dana, None).await;
    assert_eq!(records::<Grant>(&changes)[0].state, GrantState::Granted);
    // What is granted from now on waits for nobody.
    world.clock.advance(1);
    world
        .post(&dana, "/v1/grants", &grant(&ready.listing, BO, NOW + HOUR, NOW + 2 * HOUR))
        .await
        .ok::<Value>();
    let bo = world.contractor(BO).await;
    let (changes, _) = world.sync(&bo, None).await;
    assert_eq!(records::<Credential>(&changes).len(), 2);
}

/// A lock has freed the records that were acknowledged after the backup: its chain goes on with a gap, not never.
#[tokio::test]
async fn a_locks_records_go_on_after_a_restore() {
    let (mut world, ready, later) = prepared().await;
    if !world.is_embedded() {
        return;
    }
    world.sync(&ready.bo, None).await;
    let records = Log::of(world.keys(BLE), 30);
    assert_eq!(acknowledged(&world, &ready.bo, &records, records.batch(1, 10, 0)).await, 10);
    let backup = world.backup();
    assert_eq!(acknowledged(&world, &ready.bo, &records, records.batch(11, 20, 0)).await, 20);
    let (cursor, _) = after_the_backup(&world, &ready, &later).await;
    world.restore(&backup).await;
    let refused = world.get(&ready.bo, &format!("/v1/sync?cursor={cursor}")).await;
    refused.refused("not-logged-in", Some("authorization"));
    let bo = world.contractor(BO).await;
    assert_eq!(acknowledged(&world, &bo, &records, records.batch(21, 30, 0)).await, 30);
}
