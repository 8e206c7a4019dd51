//! Hubs of the town's communities.

use std::sync::{Arc, PoisonError};

use super::{Town, TownTrouble};
use crate::hub::VirtualHub;

impl Town {
    /// Has the backend make a hub, and hangs it in this community. One that the backend knows gets another key.
    pub async fn hang_hub(&self, serial: &str, community: &str) -> Result<Arc<VirtualHub>, TownTrouble> {
        let made = self.operate(async |operator| {
            let hubs = operator.hubs(community).await?;
            if !hubs.iter().any(|hub| hub.serial == serial) {
                operator.add_hub(serial, community).await?;
            }
            operator.renew_hub_key(serial).await
        });
        let key = made.await?.key;
        let hub = Arc::new(VirtualHub::new(&self.surroundings(), key, self.chance()?)?);
        let mut hubs = self.hubs.lock().unwrap_or_else(PoisonError::into_inner);
        hubs.insert(serial.to_owned(), hub.clone());
        Ok(hub)
    }

    /// The hub with this serial number.
    pub fn hub(&self, serial: &str) -> Option<Arc<VirtualHub>> {
        self.hubs.lock().unwrap_or_else(PoisonError::into_inner).get(serial).cloned()
    }
}
