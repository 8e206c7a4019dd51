//! Where the radio's events come in, and the one open that listens to them.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::{Notify, broadcast, mpsc};

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
    slot: Mutex<Slot>,
    freed: Notify,
    overheard: broadcast::Sender<Overheard>,
}

/// The one place to listen at.
#[derive(Debug, Default)]
struct Slot {
    listener: Option<mpsc::Sender<LinkEvent>>,
    /// Whether the open that listens makes way for the next one.
    way: MakesWay,
    /// The next open waits for that.
    wanted: bool,
}

/// Whether an open makes way for the next one: it has told its result and only runs errands, or it was ended.
#[derive(Clone, Debug, Default)]
pub struct MakesWay(Arc<AtomicBool>);

impl MakesWay {
    /// From now on it does.
    pub fn begin(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn has_begun(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl Slot {
    fn is_taken(&self) -> bool {
        self.listener.as_ref().is_some_and(|sender| !sender.is_closed())
    }
}

impl Default for LinkHub {
    fn default() -> Self {
        Self { slot: Mutex::default(), freed: Notify::new(), overheard: broadcast::channel(OVERHEARD).0 }
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

/// An open's turn to listen: now, or once the one before has made way.
#[derive(Debug)]
pub enum Turn {
    /// Nobody else listens.
    Now(Listener),
    /// The open before makes way for this one.
    Next(Next),
}

/// A turn that comes as soon as the listener of now is gone.
#[derive(Debug)]
pub struct Next {
    hub: Arc<LinkHub>,
    way: MakesWay,
}

impl LinkHub {
    /// Hands an event to the open that listens; without one it is dropped.
    pub fn deliver(&self, event: LinkEvent) {
        if let LinkEvent::Advert { payload, rssi, .. } = &event {
            // Nobody may be listing what is near.
            let _ = self.overheard.send(Overheard { payload: payload.clone(), rssi: *rssi });
        }
        let mut slot = self.slot();
        let Some(listener) = &slot.listener else { return };
        let advert = matches!(event, LinkEvent::Advert { .. });
        if advert && listener.capacity() < RESERVED {
            return;
        }
        if listener.try_send(event).is_err() {
            // A lost notification would be taken for a broken lock: better a broken link.
            slot.listener = None;
        }
    }

    /// Listens from now on, or next where the open before makes way. Nothing where one still tries, or waits for its
    /// turn already. `way` is this open's own.
    pub fn turn(self: &Arc<Self>, way: &MakesWay) -> Option<Turn> {
        let mut slot = self.slot();
        if slot.wanted {
            return None;
        }
        if !slot.is_taken() {
            return Some(Turn::Now(self.listener(&mut slot, way.clone())));
        }
        slot.wanted = slot.way.has_begun();
        slot.wanted.then(|| Turn::Next(Next { hub: self.clone(), way: way.clone() }))
    }

    fn listener(self: &Arc<Self>, slot: &mut Slot, way: MakesWay) -> Listener {
        let (sender, events) = mpsc::channel(CAPACITY);
        *slot = Slot { listener: Some(sender), way, wanted: slot.wanted };
        Listener { events, hub: self.clone() }
    }

    /// The adverts from now on, beside an open that may go on.
    pub fn overhear(&self) -> broadcast::Receiver<Overheard> {
        self.overheard.subscribe()
    }

    /// Whether an open is going on.
    pub fn is_listened_to(&self) -> bool {
        self.slot().is_taken()
    }

    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// Listens, once it is its turn: the open before makes way at the lock's next answer, or without one.
    pub async fn come(self) -> Listener {
        match self {
            Self::Now(listener) => listener,
            Self::Next(next) => next.come().await,
        }
    }
}

impl Next {
    async fn come(self) -> Listener {
        loop {
            let freed = self.hub.freed.notified();
            {
                let mut slot = self.hub.slot();
                if !slot.is_taken() {
                    return self.hub.listener(&mut slot, self.way.clone());
                }
            }
            freed.await;
        }
    }
}

impl Drop for Next {
    fn drop(&mut self) {
        self.hub.slot().wanted = false;
    }
}

impl Listener {
    /// The next event; nothing once the hub has given up on this listener.
    pub async fn next(&mut self) -> Option<LinkEvent> {
        self.events.recv().await
    }

    /// Whether another open waits for the link.
    pub fn is_wanted(&self) -> bool {
        self.hub.slot().wanted
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.events.close();
        let mut slot = self.hub.slot();
        if slot.listener.as_ref().is_some_and(mpsc::Sender::is_closed) {
            *slot = Slot { wanted: slot.wanted, ..Slot::default() };
        }
        drop(slot);
        self.hub.freed.notify_waiters();
    }
}
