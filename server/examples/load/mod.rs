//! What the load benches share: a backend with one agent, one box and one contractor, and a caller over real sockets
//! that spends little itself.
#![allow(dead_code, reason = "each bench takes what it needs")]

mod middle;

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::Router;
use middle::middle;
use sentri_server::{
    Config, Mailbox, Ports, Running, Server, Vault, bench,
    operator::{NewAgent, NewAssociation, NewLockbox},
    ports::{SystemClock, SystemRandomness},
};
use sentri_wire::{Secret, agent::LockboxGeneration};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use uuid::Uuid;

pub type Failure = Box<dyn std::error::Error + Send + Sync>;

pub const SERIAL: &str = "BLE-0001";
pub const PASSWORD: &str = "Abcdef1";
const EMAIL: &str = "bo@plumbing.example";
const PHONE: &str = "503-555-0199";

/// A backend, and the listener of its ceilings.
pub struct Stage {
    pub server: Running,
    pub bare: SocketAddr,
    pub mailbox: Mailbox,
    /// The contractor's.
    pub token: String,
    pub account: Uuid,
    pub access: Uuid,
    folder: TempDir,
}

impl Stage {
    /// On SQLite, or on a fresh database of the PostgreSQL server at this URL.
    pub async fn set(postgres: Option<&str>) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let mut config = Config::in_folder(folder.path());
        config.rate_limit.per_second = 0;
        config.policy.device_limit = 1_000_000;
        if let Some(url) = postgres {
            config.database = bench::add_database(url).await?;
        }
        Vault::create_file(&folder.path().join("master.key"), &SystemRandomness)?;
        let mailbox = Mailbox::new();
        let server = Server::start(config, Ports::with_mailbox(Arc::new(SystemClock), &mailbox)).await?;
        let bare = listen(bench::bare::router(&server)).await?;
        let (token, account, access) = populate(&server, &mailbox).await?;
        Ok(Self { server, bare, mailbox, token, account, access, folder })
    }
}

async fn listen(router: Router) -> Result<SocketAddr, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

/// An agent who granted access to a contractor who signed up.
async fn populate(server: &Running, mailbox: &Mailbox) -> Result<(String, Uuid, Uuid), Failure> {
    let operator = server.operator();
    operator.add_association(&NewAssociation { name: "Cascade".into(), ..NewAssociation::default() }).await?;
    operator.add_agent(&dana()).await?;
    let new = NewLockbox {
        serial: SERIAL.into(),
        generation: LockboxGeneration::Ble,
        owner: "123456789".into(),
        time_zone: "America/Los_Angeles".into(),
        access_hours: "always".into(),
    };
    operator.provision_lockbox(&new).await?;
    let call = async |path: &str, token: Option<&str>, body: &Value| -> Result<Value, Failure> {
        let answer = call(server.addr(), &post(path, token, &body.to_string())).await?;
        Ok(serde_json::from_slice(&answer).unwrap_or(Value::Null))
    };
    let dana = call("/v1/login", None, &login(&json!({ "sentrikey_id": "123456789" }))).await?;
    let token = dana["tokens"]["access"].as_str();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs();
    let listing = json!({ "UnparsedAddress": "12 Oak St", "City": "Portland", "StateOrProvince": "OR",
        "PostalCode": "97201", "time_zone": "America/Los_Angeles" });
    let listing = call("/v1/listings", token, &listing).await?;
    let assign = json!({ "listing_id": listing["id"], "on_listing_since": now, "region": "West" });
    call(&format!("/v1/lockboxes/{SERIAL}/assign"), token, &assign).await?;
    let grant = json!({ "listing_id": listing["id"], "email": EMAIL, "starts_at": now, "ends_at": now + 86_400,
        "pin": "2580" });
    let granted = call("/v1/grants", token, &grant).await?;
    let mail = mailbox.mail_to(EMAIL).await;
    let invitation =
        mail.body.split_whitespace().find_map(|word| word.split_once("/join#")).ok_or("no link")?.1;
    let start = json!({ "email": EMAIL, "email_again": EMAIL, "phone": PHONE, "phone_again": PHONE,
        "invitation": invitation });
    let signup = call("/v1/signup", None, &start).await?["signup"].clone();
    let code = mailbox.text_to(PHONE).await.body[..4].to_owned();
    call("/v1/signup/verify", None, &json!({ "signup": signup, "code": code })).await?;
    let who = json!({ "signup": signup, "first_name": "Bo", "last_name": "Lindqvist", "role": "Plumber",
        "password": PASSWORD, "pin": "2580", "security_questions": [{ "question": "Street?", "answer": "Elm" }] });
    call("/v1/signup/complete", None, &who).await?;
    let bo = call("/v1/login", None, &login(&json!({ "email": EMAIL }))).await?;
    let token = bo["tokens"]["access"].as_str().ok_or("no token")?.to_owned();
    let id = |value: &Value| -> Result<Uuid, Failure> { Ok(value.as_str().ok_or("no id")?.parse()?) };
    Ok((token, id(&bo["account"]["id"])?, id(&granted["grant"]["id"])?))
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
        password: Secret::new(PASSWORD),
        pin: Secret::new("2580"),
    }
}

