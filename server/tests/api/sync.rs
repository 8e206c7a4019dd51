//! Incremental sync and the tickets that it brings. [SYN-2, SYN-3, GRT-6]

use std::collections::BTreeMap;

use sentri_protocol::{
    Time,
    clock::LowerBound,
    revocation,
    ticket::{CredentialId, Ticket},
};
use sentri_wire::{
    agent::Grant,
    credential::{Access, Credential, LockSettings, RevocationList},
    sync::{Change, SyncPage},
};
use serde_json::{Value, json};

use crate::world::{BLE, DANA, DAY, HOUR, NOW, Phone, World, new_listing, records};

/// What a phone keeps: applying pages is all that it does.
#[derive(Clone, Default, PartialEq, Debug)]
struct Copy(BTreeMap<(String, String), Value>);

impl Copy {
    fn apply(&mut self, page: &SyncPage) {
        if page.restart {
            self.0.clear();
        }
        for Change { kind, id, record } in &page.changes {
            let key = (kind.clone(), id.clone());
            match record {
                Some(record) => self.0.insert(key, record.clone()),
                None => self.0.remove(&key),
            };
        }
    }

    fn apply_all<'a>(&mut self, pages: impl IntoIterator<Item = &'a SyncPage>) {
        pages.into_iter().for_each(|page| self.apply(page));
    }

    async fn full(world: &World, phone: &Phone) -> Self {
        let (mut copy, mut cursor) = (Self::default(), None);
        loop {
            let page = world.page(phone, cursor.as_deref()).await;
            copy.apply(&page);
            cursor = Some(page.cursor);
            if !page.more {
                return copy;
            }
        }
    }
}

/// SYN-2: pages of 100; lost, doubled and reordered ones change nothing.
#[tokio::test]
async fn pages_lost_doubled_and_reordered_lead_to_the_same_copy() {
    let world = World::new().await;
    let dana = world.agent(DANA).await;
    for _ in 0..230 {
        world.post(&dana, "/v1/listings", &new_listing()).await.ok::<Value>();
    }
    let first = world.page(&dana, None).await;
    assert!(first.restart && first.more);
    assert_eq!(first.changes.len(), 100);
    let second = world.page(&dana, Some(&first.cursor)).await;
    assert!(!second.restart && second.more);
    let third = world.page(&dana, Some(&second.cursor)).await;
    assert!(!third.more);

    let mut straight = Copy::default();
    straight.apply_all([&first, &second, &third]);
    assert_eq!(straight, Copy::full(&world, &dana).await);

    // Lost: the answer never came, so the phone asks again with the cursor that it has.
    let again = world.page(&dana, Some(&first.cursor)).await;
    assert_eq!(again.changes, second.changes);
    // Doubled.
    let mut doubled = Copy::default();
    doubled.apply_all([&first, &second, &again, &third, &third]);
    assert_eq!(doubled, straight);

    // Reordered: while an old page was on its way, a listing changed and a newer page overtook it. The
    // phone is left with the old page's cursor, and from there it comes to the same copy.
    let listing = &records::<sentri_wire::agent::Listing>(&first.changes)[0];
    let path = format!("/v1/lockboxes/{BLE}/assign");
    world.post(&dana, &path, &crate::world::assignment(listing)).await.ok::<Value>();
    let newer = world.page(&dana, Some(&third.cursor)).await;
    let mut reordered = straight.clone();
    reordered.apply(&newer);
    reordered.apply(&second);
    let (changes, _) = world.sync(&dana, Some(&second.cursor)).await;
    reordered.apply(&SyncPage { changes, ..newer });
    assert_eq!(reordered, Copy::full(&world, &dana).await);
}

/// SYN-2: nothing new costs nothing.
#[tokio::test]
async fn only_what_changed_is_sent() {
    let world = World::new().await;
    let ready = world.ready().await;
    let (_, cursor) = world.sync(&ready.bo, None).await;
    let before = world.server.rows_read();
    let (changes, same) = world.sync(&ready.bo, Some(&cursor)).await;
    assert!(changes.is_empty());
    assert_eq!(same, cursor);
    assert_eq!(world.server.rows_read(), before);
}

/// A cursor of another database, of the future, or of no form starts the phone over.
#[tokio::test]
async fn a_foreign_cursor_starts_over() {
    let world = World::new().await;
    let dana = world.agent(DANA).await;
    let page = world.page(&dana, None).await;
    let (incarnation, rest) = page.cursor.split_once('.').unwrap();
    let foreign = format!("0123456789abcdef.{rest}");
    for cursor in [
        "x",
        "",
        "..",
        &foreign,
        &format!("{incarnation}.999999"),
        &format!("{incarnation}.-1"),
        &format!("{}0", page.cursor),
    ] {
        assert!(world.page(&dana, Some(cursor)).await.restart, "{cursor}");
    }
    assert!(!world.page(&dana, Some(&format!("{incarnation}.{rest}"))).await.restart);
}

