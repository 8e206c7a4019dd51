//! Logins: how many a second, against bare hashes on all cores, and how long others wait meanwhile. Prints a report as
//! JSON. Bare hashes and logins run in turn, for a second and a half at a time; logins come over HTTP on loopback.
#![allow(clippy::indexing_slicing, reason = "a bench that can't go on ends by it")]

#[path = "load/middle.rs"]
mod middle;

use std::{
    num::NonZero,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::available_parallelism,
    time::{Duration, Instant},
};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use middle::middle;
use sentri_server::{
    Config, Mailbox, Ports, Running, Server, Vault,
    operator::{NewAgent, NewAssociation},
    ports::{ManualClock, SystemRandomness},
};
use sentri_wire::{Secret, account::LoginResponse};
use serde_json::{Value, json};
use uuid::Uuid;

type Failure = Box<dyn std::error::Error + Send + Sync>;

const NOW: i64 = 1_795_194_000;
const PASSWORD: &str = "Abcdef1";
/// People who log in again and again, each on the same phone.
const PEOPLE: usize = 24;
/// How often each of the two has its turn, and for how long.
const TURNS: usize = 8;
const TURN: Duration = Duration::from_millis(1_500);
/// Of the bare rate, logins must reach this much.
const LEAST_RATIO: f64 = 0.85;
/// And others wait no longer than this, 99 times of 100.
const LONGEST_WAIT: Duration = Duration::from_millis(50);
/// Between two calls of those who wait.
const PAUSE: Duration = Duration::from_millis(5);

#[tokio::main]
async fn main() -> Result<(), Failure> {
    // Installed already where another part was first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir()?;
    let mut config = Config::in_folder(folder.path());
    config.rate_limit.per_second = 0;
    Vault::create_file(&folder.path().join("master.key"), &SystemRandomness)?;
    let ports = Ports::with_mailbox(ManualClock::at(NOW), &Mailbox::new());
    let server = Server::start(config, ports).await?;
    let people = people(&server).await?;
    let (mut bare, mut logins, mut waits) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TURNS {
        bare.push(tokio::task::spawn_blocking(bare_rate).await??);
        let (rate, took) = login_rate(&server.url(), &people).await?;
        logins.push(rate);
        waits.extend(took);
    }
    waits.sort_unstable();
    let p99 = waits.get(waits.len() * 99 / 100).copied().unwrap_or_default();
    println!("{}", report(middle(bare), middle(logins), p99, waits.len()));
    server.stop().await;
    Ok(())
}

fn report(bare: f64, logins: f64, p99: Duration, calls: usize) -> Value {
    let ratio = logins / bare;
    let cores = available_parallelism().map_or(1, NonZero::get);
    json!({
        "title": "Logins at argon2id 19 MiB, t = 2, while others are answered",
        "columns": ["bare hashes/s", "logins/s", "ratio", "p99 of other calls, ms"],
        "rows": [[bare.round(), logins.round(), (ratio * 100.0).round() / 100.0, millis(p99)]],
        "notes": [
            format!("{cores} cores, the clients beside the server; {PEOPLE} people, {calls} other calls."),
            format!("At least {LEAST_RATIO} of the bare rate, and a p99 below {} ms.", millis(LONGEST_WAIT)),
        ],
        "passed": ratio >= LEAST_RATIO && p99 < LONGEST_WAIT,
    })
}

fn per_second(count: u64, since: Instant) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / since.elapsed().as_secs_f64()
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(19 * 1024, 2, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Verifications a second on all cores, with nothing around them.
fn bare_rate() -> Result<f64, Failure> {
    let hash = argon2()
        .hash_password_with_salt(PASSWORD.as_bytes(), &[7; 16])
        .map_err(|error| error.to_string())?
        .to_string();
    let done = AtomicU64::new(0);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(|| {
                while begun.elapsed() < TURN {
                    let right = PasswordHash::new(&hash)
                        .is_ok_and(|hash| argon2().verify_password(PASSWORD.as_bytes(), &hash).is_ok());
                    done.fetch_add(u64::from(right), Ordering::Relaxed);
                }
            });
        }
    });
    Ok(per_second(done.load(Ordering::Relaxed), begun))
}

/// Logins a second, and how long each of the others' calls took meanwhile.
async fn login_rate(url: &str, people: &[Value]) -> Result<(f64, Vec<Duration>), Failure> {
    let client = reqwest::Client::new();
    let first: LoginResponse = client
        .post(format!("{url}/v1/login"))
        .json(&people[0])
        .send()
        .await?
        .error_for_status()?
        .json()
        .await?;
    let over = Arc::new(AtomicBool::new(false));
    let token = first.tokens.access.expose().to_owned();
    let waiting = tokio::spawn(wait(client.clone(), url.to_owned(), token, over.clone()));
    let begun = Instant::now();
    let mut crowd = tokio::task::JoinSet::new();
    // The first is the one whose session is asked with: a login of theirs would end it.
    for person in &people[1..] {
        let (client, url, person) = (client.clone(), format!("{url}/v1/login"), person.clone());
        crowd.spawn(async move {
            let mut done = 0u64;
            while begun.elapsed() < TURN {
                client.post(&url).json(&person).send().await?.error_for_status()?.bytes().await?;
                done += 1;
            }
            Ok::<_, reqwest::Error>(done)
        });
    }
    let mut done = 0;
    while let Some(one) = crowd.join_next().await {
        done += one??;
    }
    let rate = per_second(done, begun);
    over.store(true, Ordering::Relaxed);
    Ok((rate, waiting.await??))
}

async fn wait(
    client: reqwest::Client,
    url: String,
    token: String,
    over: Arc<AtomicBool>,
) -> Result<Vec<Duration>, reqwest::Error> {
    let mut took = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let begun = Instant::now();
        let call = client.get(format!("{url}/v1/me")).bearer_auth(&token);
        call.send().await?.error_for_status()?.bytes().await?;
        took.push(begun.elapsed());
        tokio::time::sleep(PAUSE).await;
    }
    Ok(took)
}

/// Agents, as each logs in.
async fn people(server: &Running) -> Result<Vec<Value>, Failure> {
    let operator = server.operator();
    operator.add_association(&NewAssociation { name: "Cascade".into(), ..NewAssociation::default() }).await?;
    let mut people = Vec::with_capacity(PEOPLE);
    for number in 0..PEOPLE {
        let sentrikey_id = format!("{:09}", 100_000_000 + number);
        operator
            .add_agent(&NewAgent {
                association: "Cascade".into(),
                brokerage: None,
                sentrikey_id: sentrikey_id.clone(),
                first_name: "Dana".into(),
                last_name: "Reyes".into(),
                email: format!("dana{number}@realty.example"),
                phone: format!("503555{number:04}"),
                password: Secret::new(PASSWORD),
                pin: Secret::new("2580"),
            })
            .await?;
        let device = json!({ "install_id": Uuid::new_v4(), "name": "Bench", "platform": "desktop" });
        people.push(
            json!({ "login": { "sentrikey_id": sentrikey_id }, "password": PASSWORD, "device": device }),
        );
    }
    Ok(people)
}
