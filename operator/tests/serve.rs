//! The server as it is deployed: mails over SMTP, texts through a webhook, health, metrics, logs that name nobody, and
//! a stop that loses nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

mod deployment;
#[path = "../../server/tests/api/mail_server.rs"]
#[allow(dead_code, reason = "made for the server's own tests; these take what they need")]
mod mail_server;

use std::sync::{Arc, Mutex};

use axum::{Router, http::StatusCode};
use deployment::{Deployment, PASSWORD, PIN, Serving};
use mail_server::MailServer;
use serde_json::{Value, json};
use tokio::sync::Notify;
use uuid::Uuid;

const DANA: &str = "dana@realty.example";
const BO: &str = "bo@plumbing.example";
const PHONE: &str = "503-555-0199";

/// What is secret or personal in every run.
const WORDS: [&str; 15] = [
    DANA,
    BO,
    PHONE,
    "503-555-0101",
    "Lindqvist",
    "Reyes",
    "Elmwood",
    "12 Oak St",
    PASSWORD,
    PIN,
    "123456789",
    "bearer of the service",
    "key of the signature",
    mail_server::PASSWORD,
    "Phone of the story",
];

fn listing(address: &str) -> Value {
    json!({ "UnparsedAddress": address, "City": "Portland", "StateOrProvince": "OR", "PostalCode": "97201",
        "time_zone": "America/Chicago" })
}

/// A text service that keeps what it was sent.
#[derive(Clone, Default)]
struct TextService(Arc<(Mutex<Vec<Value>>, Notify)>);

impl TextService {
    async fn serve(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/texts", listener.local_addr().unwrap());
        let own = self.clone();
        let take = async move |body: String| {
            own.0.0.lock().unwrap().push(serde_json::from_str(&body).unwrap());
            own.0.1.notify_waiters();
            StatusCode::NO_CONTENT
        };
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(take)).await });
        url
    }

    /// The newest text's first four characters: the code.
    async fn code(&self) -> String {
        loop {
            let news = self.0.1.notified();
            let texts = self.0.0.lock().unwrap().clone();
            if let Some(text) = texts.iter().rfind(|it| it["kind"] == "text") {
                return text["body"].as_str().unwrap()[..4].to_owned();
            }
            news.await;
        }
    }
}

struct Stage {
    ours: Deployment,
    mails: MailServer,
    texts: TextService,
    http: reqwest::Client,
}

impl Stage {
    /// A deployment with an agent and a box, its mails and texts going to real servers.
    async fn set(more: &str) -> Self {
        let ours = Deployment::with("").await;
        let mails = MailServer::start(ours.folder()).await;
        let texts = TextService::default();
        std::fs::write(ours.path("smtp.password"), mail_server::PASSWORD).unwrap();
        let config = format!(
            "{more}\n[smtp]\nhost = \"localhost\"\nport = {}\nca_file = \"{}\"\nuser = \"{}\"\npassword_file = \"{}\"\n\
             [webhook]\nurl = \"{}\"\nbearer = \"bearer of the service\"\nsecret = \"key of the signature\"\n",
            mails.port,
            mails.ca_file.display(),
            mail_server::USER,
            ours.path("smtp.password").display(),
            texts.serve().await
        );
        ours.configure(&config);
        ours.line("association add --name Cascade", &[]);
        ours.line(
            "agent add --association Cascade --sentrikey-id 123456789 --first-name Dana --last-name Reyes \
             --email dana@realty.example --phone 503-555-0101",
            &[],
        );
        ours.line("lockbox provision --serial BLE-0001 --generation ble --owner 123456789 --time-zone America/Chicago", &[]);
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { ours, mails, texts, http: reqwest::Client::new() }
    }

