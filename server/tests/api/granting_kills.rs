//! The server is killed at every step of assign, grant, invite, sign-up from the invitation, revoke and unassign, before
//! and after each commit: nothing that was acknowledged is lost, and nothing but mail, texts and pushes happens twice.
//!
//! `SENTRI_KILLS=1000` kills it more often.

use std::collections::BTreeSet;

use sentri_server::ports::Clock;
use sentri_wire::{
    account::SignupStarted,
    agent::{Grant, GrantResponse, GrantState, Invitee, Listing, Lockbox},
};
use serde_json::json;
use uuid::Uuid;

use crate::{
    mortal::{Mortal, kills, play},
    world::{BLE, DANA, DAY, HOUR, NOW, PASSWORD, completion, grant, new_listing, phone},
};

/// In `cargo test`; `cargo xtask test faults` asks for more.
const LEAST_KILLS: u64 = 120;
/// Step by step: before and after each of a dozen commits, and those of the outbox.
const LEAST_STEPS: u64 = 24;

/// One listing with a box, and somebody who is let in: invited, known, taken back.
struct Life<'a> {
    mortal: &'a mut Mortal,
    number: u64,
    dana: String,
    email: String,
}

impl Life<'_> {
    async fn live(&mut self) {
        let listing: Listing = self.once("/v1/listings", "list", &new_listing()).await;
        let starts = self.mortal.world.clock.now() + DAY;
        let place = json!({ "listing_id": listing.id, "on_listing_since": NOW, "region": "West" });
        let hung: Lockbox = self.once(&format!("/v1/lockboxes/{BLE}/assign"), "assign", &place).await;
        assert_eq!(hung.listing_id, Some(listing.id));

        let body = grant(&listing, &self.email, starts, starts + HOUR);
        let invited: GrantResponse = self.once("/v1/grants", "invite", &body).await;
        assert_eq!(invited.invitee, Invitee::New);
        self.sign_up().await;
        let body = grant(&listing, &self.email, starts, starts + DAY);
        let known: GrantResponse = self.once("/v1/grants", "grant", &body).await;
        assert_eq!(known.invitee, Invitee::Existing);
        self.mortal.deliver().await;
        self.is_as_granted(&[invited.grant.id, known.grant.id]).await;

        for (id, key) in [(known.grant.id, "revoke"), (invited.grant.id, "revoke2")] {
            let revoked: Grant = self.once(&format!("/v1/grants/{id}/revoke"), key, &json!({})).await;
            assert_eq!(revoked.state, GrantState::Revoked);
            // To the granter and to the holder, once each.
            assert_eq!(self.messages(id, "access_revoked").await, 2);
            assert_eq!(self.grants("state = 'revoked' AND revoked_at IS NOT NULL AND id", &id).await, 1);
        }
        let free: Lockbox = self.once(&format!("/v1/lockboxes/{BLE}/unassign"), "unassign", &json!({})).await;
        assert_eq!(free.listing_id, None);
        self.mortal.deliver().await;
    }

    /// Calls under a key of this life's own: whatever is lost on the way, the answer is that of the one time it happened.
    async fn once<T: serde::de::DeserializeOwned>(
        &mut self,
        path: &str,
        key: &str,
        body: &serde_json::Value,
    ) -> T {
        let key = format!("life-{}-{key}", self.number);
        loop {
            let reply = self.mortal.once(path, &self.dana, &key, body).await;
            if reply.status != 401 {
                return reply.ok();
            }
            // So many leases were waited for that the token has expired.
            self.dana = log_in(self.mortal).await;
        }
    }

    /// With the invitation of the mail, which may have come more than once.
    async fn sign_up(&mut self) {
        self.mortal.deliver().await;
        let mails = self.mortal.world.mailbox.mails();
        let invitations: Vec<_> = mails.iter().filter(|mail| mail.to == self.email).collect();
        let ids: BTreeSet<_> = invitations.iter().map(|mail| &mail.message_id).collect();
        assert_eq!(ids.len(), 1, "one mail, however often it was sent");
        let link = invitations[0].body.split_whitespace().find(|word| word.contains("/join#")).unwrap();
        let token = link.split_once('#').unwrap().1.to_owned();
        let number = format!("50356{:05}", self.number);
        loop {
            let start = json!({ "email": self.email, "email_again": self.email, "phone": number,
                "phone_again": number, "invitation": token });
            let started: SignupStarted = self.mortal.post("/v1/signup", &start).await.0.ok();
            let code = self.mortal.texted_code(&number).await;
            let codes = json!({ "signup": started.signup.expose(), "code": code });
            let (reply, lost) = self.mortal.post("/v1/signup/verify", &codes).await;
            // An older code may have come after the newer one.
            if reply.status == 403 || (reply.status == 410 && !lost) {
                continue;
            }
            let whole = completion(started.signup.expose());
            let (reply, lost) = self.mortal.post("/v1/signup/complete", &whole).await;
            if reply.status == 201 || (lost && self.accounts().await == 1) {
                return;
            }
            assert_eq!(reply.status, 410, "{}", reply.body);
        }
    }

    /// Each of them once, held by one account, told once to each of both.
    async fn is_as_granted(&mut self, ids: &[Uuid]) {
        assert_eq!(self.accounts().await, 1);
        let email = self.email.clone();
        assert_eq!(self.count("grants WHERE email_key = $1 AND grantee_id IS NOT NULL", &email).await, 2);
        assert_eq!(self.grants("state = 'granted' AND id", &ids[0]).await, 1);
        assert_eq!(self.messages(ids[0], "access_granted").await, 1, "who was invited has the mail");
        assert_eq!(self.messages(ids[1], "access_granted").await, 2);
    }

    async fn accounts(&mut self) -> i64 {
        let email = self.email.clone();
        self.count("accounts WHERE email_key = $1", &email).await
    }

    async fn grants(&mut self, which: &str, id: &Uuid) -> i64 {
        self.count(&format!("grants WHERE {which} = $1"), &id.to_string()).await
    }

    async fn messages(&mut self, access: Uuid, topic: &str) -> i64 {
        let of = format!("messages WHERE topic = '{topic}' AND access_id = $1");
        self.count(&of, &access.to_string()).await
    }

    async fn count(&mut self, of: &str, value: &str) -> i64 {
        use sqlx::Connection;
        let mut conn = sqlx::AnyConnection::connect(&self.mortal.world.config.database).await.unwrap();
        let sql = format!("SELECT COUNT(*) FROM {of}");
        let count = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(value.to_owned());
        count.fetch_one(&mut conn).await.unwrap()
    }
}

/// Always the same device.
async fn log_in(mortal: &mut Mortal) -> String {
    let body = json!({ "login": { "sentrikey_id": DANA }, "password": PASSWORD,
        "device": { "install_id": Uuid::from_u128(1), "name": "Phone", "platform": "desktop" } });
    phone(mortal.post("/v1/login", &body).await.0).access
}

async fn live(mortal: &mut Mortal, number: u64) {
    let dana = log_in(mortal).await;
    let email = format!("guest{number}@example.com");
    Life { mortal, number, dana, email }.live().await;
}

/// LST-3, GRT-1, GRT-3, GRT-4, ACC-8
#[tokio::test]
async fn what_was_granted_or_taken_back_holds_wherever_the_server_dies() {
    play(kills(LEAST_KILLS), LEAST_STEPS, async |mortal, number| live(mortal, number).await).await;
}
