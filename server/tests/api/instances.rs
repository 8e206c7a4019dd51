//! Two instances on one database, behind a balancer that sends every other call to the other one. [OPS-3]

use std::collections::BTreeSet;

use sentri_wire::{
    account::Tokens,
    credential::{Access, Credential},
    sync::SyncPage,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{BLE, DANA, HOUR, NOW, PASSWORD, World, grant, records};

const BO: &str = "bo@plumbing.example";

async fn two() -> World {
    let mut world = World::new().await;
    world.start_second().await;
    world
}

/// The whole way, each call at the other instance than the one before: listing, grant, invitation, sign-up, login,
/// sync, refresh, events, revocation.
#[tokio::test]
async fn a_phones_calls_alternate_between_two() {
    let world = two().await;
    let ready = world.ready().await;
    let (changes, cursor) = world.sync(&ready.bo, None).await;
    assert_eq!(records::<Credential>(&changes).len(), 1);
    // The cursor of one is the other's: nothing comes twice, nothing starts over.
    for _ in 0..2 {
        let page: SyncPage = world.get(&ready.bo, &format!("/v1/sync?cursor={cursor}")).await.ok();
        assert!(page.changes.is_empty() && !page.restart && page.cursor == cursor, "{page:?}");
    }

    let later = world.grant(&ready.dana, &ready.listing, BO, NOW + HOUR, NOW + 2 * HOUR).await;
    let (changes, cursor) = world.sync(&ready.bo, Some(&cursor)).await;
    assert_eq!(records::<Access>(&changes).iter().map(|it| it.id).collect::<Vec<_>>(), [later.id]);
    world.post(&ready.dana, &format!("/v1/grants/{}/revoke", later.id), &json!({})).await.ok::<Value>();
    let (changes, _) = world.sync(&ready.bo, Some(&cursor)).await;
    let gone: BTreeSet<_> = changes.iter().filter(|it| it.record.is_none()).map(|it| it.id.clone()).collect();
    assert_eq!(gone.len(), 1, "its ticket is taken back: {changes:?}");
}

/// A session is one for both: ended here, it is ended there; a refresh token works once, wherever.
#[tokio::test]
async fn a_session_is_the_same_at_both() {
    let world = two().await;
    let dana = world.agent(DANA).await;
    let refresh = json!({ "refresh": dana.refresh });
    let tokens: Tokens = world.post_public("/v1/token/refresh", &refresh).await.ok();
    world.post_public("/v1/token/refresh", &refresh).await.refused("not-logged-in", Some("refresh"));
    for _ in 0..2 {
        let reply = world.send("GET", "/v1/me", Some(tokens.access.expose()), &[], None).await;
        reply.refused("not-logged-in", Some("authorization"));
    }
}

/// ACC-4, ACC-1: the device limit and the wait after wrong passwords are counted once for both.
#[tokio::test]
async fn limits_are_counted_over_both() {
    let world = two().await;
    let login = json!({ "sentrikey_id": DANA });
    for _ in 0..3 {
        world.try_login(login.clone(), PASSWORD, Uuid::new_v4()).await.ok::<Value>();
    }
    for _ in 0..2 {
        let reply = world.try_login(login.clone(), PASSWORD, Uuid::new_v4()).await;
        reply.refused("device-limit-reached", None);
    }
    let mut waits = 0;
    for _ in 0..12 {
        waits += u32::from(world.try_login(login.clone(), "Wrong1x", Uuid::new_v4()).await.status == 429);
    }
    assert!(waits >= 1, "ten tries are free, whoever takes them");
}

/// A retry that the balancer sends to the other instance gets the first answer again, and nothing happens twice.
#[tokio::test]
async fn a_retry_at_the_other_instance_changes_nothing() {
    let world = two().await;
    let ready = world.ready().await;
    let (key, body) = (Uuid::new_v4().to_string(), grant(&ready.listing, BO, NOW + HOUR, NOW + 2 * HOUR));
    let first: Value = world.post_once(&ready.dana, "/v1/grants", &key, &body).await.ok();
    let again: Value = world.post_once(&ready.dana, "/v1/grants", &key, &body).await.ok();
    assert_eq!(first, again);
}

/// Both deliver; no post goes out twice while both are well, and none is lost.
#[tokio::test]
async fn both_deliver_and_nothing_goes_out_twice() {
    let mut world = World::with(|config| config.deliver = false).await;
    let dana = world.agent(DANA).await;
    let listing = world.place(&dana, BLE).await;
    for number in 0..30 {
        world.grant(&dana, &listing, &format!("guest{number}@plumbing.example"), NOW, NOW + HOUR).await;
    }
    world.start_second().await;
    let second = world.second.as_ref().unwrap();
    let (here, there) = tokio::join!(world.server.deliver_due(), second.deliver_due());
    assert_eq!(here.unwrap() + there.unwrap(), world.mailbox.mails().len() + world.mailbox.pushes().len());
    let ids: BTreeSet<_> = world.mailbox.mails().into_iter().map(|mail| mail.message_id).collect();
    assert_eq!((ids.len(), world.mailbox.mails().len()), (30, 30));
}

/// Killed with a mail in hand: the other instance leaves it alone until the lease has ended, and then delivers it.
#[tokio::test]
async fn what_a_killed_instance_had_in_hand_is_delivered_by_the_other() {
    let mut world = World::with(|config| config.deliver = false).await;
    let dana = world.agent(DANA).await;
    let listing = world.place(&dana, BLE).await;
    world.grant(&dana, &listing, BO, NOW, NOW + HOUR).await;
    lease_all(&world.config.database, "main", NOW + 120).await;
    world.start_second().await;
    let second = world.second.as_ref().unwrap();
    assert_eq!(second.deliver_due().await.unwrap(), 0, "it may still be at it");
    world.clock.advance(120);
    second.deliver_due().await.unwrap();
    assert_eq!(world.mailbox.mails().len(), 1);
}

/// As a server leaves it that was killed right after it took its posts in hand.
async fn lease_all(url: &str, instance: &str, until: i64) {
    use sqlx::Connection;
    let mut conn = sqlx::AnyConnection::connect(url).await.unwrap();
    sqlx::query("UPDATE outbox SET leased_by = $1, leased_until = $2")
        .bind(instance)
        .bind(until)
        .execute(&mut conn)
        .await
        .unwrap();
    conn.close().await.unwrap();
}