    async fn call(&self, url: String, token: Option<&str>, body: &Value) -> Value {
        let mut call = self.http.post(&url).json(body);
        if let Some(token) = token {
            call = call.bearer_auth(token);
        }
        let answer = call.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{url}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    async fn login(&self, serving: &Serving, login: Value) -> Value {
        let body = json!({ "login": login, "password": PASSWORD,
            "device": { "install_id": Uuid::new_v4(), "name": "Phone of the story", "platform": "desktop" } });
        self.call(format!("{}/v1/login", serving.url), None, &body).await
    }

    /// The agent grants, the contractor signs up from the mail with the texted code, logs in and syncs. Says every
    /// secret and every personal word that came up.
    async fn play(&self, serving: &Serving) -> Vec<String> {
        let dana = self.login(serving, json!({ "sentrikey_id": "123456789" })).await;
        self.grant(serving, dana["tokens"]["access"].as_str().unwrap()).await;
        let mut words = self.sign_up(serving).await;
        let bo = self.login(serving, json!({ "email": BO })).await;
        let access = bo["tokens"]["access"].as_str().unwrap();
        let page =
            self.http.get(format!("{}/v1/sync", serving.url)).bearer_auth(access).send().await.unwrap();
        let page: Value = page.json().await.unwrap();
        let ticket =
            page["changes"].as_array().unwrap().iter().find(|it| it["kind"] == "credential").unwrap();
        words.push(ticket["record"]["secret"].as_str().unwrap().to_owned());
        for login in [&dana, &bo] {
            words.extend(["access", "refresh"].map(|it| login["tokens"][it].as_str().unwrap().to_owned()));
        }
        words.extend(WORDS.map(str::to_owned));
        words
    }

    /// The agent lists a house with a lockbox, and grants access to it.
    async fn grant(&self, serving: &Serving, token: &str) {
        let url = |path: &str| format!("{}{path}", serving.url);
        let listing = self.call(url("/v1/listings"), Some(token), &listing("12 Oak St")).await["id"].clone();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let assign = json!({ "listing_id": listing, "on_listing_since": now, "region": "West" });
        self.call(url("/v1/lockboxes/BLE-0001/assign"), Some(token), &assign).await;
        let grant = json!({ "listing_id": listing, "email": BO, "starts_at": now, "ends_at": now + 3600, "pin": PIN });
        self.call(url("/v1/grants"), Some(token), &grant).await;
    }

    /// The contractor makes an account, by the mail and the text. Says what was secret on the way.
    async fn sign_up(&self, serving: &Serving) -> Vec<String> {
        let url = |path: &str| format!("{}{path}", serving.url);
        let text = self.mails.mail_to(BO).await.text();
        let invitation = text.split_once("/join#").unwrap().1.split_whitespace().next().unwrap().to_owned();
        let start = json!({ "email": BO, "email_again": BO, "phone": PHONE, "phone_again": PHONE,
            "invitation": invitation });
        let signup = self.call(url("/v1/signup"), None, &start).await["signup"].as_str().unwrap().to_owned();
        let code = self.texts.code().await;
        self.call(url("/v1/signup/verify"), None, &json!({ "signup": signup, "code": code })).await;
        let who = json!({ "signup": signup, "first_name": "Bo", "last_name": "Lindqvist", "role": "Plumber",
            "password": PASSWORD, "pin": PIN,
            "security_questions": [{ "question": "First street?", "answer": "Elmwood" }] });
        self.call(url("/v1/signup/complete"), None, &who).await;
        vec![invitation, signup, code]
    }

    async fn get(&self, url: String) -> (u16, String) {
        let answer = self.http.get(url).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

/// Every secret, address, number, name and code of a whole story is looked for in the log, at its most talkative.
#[tokio::test(flavor = "multi_thread")]
async fn the_log_names_nobody_and_tells_no_secret() {
    let stage = Stage::set("log = \"trace,hyper=info,h2=info,rustls=info,reqwest=info,sqlx=debug\"").await;
    let serving = stage.ours.serve();
    let wrong = json!({ "login": { "email": BO }, "password": "Wrong-Pass1",
        "device": { "install_id": Uuid::new_v4(), "name": "Phone", "platform": "desktop" } });
    let answer = stage.http.post(format!("{}/v1/login", serving.url)).json(&wrong).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    let mut words = stage.play(&serving).await;
    words.push("Wrong-Pass1".into());
    serving.terminate();
    let (well, log) = serving.wait();
    assert!(well, "{log}");
    assert!(log.lines().count() > 10, "there is a log: {log}");
    let log: String = log.lines().map(without_numbers).collect();
    // Numbers as short as a code or a PIN can be a part of any other number: they count as words of their own.
    for word in words {
        let found = log.match_indices(&word).find(|(at, _)| {
            let alone = |it: Option<char>| it.is_none_or(|it| !it.is_ascii_alphanumeric() && it != '.');
            word.len() > 4
                || (alone(log[..*at].chars().next_back()) && alone(log[at + word.len()..].chars().next()))
        });
        if let Some((at, _)) = found {
            panic!("{word} is in the log: {}", &log[at.saturating_sub(200)..(at + 100).min(log.len())]);
        }
    }
}

/// A line of the log, less the numbers that can look like a code by chance.
fn without_numbers(line: &str) -> String {
    let mut line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("not structured: {line}"));
    assert!(line["timestamp"].is_string() && line["level"].is_string(), "{line}");
    line["timestamp"].take();
    for field in ["micros", "elapsed", "elapsed_secs"] {
        line["fields"][field].take();
    }
    format!("{line}\n")
}

/// Alive, ready, and figures that Prometheus reads; nothing of it where phones call.
#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sees_health_and_figures() {
    let stage = Stage::set("").await;
    let serving = stage.ours.serve();
    stage.play(&serving).await;
    for (path, said) in [("/healthz", "ready"), ("/healthz/ready", "ready"), ("/healthz/live", "live")] {
        let (status, text) = stage.get(format!("{}{path}", serving.operations)).await;
        assert_eq!((status, serde_json::from_str::<Value>(&text).unwrap()), (200, json!({ "status": said })));
        assert_eq!(stage.get(format!("{}{path}", serving.url)).await.0, 404);
    }
    assert_eq!(stage.get(format!("{}/metrics", serving.url)).await.0, 404);
    let (status, figures) = stage.get(format!("{}/metrics", serving.operations)).await;
    assert_eq!(status, 200);
    for line in [
        "sentri_requests_total{method=\"POST\",route=\"/v1/login\",status=\"200\"} 2",
        "sentri_request_seconds_count{route=\"/v1/login\"} 2",
        "sentri_deliveries_total{kind=\"mail\",outcome=\"delivered\"} 1",
        "sentri_outbox_waiting{kind=\"text\"} 0",
        "sentri_database_up 1",
    ] {
        assert!(figures.contains(line), "{line} is missing in\n{figures}");
    }
    assert!(figures.ends_with("# EOF\n"));
    assert!(!figures.contains('@') && !figures.contains("BLE-0001"), "{figures}");
}

/// Told to stop, it answers what was asked, refuses what is new, and ends well; what was acknowledged is there at the
/// next start.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_answers_what_was_asked() {
    let stage = Stage::set("").await;
    let serving = stage.ours.serve();
    let dana = stage.login(&serving, json!({ "sentrikey_id": "123456789" })).await;
    let token = dana["tokens"]["access"].as_str().unwrap().to_owned();
    // Logins take long enough to be under way when it is told.
    let logins: Vec<_> = (0..4)
        .map(|_| {
            let body = json!({ "login": { "email": BO }, "password": PASSWORD,
                "device": { "install_id": Uuid::new_v4(), "name": "Phone", "platform": "desktop" } });
            let call = stage.http.post(format!("{}/v1/login", serving.url)).json(&body).send();
            tokio::spawn(call)
        })
        .collect();
    let made = stage.call(format!("{}/v1/listings", serving.url), Some(&token), &listing("12 Oak St")).await;
    serving.terminate();
    let mut answered = 0;
    for login in logins {
        match login.await.unwrap() {
            Ok(answer) => {
                assert_eq!(answer.status(), 401);
                answered += 1;
            }
            Err(error) => assert!(error.is_connect() || error.is_request(), "{error:?}"),
        }
    }
    let url = serving.url.clone();
    let (well, log) = serving.wait();
    assert!(well, "{log}");
    assert!(stage.http.get(format!("{url}/v1/health")).send().await.is_err());
    let serving = stage.ours.serve();
    let listings =
        stage.http.get(format!("{}/v1/listings", serving.url)).bearer_auth(&token).send().await.unwrap();
    let listings: Value = listings.json().await.unwrap();
    assert_eq!(listings["listings"][0]["id"], made["id"], "{answered} logins were answered");
}

