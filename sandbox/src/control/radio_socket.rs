//! The WebSocket `/radio`: a phone outside of the sandbox on the simulated air. One socket is one phone.

use std::sync::{Arc, Weak};

use axum::{
    extract::{
        State,
        ws::{Message, WebSocket, WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::Trouble;
use crate::{
    radio::{Air, Central, Gone, PhonePlace},
    town::Town,
};

/// Events that wait for a slow phone; past that its socket is closed.
const CAPACITY: usize = 1024;
/// The longest message from a phone: a value at the largest MTU in hex, with room.
const LONGEST: usize = 4096;

/// What a phone asks its radio.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Command {
    /// Listens for adverts, or stops.
    Scan { on: bool },
    /// Connects and subscribes.
    Connect { peer: String },
    /// Writes one attribute value, in hex, without response.
    Write { peer: String, value: String },
    /// Ends the link.
    Disconnect { peer: String },
}

/// What its radio tells a phone.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Event {
    Advert { peer: String, payload: String, rssi: i8 },
    Connected { peer: String, mtu: u16 },
    Received { peer: String, value: String },
    Disconnected { peer: String, reason: &'static str },
    Refused { error: String },
}

/// The phone's end of the air: hands on what it hears.
struct Antenna {
    events: mpsc::Sender<Event>,
}

impl Antenna {
    /// A full queue drops the event; the socket notices that it is full and ends.
    fn tell(&self, event: Event) {
        let _ = self.events.try_send(event);
    }
}

impl Central for Antenna {
    fn advert(&self, peer: &str, advert: &[u8], rssi: i8) {
        self.tell(Event::Advert { peer: peer.to_owned(), payload: hex::encode(advert), rssi });
    }

    fn connected(&self, peer: &str, mtu: u16) {
        self.tell(Event::Connected { peer: peer.to_owned(), mtu });
    }

    fn notified(&self, peer: &str, value: &[u8]) {
        self.tell(Event::Received { peer: peer.to_owned(), value: hex::encode(value) });
    }

    fn disconnected(&self, peer: &str, why: Gone) {
        let reason = match why {
            Gone::Requested => "requested",
            Gone::ByLock => "by_lock",
            Gone::Lost => "lost",
            Gone::NotConnected => "not_connected",
        };
        self.tell(Event::Disconnected { peer: peer.to_owned(), reason });
    }
}

pub async fn upgrade(
    State(town): State<Arc<Town>>,
    socket: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let Ok(socket) = socket else {
        return Trouble::bad("This is a WebSocket: connect to it by ws://.").into_response();
    };
    let air = town.air.clone();
    socket.max_message_size(LONGEST).on_upgrade(move |socket| carry(socket, air))
}

async fn carry(mut socket: WebSocket, air: Air) {
    let (events, mut heard) = mpsc::channel(CAPACITY);
    let antenna = Arc::new(Antenna { events });
    let weak: Weak<dyn Central> = Arc::downgrade(&antenna) as Weak<dyn Central>;
    let place = air.add_phone(weak);
    loop {
        let event = tokio::select! {
            message = socket.recv() => match message {
                Some(Ok(Message::Text(text))) => obey(&air, place, &text).err(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => None,
                Some(Ok(Message::Binary(_))) => Some(refused("Commands are JSON texts.")),
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
            },
            event = heard.recv() => event,
        };
        let Some(event) = event else { continue };
        let Ok(text) = serde_json::to_string(&event) else { continue };
        if heard.len() >= CAPACITY || socket.send(Message::Text(text.into())).await.is_err() {
            break;
        }
    }
    air.remove_phone(place);
}

fn obey(air: &Air, place: PhonePlace, text: &str) -> Result<(), Event> {
    match serde_json::from_str(text).map_err(|error| refused(&error.to_string()))? {
        Command::Scan { on } => air.scan(place, on),
        Command::Connect { peer } => air.connect(place, &peer),
        Command::Write { peer, value } => {
            let value = hex::decode(value).map_err(|_| refused("value: not hex"))?;
            air.write(place, &peer, &value).map_err(|error| refused(&error.to_string()))?;
        }
        Command::Disconnect { peer } => air.disconnect(place, &peer),
    }
    Ok(())
}

fn refused(error: &str) -> Event {
    Event::Refused { error: error.to_owned() }
}
