//! One account's store for many callers at once: work runs on a thread that may wait for the disk.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use super::{Store, StoreError, StoreSettings, recover};
use crate::{changes::Changes, ports::off_thread};

type Work = Box<dyn Fn(&mut Store) -> Result<(), StoreError> + Send>;

/// A shared store that recovers by itself.
#[derive(Clone)]
pub struct Vault {
    settings: StoreSettings,
    /// Absent after a failed recovery, until the next try.
    store: Arc<Mutex<Option<Store>>>,
    /// Whoever still holds a session must not bring a removed file back.
    destroyed: Arc<AtomicBool>,
    /// Rung when the store was recovered: what is shown is gone until the next sync.
    changes: Arc<Changes>,
}

impl Vault {
    /// Opens the store.
    pub async fn open(settings: StoreSettings, changes: Arc<Changes>) -> Result<Self, StoreError> {
        let vault = Self { settings, store: Arc::default(), destroyed: Arc::default(), changes };
        vault.run(|_| Ok(())).await?;
        Ok(vault)
    }

    /// Does the work on the store. Where the store turns out damaged, it is recovered and the work done again.
    ///
    /// What is made anew for each work only boxes it: the library stays small.
    pub fn run<T, W>(&self, work: W) -> impl Future<Output = Result<T, StoreError>> + Send
    where
        T: Send + 'static,
        W: Fn(&mut Store) -> Result<T, StoreError> + Send + 'static,
    {
        let result = Arc::new(Mutex::new(None));
        let slot = result.clone();
        let boxed: Work = Box::new(move |store| {
            *lock(&slot) = Some(work(store)?);
            Ok(())
        });
        self.told(boxed, result)
    }

    async fn told<T: Send>(&self, work: Work, result: Arc<Mutex<Option<T>>>) -> Result<T, StoreError> {
        self.run_boxed(work).await?;
        lock(&result).take().ok_or(StoreError::Unavailable)
    }

    /// One copy of this serves all work: the library stays small.
    async fn run_boxed(&self, work: Work) -> Result<(), StoreError> {
        let vault = self.clone();
        let done = off_thread(&*self.settings.workers, move || vault.run_here(&*work)).await;
        done.unwrap_or(Err(StoreError::Unavailable))
    }

    /// Closes the file. Later work opens it again.
    pub async fn close(&self) -> Result<(), StoreError> {
        let store = self.store.clone();
        let closed = off_thread(&*self.settings.workers, move || drop(lock(&store).take())).await;
        closed.map_err(|_| StoreError::Unavailable)
    }

    /// Closes the file and removes it. Later work fails.
    pub async fn destroy(&self) -> Result<(), StoreError> {
        self.destroyed.store(true, Ordering::SeqCst);
        self.close().await?;
        super::destroy(&self.settings.path)
    }

    fn run_here(&self, work: &dyn Fn(&mut Store) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let mut slot = lock(&self.store);
        if self.destroyed.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable);
        }
        match work(self.opened(&mut slot)?) {
            Err(StoreError::Damaged) => {
                *slot = None;
                recover::give_up(&self.settings.path)?;
                let done = work(self.opened(&mut slot)?);
                self.changes.note();
                done
            }
            done => done,
        }
    }

    fn opened<'s>(&self, slot: &'s mut Option<Store>) -> Result<&'s mut Store, StoreError> {
        match slot {
            Some(store) => Ok(store),
            None => Ok(slot.insert(Store::open(&self.settings)?)),
        }
    }
}

/// A panic elsewhere leaves at most an open transaction, which the database rolls back.
fn lock<T>(slot: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}
