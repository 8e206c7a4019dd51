//! What the sandbox gives a phone's core for ports: the shared clock, seeded chance, a counted network, a key
//! store in memory.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sentri_core::{
    api::ports::{SecureStore, SecureStoreError},
    http::{Http, HttpFailure, HttpRequest, HttpResponse, SystemHttp},
    ports::{BoxFuture, NoRandomness, Panicked, Random, TokioWorkers, Workers},
};
use sentri_wire::Timestamp;
use serde::Serialize;

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

/// What went between phones and backend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Exchanged {
    /// Requests that were answered.
    pub requests: usize,
    /// Bytes of their bodies.
    pub sent_bytes: usize,
    /// Bytes of the answers' bodies.
    pub received_bytes: usize,
}

/// The count, shared by all phones of a sandbox.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<Mutex<Exchanged>>);

impl Meter {
    /// What went since this was last asked.
    pub fn take(&self) -> Exchanged {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn count(&self, sent: usize, received: usize) {
        let mut count = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        count.requests += 1;
        count.sent_bytes += sent;
        count.received_bytes += received;
    }
}

/// Real HTTP, counted; the simulated clock stands still while an exchange goes on.
pub(crate) struct Network {
    pub(crate) http: SystemHttp,
    pub(crate) meter: Meter,
    pub(crate) clock: Clock,
}

impl Network {
    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, HttpFailure> {
        let _busy = self.clock.busy();
        let sent = request.body.as_ref().map_or(0, Vec::len);
        let response = self.http.send(request).await?;
        self.meter.count(sent, response.body.len());
        Ok(response)
    }
}

impl Http for Network {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpFailure>> {
        Box::pin(self.exchange(request))
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