/// OPS-3: a restored copy is noticed.
#[tokio::test]
async fn a_restored_database_starts_phones_over() {
    let mut world = World::new().await;
    let dana = world.agent(DANA).await;
    let page = world.page(&dana, None).await;
    world.restart(|_, _| {}).await;
    assert!(!world.page(&dana, Some(&page.cursor)).await.restart);
    world.server.operator().renew_incarnation().await.unwrap();
    // Without a restart; everybody logs in again.
    world.get(&dana, "/v1/sync").await.refused("not-logged-in", Some("authorization"));
    let dana = world.agent(DANA).await;
    assert!(world.page(&dana, Some(&page.cursor)).await.restart);
}

/// CON-2, SYN-3: what the phone gets is what the lock checks.
#[tokio::test]
async fn a_ticket_is_one_that_the_lock_proves() {
    let world = World::new().await;
    let ready = world.ready().await;
    let (changes, _) = world.sync(&ready.bo, None).await;
    let [credential] = &records::<Credential>(&changes)[..] else { panic!("one credential") };
    let keys = world.keys(BLE);
    let ticket = Ticket::decode(credential.ticket.as_ref()).unwrap();
    assert_eq!(hex::encode(ticket.credential.0), credential.id);
    assert_eq!(ticket.window.not_before(), Time::from_unix(NOW).unwrap());
    assert_eq!(ticket.window.not_after(), Time::from_unix(NOW + 8 * HOUR).unwrap());
    assert_eq!(ticket.issued_at, Time::from_unix(NOW).unwrap());
    assert_eq!(credential.secret.as_ref(), keys.ticket_secret(credential.ticket.as_ref()).expose());
    assert_eq!(credential.lock_public_key.as_ref(), keys.lock_public_key());
    assert_eq!(credential.access_id, ready.grant.id);
    assert!(LowerBound::decode(credential.lower_bound.as_ref()).unwrap().verify(&keys));
    let week = Time::from_unix(NOW).unwrap().week();
    let now = credential.advert_keys.iter().find(|key| key.week == Some(week.0)).unwrap();
    assert_eq!(now.key.as_ref(), keys.advert_key(week).expose());
    assert!(credential.advert_keys.iter().any(|key| key.week.is_none()));
    assert_eq!(credential.zone.offset, -32);
    assert_eq!(&credential.access_hours.as_ref()[..2], [32, 80]);

    assert_eq!(records::<LockSettings>(&changes), [], "the lock has what the factory wrote");
    // The granter sees that the phone is ready.
    let (changes, _) = world.sync(&ready.dana, None).await;
    assert!(records::<Grant>(&changes)[0].phone_ready);
}

/// GRT-6: only shortly ahead of its start, for a day at a time, renewed by sync, and no longer than the grant.
#[tokio::test]
async fn tickets_come_late_and_last_short() {
    let world = World::new().await;
    let ready = world.ready().await;
    let (from, to) = (NOW + 3 * DAY, NOW + 6 * DAY);
    let grant = world.grant(&ready.dana, &ready.listing, "bo@plumbing.example", from, to).await;
    let (changes, mut cursor) = world.sync(&ready.bo, None).await;
    let access =
        records::<Access>(&changes).into_iter().find(|access| access.id == grant.id).expect("the access");
    assert_eq!(access.ready_from, from - DAY);
    assert!(records::<Credential>(&changes).iter().all(|it| it.access_id != grant.id));

    let mut held: Vec<Credential> = Vec::new();
    for (now, until) in [
        (from - DAY - 1, None),
        (from - DAY, Some(from + DAY)),
        (from, None),
        (from + DAY / 2, Some(from + DAY / 2 + DAY)),
        (from + 2 * DAY + DAY / 2, Some(to)),
        (from + 2 * DAY + DAY / 2 + HOUR, None),
    ] {
        world.clock.set(now);
        let bo = world.again(&ready.bo).await;
        let (changes, next) = world.sync(&bo, Some(&cursor)).await;
        cursor = next;
        let new: Vec<_> =
            records::<Credential>(&changes).into_iter().filter(|it| it.access_id == grant.id).collect();
        assert_eq!(new.len(), usize::from(until.is_some()), "{}", now - from);
        let Some(credential) = new.into_iter().next() else { continue };
        let window = Ticket::decode(credential.ticket.as_ref()).unwrap().window;
        assert_eq!(Some(window.not_after().unix()), until);
        // The one before it goes away.
        for old in held.drain(..) {
            assert!(changes.iter().any(|change| change.id == old.id && change.record.is_none()));
        }
        held.push(credential);
    }
}

