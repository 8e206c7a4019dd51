//! A backend with two agents and their lockboxes, made by the operator's commands, and phones that call it.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use sentri_protocol::{Generation, KeyTree, Seed};
use sentri_server::{
    Config, Mailbox, Ports, Running, Server, Vault,
    operator::{NewAgent, NewAssociation, NewCommunity, NewLockbox, NewPerson, Provisioned},
    outbox::Mail,
    ports::{ManualClock, SystemRandomness},
};
use sentri_wire::{
    Secret,
    account::{Account, LoginResponse, SignupStarted},
    agent::{Grant, GrantResponse, Listing, LockboxGeneration},
    identity::IdentityStarted,
    problem::Problem,
    sync::{Change, SyncPage},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

/// Friday, 2026-11-20, 9 AM in Portland.
pub const NOW: i64 = 1_795_194_000;
pub const HOUR: i64 = 3600;
pub const DAY: i64 = 86_400;

pub const PASSWORD: &str = "Abcdef1";
pub const PIN: &str = "2580";
pub const DANA: &str = "123456789";
pub const ARI: &str = "987654321";
pub const DANAS_EMAIL: &str = "dana@realty.example";
pub const DANAS_PHONE: &str = "503-555-0101";

pub const BLE: &str = "BLE-0001";
pub const NON_BLE: &str = "NON-0001";
pub const ARIS_BOX: &str = "BLE-0002";

pub struct World {
    pub clock: Arc<ManualClock>,
    pub mailbox: Mailbox,
    pub server: Running,
    /// Another instance on the same database: calls go to both in turn, as a balancer sends them.
    pub second: Option<Running>,
    pub turn: AtomicUsize,
    pub boxes: BTreeMap<String, Provisioned>,
    pub http: reqwest::Client,
    pub config: Config,
    /// Refresh tokens that replaced those of a [`Phone`].
    pub refreshed: Mutex<BTreeMap<Uuid, String>>,
    pub folder: TempDir,
}

pub struct Reply {
    pub status: u16,
    pub content_type: String,
    pub body: Value,
    pub bytes: Vec<u8>,
}

impl Reply {
    /// The body of a success.
    #[track_caller]
    pub fn ok<T: DeserializeOwned>(self) -> T {
        assert!((200..300).contains(&self.status), "{} {}", self.status, self.body);
        serde_json::from_value(self.body).expect("the documented form")
    }

    /// The problem of a refusal, which must be a problem document and never a 500.
    #[track_caller]
    pub fn problem(self) -> Problem {
        assert!((400..600).contains(&self.status), "{} {}", self.status, self.body);
        assert_eq!(self.content_type, "application/problem+json", "{}", self.body);
        assert_ne!(self.status, 500, "{}", self.body);
        let problem: Problem = serde_json::from_value(self.body).expect("a problem document");
        assert_eq!(problem.status, self.status);
        problem
    }

    #[track_caller]
    pub fn refused(self, code: &str, field: Option<&str>) -> Problem {
        let problem = self.problem();
        let name = serde_json::to_value(problem.code).unwrap();
        assert_eq!(name, code, "{problem:?}");
        assert_eq!(problem.field.as_deref(), field, "{problem:?}");
        problem
    }
}

/// A device that is logged in.
#[derive(Clone)]
pub struct Phone {
    pub access: String,
    pub refresh: String,
    pub device: Uuid,
    pub account: Account,
}

impl World {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(folder.path()).await;
        change(&mut config);
        let (clock, mailbox) = (ManualClock::at(NOW), Mailbox::new());
        let server =
            Server::start(config.clone(), Ports::with_mailbox(clock.clone(), &mailbox)).await.unwrap();
        let boxes = populate(&server).await;
        let refreshed = Mutex::default();
        let (second, turn) = Default::default();
        Self { clock, mailbox, server, second, turn, boxes, http: client(), config, refreshed, folder }
    }

    /// A backend on data that is there.
    pub async fn around(config: Config, folder: TempDir) -> Self {
        let (clock, mailbox) = (ManualClock::at(NOW), Mailbox::new());
        let ports = Ports::with_mailbox(clock.clone(), &mailbox);
        let server = Server::start(config.clone(), ports).await.unwrap();
        let (boxes, refreshed, second, turn) = Default::default();
        Self { clock, mailbox, server, second, turn, boxes, http: client(), config, refreshed, folder }
    }

    /// Starts the other instance.
    pub async fn start_second(&mut self) {
        let config = Config { instance: "second".into(), ..self.config.clone() };
        let ports = Ports::with_mailbox(self.clock.clone(), &self.mailbox);
        self.second = Some(Server::start(config, ports).await.unwrap());
    }

    /// Whose turn it is.
    fn next_server(&self) -> &Running {
        let turn = self.turn.fetch_add(1, Ordering::SeqCst);
        self.second.as_ref().filter(|_| turn % 2 == 1).unwrap_or(&self.server)
    }

    pub async fn send(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Reply {
        let url = format!("{}{path}", self.next_server().url());
        let mut request = self.http.request(method.parse().unwrap(), url);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let content_type =
            answer.headers().get("content-type").map_or("", |kind| kind.to_str().unwrap()).to_owned();
        let bytes = answer.bytes().await.unwrap().to_vec();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Reply { status, content_type, body, bytes }
    }

    pub async fn get(&self, phone: &Phone, path: &str) -> Reply {
        self.send("GET", path, Some(&phone.access), &[], None).await
    }

    pub async fn post(&self, phone: &Phone, path: &str, body: &Value) -> Reply {
        self.send("POST", path, Some(&phone.access), &[], Some(body.to_string().into_bytes())).await
    }

    pub async fn post_once(&self, phone: &Phone, path: &str, key: &str, body: &Value) -> Reply {
        let headers = [("idempotency-key", key)];
        self.send("POST", path, Some(&phone.access), &headers, Some(body.to_string().into_bytes())).await
    }

    pub async fn post_public(&self, path: &str, body: &Value) -> Reply {
        self.send("POST", path, None, &[], Some(body.to_string().into_bytes())).await
    }

    pub async fn try_login(&self, login: Value, password: &str, install: Uuid) -> Reply {
        let device = json!({ "install_id": install, "name": "Phone", "platform": "desktop" });
        self.post_public("/v1/login", &json!({ "login": login, "password": password, "device": device }))
            .await
    }

    pub async fn agent(&self, sentrikey_id: &str) -> Phone {
        phone(self.try_login(json!({ "sentrikey_id": sentrikey_id }), PASSWORD, Uuid::new_v4()).await)
    }

    pub async fn contractor(&self, email: &str) -> Phone {
        phone(self.try_login(json!({ "email": email }), PASSWORD, Uuid::new_v4()).await)
    }

    /// The key of a hub in a community of its own.
    pub async fn hub(&self, serial: &str) -> String {
        let operator = self.server.operator();
        operator.add_community(&community("Elm Court")).await.unwrap();
        operator.add_hub(serial, "Elm Court").await.unwrap();
        operator.renew_hub_key(serial).await.unwrap().key.expose().to_owned()
    }

    pub async fn listing(&self, agent: &Phone) -> Listing {
        self.post(agent, "/v1/listings", &new_listing()).await.ok()
    }

    /// A listing with a box on it.
    pub async fn place(&self, agent: &Phone, serial: &str) -> Listing {
        let listing = self.listing(agent).await;
        let path = format!("/v1/lockboxes/{serial}/assign");
        self.post(agent, &path, &assignment(&listing)).await.ok::<Value>();
        listing
    }

    pub async fn grant(&self, agent: &Phone, listing: &Listing, email: &str, from: i64, to: i64) -> Grant {
        self.post(agent, "/v1/grants", &grant(listing, email, from, to)).await.ok::<GrantResponse>().grant
    }

    /// The token in the newest invitation mail to an address.
    pub async fn invitation(&self, email: &str) -> String {
        let mail = self.mailbox.mail_to(email).await;
        let link = mail.body.split_whitespace().find(|word| word.contains("/join#")).expect("a link");
        link.split_once('#').unwrap().1.to_owned()
    }

    pub async fn start_signup(&self, email: &str, number: &str, invitation: &str) -> Reply {
        let body = json!({ "email": email, "email_again": email, "phone": number, "phone_again": number,
            "invitation": invitation });
        self.post_public("/v1/signup", &body).await
    }

    /// The code in the newest text to a number.
    pub async fn code(&self, number: &str) -> String {
        self.mailbox.text_to(number).await.body[..4].to_owned()
    }

    /// Makes the account of somebody who was invited, and logs in.
    pub async fn sign_up(&self, email: &str, number: &str) -> Phone {
        let invitation = self.invitation(email).await;
        let started: SignupStarted = self.start_signup(email, number, &invitation).await.ok();
        let signup = started.signup.expose();
        let code = self.code(number).await;
        let verified =
            self.post_public("/v1/signup/verify", &json!({ "signup": signup, "code": code })).await;
        assert_eq!(verified.status, 204, "{}", verified.body);
        self.post_public("/v1/signup/complete", &completion(signup)).await.ok::<Account>();
        self.contractor(email).await
    }

    /// A contractor with an access of one day from now on, at Dana's box.
    pub async fn ready(&self) -> Ready {
        let dana = self.agent(DANA).await;
        let listing = self.place(&dana, BLE).await;
        let grant = self.grant(&dana, &listing, "bo@plumbing.example", NOW, NOW + 8 * HOUR).await;
        let bo = self.sign_up("bo@plumbing.example", "503-555-0199").await;
        Ready { dana, listing, grant, bo }
    }

    /// The mail to an address with this in its subject that comes after so many earlier ones.
    pub async fn nth_mail(&self, email: &str, subject: &str, earlier: usize) -> Mail {
        loop {
            let mails = self.mailbox.mails();
            let mut fitting =
                mails.into_iter().filter(|mail| mail.to == email && mail.subject.contains(subject));
            if let Some(mail) = fitting.nth(earlier) {
                return mail;
            }
            self.server.deliver_due().await.unwrap();
            tokio::task::yield_now().await;
        }
    }

    pub fn mails_so_far(&self, email: &str, subject: &str) -> usize {
        self.mailbox.mails().iter().filter(|mail| mail.to == email && mail.subject.contains(subject)).count()
    }

    /// The code in a mail.
    pub async fn mailed_code(&self, email: &str, earlier: usize) -> String {
        self.nth_mail(email, CODE, earlier).await.subject[..6].to_owned()
    }

    /// Everything that waits is delivered.
    pub async fn deliver_all(&self) {
        while self.server.deliver_due().await.unwrap() > 0 {}
    }

    /// Proves who somebody is, with password and mailed code. Says the bearer.
    pub async fn prove(&self, login: &Value, email: &str) -> Phone {
        let earlier = self.mails_so_far(email, CODE);
        let body = json!({ "login": login, "password": PASSWORD });
        let started: IdentityStarted = self.post_public("/v1/identity", &body).await.ok();
        let code = self.mailed_code(email, earlier).await;
        let identity = started.identity.expose().to_owned();
        let verify = json!({ "identity": identity, "code": code });
        let verified = self.post_public("/v1/identity/verify", &verify).await;
        assert_eq!(verified.status, 204, "{}", verified.body);
        Phone { access: identity, refresh: String::new(), device: Uuid::nil(), account: nobody() }
    }

    /// The same device logs in again, since its tokens have ended meanwhile.
    pub async fn again(&self, phone: &Phone) -> Phone {
        let refresh = json!({ "refresh": self.refresh_of(phone) });
        let tokens: sentri_wire::account::Tokens = self.post_public("/v1/token/refresh", &refresh).await.ok();
        self.refreshed.lock().unwrap().insert(phone.device, tokens.refresh.expose().to_owned());
        Phone { access: tokens.access.expose().to_owned(), ..phone.clone() }
    }

    fn refresh_of(&self, phone: &Phone) -> String {
        self.refreshed.lock().unwrap().get(&phone.device).unwrap_or(&phone.refresh).clone()
    }

    pub async fn delete(&self, phone: &Phone, path: &str) -> Reply {
        self.send("DELETE", path, Some(&phone.access), &[], None).await
    }

    pub async fn page(&self, phone: &Phone, cursor: Option<&str>) -> SyncPage {
        let path = cursor.map_or("/v1/sync".to_owned(), |cursor| format!("/v1/sync?cursor={cursor}"));
        self.get(phone, &path).await.ok()
    }

    /// All that a phone gets from a cursor on, and the new cursor.
    pub async fn sync(&self, phone: &Phone, cursor: Option<&str>) -> (Vec<Change>, String) {
        let (mut changes, mut cursor) = (Vec::new(), cursor.map(str::to_owned));
        loop {
            let page = self.page(phone, cursor.as_deref()).await;
            changes.extend(page.changes);
            cursor = Some(page.cursor);
            if !page.more {
                return (changes, cursor.unwrap());
            }
        }
    }

    /// The keys of a lock, as the factory wrote them into it.
    pub fn keys(&self, serial: &str) -> KeyTree {
        KeyTree::new(&Seed::new(self.boxes[serial].seed.array().unwrap()), Generation::FIRST)
    }

    /// Stops the server as if it was killed, and starts it again on the same data.
    pub async fn restart(&mut self, change: impl FnOnce(&mut Config, &mut Ports)) {
        let mut config = self.config.clone();
        let mut ports = Ports::with_mailbox(self.clock.clone(), &self.mailbox);
        change(&mut config, &mut ports);
        let old =
            std::mem::replace(&mut self.server, Server::open(config.clone(), ports.clone()).await.unwrap());
        drop(old);
        self.server.start_listener().await.unwrap();
        if config.deliver {
            self.server.start_outbox().await.unwrap();
        }
    }
}

pub const CODE: &str = "is your Sentri code";

/// An account that stands for none.
fn nobody() -> Account {
    let nobody = json!({ "id": Uuid::nil(), "kind": "support", "first_name": "", "last_name": "", "email": "",
        "phone": "" });
    serde_json::from_value(nobody).unwrap()
}

pub struct Ready {
    pub dana: Phone,
    pub listing: Listing,
    pub grant: Grant,
    pub bo: Phone,
}

pub fn phone(reply: Reply) -> Phone {
    let login: LoginResponse = reply.ok();
    Phone {
        access: login.tokens.access.expose().to_owned(),
        refresh: login.tokens.refresh.expose().to_owned(),
        device: login.device_id,
        account: login.account,
    }
}

pub fn new_listing() -> Value {
    json!({ "UnparsedAddress": "12 Oak St", "City": "Portland", "StateOrProvince": "OR", "PostalCode": "97201",
        "ListPrice": 450_000, "time_zone": "America/Los_Angeles" })
}

pub fn assignment(listing: &Listing) -> Value {
    json!({ "listing_id": listing.id, "on_listing_since": NOW - DAY, "region": "Portland West" })
}

pub fn grant(listing: &Listing, email: &str, from: i64, to: i64) -> Value {
    json!({ "listing_id": listing.id, "email": email, "starts_at": from, "ends_at": to, "pin": PIN })
}

pub fn completion(signup: &str) -> Value {
    json!({ "signup": signup, "first_name": "Bo", "last_name": "Lindqvist", "role": "Plumber",
        "password": PASSWORD, "pin": PIN,
        "security_questions": [{ "question": "First street?", "answer": "Elm" }] })
}

/// The records of a kind among changes.
pub fn records<R: sentri_wire::sync::Record>(changes: &[Change]) -> Vec<R> {
    changes.iter().filter_map(Change::parse::<R>).map(Result::unwrap).collect()
}

fn client() -> reqwest::Client {
    // Two tests may come here at once; whoever is second finds it installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

pub async fn config(folder: &Path) -> Config {
    let mut config = Config::in_folder(folder);
    config.rate_limit.per_second = 0;
    Vault::create_file(config.master_key_file.as_deref().unwrap(), &SystemRandomness).unwrap();
    if let Ok(url) = std::env::var("SENTRI_TEST_DATABASE") {
        config.database = sentri_server::bench::add_database(&url).await.unwrap();
    }
    config
}

/// OPS-1: all that the tests stand on is made by the operator's commands.
async fn populate(server: &Running) -> BTreeMap<String, Provisioned> {
    let operator = server.operator();
    let association = NewAssociation { name: "Cascade Realtors".into(), ..NewAssociation::default() };
    operator.add_association(&association).await.unwrap();
    operator.add_brokerage("Cascade Realtors", "Oak Street Homes").await.unwrap();
    for (id, first, email, phone) in
        [(DANA, "Dana", DANAS_EMAIL, DANAS_PHONE), (ARI, "Ari", "ari@realty.example", "503-555-0102")]
    {
        operator.add_agent(&new_agent(id, first, email, phone)).await.unwrap();
    }
    let mut boxes = BTreeMap::new();
    for (serial, generation, owner) in [
        (BLE, LockboxGeneration::Ble, DANA),
        (NON_BLE, LockboxGeneration::NonBle, DANA),
        (ARIS_BOX, LockboxGeneration::Ble, ARI),
    ] {
        let new = NewLockbox {
            serial: serial.into(),
            generation,
            owner: owner.into(),
            time_zone: "America/Los_Angeles".into(),
            access_hours: "08:00-20:00".into(),
        };
        boxes.insert(serial.to_owned(), operator.provision_lockbox(&new).await.unwrap());
    }
    boxes
}

pub fn new_agent(id: &str, first: &str, email: &str, phone: &str) -> NewAgent {
    NewAgent {
        association: "Cascade Realtors".into(),
        brokerage: Some("Oak Street Homes".into()),
        sentrikey_id: id.into(),
        first_name: first.into(),
        last_name: "Reyes".into(),
        email: email.into(),
        phone: phone.into(),
        password: Secret::new(PASSWORD),
        pin: Secret::new(PIN),
    }
}

pub fn community(name: &str) -> NewCommunity {
    NewCommunity {
        name: name.into(),
        management: "Oak Homes".into(),
        time_zone: "America/Chicago".into(),
        six_digit_codes: false,
        custom_codes: true,
    }
}

/// A resident, or somebody of support.
pub fn person(email: &str, phone: &str) -> NewPerson {
    NewPerson {
        first_name: "Rae".into(),
        last_name: "Holm".into(),
        email: email.into(),
        phone: phone.into(),
        password: Some(Secret::new(PASSWORD)),
        pin: Some(Secret::new(PIN)),
    }
}
