//! The server is killed at every step of sign-up, login, removal of a device and deletion, before and after each commit:
//! nothing that was acknowledged is lost, and nothing but mail and texts happens twice.

use sentri_wire::{
    account::{LoginResponse, SignupStarted},
    device::OwnDevices,
    identity::IdentityStarted,
    problem::ProblemCode,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    mortal::{Mortal, play},
    world::{PASSWORD, Phone, completion, phone},
};

/// In all, with the seeds.
const LEAST_KILLS: u64 = 500;
/// Step by step.
const LEAST_STEPS: u64 = 41;
const NEW: &str = "Newpass1";

/// One account's life, from sign-up to deletion, whatever dies meanwhile.
struct Life<'a> {
    mortal: &'a mut Mortal,
    email: String,
    number: String,
}

impl Life<'_> {
    async fn live(&mut self) {
        self.sign_up().await;
        let (here, there) = (self.log_in(PASSWORD).await, self.log_in(PASSWORD).await);
        assert_eq!(self.count("accounts WHERE email_key = $1").await, 1);
        self.remove(&there).await;
        self.reset().await;
        let here = self.log_in_on(NEW, &here).await;
        assert_eq!(self.devices().await, 1);
        self.delete(&here).await;
    }

    async fn sign_up(&mut self) {
        loop {
            let start = json!({ "email": self.email, "email_again": self.email, "phone": self.number,
                "phone_again": self.number });
            let (reply, _) = self.mortal.post("/v1/signup", &start).await;
            if reply.status == 429 {
                // More mails than a day has: only for who is killed this often.
                self.mortal.world.clock.advance(86_400);
                continue;
            }
            let started: SignupStarted = reply.ok();
            let text = self.mortal.texted_code(&self.number).await;
            let mail = self.mortal.mailed_code(&self.email).await;
            let codes = json!({ "signup": started.signup.expose(), "code": text, "email_code": mail });
            let (reply, lost) = self.mortal.post("/v1/signup/verify", &codes).await;
            // An older code came once more, after the newer one: people ask for another, too.
            assert!([204, 403, 410].contains(&reply.status), "{}", reply.body);
            if reply.status == 403 || (reply.status == 410 && !lost) {
                continue;
            }
            let (reply, lost) =
                self.mortal.post("/v1/signup/complete", &completion(started.signup.expose())).await;
            assert!(reply.status == 201 || reply.status == 410, "{}", reply.body);
            if reply.status == 201 || (lost && self.count("accounts WHERE email_key = $1").await == 1) {
                return;
            }
        }
    }

    async fn log_in(&mut self, password: &str) -> Phone {
        let install = Uuid::new_v4();
        self.log_in_as(password, install).await
    }

    async fn log_in_as(&mut self, password: &str, install: Uuid) -> Phone {
        let before = self.devices().await;
        let device = json!({ "install_id": install, "name": "Phone", "platform": "desktop" });
        let body = json!({ "login": { "email": self.email }, "password": password, "device": device });
        let (reply, _) = self.mortal.post("/v1/login", &body).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        assert_eq!(self.devices().await, before + 1, "one registration, however often it was asked for");
        let login: LoginResponse = serde_json::from_value(reply.body.clone()).unwrap();
        assert!(!login.device_id.is_nil());
        phone(reply)
    }

    /// The other phone logs in again under the new password.
    async fn log_in_on(&mut self, password: &str, former: &Phone) -> Phone {
        let proven = self.prove(password).await;
        self.give_up(&proven, former.device).await;
        self.log_in(password).await
    }

    async fn prove(&mut self, password: &str) -> String {
        loop {
            let body = json!({ "login": { "email": self.email }, "password": password });
            let started: IdentityStarted = self.mortal.post("/v1/identity", &body).await.0.ok();
            let code = self.mortal.mailed_code(&self.email).await;
            let identity = started.identity.expose().to_owned();
            let verify = json!({ "identity": identity, "code": code });
            let (reply, lost) = self.mortal.post("/v1/identity/verify", &verify).await;
            assert!([204, 403, 410].contains(&reply.status), "{}", reply.body);
            let devices = "/v1/identity/devices";
            if lost && self.mortal.call("GET", devices, Some(&identity), &Value::Null).await.0.status == 401 {
                continue;
            }
            if reply.status == 204 || (lost && reply.status == 410) {
                return identity;
            }
        }
    }

    async fn remove(&mut self, phone: &Phone) {
        let proven = self.prove(PASSWORD).await;
        self.give_up(&proven, phone.device).await;
        let (reply, _) = self.mortal.call("GET", "/v1/sync", Some(&phone.access), &Value::Null).await;
        let code = reply.problem().code;
        assert!(matches!(code, ProblemCode::DeviceRemoved | ProblemCode::TokenExpired), "{code:?}");
        let (reply, _) = self.mortal.call("GET", "/v1/identity/devices", Some(&proven), &Value::Null).await;
        assert_eq!(reply.ok::<OwnDevices>().devices.len(), 1);
    }

    async fn give_up(&mut self, proven: &str, device: Uuid) {
        let path = format!("/v1/identity/devices/{device}");
        let (reply, lost) = self.mortal.call("DELETE", &path, Some(proven), &Value::Null).await;
        assert!(reply.status == 204 || (lost && reply.status == 404), "{}", reply.body);
    }

    async fn reset(&mut self) {
        loop {
            let body = json!({ "login": { "email": self.email } });
            assert_eq!(self.mortal.post("/v1/password/forgot", &body).await.0.status, 202);
            self.mortal.deliver().await;
            let mails = self.mortal.world.mailbox.mails();
            let mail =
                mails.iter().rfind(|mail| mail.to == self.email && mail.body.contains("/reset#")).unwrap();
            let link = mail.body.split_whitespace().find(|word| word.contains("/reset#")).unwrap();
            let token = link.split_once('#').unwrap().1;
            let body = json!({ "token": token, "password": NEW });
            let (reply, lost) = self.mortal.post("/v1/password/reset", &body).await;
            if reply.status == 204 || lost {
                return;
            }
            // An older link came once more, after the newest one.
            assert_eq!(reply.status, 410, "{}", reply.body);
            self.mortal.world.clock.advance(3600);
        }
    }

    async fn delete(&mut self, phone: &Phone) {
        let body = json!({ "password": NEW });
        let (reply, lost) = self.mortal.call("POST", "/v1/me/delete", Some(&phone.access), &body).await;
        assert!(reply.status == 200 || (lost && reply.status == 403), "{}", reply.body);
        assert_eq!(self.count("accounts WHERE email_key = $1").await, 0);
        self.mortal.deliver().await;
    }

    /// Registrations of the account, which its own count must agree with.
    async fn devices(&mut self) -> i64 {
        let of_account = "SELECT id FROM accounts WHERE email_key = $1";
        let rows =
            self.count(&format!("devices WHERE removed_at IS NULL AND account_id IN ({of_account})")).await;
        let counted = self.count(&format!("accounts WHERE email_key = $1 AND device_count <> {rows}")).await;
        assert_eq!(counted, 0, "{}", self.mortal.story.lock().unwrap());
        rows
    }

    async fn count(&mut self, of: &str) -> i64 {
        use sqlx::Connection;
        let mut conn = sqlx::AnyConnection::connect(&self.mortal.world.config.database).await.unwrap();
        let sql = format!("SELECT COUNT(*) FROM {of}");
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .bind(self.email.clone())
            .fetch_one(&mut conn)
            .await
            .unwrap()
    }
}

async fn live(mortal: &mut Mortal, number: u64) {
    let life = number.to_string();
    let email = format!("life{life}@example.com");
    Life { mortal, email, number: format!("50355{number:05}") }.live().await;
}

/// ACC-3, ACC-4, ACC-5, ACC-8, ACC-11
#[tokio::test]
async fn nothing_acknowledged_is_lost_and_nothing_happens_twice() {
    play(LEAST_KILLS, LEAST_STEPS, async |mortal, number| live(mortal, number).await).await;
}
