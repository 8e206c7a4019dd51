//! What the core's tests share: a phone whose clock, chance, network, radio and key store are in hand.
#![allow(dead_code, reason = "each test file uses its part")]

pub mod backend;
pub mod lock;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use sentri_core::{
    CoreError, Ports, SentriCore,
    api::{
        device_key::DeviceKey,
        ports::{SecureStore, SecureStoreError},
        types::{App, CoreConfig, Platform},
    },
    open::PhoneChecks,
    ports::{BoxFuture, Clock, NoRandomness, Random, TokioWorkers},
    store::{WriteGate, WriteMoment},
};
use sentri_wire::sync::{Change, Message, MessageTopic};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use backend::Backend;
use lock::Lock;

/// 2027-01-15 08:00 UTC, a Friday.
pub const NOW: i64 = 1_800_000_000;
pub const EMAIL: &str = "sam@example.com";
pub const PASSWORD: &str = "Plumbing7";

/// A wall clock that a test sets; monotonic time is tokio's, which the tests pause.
pub struct TestClock {
    wall: AtomicI64,
    /// The phone's clock minus the true one, which the backend and the lock have.
    off: AtomicI64,
    /// Whether the wall clock goes with tokio's time.
    runs: AtomicBool,
    start: tokio::time::Instant,
}

impl TestClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            wall: AtomicI64::new(NOW),
            off: AtomicI64::new(0),
            runs: AtomicBool::new(false),
            start: tokio::time::Instant::now(),
        })
    }

    /// From now on time passes as tokio's does.
    pub fn run(&self) {
        self.runs.store(true, Ordering::SeqCst);
    }

    /// The user sets the phone's clock wrong by so many seconds.
    pub fn set_off(&self, seconds: i64) {
        self.off.store(seconds, Ordering::SeqCst);
    }

    /// What the time is.
    pub fn truth(&self) -> i64 {
        let passed = if self.runs.load(Ordering::SeqCst) { self.start.elapsed().as_secs() } else { 0 };
        self.wall.load(Ordering::SeqCst) + i64::try_from(passed).unwrap()
    }

    pub fn set(&self, now: i64) {
        self.wall.store(now, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> i64 {
        self.truth() + self.off.load(Ordering::SeqCst)
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// The same seed gives the same bytes.
pub struct Seeded(AtomicU64);

impl Seeded {
    pub fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(seed << 32)))
    }
}

impl Random for Seeded {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        for chunk in bytes.chunks_mut(32) {
            let block = Sha256::digest(self.0.fetch_add(1, Ordering::SeqCst).to_be_bytes());
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
        Ok(())
    }
}

/// Burns after a number of steps, and from then on lets nothing happen: the phone is dead until it starts anew.
pub struct Fuse {
    left: AtomicI64,
    steps: Mutex<Vec<String>>,
}

impl Fuse {
    pub fn after(steps: i64) -> Arc<Self> {
        Arc::new(Self { left: AtomicI64::new(steps), steps: Mutex::default() })
    }

    pub fn never() -> Arc<Self> {
        Self::after(i64::MAX)
    }

    pub fn alive(&self, step: impl Into<String>) -> bool {
        let alive = self.left.fetch_sub(1, Ordering::SeqCst) > 0;
        if alive {
            self.steps.lock().unwrap().push(step.into());
        }
        alive
    }

    pub fn burned(&self) -> bool {
        self.left.load(Ordering::SeqCst) < 0
    }

    pub fn last_step(&self) -> String {
        self.steps.lock().unwrap().last().cloned().unwrap_or_default()
    }
}

/// The disk: how many pages it has for the store.
pub struct Disk(AtomicU32);

impl Disk {
    /// SQLite's own limit.
    const PLENTY: u32 = 1_073_741_823;

    /// From now on not a page more than the store has.
    pub fn fill(&self) {
        self.0.store(1, Ordering::SeqCst);
    }

    pub fn make_room(&self) {
        self.0.store(Self::PLENTY, Ordering::SeqCst);
    }
}

struct Gate(Arc<Fuse>, Arc<Disk>);

impl WriteGate for Gate {
    fn most_pages(&self) -> Option<u32> {
        Some(self.1.0.load(Ordering::SeqCst))
    }

    fn pass(&self, write: &'static str, moment: WriteMoment) -> bool {
        self.0.alive(format!("{write} {moment:?}"))
    }
}

/// The platform's key store, which outlives the app.
#[derive(Default)]
pub struct KeyStore {
    pub items: Mutex<BTreeMap<String, Vec<u8>>>,
    pub locked: Mutex<bool>,
}

impl KeyStore {
    fn check(&self) -> Result<(), SecureStoreError> {
        if *self.locked.lock().unwrap() { Err(SecureStoreError::Locked) } else { Ok(()) }
    }
}

impl SecureStore for KeyStore {
    fn get(&self, key: String) -> Result<Option<Vec<u8>>, SecureStoreError> {
        self.check()?;
        Ok(self.items.lock().unwrap().get(&key).cloned())
    }

    fn put(&self, key: String, value: Vec<u8>) -> Result<(), SecureStoreError> {
        self.check()?;
        self.items.lock().unwrap().insert(key, value);
        Ok(())
    }

