//! A phone reduced to its radio: it hears, connects, sends and receives whatever it is told to. For strangers,
//! attackers and measurements; everybody else has a [`Phone`](super::Phone).

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use sentri_protocol::{
    advert::Advert,
    frame::{Reassembler, frames},
};

use crate::{
    clock::Clock,
    radio::{Air, Central, Gone, PhonePlace},
};

/// How long one step on the air may take: longer than any latency, shorter than a wake.
const STEP: Duration = Duration::from_secs(2);

/// The phone. It moves the simulated clock itself, so that it needs neither threads nor waits.
pub struct BarePhone {
    air: Air,
    clock: Clock,
    place: PhonePlace,
    inbox: Mutex<Inbox>,
}

#[derive(Default)]
struct Inbox {
    heard: Option<(String, Advert)>,
    link: Option<(String, u16)>,
    incoming: Reassembler,
    messages: VecDeque<Vec<u8>>,
    gone: Option<Gone>,
}

impl BarePhone {
    /// A phone on the air.
    pub fn on_air(air: &Air, clock: &Clock) -> Arc<Self> {
        Arc::new_cyclic(|me: &Weak<Self>| Self {
            air: air.clone(),
            clock: clock.clone(),
            place: air.add_phone(me.clone()),
            inbox: Mutex::default(),
        })
    }

    /// Listens for a while; what was heard last.
    pub fn hear(&self) -> Option<(String, Advert)> {
        self.inbox().heard = None;
        self.air.scan(self.place, true);
        self.clock.advance(STEP);
        self.air.scan(self.place, false);
        self.inbox().heard.take()
    }

    /// Connects; the MTU, where the lock took the link.
    pub fn connect(&self, peer: &str) -> Option<u16> {
        *self.inbox() = Inbox::default();
        self.air.connect(self.place, peer);
        self.clock.advance(STEP);
        self.inbox().link.as_ref().map(|(_, mtu)| *mtu)
    }

    /// Writes one value as it is.
    pub fn write(&self, value: &[u8]) {
        let Some((peer, _)) = self.inbox().link.clone() else { return };
        // A value that no MTU carries is not sent: a stranger's radio would not send it either.
        let _ = self.air.write(self.place, &peer, value);
    }

    /// Sends a message in frames, and waits for what comes back: a whole message, where one does.
    pub fn ask(&self, message: &[u8]) -> Option<Vec<u8>> {
        let (_, mtu) = self.inbox().link.clone()?;
        for frame in frames(message, mtu) {
            self.write(&frame);
        }
        self.clock.advance(STEP);
        self.inbox().messages.pop_front()
    }

    /// Why the link is gone, where it is.
    pub fn gone(&self) -> Option<Gone> {
        self.inbox().gone
    }

    /// Ends the link.
    pub fn disconnect(&self) {
        let link = self.inbox().link.clone();
        if let Some((peer, _)) = link {
            self.air.disconnect(self.place, &peer);
            self.clock.advance(STEP);
        }
    }

    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Central for BarePhone {
    fn advert(&self, peer: &str, advert: &[u8], _: i8) {
        if let Ok(advert) = Advert::decode(advert) {
            self.inbox().heard = Some((peer.to_owned(), advert));
        }
    }

    fn connected(&self, peer: &str, mtu: u16) {
        self.inbox().link = Some((peer.to_owned(), mtu));
    }

    fn notified(&self, _: &str, value: &[u8]) {
        let mut inbox = self.inbox();
        if let Ok(Some(message)) = inbox.incoming.push(value) {
            inbox.messages.push_back(message);
        }
    }

    fn disconnected(&self, _: &str, why: Gone) {
        let mut inbox = self.inbox();
        inbox.link = None;
        inbox.gone = Some(why);
    }
}
