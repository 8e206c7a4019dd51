//! What happens to an app from outside: it comes to the front, leaves it, gets a push. Meanwhile it syncs by itself.
//! [SYN-1]

use std::{
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use tokio::sync::watch;

use super::{core_object::SentriCore, error::CoreError, types::SyncStatus};
use crate::{
    ports::{Clock, random_array},
    session::Session,
    sync::plan,
};

/// How soon a store that could not be read is tried again.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

#[uniffi::export]
impl SentriCore {
    /// The app came to the front; call it at the app's start too. Syncs now, and from then on by itself until
    /// `app_paused`: before a credential runs dry, after a failure with waits that grow, after a login or a switch of
    /// accounts, and every few hours.
    ///
    /// Gives the status after the first sync. `NotSignedIn` where nobody is logged in: the core then waits for a
    /// login by itself; call it no second time. Else as `sync_now`.
    pub async fn app_resumed(self: Arc<Self>) -> Result<SyncStatus, CoreError> {
        self.keeper.start(&self);
        self.sync_now().await
    }

    /// The app left the front: it syncs by itself no more. What goes on is finished. Returns at once.
    pub fn app_paused(&self) {
        self.keeper.stop();
    }

    /// A push came, whatever is in it: fetches what it tells of. Keep the app awake until it returns, within some 20
    /// seconds. Errors as `sync_now`.
    pub async fn push_received(&self) -> Result<SyncStatus, CoreError> {
        self.sync_now().await
    }
}

/// Keeps the account in use synced, while it is started.
#[derive(Default)]
pub(crate) struct Keeper(Mutex<Option<watch::Sender<bool>>>);

impl Keeper {
    /// Starts, where it is not started.
    fn start(&self, core: &Arc<SentriCore>) {
        let mut stop = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if stop.is_none() {
            let (sender, stopped) = watch::channel(false);
            *stop = Some(sender);
            core.core.ports.workers.spawn(Box::pin(keep(Arc::downgrade(core), stopped)));
        }
    }

    fn stop(&self) {
        // Dropping the sender is what ends the task.
        drop(self.0.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

/// How it went so far.
#[derive(Default)]
struct Tries {
    failures: u32,
    jitter: u16,
}

/// Holds the core only while it works: an app that lets go of the core ends this too.
async fn keep(core: Weak<SentriCore>, mut stopped: watch::Receiver<bool>) {
    let mut tries = Tries::default();
    // The caller of `app_resumed` does the first sync.
    let mut due = false;
    loop {
        let Some(core) = core.upgrade() else { return };
        let mut accounts = core.accounts.listen();
        let session = core.session().await;
        let clock = core.core.ports.clock.clone();
        if let (true, Ok(session)) = (due, &session) {
            tries.sync(&core, session).await;
        }
        drop(core);
        due = tokio::select! {
            biased;
            // An error is the dropped sender.
            _ = stopped.changed() => return,
            _ = accounts.changed() => {
                tries = Tries::default();
                true
            }
            () = tries.until_due(&*clock, session.as_ref().map(Arc::as_ref)) => true,
        };
    }
}

impl Tries {
    async fn sync(&mut self, core: &SentriCore, session: &Arc<Session>) {
        // The status tells how it went; a device that was removed has none any more.
        if core.core.sync(session).await == Err(CoreError::DeviceRemoved) {
            core.accounts.note();
            return;
        }
        let settled = plan::facts(session).await.is_ok_and(|facts| facts.settled());
        self.failures = if settled { 0 } else { self.failures.saturating_add(1) };
        self.jitter = random_array(&*session.api.random).map_or(0, u16::from_be_bytes);
    }

    /// Ends when the next sync is due. Plans anew whenever something changed meanwhile: another sync, an open.
    async fn until_due(&self, clock: &dyn Clock, session: Result<&Session, &CoreError>) {
        let session = match session {
            Ok(session) => session,
            Err(CoreError::NotSignedIn | CoreError::SignInAgain { .. }) => std::future::pending().await,
            // A device that is locked still, for one.
            Err(_) => return clock.sleep(LOOK_AGAIN).await,
        };
        loop {
            let mut changes = session.changes.listen();
            let facts = plan::facts(session).await.ok();
            let wait = facts.and_then(|facts| facts.wait(self.failures, self.jitter));
            let Some(wait) = wait else {
                let _ = changes.changed().await;
                continue;
            };
            tokio::select! {
                biased;
                () = session.api.clock.sleep(wait) => return,
                _ = changes.changed() => {}
            }
        }
    }
}