    fn remove(&self, key: String) -> Result<(), SecureStoreError> {
        self.check()?;
        self.items.lock().unwrap().remove(&key);
        Ok(())
    }
}

struct FusedKeyStore(Arc<KeyStore>, Arc<Fuse>);

impl FusedKeyStore {
    fn alive(&self, step: &str, key: &str) -> Result<(), SecureStoreError> {
        if self.1.alive(format!("{step} {key}")) { Ok(()) } else { Err(SecureStoreError::Failed) }
    }
}

impl SecureStore for FusedKeyStore {
    fn get(&self, key: String) -> Result<Option<Vec<u8>>, SecureStoreError> {
        self.alive("get", &key)?;
        self.0.get(key)
    }

    fn put(&self, key: String, value: Vec<u8>) -> Result<(), SecureStoreError> {
        self.alive("put", &key)?;
        self.0.put(key, value)
    }

    fn remove(&self, key: String) -> Result<(), SecureStoreError> {
        self.alive("remove", &key)?;
        self.0.remove(key)
    }
}

/// A phone, what it stands in, and what it talks to.
pub struct World {
    pub folder: tempfile::TempDir,
    pub clock: Arc<TestClock>,
    pub keys: Arc<KeyStore>,
    pub backend: Arc<Backend>,
    pub lock: Arc<Lock>,
    pub disk: Arc<Disk>,
    pub device_key: Mutex<Option<Arc<dyn DeviceKey>>>,
    seed: AtomicU64,
}

impl World {
    pub fn new() -> Self {
        let clock = TestClock::new();
        Self {
            folder: scratch(),
            keys: Arc::default(),
            backend: Backend::new(clock.clone()),
            lock: Lock::new(7, clock.clone()),
            clock,
            disk: Arc::new(Disk(AtomicU32::new(Disk::PLENTY))),
            device_key: Mutex::default(),
            seed: AtomicU64::new(1),
        }
    }

    /// Starts the app.
    pub fn start(&self) -> Arc<SentriCore> {
        self.start_with(&Fuse::never(), PhoneChecks::Enforced)
    }

    /// Starts the app; it dies at the fuse's step.
    pub fn start_with(&self, fuse: &Arc<Fuse>, checks: PhoneChecks) -> Arc<SentriCore> {
        let core = SentriCore::with_checks(self.config(), self.ports(fuse), checks).unwrap();
        self.lock.plug(core.link_events());
        core
    }

    /// What the app takes from outside.
    pub fn ports(&self, fuse: &Arc<Fuse>) -> Ports {
        Ports {
            clock: self.clock.clone(),
            random: Seeded::new(self.seed.fetch_add(1, Ordering::SeqCst)),
            workers: Arc::new(TokioWorkers),
            http: Some(Arc::new(backend::Network::new(self.backend.clone(), fuse.clone()))),
            link: Arc::new(lock::Radio::new(self.lock.clone(), fuse.clone())),
            secure_store: Arc::new(FusedKeyStore(self.keys.clone(), fuse.clone())),
            device_key: self.device_key.lock().unwrap().clone(),
            write_gate: Arc::new(Gate(fuse.clone(), self.disk.clone())),
        }
    }

    /// Starts the app and logs the contractor in.
    pub async fn logged_in(&self) -> Arc<SentriCore> {
        let core = self.start();
        core.login_contractor(EMAIL.into(), PASSWORD.into()).await.unwrap();
        core
    }

    /// The account's database.
    pub fn database(&self) -> std::path::PathBuf {
        self.accounts().join(format!("{}.db", backend::ACCOUNT))
    }

    pub fn accounts(&self) -> std::path::PathBuf {
        self.folder.path().join("accounts")
    }

    pub fn config(&self) -> CoreConfig {
        CoreConfig {
            base_url: "http://127.0.0.1:1".into(),
            data_dir: self.folder.path().to_str().unwrap().into(),
            app: App::Connect,
            app_version: "3.2.0".into(),
            device_name: "Sam's phone".into(),
            platform: Platform::Desktop,
        }
    }
}

/// A folder in memory, where the system has a place for that: apps die here, never the machine, so that nothing needs a
/// disk.
fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// Listens, presses ENT, and waits until all is over.
pub async fn press_ent(
    world: &World,
    core: &SentriCore,
    access: Option<String>,
) -> Result<sentri_core::api::contractor::OpenReport, CoreError> {
    let attempt = core.open_on_ent(access).await?;
    world.lock.press();
    let result = attempt.result().await;
    attempt.finished().await;
    result
}

/// All bytes of all files in a folder.
pub fn bytes_of(folder: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(folder).unwrap().flatten();
    files.flat_map(|file| std::fs::read(file.path()).unwrap()).collect()
}

/// A message, told apart by its number.
pub fn message(number: u128) -> Change {
    Change::upsert(&Message {
        id: Uuid::from_u128(number),
        at: NOW + i64::try_from(number).unwrap(),
        topic: MessageTopic::AccessGranted,
        title: "SentriConnect Access Granted".into(),
        body: format!("Number {number}."),
        access_id: None,
        read: false,
    })
}