/// Killed with SIGKILL under load, after so many answers, again and again: every listing that was acknowledged is there,
/// and the same request under the same key is answered by the same listing.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_under_load_loses_nothing_acknowledged() {
    let stage = Arc::new(Stage::set("[rate_limit]\nper_second = 0\nburst = 0\n").await);
    let mut serving = stage.ours.serve();
    let dana = stage.login(&serving, json!({ "sentrikey_id": "123456789" })).await;
    let token = dana["tokens"]["access"].as_str().unwrap().to_owned();
    let acknowledged = Arc::new(Mutex::new(std::collections::BTreeMap::<String, Value>::new()));
    for round in 0..12 {
        let (answered, mut answers) = tokio::sync::mpsc::unbounded_channel();
        let callers: Vec<_> = (0..4)
            .map(|caller| {
                let (stage, token, answered) = (stage.clone(), token.clone(), answered.clone());
                let (url, all) = (serving.url.clone(), acknowledged.clone());
                tokio::spawn(async move {
                    for number in 0.. {
                        let key = format!("listing-{round}-{caller}-{number}");
                        let Some(made) = add_listing(&stage, &url, &token, &key).await else { return };
                        all.lock().unwrap().insert(key, made);
                        let _ = answered.send(());
                    }
                })
            })
            .collect();
        // Every round another number of answers, so that the kill meets another moment of the writes under way.
        for _ in 0..(5 + round * 7) {
            answers.recv().await.unwrap();
        }
        serving.kill();
        for caller in callers {
            caller.await.unwrap();
        }
        serving = stage.ours.serve();
    }
    let all = acknowledged.lock().unwrap().clone();
    assert!(all.len() > 500);
    let listings =
        stage.http.get(format!("{}/v1/listings", serving.url)).bearer_auth(&token).send().await.unwrap();
    let listings: Value = listings.json().await.unwrap();
    let there: std::collections::BTreeSet<_> = listings["listings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["id"].as_str().unwrap().to_owned())
        .collect();
    for (key, made) in all {
        assert!(there.contains(made["id"].as_str().unwrap()), "{key} was acknowledged, and is lost");
        assert_eq!(add_listing(&stage, &serving.url, &token, &key).await.as_ref(), Some(&made), "{key}");
    }
}

/// Nothing where the server was killed before it answered.
async fn add_listing(stage: &Stage, url: &str, token: &str, key: &str) -> Option<Value> {
    let call =
        stage.http.post(format!("{url}/v1/listings")).bearer_auth(token).header("idempotency-key", key);
    let answer = call.json(&listing(key)).send().await.ok()?;
    let status = answer.status();
    let body: Value = answer.json().await.ok()?;
    assert_eq!(status, 201, "{body}");
    Some(body)
}
