//! What the core takes from outside: time, chance, threads, network, radio, key store.
//!
//! A phone ships with the defaults of this module and the shell's radio and key store; a test or the sandbox
//! passes its own, so that the same seed gives the same run and no test sleeps.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sentri_wire::Timestamp;
use uuid::Uuid;

use crate::{
    api::{
        device_key::DeviceKey,
        ports::{LockLink, SecureStore},
    },
    http::Http,
    runtime::{self, in_runtime},
};

/// A future that a port returns.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Time.
pub trait Clock: Send + Sync + 'static {
    /// Whole seconds since 1970-01-01 UTC, as the phone believes.
    fn now(&self) -> Timestamp;

    /// Time since some fixed moment; never goes back, whatever the user does to the clock.
    fn monotonic(&self) -> Duration;

    /// Ends after that much monotonic time.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

/// Chance.
pub trait Random: Send + Sync + 'static {
    /// Fills the bytes with unpredictable ones.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness>;
}

/// The system gave no random bytes: nothing that needs a key can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the device gives no random numbers")]
pub struct NoRandomness;

/// An array of random bytes.
pub fn random_array<const N: usize>(random: &dyn Random) -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    random.fill(&mut bytes)?;
    Ok(bytes)
}

/// A random (version 4) UUID.
pub fn random_uuid(random: &dyn Random) -> Result<Uuid, NoRandomness> {
    Ok(uuid::Builder::from_random_bytes(random_array(random)?).into_uuid())
}

/// The device's own clock.
pub struct SystemClock {
    start: tokio::time::Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { start: tokio::time::Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp::try_from(since.as_secs()).unwrap_or(Timestamp::MAX)
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(in_runtime(async move { tokio::time::sleep(duration).await }))
    }
}

/// The device's own random number generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        getrandom::fill(bytes).map_err(|_| NoRandomness)
    }
}

/// Where the core's work runs.
pub trait Workers: Send + Sync + 'static {
    /// Goes on with the task in the background.
    fn spawn(&self, task: BoxFuture<'static, ()>);

    /// Runs what may wait for a disk or for the shell, on a thread where it holds nobody up, from the first poll on.
    fn blocking(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, Result<(), Panicked>>;
}

/// The work did not come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a part of the app failed")]
pub struct Panicked;

/// Runs `work` on a thread where it may wait, and gives its result.
pub async fn off_thread<T: Send + 'static>(
    workers: &dyn Workers,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Panicked> {
    let slot = Arc::new(Mutex::new(None));
    let result = slot.clone();
    let run = move || *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(work());
    workers.blocking(Box::new(run)).await?;
    let done = result.lock().unwrap_or_else(PoisonError::into_inner).take();
    done.ok_or(Panicked)
}

/// The threads of the caller's Tokio runtime, or of the process's own.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioWorkers;

impl Workers for TokioWorkers {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        runtime::spawn(task);
    }

    fn blocking(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, Result<(), Panicked>> {
        Box::pin(in_runtime(async { tokio::task::spawn_blocking(work).await.map_err(|_| Panicked) }))
    }
}

/// Everything that the core takes from outside.
#[derive(Clone)]
pub struct Ports {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub random: Arc<dyn Random>,
    /// Threads.
    pub workers: Arc<dyn Workers>,
    /// The network; absent for the default over TLS.
    pub http: Option<Arc<dyn Http>>,
    /// The radio.
    pub link: Arc<dyn LockLink>,
    /// The platform's key store.
    pub secure_store: Arc<dyn SecureStore>,
    /// The device's hardware key; absent where the shell brings none.
    pub device_key: Option<Arc<dyn DeviceKey>>,
    /// Asked before and after each write to the store.
    pub write_gate: Arc<dyn crate::store::WriteGate>,
}

impl Ports {
    /// A phone's own clock, random numbers and network, with the shell's radio and key store.
    pub fn system(link: Arc<dyn LockLink>, secure_store: Arc<dyn SecureStore>) -> Self {
        Self {
            clock: Arc::new(SystemClock::default()),
            random: Arc::new(SystemRandom),
            workers: Arc::new(TokioWorkers),
            http: None,
            link,
            secure_store,
            device_key: None,
            write_gate: Arc::new(crate::store::AlwaysOpen),
        }
    }
}
