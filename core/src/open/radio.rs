//! The radio during one open: commands that can't hang, and events with a deadline.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use super::hub::{LinkEvent, Listener};
use crate::{
    CoreError, Ports,
    api::ports::{LinkError, LockLink},
    ports::{Clock, Workers, off_thread},
    runtime,
};

type Command = Box<dyn FnOnce(&dyn LockLink) -> Result<(), LinkError> + Send>;

/// How long a command into the shell's adapter may take.
const COMMAND: Duration = Duration::from_secs(2);

/// How long a connection may take to be gone.
const GONE: Duration = Duration::from_millis(500);

/// Why no event came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Silence {
    /// The deadline passed.
    Deadline,
    /// The shell ended the open.
    Cancelled,
    /// More came in than could be looked at: the link is as good as lost.
    Overrun,
}

/// The radio, for one open.
pub(crate) struct Radio {
    adapter: Adapter,
    listener: Listener,
    clock: Arc<dyn Clock>,
    cancelled: watch::Receiver<bool>,
    searches: bool,
}

impl Radio {
    pub(crate) fn new(ports: &Ports, listener: Listener, cancelled: watch::Receiver<bool>) -> Self {
        let (adapter, clock) = (Adapter::new(ports), ports.clock.clone());
        Self { adapter, listener, clock, cancelled, searches: false }
    }

    pub(crate) fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    pub(crate) async fn pause(&self, duration: Duration) {
        self.clock.sleep(duration).await;
    }

    /// Whether another open waits for the link.
    pub(crate) fn is_wanted(&self) -> bool {
        self.listener.is_wanted()
    }

    /// Searches from now on, if it does not yet.
    pub(crate) async fn start_scan(&mut self) -> Result<(), CoreError> {
        if !self.searches {
            self.adapter.command(Box::new(LockLink::start_scan)).await?;
            self.searches = true;
        }
        Ok(())
    }

    /// A search that does not end costs battery, not the open.
    pub(crate) async fn stop_scan(&mut self) {
        if std::mem::take(&mut self.searches) {
            let _ = self.adapter.command(Box::new(LockLink::stop_scan)).await;
        }
    }

    pub(crate) async fn connect(&self, peer: &str) -> Result<(), LinkError> {
        let peer = peer.to_owned();
        self.adapter.command(Box::new(move |link| link.connect(peer))).await
    }

    pub(crate) async fn write(&self, peer: &str, value: Vec<u8>) -> Result<(), LinkError> {
        let peer = peer.to_owned();
        self.adapter.command(Box::new(move |link| link.write(peer, value))).await
    }

    /// Drops the connection and waits a moment for the adapter to say that it is gone: its late word must not
    /// be taken for the end of the next one.
    pub(crate) async fn disconnect(&mut self, peer: &str) {
        let whom = peer.to_owned();
        if self.adapter.command(Box::new(move |link| link.disconnect(whom))).await.is_err() {
            return;
        }
        let deadline = self.now() + GONE;
        while let Ok(event) = self.next(deadline).await {
            if matches!(event, LinkEvent::Disconnected { peer: whom, .. } if whom == peer) {
                return;
            }
        }
    }

    /// The next event before `deadline` (monotonic), unless the shell ends the open.
    pub(crate) async fn next_or_cancel(&mut self, deadline: Duration) -> Result<LinkEvent, Silence> {
        let left = deadline.saturating_sub(self.clock.monotonic());
        tokio::select! {
            biased;
            () = is_true(&mut self.cancelled) => Err(Silence::Cancelled),
            event = self.listener.next() => event.ok_or(Silence::Overrun),
            () = self.clock.sleep(left) => Err(Silence::Deadline),
        }
    }

    /// The next event before `deadline` (monotonic). Not to be cancelled: the lock may be moving.
    pub(crate) async fn next(&mut self, deadline: Duration) -> Result<LinkEvent, Silence> {
        let left = deadline.saturating_sub(self.clock.monotonic());
        tokio::select! {
            biased;
            event = self.listener.next() => event.ok_or(Silence::Overrun),
            () = self.clock.sleep(left) => Err(Silence::Deadline),
        }
    }
}

/// The shell's adapter of the radio; a command that hangs or throws there is a failed one.
pub(super) struct Adapter {
    link: Arc<dyn LockLink>,
    workers: Arc<dyn Workers>,
}

impl Adapter {
    pub(super) fn new(ports: &Ports) -> Self {
        Self { link: ports.link.clone(), workers: ports.workers.clone() }
    }

    pub(super) async fn command(&self, command: Command) -> Result<(), LinkError> {
        let link = self.link.clone();
        match runtime::within(COMMAND, off_thread(&*self.workers, move || command(&*link))).await {
            Some(Ok(done)) => done,
            Some(Err(_)) | None => Err(LinkError::Failed),
        }
    }
}

/// Ends when the value becomes true; never where nobody can set it any more.
async fn is_true(value: &mut watch::Receiver<bool>) {
    if value.wait_for(|set| *set).await.is_err() {
        std::future::pending::<()>().await;
    }
}
