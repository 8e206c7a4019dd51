//! A phone's end of the simulated radio: what a shell's Bluetooth adapter is on a real phone.

use std::sync::{Arc, OnceLock, Weak};

use sentri_core::api::{
    link_events::LinkEvents,
    ports::{DisconnectReason, LinkError, LockLink},
};

use crate::radio::{Air, Central, Gone, PhonePlace};

/// The adapter between the core's port and the simulated radio.
pub(super) struct RadioLink {
    air: Air,
    place: PhonePlace,
    events: OnceLock<Arc<LinkEvents>>,
}

impl RadioLink {
    pub(super) fn on_air(air: &Air) -> Arc<Self> {
        Arc::new_cyclic(|me: &Weak<Self>| Self {
            air: air.clone(),
            place: air.add_phone(me.clone()),
            events: OnceLock::new(),
        })
    }

    /// Whom to tell what is heard. The first one counts.
    pub(super) fn tell(&self, events: Arc<LinkEvents>) {
        self.events.get_or_init(|| events);
    }

    fn events(&self) -> Option<&LinkEvents> {
        self.events.get().map(Arc::as_ref)
    }
}

impl LockLink for RadioLink {
    fn start_scan(&self) -> Result<(), LinkError> {
        self.air.scan(self.place, true);
        Ok(())
    }

    fn stop_scan(&self) -> Result<(), LinkError> {
        self.air.scan(self.place, false);
        Ok(())
    }

    fn connect(&self, peer: String) -> Result<(), LinkError> {
        self.air.connect(self.place, &peer);
        Ok(())
    }

    fn write(&self, peer: String, value: Vec<u8>) -> Result<(), LinkError> {
        self.air.write(self.place, &peer, &value).map_err(|_| LinkError::Failed)
    }

    fn disconnect(&self, peer: String) -> Result<(), LinkError> {
        self.air.disconnect(self.place, &peer);
        Ok(())
    }
}

impl Central for RadioLink {
    fn advert(&self, peer: &str, advert: &[u8], rssi: i8) {
        if let Some(events) = self.events() {
            events.advert(peer.to_owned(), advert.to_vec(), rssi.into());
        }
    }

    fn connected(&self, peer: &str, mtu: u16) {
        if let Some(events) = self.events() {
            events.connected(peer.to_owned(), mtu);
        }
    }

    fn notified(&self, peer: &str, value: &[u8]) {
        if let Some(events) = self.events() {
            events.received(peer.to_owned(), value.to_vec());
        }
    }

    fn disconnected(&self, peer: &str, why: Gone) {
        let reason = match why {
            Gone::Requested => DisconnectReason::Requested,
            Gone::ByLock => DisconnectReason::ByLock,
            Gone::Lost => DisconnectReason::Lost,
            Gone::NotConnected => DisconnectReason::NotConnected,
        };
        if let Some(events) = self.events() {
            events.disconnected(peer.to_owned(), reason);
        }
    }
}
