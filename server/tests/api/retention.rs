//! Logs are kept as long as the deployment says, and no longer.

use sentri_protocol::open::Verdict;
use sentri_server::operator::Pruned;
use sentri_wire::{event::ReceiptResult, sync::Message};
use uuid::Uuid;

use crate::{
    events::{event, log, status, upload},
    locks::{Log, acknowledged},
    world::{BLE, DANA, DAY, HOUR, NOW, Ready, World, records},
};

const THREE_YEARS: i64 = 3 * 365 * DAY;

/// More events than one batch deletes.
async fn upload_many(world: &World, ready: &Ready) {
    for _ in 0..6 {
        let events: Vec<_> = (0..100).map(|_| event(ready, Uuid::new_v4(), None)).collect();
        upload(world, &ready.bo, &events.iter().collect::<Vec<_>>()).await;
    }
}

/// Both people again, after their tokens ended.
async fn back(world: &World, ready: Ready) -> Ready {
    let (dana, bo) = (world.agent(DANA).await, world.contractor("bo@plumbing.example").await);
    Ready { dana, bo, ..ready }
}

#[tokio::test]
async fn a_command_deletes_what_is_older_than_logs_are_kept() {
    let world = World::new().await;
    let ready = world.ready().await;
    upload_many(&world, &ready).await;
    world.clock.advance(THREE_YEARS);
    let operator = world.server.operator();
    assert_eq!(logs(operator.prune_log().await.unwrap()), (0, 0), "not a second too early");
    world.clock.advance(1);

    let ready = back(&world, ready).await;
    let mut new = event(&ready, Uuid::new_v4(), None);
    new["at"] = world_now(&world).into();
    // Its phone's clock has stood still; it came just now all the same.
    let late = event(&ready, Uuid::new_v4(), None);
    upload(&world, &ready.bo, &[&new, &late]).await;

    assert_eq!(logs(operator.prune_log().await.unwrap()), (600, 600));
    let left: Vec<i64> = log(&world, &ready.dana).await.iter().map(|entry| entry.at).collect();
    assert_eq!(left, [new["at"].as_i64().unwrap(), late["at"].as_i64().unwrap()]);
    assert_eq!(operator.prune_log().await.unwrap(), Pruned::default());
}

fn logs(pruned: Pruned) -> (u64, u64) {
    (pruned.log_entries, pruned.events)
}

fn world_now(world: &World) -> i64 {
    use sentri_server::ports::Clock;
    world.clock.now()
}

/// What locks' words are checked against stays: the chain of their records goes on where it was, and a word that
/// confirmed an event confirms no second one.
#[tokio::test]
async fn a_locks_own_chain_and_words_outlive_the_log() {
    let world = World::new().await;
    let ready = world.ready().await;
    world.sync(&ready.bo, None).await;
    let records = Log::of(world.keys(BLE), 20);
    assert_eq!(acknowledged(&world, &ready.bo, &records, records.batch(1, 10, 0)).await, 10);
    let signed = status(Verdict::Opened).sign(&world.keys(BLE));
    world.clock.advance(HOUR / 10);
    upload(&world, &ready.bo, &[&event(&ready, Uuid::new_v4(), Some(&signed))]).await;
    assert!(log(&world, &ready.dana).await[0].confirmed_by_lock);

    world.clock.set(NOW + THREE_YEARS + DAY);
    let pruned = world.server.operator().prune_log().await.unwrap();
    assert_eq!(logs(pruned), (1, 1));

    let ready = back(&world, ready).await;
    let again = event(&ready, Uuid::new_v4(), Some(&signed));
    assert_eq!(upload(&world, &ready.bo, &[&again]).await, [ReceiptResult::Stored]);
    assert!(!log(&world, &ready.dana).await[0].confirmed_by_lock);
    assert_eq!(acknowledged(&world, &ready.bo, &records, records.batch(11, 20, 0)).await, 20);
}

