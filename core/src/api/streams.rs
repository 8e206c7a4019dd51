//! What a screen follows: sync status, messages, lockboxes nearby. Each is a handle that is asked for the next
//! value; dropping it, or `stop`, ends it.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::sync::{Mutex, watch};

use super::{
    core_object::SentriCore,
    error::CoreError,
    messages,
    types::{Message, SyncStatus},
};
use crate::{
    open::{Near, Nearby},
    session::Session,
    sync::status,
};

/// A lockbox of the account's that is awake nearby.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct NearbyLockbox {
    /// Serial number of the box.
    pub lockbox: String,
    /// Signal strength in dBm, as last heard; nearer to 0 is stronger.
    pub rssi: i16,
}

impl From<Near> for NearbyLockbox {
    fn from(it: Near) -> Self {
        Self { lockbox: it.lockbox, rssi: it.rssi }
    }
}

/// The sync status of the account in use, now and whenever it changes. [SYN-1]
#[derive(uniffi::Object)]
pub struct SyncStatusStream {
    follow: Follow<SyncStatus>,
}

/// The messages of the account in use, newest first, now and whenever they change. [CON-5]
#[derive(uniffi::Object)]
pub struct MessageStream {
    follow: Follow<Vec<Message>>,
}

/// The account's lockboxes that are awake nearby, by serial number, now and whenever they change.
#[derive(uniffi::Object)]
pub struct NearbyStream {
    nearby: Nearby,
    shown: Mutex<Shown>,
    stopped: watch::Sender<bool>,
}

struct Shown {
    list: watch::Receiver<Result<Vec<Near>, CoreError>>,
    first: bool,
}

#[uniffi::export]
impl SentriCore {
    /// Follows the sync status of the account in use, through log-ins and switches. [SYN-1]
    pub fn watch_sync_status(self: Arc<Self>) -> Arc<SyncStatusStream> {
        Arc::new(SyncStatusStream { follow: Follow::new(self) })
    }

    /// Follows the messages of the account in use, through log-ins and switches. [CON-5]
    pub fn watch_messages(self: Arc<Self>) -> Arc<MessageStream> {
        Arc::new(MessageStream { follow: Follow::new(self) })
    }

    /// Searches for the account's lockboxes that are awake nearby, until the handle is stopped or dropped. Needs
    /// no network. An open may go on at the same time.
    ///
    /// `BluetoothOff`, `BluetoothNotAllowed`, `BluetoothTrouble`, `NotSignedIn`.
    pub async fn watch_nearby(&self) -> Result<Arc<NearbyStream>, CoreError> {
        let session = self.session().await?;
        let nearby = Nearby::start(&session, &self.core.ports, &self.core.hub).await?;
        let shown = Shown { list: nearby.list(), first: true }.into();
        Ok(Arc::new(NearbyStream { nearby, shown, stopped: watch::channel(false).0 }))
    }
}

#[uniffi::export]
impl SyncStatusStream {
    /// The status at the first call; then waits for the next one. Nothing once stopped.
    ///
    /// `NotSignedIn` once nobody is logged in.
    pub async fn next(&self) -> Result<Option<SyncStatus>, CoreError> {
        self.follow.next().await
    }

    /// Ends the stream: a call of `next` that waits returns nothing, as does every later one.
    pub fn stop(&self) {
        self.follow.stop();
    }
}

#[uniffi::export]
impl MessageStream {
    /// The messages at the first call; then waits until they change. Nothing once stopped.
    ///
    /// `NotSignedIn` once nobody is logged in.
    pub async fn next(&self) -> Result<Option<Vec<Message>>, CoreError> {
        self.follow.next().await
    }

    /// Ends the stream: a call of `next` that waits returns nothing, as does every later one.
    pub fn stop(&self) {
        self.follow.stop();
    }
}

#[uniffi::export]
impl NearbyStream {
    /// The list at the first call; then waits until it changes. Nothing once stopped.
    ///
    /// `BluetoothOff`, `BluetoothNotAllowed`, `BluetoothTrouble`.
    pub async fn next(&self) -> Result<Option<Vec<NearbyLockbox>>, CoreError> {
        let mut stopped = self.stopped.subscribe();
        let mut shown = self.shown.lock().await;
        if !std::mem::take(&mut shown.first) {
            tokio::select! {
                biased;
                _ = stopped.wait_for(|stopped| *stopped) => return Ok(None),
                changed = shown.list.changed() => if changed.is_err() { return Ok(None) },
            }
        }
        if *stopped.borrow() {
            return Ok(None);
        }
        let list = shown.list.borrow_and_update().clone()?;
        Ok(Some(list.into_iter().map(Into::into).collect()))
    }

    /// Ends the search: a call of `next` that waits returns nothing, as does every later one.
    pub fn stop(&self) {
        self.stopped.send_replace(true);
        self.nearby.stop();
    }
}

/// What can be followed: read anew whenever something changed, and once time alone may have changed it.
trait Followed: Clone + PartialEq + Send + Sync + 'static {
    fn read(session: &Session) -> impl Future<Output = Result<(Self, Option<Duration>), CoreError>> + Send;
}

impl Followed for SyncStatus {
    async fn read(session: &Session) -> Result<(Self, Option<Duration>), CoreError> {
        let status = status(session).await?;
        let seconds = |at: i64| u64::try_from(at - session.now()).unwrap_or_default().max(1);
        let lasts = status.changes_at.map(|at| Duration::from_secs(seconds(at)));
        Ok((status.into(), lasts))
    }
}

impl Followed for Vec<Message> {
    async fn read(session: &Session) -> Result<(Self, Option<Duration>), CoreError> {
        Ok((messages::newest_first(session).await?, None))
    }
}

/// One thing of the account in use.
struct Follow<T> {
    core: Arc<SentriCore>,
    last: Mutex<Option<T>>,
    stopped: watch::Sender<bool>,
}

impl<T: Followed> Follow<T> {
    fn new(core: Arc<SentriCore>) -> Self {
        Self { core, last: Mutex::default(), stopped: watch::channel(false).0 }
    }

    fn stop(&self) {
        self.stopped.send_replace(true);
    }

    /// One reader at a time: a second one takes the value after the first one's.
    async fn next(&self) -> Result<Option<T>, CoreError> {
        let mut stopped = self.stopped.subscribe();
        tokio::select! {
            biased;
            _ = stopped.wait_for(|stopped| *stopped) => Ok(None),
            next = self.changed() => next.map(Some),
        }
    }

    async fn changed(&self) -> Result<T, CoreError> {
        let mut last = self.last.lock().await;
        let mut accounts = self.core.accounts.listen();
        loop {
            let session = self.core.session().await?;
            // Listened to before reading: what changes in between is read in the next round.
            let mut changes = session.changes.listen();
            let (now, lasts) = T::read(&session).await?;
            if last.as_ref() != Some(&now) {
                *last = Some(now.clone());
                return Ok(now);
            }
            tokio::select! {
                _ = changes.changed() => {}
                _ = accounts.changed() => {}
                () = session.api.clock.sleep(lasts.unwrap_or_default()), if lasts.is_some() => {}
            }
        }
    }
}
