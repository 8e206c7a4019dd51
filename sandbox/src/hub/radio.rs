//! The hub's end of the simulated radio: it hears adverts, and has one link at a time.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use sentri_protocol::{
    advert::Advert,
    frame::{Reassembler, frames},
};
use tokio::sync::{Mutex, mpsc};

use crate::{
    clock::{Clock, Pull},
    radio::{Air, Central, Gone, PhonePlace},
};

/// How long a lock has to take the link, and to answer a message: it may write to its flash in between.
const ANSWER: Duration = Duration::from_secs(4);

enum Event {
    Advert(String, Advert),
    Connected(String, u16),
    Value(String, Vec<u8>),
    Gone(String),
}

pub(super) struct HubRadio {
    air: Air,
    clock: Clock,
    place: PhonePlace,
    tell: mpsc::UnboundedSender<Event>,
    events: Mutex<mpsc::UnboundedReceiver<Event>>,
}

/// A link to a lock. It ends where it is dropped.
pub(super) struct Link<'r> {
    radio: &'r HubRadio,
    peer: &'r str,
    mtu: u16,
    incoming: Reassembler,
}

impl HubRadio {
    pub(super) fn on_air(air: &Air, clock: &Clock) -> Arc<Self> {
        let (tell, events) = mpsc::unbounded_channel();
        Arc::new_cyclic(|me: &Weak<Self>| Self {
            air: air.clone(),
            clock: clock.clone(),
            place: air.add_phone(me.clone()),
            tell,
            events: events.into(),
        })
    }

    /// Tells of each advert in that time, until it is enough.
    pub(super) async fn listen(&self, time: Duration, mut is_enough: impl FnMut(String, Advert) -> bool) {
        let until = self.clock.elapsed() + time;
        self.air.scan(self.place, true);
        while let Some(event) = self.next(until).await {
            if let Event::Advert(peer, advert) = event
                && is_enough(peer, advert)
            {
                break;
            }
        }
        self.air.scan(self.place, false);
    }

    /// A link, where the lock takes it.
    pub(super) async fn connect<'r>(&'r self, peer: &'r str) -> Option<Link<'r>> {
        let until = self.clock.elapsed() + ANSWER;
        self.air.connect(self.place, peer);
        loop {
            match self.next(until).await? {
                Event::Connected(whom, mtu) if whom == peer => {
                    return Some(Link { radio: self, peer, mtu, incoming: Reassembler::new() });
                }
                Event::Gone(whom) if whom == peer => return None,
                _ => {}
            }
        }
    }

    async fn next(&self, until: Duration) -> Option<Event> {
        let left = until.saturating_sub(self.clock.elapsed());
        let mut events = self.events.lock().await;
        tokio::select! {
            biased;
            event = events.recv() => event,
            () = self.clock.sleep(left, Pull::Yes) => None,
        }
    }
}

impl Link<'_> {
    /// Sends a message, and waits for the answer; nothing where the link is gone or the lock is silent.
    pub(super) async fn ask(&mut self, message: &[u8]) -> Option<Vec<u8>> {
        for frame in frames(message, self.mtu) {
            self.radio.air.write(self.radio.place, self.peer, &frame).ok()?;
        }
        let until = self.radio.clock.elapsed() + ANSWER;
        loop {
            match self.radio.next(until).await? {
                Event::Value(whom, value) if whom == self.peer => {
                    if let Some(message) = self.incoming.push(&value).ok()? {
                        return Some(message);
                    }
                }
                Event::Gone(whom) if whom == self.peer => return None,
                _ => {}
            }
        }
    }
}

impl Drop for Link<'_> {
    fn drop(&mut self) {
        self.radio.air.disconnect(self.radio.place, self.peer);
    }
}

impl HubRadio {
    fn tell(&self, event: Event) {
        // Whoever listened is gone with the hub.
        let _ = self.tell.send(event);
    }
}

impl Central for HubRadio {
    fn advert(&self, peer: &str, advert: &[u8], _: i8) {
        if let Ok(advert) = Advert::decode(advert) {
            self.tell(Event::Advert(peer.to_owned(), advert));
        }
    }

    fn connected(&self, peer: &str, mtu: u16) {
        self.tell(Event::Connected(peer.to_owned(), mtu));
    }

    fn notified(&self, peer: &str, value: &[u8]) {
        self.tell(Event::Value(peer.to_owned(), value.to_vec()));
    }

    fn disconnected(&self, peer: &str, _: Gone) {
        self.tell(Event::Gone(peer.to_owned()));
    }
}
