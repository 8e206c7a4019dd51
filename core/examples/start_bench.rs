//! From the app's start to where it can open a lockbox offline, with 200 tickets and 1,000 messages stored, beside
//! opening the bare database file. Prints a report for `cargo xtask bench`.

mod filled;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use filled::Trouble;
use rusqlite::Connection;
use sentri_core::{
    Ports, SentriCore,
    api::{
        ports::{LinkError, LockLink, SecureStore, SecureStoreError},
        types::{App, CoreConfig, Platform, Readiness},
    },
};
use serde_json::json;

const TICKETS: u32 = 200;
const MESSAGES: u32 = 1_000;
const ROUNDS: usize = 51;
/// What the core may take longer, in milliseconds.
const MOST_MS: f64 = 10.0;

#[tokio::main]
async fn main() -> Result<(), Trouble> {
    let folder = tempfile::tempdir()?;
    std::fs::create_dir_all(folder.path().join("accounts"))?;
    let keys = Arc::new(Memory::default());
    let database = filled::fill(folder.path(), keys.clone(), TICKETS, MESSAGES).await?;
    let (mut bare, mut core) = (Vec::new(), Vec::new());
    // In turn; the first round warms up both.
    for round in 0..=ROUNDS {
        let (one, other) = (open_bare(&database)?, start(folder.path(), keys.clone()).await?);
        if round > 0 {
            bare.push(one);
            core.push(other);
        }
    }
    let (bare, core) = (median(bare), median(core));
    let more = core - bare;
    let ms = |ms: f64| format!("{ms:.2}");
    let report = json!({
        "title": "From the app's start to \u{201c}can open offline\u{201d}",
        "columns": ["", "ms"],
        "rows": [["bare database file", ms(bare)], ["core", ms(core)], ["more", ms(more)]],
        "notes": [
            format!("{TICKETS} tickets and {MESSAGES} messages stored. Core: the object made, the account found, and \
                     every access told to be ready. Bare: the file opened by SQLite, and its header read."),
            format!("In turn in one process, median of {ROUNDS}; release build, files in the system's cache."),
            format!("At most {MOST_MS} ms more."),
        ],
        "passed": more <= MOST_MS,
    });
    println!("{report}");
    Ok(())
}

fn open_bare(database: &Path) -> Result<Duration, Trouble> {
    let begun = Instant::now();
    let db = Connection::open(database)?;
    let _: u32 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    Ok(begun.elapsed())
}

async fn start(folder: &Path, keys: Arc<Memory>) -> Result<Duration, Trouble> {
    let config = CoreConfig {
        base_url: "http://127.0.0.1:1".into(),
        data_dir: folder.to_str().ok_or("a folder with an odd name")?.into(),
        app: App::Connect,
        app_version: "1.0.0".into(),
        device_name: "Bench".into(),
        platform: Platform::Desktop,
    };
    let begun = Instant::now();
    let core = SentriCore::with_ports(config, Ports::system(Arc::new(NoRadio), keys))?;
    let accesses = core.accesses().await?;
    let took = begun.elapsed();
    let ready = accesses.iter().filter(|it| matches!(it.readiness, Readiness::Ready { .. })).count();
    if u32::try_from(ready) != Ok(TICKETS) {
        return Err(format!("{ready} of {TICKETS} accesses are ready").into());
    }
    Ok(took)
}

/// In milliseconds.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(0.0, |time| time.as_secs_f64() * 1_000.0)
}

#[derive(Default)]
struct Memory(Mutex<BTreeMap<String, Vec<u8>>>);

impl SecureStore for Memory {
    fn get(&self, key: String) -> Result<Option<Vec<u8>>, SecureStoreError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned())
    }

    fn put(&self, key: String, value: Vec<u8>) -> Result<(), SecureStoreError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, value);
        Ok(())
    }

    fn remove(&self, key: String) -> Result<(), SecureStoreError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
        Ok(())
    }
}

struct NoRadio;

impl LockLink for NoRadio {
    fn start_scan(&self) -> Result<(), LinkError> {
        Ok(())
    }

    fn stop_scan(&self) -> Result<(), LinkError> {
        Ok(())
    }

    fn connect(&self, _: String) -> Result<(), LinkError> {
        Err(LinkError::Unsupported)
    }

    fn write(&self, _: String, _: Vec<u8>) -> Result<(), LinkError> {
        Err(LinkError::Unsupported)
    }

    fn disconnect(&self, _: String) -> Result<(), LinkError> {
        Ok(())
    }
}
