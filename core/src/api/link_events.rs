//! What the radio's adapter tells the core.

use std::sync::Arc;

use super::{ports::DisconnectReason, shielded};
use crate::open::{LinkEvent, LinkHub};

/// Takes what the radio hears. Every call returns at once and may come from any thread; while no open is going
/// on, what comes is dropped.
#[derive(uniffi::Object)]
pub struct LinkEvents {
    pub(crate) hub: Arc<LinkHub>,
}

#[uniffi::export]
impl LinkEvents {
    /// An advert of the lock service was heard. `payload` is its manufacturer data without the company id, 18
    /// bytes; `rssi` is in dBm; `peer` is the adapter's own name of the device, good for `connect`.
    pub fn advert(&self, peer: String, payload: Vec<u8>, rssi: i16) {
        self.deliver(LinkEvent::Advert { peer, payload, rssi });
    }

    /// Connected, service discovered, notifications subscribed. `mtu` is the ATT MTU that was agreed, at least 23.
    pub fn connected(&self, peer: String, mtu: u16) {
        self.deliver(LinkEvent::Connected { peer, mtu });
    }

    /// A notification came: one attribute value.
    pub fn received(&self, peer: String, value: Vec<u8>) {
        self.deliver(LinkEvent::Received { peer, value });
    }

    /// The connection ended, or never came about.
    pub fn disconnected(&self, peer: String, reason: DisconnectReason) {
        self.deliver(LinkEvent::Disconnected { peer, reason });
    }
}

impl LinkEvents {
    fn deliver(&self, event: LinkEvent) {
        shielded((), || self.hub.deliver(event));
    }
}
