//! A phone that dies at a given step: at any write, any use of its key store, any call, and any answer.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use sentri_core::{
    api::ports::{SecureStore, SecureStoreError},
    http::{Http, HttpFailure, HttpRequest, HttpResponse},
    ports::BoxFuture,
    store::{WriteGate, WriteMoment},
};
use sentri_sandbox::phone::{Between, KeyStore};

/// Burns after a number of steps; from then on nothing happens any more.
pub struct Fuse {
    steps: u64,
    passed: AtomicU64,
    burned_at: Mutex<Option<String>>,
}

impl Fuse {
    /// Lets that many steps happen.
    pub fn after(steps: u64) -> Arc<Self> {
        Arc::new(Self { steps, passed: AtomicU64::new(0), burned_at: Mutex::default() })
    }

    /// The step at which the phone died; nothing where it lives.
    pub fn burned_at(&self) -> Option<String> {
        self.burned_at.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What stands between the app and its device: the device's key store and a network, with this fuse.
    pub fn between(self: &Arc<Self>, keys: &Arc<KeyStore>, http: Arc<dyn Http>) -> Between {
        Between {
            gate: Some(Arc::new(FusedGate(self.clone()))),
            http: Some(Arc::new(FusedHttp(http, self.clone()))),
            keys: Some(Arc::new(FusedKeys(keys.clone(), self.clone()))),
            ..Between::default()
        }
    }

    fn alive(&self, step: impl FnOnce() -> String) -> bool {
        let passed = self.passed.fetch_add(1, Ordering::SeqCst);
        if passed == self.steps {
            *self.burned_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(step());
        }
        passed < self.steps
    }
}

struct FusedGate(Arc<Fuse>);

impl WriteGate for FusedGate {
    fn pass(&self, write: &'static str, moment: WriteMoment) -> bool {
        self.0.alive(|| format!("write {write}, {moment:?}"))
    }
}

struct FusedKeys(Arc<KeyStore>, Arc<Fuse>);

impl FusedKeys {
    fn alive(&self, what: &str, key: &str) -> Result<(), SecureStoreError> {
        let alive = self.1.alive(|| format!("key store {what} {key}"));
        if alive { Ok(()) } else { Err(SecureStoreError::Failed) }
    }
}

impl SecureStore for FusedKeys {
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

struct FusedHttp(Arc<dyn Http>, Arc<Fuse>);

impl FusedHttp {
    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, HttpFailure> {
        let what = format!("{request:?}");
        if !self.1.alive(|| format!("before {what}")) {
            return Err(HttpFailure::Unreachable);
        }
        let answer = self.0.send(request).await?;
        if !self.1.alive(|| format!("answer to {what}")) {
            return Err(HttpFailure::Broken);
        }
        Ok(answer)
    }
}

impl Http for FusedHttp {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpFailure>> {
        Box::pin(self.exchange(request))
    }
}
