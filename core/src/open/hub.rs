//! Where the radio's events come in, and the one open that listens to them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

use crate::api::ports::DisconnectReason;

/// Events that wait for the open to look at them.
const CAPACITY: usize = 1024;
/// Places that adverts never take: they repeat, all else does not.
const RESERVED: usize = 256;

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
#[derive(Debug, Default)]
pub struct LinkHub {
    listener: Mutex<Option<mpsc::Sender<LinkEvent>>>,
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