/// By the injected clock; what a restart finds in the database keeps it from doing it twice a day.
#[tokio::test]
async fn the_server_does_it_once_a_day() {
    let mut world = World::with(|config| config.log_seconds = 7 * 86_400).await;
    let ready = world.ready().await;
    upload(&world, &ready.bo, &[&event(&ready, Uuid::new_v4(), None)]).await;
    world.clock.advance(8 * DAY);
    assert_eq!(world.server.prune_if_due().await.unwrap().map(logs), Some((1, 1)));
    assert_eq!(world.server.prune_if_due().await.unwrap(), None);
    world.restart(|_, _| {}).await;
    world.clock.advance(DAY - 1);
    assert_eq!(world.server.prune_if_due().await.unwrap(), None);
    world.clock.advance(1);
    assert_eq!(world.server.prune_if_due().await.unwrap().map(logs), Some((0, 0)));
    // Set back, it does not wait until the clock is there again.
    world.clock.set(NOW);
    assert_eq!(world.server.prune_if_due().await.unwrap().map(logs), Some((0, 0)));
    assert_eq!(log(&world, &world.agent(DANA).await).await, []);
}

/// Posts, tries, links, codes, sessions and answers go when nobody needs them any more.
#[tokio::test]
async fn what_nobody_needs_any_more_goes() {
    let world = World::new().await;
    let ready = world.ready().await;
    let bo = serde_json::json!({ "email": "bo@plumbing.example" });
    world.try_login(bo.clone(), "Wrong1pass", Uuid::new_v4()).await;
    world.post_public("/v1/password/forgot", &serde_json::json!({ "login": bo })).await;
    let proven = world.prove(&bo, "bo@plumbing.example").await;
    world.delete(&proven, &format!("/v1/identity/devices/{}", ready.bo.device)).await;
    world.post_once(&ready.dana, "/v1/listings", "listing-1", &crate::world::new_listing()).await;
    world.deliver_all().await;
    let kept = ["outbox", "tries", "proofs", "signups", "idempotency", "sessions", "tokens", "invitations"];
    for table in kept {
        assert!(world.count(table).await > 0, "{table}");
    }
    world.clock.advance(101 * DAY);
    let pruned = world.server.operator().prune_log().await.unwrap();
    assert!(pruned.others > 10, "{pruned:?}");
    for table in kept {
        assert_eq!(world.count(table).await, 0, "{table}");
    }
    // A removed device whose session may upload no more is gone too; the other one is not.
    assert_eq!(world.count("devices WHERE removed_at IS NOT NULL").await, 0);
    assert_eq!(world.count("devices").await, 1);
    world.contractor("bo@plumbing.example").await;
}

/// SYN-2: what went away long ago is forgotten; a phone from before that starts over, one that kept up does not.
#[tokio::test]
async fn what_went_away_long_ago_is_forgotten() {
    let world = World::new().await;
    let ready = world.ready().await;
    let (changes, old) = world.sync(&ready.dana, None).await;
    let message = &records::<Message>(&changes)[0];
    world.delete(&ready.dana, &format!("/v1/messages/{}", message.id)).await;
    let (_, kept_up) = world.sync(&ready.dana, Some(&old)).await;
    world.server.operator().prune_log().await.unwrap();
    assert!(!world.page(&ready.dana, Some(&old)).await.restart);
    world.clock.advance(101 * DAY);
    world.server.operator().prune_log().await.unwrap();
    let dana = world.agent(DANA).await;
    let page = world.page(&dana, Some(&old)).await;
    assert!(page.restart);
    assert!(page.changes.iter().all(|change| change.record.is_some()));
    assert!(!world.page(&dana, Some(&kept_up)).await.restart);
    // A phone that has just started over does not start over again.
    assert!(!world.page(&dana, Some(&page.cursor)).await.restart);
}

impl World {
    async fn count(&self, table: &str) -> i64 {
        use sqlx::Connection;
        let mut conn = sqlx::AnyConnection::connect(&self.config.database).await.unwrap();
        let sql = format!("SELECT COUNT(*) FROM {table}");
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&mut conn).await.unwrap()
    }
}
