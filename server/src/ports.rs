//! What the backend takes from outside: time, randomness, and the ways to reach people.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};
use std::time::{SystemTime, UNIX_EPOCH};

use sentri_protocol::keys::Key;
use sentri_wire::Timestamp;

use crate::{
    outbox::{MailPort, Mailbox, PushPort, TextPort},
    service::reso::FeedPort,
};

/// Tells the time. Called from any thread.
pub trait Clock: Send + Sync {
    /// Now, in whole seconds UTC.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::try_from(since.as_secs()).unwrap_or(Timestamp::MAX)
    }
}

/// A clock that stands still until it is moved. For the sandbox and for tests.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows this time.
    pub fn at(now: Timestamp) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(now)))
    }

    /// Sets it.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now, Ordering::SeqCst);
    }

    /// Moves it forward, or back.
    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.0.load(Ordering::SeqCst)
    }
}

/// Gives random bytes fit for keys. Called from any thread.
pub trait Randomness: Send + Sync {
    /// Fills the whole of it.
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandomness;

impl Randomness for SystemRandomness {
    /// # Panics
    /// Where the operating system has no randomness to give: nothing that needs keys can go on then.
    #[allow(clippy::panic, reason = "a key made without randomness would be worse")]
    fn fill(&self, bytes: &mut [u8]) {
        if let Err(error) = getrandom::fill(bytes) {
            panic!("the operating system gives no randomness: {error}");
        }
    }
}

/// The same bytes in the same order for the same seed. For the sandbox and for tests only.
pub struct SeededRandomness {
    seed: Key,
    block: AtomicI64,
}

impl SeededRandomness {
    /// A generator for this seed.
    pub fn new(seed: [u8; 32]) -> Arc<Self> {
        Arc::new(Self { seed: Key::new(seed), block: AtomicI64::new(0) })
    }
}

impl Randomness for SeededRandomness {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let number = self.block.fetch_add(1, Ordering::SeqCst);
            let block = self.seed.mac(&[&number.to_be_bytes()]);
            chunk.iter_mut().zip(block).for_each(|(to, from)| *to = from);
        }
    }
}

/// What becomes of the process at a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It goes on.
    Lives,
    /// It dies before anything is durable.
    DiesBefore,
    /// It dies after everything is durable, and before anybody is told.
    DiesAfter,
}

/// Kills a backend within the process, for tests: from a death on, its database answers nothing. Called from any
/// thread.
pub trait Crashes: Send + Sync {
    /// Asked at each commit.
    fn at_commit(&self) -> Fate;

    /// Whether it has died.
    fn is_dead(&self) -> bool;
}

/// What really runs: the operating system kills it, if anybody.
#[derive(Clone, Copy, Debug, Default)]
pub struct NeverCrashes;

impl Crashes for NeverCrashes {
    fn at_commit(&self) -> Fate {
        Fate::Lives
    }

    fn is_dead(&self) -> bool {
        false
    }
}

/// All of them, ready to be passed to [`crate::Server`].
#[derive(Clone)]
pub struct Ports {
    /// Whether the process dies at a commit: for tests.
    pub crashes: Arc<dyn Crashes>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub randomness: Arc<dyn Randomness>,
    /// Sends mails; nothing where the configuration names a mail server, or where none is wanted.
    pub mail: Option<Arc<dyn MailPort>>,
    /// Sends texts; likewise.
    pub text: Option<Arc<dyn TextPort>>,
    /// Sends pushes; likewise.
    pub push: Option<Arc<dyn PushPort>>,
    /// Asks feeds of listings; over HTTP where nothing.
    pub feed: Option<Arc<dyn FeedPort>>,
}

impl Ports {
    /// The machine's clock and randomness, and delivery as the configuration says.
    pub fn system() -> Self {
        Self {
            crashes: Arc::new(NeverCrashes),
            clock: Arc::new(SystemClock),
            randomness: Arc::new(SystemRandomness),
            mail: None,
            text: None,
            push: None,
            feed: None,
        }
    }

    /// The same, with everything delivered into the mailbox.
    pub fn with_mailbox(clock: Arc<dyn Clock>, mailbox: &Mailbox) -> Self {
        let mailbox = Arc::new(mailbox.clone());
        Self {
            clock,
            mail: Some(mailbox.clone()),
            text: Some(mailbox.clone()),
            push: Some(mailbox),
            ..Self::system()
        }
    }
}
