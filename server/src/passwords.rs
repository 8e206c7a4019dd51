//! Argon2id for passwords and PINs: never more hashes at once than cores, below what answers requests, and one for
//! each answer.

use std::{
    num::NonZero,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread::{self, available_parallelism},
};

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::{
        PasswordHasher,
        phc::{Output, PasswordHash},
    },
};
use sentri_wire::Secret;
use tokio::sync::oneshot;

use crate::{
    ports::Randomness,
    refusal::{Answer, Refusal},
};

/// Hashes and verifies.
pub struct Passwords {
    workers: Workers,
    /// What an unknown account is verified against, so that both answers cost the same.
    nobody: String,
    verifications: AtomicU64,
    randomness: Arc<dyn Randomness>,
}

/// 19 MiB, two passes, one lane: the figures that OWASP gives as its first choice for Argon2id.
fn argon2() -> Argon2<'static> {
    let params = Params::new(19 * 1024, 2, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash_now(text: &Secret, salt: [u8; 16]) -> Answer<String> {
    argon2()
        .hash_password_with_salt(text.expose().as_bytes(), &salt)
        .map(|hash| hash.to_string())
        .map_err(|error| Refusal::Fault(format!("argon2: {error}")))
}

/// What a hash is computed in, kept from one to the next: making it anew costs a tenth of the hash.
type Memory = Vec<Block>;

/// Whether the hash is the text's, by the hash's own parameters.
fn is_hash_of(memory: &mut Memory, hash: &str, text: &Secret) -> Option<bool> {
    let hash = PasswordHash::new(hash).ok()?;
    let (salt, expected) = (hash.salt?, hash.hash?);
    let params = Params::try_from(&hash).ok()?;
    let algorithm = Algorithm::try_from(hash.algorithm.as_str()).ok()?;
    let version = hash.version.map(Version::try_from).transpose().ok()?.unwrap_or_default();
    if memory.len() < params.block_count() {
        memory.resize(params.block_count(), Block::default());
    }
    let blocks = memory.get_mut(..params.block_count())?;
    let argon2 = Argon2::new(algorithm, version, params);
    let mut computed = vec![0; expected.len()];
    argon2.hash_password_into_with_memory(text.expose().as_bytes(), &salt, &mut computed, blocks).ok()?;
    // Two outputs are compared in constant time.
    Some(Output::new(&computed).ok()? == expected)
}

impl Passwords {
    /// Makes it, with the hash that stands for nobody.
    pub fn new(randomness: Arc<dyn Randomness>) -> Answer<Self> {
        let (mut text, mut salt) = ([0u8; 32], [0u8; 16]);
        randomness.fill(&mut text);
        randomness.fill(&mut salt);
        let nobody = hash_now(&Secret::new(hex::encode(text)), salt)?;
        let cores = available_parallelism().map_or(1, NonZero::get);
        Ok(Self { workers: Workers::start(cores)?, nobody, verifications: AtomicU64::new(0), randomness })
    }

    /// Hashes a password or PIN with a fresh salt.
    pub async fn hash(&self, text: &Secret) -> Answer<String> {
        let mut salt = [0u8; 16];
        self.randomness.fill(&mut salt);
        let text = text.clone();
        self.blocking(move |_| hash_now(&text, salt)).await?
    }

    /// Whether the text is the one that was hashed. Without a hash it is never, at the same cost.
    pub async fn verify(&self, text: &Secret, hash: Option<&str>) -> Answer<bool> {
        let known = hash.is_some();
        let hash = hash.unwrap_or(&self.nobody).to_owned();
        let text = text.clone();
        self.verifications.fetch_add(1, Ordering::SeqCst);
        let right = self.blocking(move |memory| is_hash_of(memory, &hash, &text)).await?;
        Ok(right == Some(true) && known)
    }

    /// How many verifications were made, for the test that a wrong password and an unknown account cost
    /// the same.
    pub fn verifications(&self) -> u64 {
        self.verifications.load(Ordering::SeqCst)
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> Answer<T> {
        let (done, result) = oneshot::channel();
        self.workers.run(move |memory| {
            // Nobody may wait for it any more.
            let _ = done.send(work(memory));
        })?;
        result.await.map_err(|_| Refusal::Fault("hashing: a worker is gone".into()))
    }
}

type Work = Box<dyn FnOnce(&mut Memory) + Send>;

/// Threads that hash, one a core, at a lower priority than those that answer: a crowd that logs in keeps nobody else
/// waiting. They end with what is queued once this is dropped.
struct Workers {
    queue: mpsc::Sender<Work>,
}

/// How much the others come first: ten steps of niceness leave about a tenth of a busy processor.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

impl Workers {
    fn start(count: usize) -> Answer<Self> {
        let (queue, works) = mpsc::channel::<Work>();
        let works = Arc::new(Mutex::new(works));
        for _ in 0..count {
            let works = works.clone();
            thread::Builder::new()
                .name("sentri-argon2".into())
                .spawn(move || {
                    step_back();
                    let mut memory = Memory::new();
                    while let Some(work) = next(&works) {
                        work(&mut memory);
                    }
                })
                .map_err(|error| Refusal::Fault(format!("hashing: no thread: {error}")))?;
        }
        Ok(Self { queue })
    }

    fn run(&self, work: impl FnOnce(&mut Memory) + Send + 'static) -> Answer<()> {
        self.queue.send(Box::new(work)).map_err(|_| Refusal::Fault("hashing: no worker is left".into()))
    }
}

fn next(works: &Mutex<mpsc::Receiver<Work>>) -> Option<Work> {
    works.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

/// Lowers this thread's priority. Where the system does not allow it, hashing is as urgent as answering.
fn step_back() {
    #[cfg(target_os = "linux")]
    if let Ok(so_far) = rustix::process::getpriority_process(None) {
        // On Linux this is the calling thread's alone.
        let _ = rustix::process::setpriority_process(None, so_far + NICENESS);
    }
}
