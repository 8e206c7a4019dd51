//! Where the radio's events come in, and the one open that listens to them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{broadcast, mpsc};

use crate::api::ports::DisconnectReason;

/// Events that wait for the open to look at them.
const CAPACITY: usize = 1024;
/// Places that adverts never take: they repeat, all else does not.
const RESERVED: usize = 256;
/// Adverts that wait for a list of nearby boxes; the oldest make room.
const OVERHEARD: usize = 64;

/// What the radio tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkEvent {
    /// An advert of the lock service was heard.
    Advert {
        /// The adapter's name of the device.
        peer: String,
        /// The 18 bytes of manufacturer data.
        payload: Vec<u8>,
        /// Signal strength in dBm.
        rssi: i16,
    },
    /// Connected, service discovered, notifications subscribed.
    Connected {
        /// Whom to.
        peer: String,
        /// The ATT MTU that was agreed.
        mtu: u16,
    },
    /// A notification.
    Received {
        /// Who sent it.
        peer: String,
        /// One attribute value.
        value: Vec<u8>,
    },
    /// The connection ended, or never came about.
    Disconnected {
        /// Whom to.
        peer: String,
        /// Why.
        reason: DisconnectReason,
    },
}

/// Takes the radio's events, from any thread, and never blocks.
#[derive(Debug)]
pub struct LinkHub {
    listener: Mutex<Option<mpsc::Sender<LinkEvent>>>,
    overheard: broadcast::Sender<Overheard>,
}

impl Default for LinkHub {
    fn default() -> Self {
        Self { listener: Mutex::default(), overheard: broadcast::channel(OVERHEARD).0 }
    }
}

/// An advert, for those who only list what is near.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overheard {
    /// The 18 bytes of manufacturer data.
    pub payload: Vec<u8>,
    /// Signal strength in dBm.
    pub rssi: i16,
}

/// The events, as long as it lives.
#[derive(Debug)]
pub struct Listener {
    events: mpsc::Receiver<LinkEvent>,
    hub: Arc<LinkHub>,
}

impl LinkHub {
    /// Hands an event to the open that listens; without one it is dropped.
    pub fn deliver(&self, event: LinkEvent) {
        if let LinkEvent::Advert { payload, rssi, .. } = &event {
            // Nobody may be listing what is near.
            let _ = self.overheard.send(Overheard { payload: payload.clone(), rssi: *rssi });
        }
        let mut slot = self.slot();
        let Some(listener) = &*slot else { return };
        let advert = matches!(event, LinkEvent::Advert { .. });
        if advert && listener.capacity() < RESERVED {
            return;
        }
        if listener.try_send(event).is_err() {
            // A lost notification would be taken for a broken lock: better a broken link.
            *slot = None;
        }
    }

    /// Listens from now on; nothing where someone does already.
    pub fn listen(self: &Arc<Self>) -> Option<Listener> {
        let mut slot = self.slot();
        if slot.as_ref().is_some_and(|sender| !sender.is_closed()) {
            return None;
        }
        let (sender, events) = mpsc::channel(CAPACITY);
        *slot = Some(sender);
        Some(Listener { events, hub: self.clone() })
    }

    /// The adverts from now on, beside an open that may go on.
    pub fn overhear(&self) -> broadcast::Receiver<Overheard> {
        self.overheard.subscribe()
    }

    /// Whether an open is going on.
    pub fn is_listened_to(&self) -> bool {
        self.slot().as_ref().is_some_and(|sender| !sender.is_closed())
    }

    fn slot(&self) -> MutexGuard<'_, Option<mpsc::Sender<LinkEvent>>> {
        self.listener.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener {
    /// The next event; nothing once the hub has given up on this listener.
    pub async fn next(&mut self) -> Option<LinkEvent> {
        self.events.recv().await
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.events.close();
        let mut slot = self.hub.slot();
        if slot.as_ref().is_some_and(mpsc::Sender::is_closed) {
            *slot = None;
        }
    }
}
