//! What the sandbox gives a phone's core for ports: the shared clock, seeded chance, a key store in memory.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use sentri_core::{
    api::ports::{SecureStore, SecureStoreError},
    ports::{BoxFuture, NoRandomness, Panicked, Random, TokioWorkers, Workers},
};
use sentri_wire::Timestamp;

use crate::{
    chance::Chance,
    clock::{Attended, Clock, Pull},
};

/// How long somebody waits with the phone in the hand. What is planned further ahead comes when its time has come.
const IN_THE_HAND: Duration = Duration::from_secs(120);

/// The shared clock, as a phone asks it.
pub(super) struct PhoneClock {
    pub(super) clock: Clock,
    /// What the phone's own shows more, in seconds.
    pub(super) ahead: i64,
}

impl sentri_core::ports::Clock for PhoneClock {
    fn now(&self) -> Timestamp {
        self.clock.now().saturating_add(self.ahead)
    }

    fn monotonic(&self) -> Duration {
        self.clock.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let pull = if duration <= IN_THE_HAND { Pull::Yes } else { Pull::No };
        Box::pin(self.clock.sleep(duration, pull))
    }
}

/// Chance that follows from a seed.
pub(super) struct PhoneRandom(Mutex<Chance>);

impl PhoneRandom {
    pub(super) fn new(seed: u64) -> Self {
        Self(Mutex::new(Chance::new(seed)))
    }
}

impl Random for PhoneRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill(bytes);
        Ok(())
    }
}

/// A key store that lives as long as its device.
#[derive(Default)]
pub struct KeyStore(Mutex<HashMap<String, Vec<u8>>>);

impl KeyStore {
    /// All that it holds, as a backup that no platform makes would have it.
    pub fn items(&self) -> HashMap<String, Vec<u8>> {
        self.with(|items| items.clone())
    }

    /// Holds this and nothing else.
    pub fn restore(&self, items: HashMap<String, Vec<u8>>) {
        self.with(|held| *held = items);
    }

    fn with<T>(&self, look: impl FnOnce(&mut HashMap<String, Vec<u8>>) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl SecureStore for KeyStore {
    fn get(&self, key: String) -> Result<Option<Vec<u8>>, SecureStoreError> {
        Ok(self.with(|items| items.get(&key).cloned()))
    }

    fn put(&self, key: String, value: Vec<u8>) -> Result<(), SecureStoreError> {
        self.with(|items| items.insert(key, value));
        Ok(())
    }

    fn remove(&self, key: String) -> Result<(), SecureStoreError> {
        self.with(|items| items.remove(&key));
        Ok(())
    }
}

/// The threads of the runtime; the simulated clock stands still while a phone is at work on them.
pub(super) struct PhoneWorkers(pub(super) Clock);

impl Workers for PhoneWorkers {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        TokioWorkers.spawn(Box::pin(Attended::new(&self.0, task)));
    }

    fn blocking(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, Result<(), Panicked>> {
        let busy = self.0.busy();
        let done = TokioWorkers.blocking(work);
        Box::pin(async move {
            let done = done.await;
            drop(busy);
            done
        })
    }
}
