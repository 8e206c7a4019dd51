//! A deleted account: gone at once, with a pseudonym in the owners' logs and the right to return a key. [ACC-11]

use sentri_protocol::{open::Verdict, revocation, ticket::Ticket};
use sentri_wire::{
    agent::{Grant, GrantState, Grants},
    credential::{Credential, RevocationList},
    event::ReceiptResult,
    identity::AccountDeleted,
    sync::Message,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    events::{event, log, status, upload},
    world::{BLE, DAY, HOUR, NOW, PASSWORD, Phone, Ready, World, records},
};

const BO: &str = "bo@plumbing.example";

fn delete() -> Value {
    json!({ "password": PASSWORD })
}

/// Bo has opened the box within the access, and holds another access for tomorrow.
async fn with_the_key_out() -> (World, Ready, Grant, Vec<Credential>) {
    let world = World::new().await;
    let ready = world.ready().await;
    let later = world.grant(&ready.dana, &ready.listing, BO, NOW + DAY / 2, NOW + DAY).await;
    let (changes, _) = world.sync(&ready.bo, None).await;
    world.clock.advance(HOUR / 10);
    let signed = status(Verdict::Opened).sign(&world.keys(BLE));
    upload(&world, &ready.bo, &[&event(&ready, Uuid::new_v4(), Some(&signed))]).await;
    let held = records::<Credential>(&changes);
    assert_eq!(held.len(), 2);
    (world, ready, later, held)
}

#[tokio::test]
async fn what_is_personal_is_gone_at_once() {
    let (world, ready, later, _) = with_the_key_out().await;
    let wrong = world.post(&ready.bo, "/v1/me/delete", &json!({ "password": "Wrong1pass" })).await;
    wrong.refused("wrong-credentials", Some("password"));
    world.post(&ready.bo, "/v1/me/delete", &delete()).await.ok::<AccountDeleted>();

    world.get(&ready.bo, "/v1/me").await.refused("device-removed", None);
    let login = world.try_login(json!({ "email": BO }), PASSWORD, Uuid::new_v4()).await;
    login.refused("wrong-credentials", None);

    // The owner's log, grants and messages keep a pseudonym, the same everywhere.
    let entry = &log(&world, &ready.dana).await[0];
    assert!(entry.who.starts_with("Former user ") && entry.who.len() == 16, "{}", entry.who);
    let path = format!("/v1/grants?listing_id={}", ready.listing.id);
    let given: Grants = world.get(&ready.dana, &path).await.ok();
    assert!(given.grants.iter().all(|grant| grant.email == entry.who));
    let state = |id| given.grants.iter().find(|grant| grant.id == id).unwrap().state;
    assert_eq!((state(ready.grant.id), state(later.id)), (GrantState::Granted, GrantState::Revoked));
    let (changes, _) = world.sync(&ready.dana, None).await;
    let told = records::<Message>(&changes);
    assert!(
        told.iter().any(|it| it.body.contains("has deleted their account") && it.body.contains(&entry.who))
    );
    let everything = serde_json::to_string(&changes).unwrap();
    let export = world.get(&ready.dana, "/v1/me/export").await.body.to_string();
    for name in ["Lindqvist", BO, "555-0199"] {
        assert!(!everything.contains(name) && !export.contains(name), "{name}");
    }
    world.nth_mail(BO, "account was deleted", 0).await;
}

/// Nothing of it is left in the database either, under no name that they ever had.
#[tokio::test]
async fn the_database_does_not_know_them_any_more() {
    let (world, ready, ..) = with_the_key_out().await;
    let typed = "Bo@Plumbing.Example";
    world.grant(&ready.dana, &ready.listing, typed, NOW + DAY, NOW + 2 * DAY).await;
    let profile =
        json!({ "password": PASSWORD, "first_name": "Beau", "last_name": "Lindt", "role": "Roofer" });
    world.post(&ready.bo, "/v1/me/profile", &profile).await.ok::<Value>();
    world.post(&ready.bo, "/v1/me/delete", &delete()).await.ok::<AccountDeleted>();
    world.deliver_all().await;
    let text = world.whole_database().await;
    assert!(text.contains("Former"));
    for name in ["Lindqvist", "Lindt", "plumbing.example", "503-555-0199", "15035550199", "Roofer"] {
        assert!(!text.to_lowercase().contains(&name.to_lowercase()), "{name} is still there");
    }
}

/// Only the right to return the key remains, of the access that was used; all else is on the list.
#[tokio::test]
async fn a_key_that_is_out_can_be_returned() {
    let (world, ready, later, held) = with_the_key_out().await;
    let other = world.agent_of_same_box(&ready).await;
    let gone: AccountDeleted = world.post(&ready.bo, "/v1/me/delete", &delete()).await.ok();
    let [kept] = &gone.returns[..] else { panic!("one access was used: {:?}", gone.returns.len()) };
    let before = held.iter().find(|it| it.access_id == ready.grant.id).unwrap();
    assert_eq!((kept.access_id, &kept.id), (ready.grant.id, &before.id));
    let (was, now) =
        (Ticket::decode(before.ticket.as_ref()).unwrap(), Ticket::decode(kept.ticket.as_ref()).unwrap());
    // The lock knows it by its id; its window has ended.
    assert_eq!((now.credential, now.window.not_before()), (was.credential, was.window.not_before()));
    assert_eq!(now.window.not_after().unix(), NOW + HOUR / 10);
    assert_eq!(kept.secret.as_ref(), world.keys(BLE).ticket_secret(kept.ticket.as_ref()).expose());

    let (changes, _) = world.sync(&other, None).await;
    let list = records::<RevocationList>(&changes).pop().expect("a list");
    let list = revocation::RevocationList::open(&world.keys(BLE), list.list.as_ref()).unwrap();
    assert!(!list.revokes(now.credential, now.epoch), "the return stays possible");
    let tomorrow = held.iter().find(|it| it.access_id == later.id).unwrap();
    let tomorrow = Ticket::decode(tomorrow.ticket.as_ref()).unwrap();
    assert!(list.revokes(tomorrow.credential, tomorrow.epoch));
}

