//! Sync: one change among 10 and among 100,000 accesses. Prints rows, bytes and server time as JSON, the
//! time being the median of 200 calls of the API's own service, without the network.
#![allow(clippy::indexing_slicing, reason = "a bench that can't go on ends by it")]

use std::time::{Duration, Instant};

use axum::{
    body::{Body, to_bytes},
    http::Request,
};
use sentri_server::{
    Config, Mailbox, Ports, Running, Server, Vault, bench,
    operator::{NewAgent, NewAssociation, NewLockbox},
    ports::{ManualClock, SystemRandomness},
};
use sentri_wire::{
    Secret,
    account::{LoginResponse, SignupStarted},
    agent::{Listing, LockboxGeneration},
    sync::SyncPage,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;
use uuid::Uuid;

type Failure = Box<dyn std::error::Error>;

const NOW: i64 = 1_795_194_000;
const CALLS: usize = 200;
/// Calls before those, so that neither size pays for a cold start.
const WARM_UP: usize = 100;
/// How much longer the larger may take.
const MOST_RATIO: f64 = 1.5;
const SIZES: [usize; 2] = [10, 100_000];

/// What a size came to.
struct Measured {
    accesses: usize,
    rows: u64,
    bytes: usize,
    median: Duration,
    plan: Vec<String>,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let [mut few, mut many] = [World::of(SIZES[0]).await?, World::of(SIZES[1]).await?];
    // In turn, so that whatever else the machine does meets both.
    for nth in 0..WARM_UP + CALLS {
        few.call(nth).await?;
        many.call(nth).await?;
    }
    let measured = [few.close().await?, many.close().await?];
    println!("{}", report(&measured));
    Ok(())
}

/// The report that `bench/README.md` asks for.
fn report(measured: &[Measured]) -> Value {
    let rows: Vec<_> =
        measured.iter().map(|it| json!([it.accesses, it.rows, it.bytes, micros(it.median)])).collect();
    let same = |of: fn(&Measured) -> u64| measured.iter().all(|it| of(it) == of(&measured[0]));
    let medians = measured.iter().map(|it| it.median.as_secs_f64());
    let ratio = medians.clone().fold(0.0, f64::max) / medians.fold(f64::INFINITY, f64::min);
    let within = ratio <= MOST_RATIO;
    let mut notes = vec![
        format!(
            "Median of {CALLS} calls of the API's own service on SQLite, without the network, in turn; each after one change."
        ),
        format!("The slower takes {ratio:.2} times the faster; at most {MOST_RATIO} may be."),
        "Rows are those that the database gave the server.".to_owned(),
    ];
    notes.extend(measured.iter().flat_map(|it| &it.plan).take(1).map(|plan| format!("Found by: {plan}")));
    json!({
        "title": "Sync: one change among few and among many accesses",
        "columns": ["accesses", "rows read", "bytes sent", "server time, µs"],
        "rows": rows,
        "notes": notes,
        "passed": within && same(|it| it.rows) && same(|it| it.bytes as u64),
    })
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// A backend with so many accesses of one contractor, whose phone has synced.
struct World {
    accesses: usize,
    account: Uuid,
    ids: Vec<Uuid>,
    token: String,
    cursor: String,
    times: Vec<Duration>,
    rows: u64,
    bytes: usize,
    server: Running,
    _folder: TempDir,
}

impl World {
    async fn of(accesses: usize) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let config = Config::in_folder(folder.path());
        Vault::create_file(&folder.path().join("master.key"), &SystemRandomness)?;
        let mailbox = Mailbox::new();
        let server = Server::start(config, Ports::with_mailbox(ManualClock::at(NOW), &mailbox)).await?;
        let holder = contractor(&server, &mailbox).await?;
        let (account, token) = (holder.account.id, holder.tokens.access.expose().to_owned());
        let ids = bench::add_accesses(&server, account, "BLE-0001", NOW + 30 * 86_400, accesses).await?;
        let cursor = newest_cursor(&server, &token).await?;
        let times = Vec::with_capacity(CALLS);
        Ok(Self { accesses, account, ids, token, cursor, times, rows: 0, bytes: 0, server, _folder: folder })
    }

    /// One access changes, and the phone syncs.
    async fn call(&mut self, nth: usize) -> Result<(), Failure> {
        bench::touch_access(&self.server, self.account, self.ids[nth * 7919 % self.ids.len()]).await?;
        let before = self.server.rows_read();
        let begun = Instant::now();
        let answer = get(&self.server, &self.token, &format!("/v1/sync?cursor={}", self.cursor)).await?;
        let took = begun.elapsed();
        if nth >= WARM_UP {
            self.times.push(took);
        }
        let page: SyncPage = serde_json::from_slice(&answer)?;
        assert_eq!(page.changes.len(), 1, "one change");
        (self.rows, self.bytes) = (self.server.rows_read() - before, answer.len());
        self.cursor = page.cursor;
        Ok(())
    }

    async fn close(mut self) -> Result<Measured, Failure> {
        self.times.sort_unstable();
        let plan = self.server.explain_sync().await?;
        self.server.stop().await;
        let (accesses, rows, bytes) = (self.accesses, self.rows, self.bytes);
        Ok(Measured { accesses, rows, bytes, median: self.times[CALLS / 2], plan })
    }
}

async fn newest_cursor(server: &Running, token: &str) -> Result<String, Failure> {
    let mut path = "/v1/sync".to_owned();
    loop {
        let page: SyncPage = serde_json::from_slice(&get(server, token, &path).await?)?;
        if !page.more {
            return Ok(page.cursor);
        }
        path = format!("/v1/sync?cursor={}", page.cursor);
    }
}

/// A contractor who came by an invitation, as in the story.
async fn contractor(server: &Running, mailbox: &Mailbox) -> Result<LoginResponse, Failure> {
    let operator = server.operator();
    operator.add_association(&NewAssociation { name: "Cascade".into(), ..NewAssociation::default() }).await?;
    operator.add_agent(&dana()).await?;
    operator
        .provision_lockbox(&NewLockbox {
            serial: "BLE-0001".into(),
            generation: LockboxGeneration::Ble,
            owner: "123456789".into(),
            time_zone: "America/Los_Angeles".into(),
            access_hours: "always".into(),
        })
        .await?;
    let dana: LoginResponse =
        post(server, None, "/v1/login", &login(&json!({ "sentrikey_id": "123456789" }))).await?;
    let token = Some(dana.tokens.access.expose());
    let listing = json!({ "UnparsedAddress": "12 Oak St", "City": "Portland", "StateOrProvince": "OR",
        "PostalCode": "97201", "time_zone": "America/Los_Angeles" });
    let listing: Listing = post(server, token, "/v1/listings", &listing).await?;
    let assign = json!({ "listing_id": listing.id, "on_listing_since": NOW, "region": "West" });
    post::<Value>(server, token, "/v1/lockboxes/BLE-0001/assign", &assign).await?;
    let email = "bo@plumbing.example";
    let grant = json!({ "listing_id": listing.id, "email": email, "starts_at": NOW, "ends_at": NOW + 3600,
        "pin": "2580" });
    post::<Value>(server, token, "/v1/grants", &grant).await?;
    sign_up(server, mailbox, email).await
}

async fn sign_up(server: &Running, mailbox: &Mailbox, email: &str) -> Result<LoginResponse, Failure> {
    let mail = mailbox.mail_to(email).await;
    let invitation =
        mail.body.split_whitespace().find_map(|word| word.split_once("/join#")).ok_or("no link")?.1;
    let phone = "503-555-0199";
    let start = json!({ "email": email, "email_again": email, "phone": phone, "phone_again": phone,
        "invitation": invitation });
    let started: SignupStarted = post(server, None, "/v1/signup", &start).await?;
    let signup = started.signup.expose();
    let code = mailbox.text_to(phone).await.body[..4].to_owned();
    post::<Value>(server, None, "/v1/signup/verify", &json!({ "signup": signup, "code": code })).await?;
    let who = json!({ "signup": signup, "first_name": "Bo", "last_name": "Lindqvist", "role": "Plumber",
        "password": "Abcdef1", "pin": "2580", "security_questions": [{ "question": "Street?", "answer": "Elm" }] });
    post::<Value>(server, None, "/v1/signup/complete", &who).await?;
    post(server, None, "/v1/login", &login(&json!({ "email": email }))).await
}

fn dana() -> NewAgent {
    NewAgent {
        association: "Cascade".into(),
        brokerage: None,
        sentrikey_id: "123456789".into(),
        first_name: "Dana".into(),
        last_name: "Reyes".into(),
        email: "dana@realty.example".into(),
        phone: "503-555-0101".into(),
        password: Secret::new("Abcdef1"),
        pin: Secret::new("2580"),
    }
}

fn login(name: &Value) -> Value {
    json!({ "login": name, "password": "Abcdef1",
        "device": { "install_id": Uuid::new_v4(), "name": "Bench", "platform": "desktop" } })
}

async fn get(server: &Running, token: &str, path: &str) -> Result<Vec<u8>, Failure> {
    call(server, Request::get(path).header("authorization", format!("Bearer {token}")).body(Body::empty())?)
        .await
}

async fn post<T: serde::de::DeserializeOwned>(
    server: &Running,
    token: Option<&str>,
    path: &str,
    body: &Value,
) -> Result<T, Failure> {
    let mut request = Request::post(path).header("content-type", "application/json");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let answer = call(server, request.body(Body::from(body.to_string()))?).await?;
    let answer = if answer.is_empty() { b"null".to_vec() } else { answer };
    Ok(serde_json::from_slice(&answer)?)
}

async fn call(server: &Running, request: Request<Body>) -> Result<Vec<u8>, Failure> {
    let answer = server.router().oneshot(request).await?;
    let status = answer.status();
    let bytes = to_bytes(answer.into_body(), usize::MAX).await?.to_vec();
    if status.is_success() { Ok(bytes) } else { Err(String::from_utf8_lossy(&bytes).into_owned().into()) }
}