/// GRT-6: a revocation ends the phone's credential and rides to the lock with any phone that passes.
#[tokio::test]
async fn a_revocation_travels_to_phone_and_lock() {
    let world = World::new().await;
    let ready = world.ready().await;
    let later = world.grant(&ready.dana, &ready.listing, "bo@plumbing.example", NOW + HOUR, NOW + DAY).await;
    let (changes, cursor) = world.sync(&ready.bo, None).await;
    let credential =
        records::<Credential>(&changes).into_iter().find(|it| it.access_id == later.id).expect("a ticket");
    assert!(records::<RevocationList>(&changes).is_empty());

    world.post(&ready.dana, &format!("/v1/grants/{}/revoke", later.id), &json!({})).await.ok::<Grant>();
    let (changes, _) = world.sync(&ready.bo, Some(&cursor)).await;
    assert!(changes.iter().any(|change| change.id == credential.id && change.record.is_none()));
    let [list] = &records::<RevocationList>(&changes)[..] else { panic!("one list") };
    assert_eq!(list.version, 1);
    let list = revocation::RevocationList::open(&world.keys(BLE), list.list.as_ref()).expect("authentic");
    let ticket = Ticket::decode(credential.ticket.as_ref()).unwrap();
    assert!(list.revokes(ticket.credential, ticket.epoch));
    assert!(!list.revokes(CredentialId([0; 8]), ticket.epoch));
}

/// Past 64 entries the epoch is raised, and what stands is issued anew.
#[tokio::test]
async fn a_full_revocation_list_raises_the_epoch() {
    let world = World::new().await;
    let ready = world.ready().await;
    let email = "bo@plumbing.example";
    let (changes, mut cursor) = world.sync(&ready.bo, None).await;
    let first = Ticket::decode(records::<Credential>(&changes)[0].ticket.as_ref()).unwrap();
    let mut version = 0;
    for _ in 0..65 {
        let grant = world.grant(&ready.dana, &ready.listing, email, NOW + HOUR, NOW + DAY).await;
        (_, cursor) = world.sync(&ready.bo, Some(&cursor)).await;
        world.post(&ready.dana, &format!("/v1/grants/{}/revoke", grant.id), &json!({})).await.ok::<Grant>();
        let page = world.page(&ready.bo, Some(&cursor)).await;
        let list = records::<RevocationList>(&page.changes).pop().expect("a list each time");
        assert!(list.version > version);
        version = list.version;
    }
    let (changes, _) = world.sync(&ready.bo, None).await;
    let list = records::<RevocationList>(&changes).pop().unwrap();
    let list = revocation::RevocationList::open(&world.keys(BLE), list.list.as_ref()).unwrap();
    assert!(list.entries().is_empty());
    assert!(list.revokes(first.credential, first.epoch), "the former epoch is dead");
    let [fresh] = &records::<Credential>(&changes)[..] else { panic!("one credential stands") };
    let fresh = Ticket::decode(fresh.ticket.as_ref()).unwrap();
    assert!(fresh.epoch > first.epoch);
    assert!(!list.revokes(fresh.credential, fresh.epoch));
}

/// ACC-4, SYN-3: a credential is its device's alone.
#[tokio::test]
async fn each_device_has_its_own_tickets() {
    let world = World::new().await;
    let ready = world.ready().await;
    let second = world.contractor("bo@plumbing.example").await;
    let mut ids = Vec::new();
    for phone in [&ready.bo, &second, &ready.bo, &second] {
        let (changes, _) = world.sync(phone, None).await;
        let [credential] = &records::<Credential>(&changes)[..] else { panic!("one each") };
        ids.push(credential.id.clone());
    }
    assert_ne!(ids[0], ids[1]);
    assert_eq!(ids[..2], ids[2..]);
}

/// A lock would be told a wrong time: the backend stops signing when its own clock went back.
#[tokio::test]
async fn nothing_is_signed_once_the_clock_went_back() {
    let world = World::new().await;
    let ready = world.ready().await;
    world.sync(&ready.bo, None).await;
    let hash = json!({ "handshake_hash": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" });
    let path = format!("/v1/locks/{BLE}/time");
    world.clock.set(NOW - 300);
    world.post(&ready.bo, &path, &hash).await.ok::<Value>();
    world.clock.set(NOW - 301);
    let reply = world.post(&ready.bo, &path, &hash).await;
    assert_eq!(reply.status, 503);
    reply.refused("clock-not-trusted", None);
    // What was issued before still travels.
    let second = world.contractor("bo@plumbing.example").await;
    let (changes, _) = world.sync(&second, None).await;
    assert_eq!(records::<Access>(&changes).len(), 1);
    assert!(records::<Credential>(&changes).is_empty());
}