/// The answer was lost, and with it the right to return the key: the phone asks again under the same key.
#[tokio::test]
async fn a_lost_answer_is_given_again() {
    let (world, ready, ..) = with_the_key_out().await;
    let (path, key) = ("/v1/me/delete", Uuid::new_v4().to_string());
    let lost: AccountDeleted = world.post_once(&ready.bo, path, &key, &delete()).await.ok();
    let again: AccountDeleted = world.post_once(&ready.bo, path, &key, &delete()).await.ok();
    assert_eq!((lost.returns.len(), &lost), (1, &again));
    let other = Uuid::new_v4().to_string();
    world.post_once(&ready.bo, path, &other, &delete()).await.refused("device-removed", None);
    world.post(&ready.bo, path, &delete()).await.refused("device-removed", None);
}

/// An access that has begun but was never used leaves nothing.
#[tokio::test]
async fn without_a_key_out_nothing_remains() {
    let world = World::new().await;
    let ready = world.ready().await;
    world.sync(&ready.bo, None).await;
    let gone: AccountDeleted = world.post(&ready.bo, "/v1/me/delete", &delete()).await.ok();
    assert!(gone.returns.is_empty());
}

/// SYN-3: another phone of the account uploads what it holds, under the pseudonym, and wipes.
#[tokio::test]
async fn another_phone_of_a_deleted_account_still_reports() {
    let (world, ready, ..) = with_the_key_out().await;
    let other = world.contractor(BO).await;
    world.post(&ready.bo, "/v1/me/delete", &delete()).await.ok::<AccountDeleted>();
    world.get(&other, "/v1/sync").await.refused("device-removed", None);
    let queued = event(&ready, Uuid::new_v4(), None);
    assert_eq!(upload(&world, &other, &[&queued]).await, [ReceiptResult::Stored]);
    let entries = log(&world, &ready.dana).await;
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0].who, entries[1].who);
}

/// An agent's account is the association's; an address that is free again starts from nothing.
#[tokio::test]
async fn an_agent_asks_the_association_and_an_address_is_free_again() {
    let (world, ready, ..) = with_the_key_out().await;
    world.post(&ready.dana, "/v1/me/delete", &delete()).await.refused("forbidden", None);
    world.post(&ready.bo, "/v1/me/delete", &delete()).await.ok::<AccountDeleted>();
    world.deliver_all().await;
    let invitations = world.mails_so_far(BO, "gave you access");
    world.grant(&ready.dana, &ready.listing, BO, NOW + HOUR, NOW + 2 * HOUR).await;
    world.nth_mail(BO, "gave you access", invitations).await;
    let bo = world.sign_up(BO, "503-555-0166").await;
    assert_ne!(bo.account.id, ready.bo.account.id);
    let (changes, _) = world.sync(&bo, None).await;
    assert_eq!(records::<sentri_wire::credential::Access>(&changes).len(), 1);
}

impl World {
    /// Somebody else who holds a ticket for the same box, and so carries its list.
    async fn agent_of_same_box(&self, ready: &Ready) -> Phone {
        self.grant(&ready.dana, &ready.listing, "cy@paint.example", NOW + HOUR, NOW + 9 * HOUR).await;
        let cy = self.sign_up("cy@paint.example", "503-555-0177").await;
        self.sync(&cy, None).await;
        cy
    }

    /// Every text in every table.
    async fn whole_database(&self) -> String {
        use sqlx::{Connection, Row};
        let mut conn = sqlx::AnyConnection::connect(&self.config.database).await.unwrap();
        let mut all = String::new();
        for table in [
            "accounts",
            "devices",
            "sessions",
            "grants",
            "invitations",
            "signups",
            "messages",
            "outbox",
            "proofs",
            "access_log",
            "access_events",
            "audit_records",
            "idempotency",
            "tries",
            "changes",
            "listings",
            "former_names",
        ] {
            let columns = self.text_columns(&mut conn, table).await;
            for column in columns {
                let sql = format!("SELECT COALESCE({column}, '') FROM {table}");
                for row in sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&mut conn).await.unwrap() {
                    all.push_str(row.get::<String, _>(0).as_str());
                    all.push('\n');
                }
            }
        }
        all
    }

    async fn text_columns(&self, conn: &mut sqlx::AnyConnection, table: &str) -> Vec<String> {
        let sql = if self.config.database.starts_with("sqlite") {
            format!("SELECT name FROM pragma_table_info('{table}') WHERE type = 'TEXT'")
        } else {
            format!(
                "SELECT CAST(column_name AS TEXT) FROM information_schema.columns \
                 WHERE table_name = '{table}' AND data_type = 'text'"
            )
        };
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_all(conn).await.unwrap()
    }
}