/// A login from a device of its own.
pub fn login(name: &Value) -> Value {
    json!({ "login": name, "password": PASSWORD,
        "device": { "install_id": Uuid::new_v4(), "name": "Bench", "platform": "desktop" } })
}

/// The contractor's name to log in with.
pub fn contractor() -> Value {
    json!({ "email": EMAIL })
}

/// The bytes of a GET.
pub fn get(path: &str, token: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\n\r\n").into_bytes()
}

/// The bytes of a POST.
pub fn post(path: &str, token: Option<&str>, body: &str) -> Vec<u8> {
    let token = token.map_or(String::new(), |token| format!("authorization: Bearer {token}\r\n"));
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n{token}content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// One call on a connection of its own.
pub async fn call(address: SocketAddr, request: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut stream = TcpStream::connect(address).await?;
    exchange(&mut stream, request, &mut Vec::new()).await
}

/// Sends a request and reads its answer, which must be a success.
async fn exchange(stream: &mut TcpStream, request: &[u8], buffer: &mut Vec<u8>) -> Result<Vec<u8>, Failure> {
    stream.write_all(request).await?;
    buffer.clear();
    let head = loop {
        if stream.read_buf(buffer).await? == 0 {
            return Err("the server hung up".into());
        }
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
    let length = text.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next());
    let length: usize = length.map_or(Ok(0), str::parse)?;
    while buffer.len() < head + length {
        if stream.read_buf(buffer).await? == 0 {
            return Err("the server hung up".into());
        }
    }
    let body = buffer[head..head + length].to_vec();
    if text.starts_with("http/1.1 2") {
        Ok(body)
    } else {
        Err(format!("{} {}", text.lines().next().unwrap_or_default(), String::from_utf8_lossy(&body)).into())
    }
}

/// One of two that are measured in turn: where its calls go, and what they are.
pub type Side = (SocketAddr, Box<dyn Fn() -> Vec<u8> + Send + Sync>);

/// How often each of the two has its turn, and for how long.
const TURNS: usize = 6;
const TURN: Duration = Duration::from_millis(1_500);

/// Calls a second of a ceiling and of a product: the middle of their turns. They take turns, so that what the machine
/// does meanwhile meets both.
pub async fn rates(connections: usize, ceiling: Side, product: Side) -> Result<(f64, f64), Failure> {
    let sides = [ceiling, product].map(|(address, request)| (address, Arc::from(request)));
    let mut turns = [Vec::new(), Vec::new()];
    for _ in 0..TURNS {
        for ((address, request), turns) in sides.iter().zip(&mut turns) {
            let request: Arc<dyn Fn() -> Vec<u8> + Send + Sync> = Arc::clone(request);
            turns.push(load(*address, connections, TURN, move || request()).await?);
        }
    }
    let [ceiling, product] = turns.map(middle);
    Ok((ceiling, product))
}

/// Calls a second on so many connections at once, each as soon as its last answer is there, for some time. The first
/// quarter warms up and is not counted.
async fn load(
    address: SocketAddr,
    connections: usize,
    time: Duration,
    request: impl Fn() -> Vec<u8> + Clone + Send + 'static,
) -> Result<f64, Failure> {
    let begun = Instant::now();
    let (counted_from, until) = (begun + time / 4, begun + time);
    let callers: Vec<_> = (0..connections)
        .map(|_| {
            let request = request.clone();
            tokio::spawn(async move {
                let (mut stream, mut buffer) = (TcpStream::connect(address).await?, Vec::new());
                stream.set_nodelay(true)?;
                let mut calls = 0u32;
                loop {
                    let asked = Instant::now();
                    if asked >= until {
                        return Ok::<_, Failure>(calls);
                    }
                    exchange(&mut stream, &request(), &mut buffer).await?;
                    calls += u32::from(asked >= counted_from);
                }
            })
        })
        .collect();
    let mut calls = 0;
    for caller in callers {
        calls += caller.await??;
    }
    Ok(f64::from(calls) / (time * 3 / 4).as_secs_f64())
}

/// A row of a report: a product held against its ceiling.
pub struct Row {
    pub what: String,
    pub ceiling: f64,
    pub product: f64,
    /// Of the ceiling.
    pub needed: f64,
    /// A second, whatever the ceiling is.
    pub least: f64,
    /// What the architecture measured for the ceiling: below 60 % of it the run says nothing.
    pub known: f64,
}

impl Row {
    fn is_void(&self) -> bool {
        self.ceiling < 0.6 * self.known
    }

    pub fn passed(&self) -> bool {
        !self.is_void() && self.product >= self.needed * self.ceiling && self.product >= self.least
    }

    #[allow(clippy::cast_possible_truncation, reason = "whole requests")]
    pub fn cells(&self) -> Value {
        let ratio = format!("{:.2}", self.product / self.ceiling);
        let verdict = match (self.is_void(), self.passed()) {
            (true, _) => "void: the ceiling is too low",
            (_, true) => "yes",
            (_, false) => "no",
        };
        json!([
            self.what,
            self.ceiling as i64,
            self.product as i64,
            ratio,
            format!("{:.2}", self.needed),
            verdict
        ])
    }
}

/// Headings of the rows.
pub fn columns() -> Value {
    json!(["", "ceiling, 1/s", "product, 1/s", "ratio", "at least", "reached"])
}
