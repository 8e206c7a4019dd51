//! Hubs of communities, and their keys. [OPS-1, RES-5]

use sentri_wire::Secret;
use serde::Serialize;

use super::{Operator, communities::find_community, serial_number};
use crate::{
    refusal::{Answer, Refusal},
    service::residence::hubs::is_online,
    store::{
        Connection,
        hubs::{self, HubRow},
    },
};

/// A hub, by which a community's locks are reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hub {
    /// What is printed on it.
    pub serial: String,
    /// Where it hangs.
    pub community: String,
    /// In use.
    pub active: bool,
    /// It has called lately.
    pub online: bool,
}

/// A hub's key, to be written into it; it is told once.
#[derive(Clone, Debug, Serialize)]
pub struct HubKey {
    /// What is printed on the hub.
    pub serial: String,
    /// By which it logs in.
    pub key: Secret,
}

impl Operator<'_> {
    /// Makes a hub. It can log in once it has a key.
    pub async fn add_hub(&self, serial: &str, community: &str) -> Answer<Hub> {
        let serial = serial_number(serial)?;
        let mut tx = self.app.store.write().await?;
        let community = find_community(tx.conn(), community).await?;
        if hubs::by_serial(tx.conn(), &serial).await?.is_some() {
            return Err(Refusal::conflict("There is a hub with this serial number.").field("serial"));
        }
        let id = self.app.new_id();
        hubs::insert(tx.conn(), id, &serial, community.id, self.app.now()).await?;
        tx.commit().await?;
        Ok(Hub { serial, community: community.name, active: true, online: false })
    }

    /// Gives a hub a key. The one that it had is worth nothing from then on.
    pub async fn renew_hub_key(&self, serial: &str) -> Answer<HubKey> {
        let mut tx = self.app.store.write().await?;
        let hub = find_hub(tx.conn(), serial).await?;
        let token = self.app.new_token();
        hubs::set_key(tx.conn(), hub.id, &token.digest).await?;
        tx.commit().await?;
        Ok(HubKey { serial: hub.serial, key: token.secret })
    }

    /// A community's hubs.
    pub async fn hubs(&self, community: &str) -> Answer<Vec<Hub>> {
        let mut conn = self.app.store.read().await?;
        let community = find_community(&mut conn, community).await?;
        let rows = hubs::of_community(&mut conn, community.id).await?;
        Ok(rows.iter().map(|row| self.hub_of(row)).collect())
    }

    /// Hangs a hub into another community. It takes no doors along.
    pub async fn transfer_hub(&self, serial: &str, community: &str) -> Answer<Hub> {
        let mut tx = self.app.store.write().await?;
        let hub = find_hub(tx.conn(), serial).await?;
        let community = find_community(tx.conn(), community).await?;
        if hub.community != community.name && !hubs::doors(tx.conn(), hub.id).await?.is_empty() {
            return Err(Refusal::conflict("Have its doors reached in another way first.").field("serial"));
        }
        hubs::move_to(tx.conn(), hub.id, community.id).await?;
        tx.commit().await?;
        Ok(self.hub_of(&HubRow { community: community.name, ..hub }))
    }

    /// Takes a hub out of use for good: its key is worth nothing at once. Its doors stay as they are, and refuse every
    /// change until they are reached in another way.
    pub async fn retire_hub(&self, serial: &str) -> Answer<Hub> {
        let mut tx = self.app.store.write().await?;
        let hub = find_hub(tx.conn(), serial).await?;
        let retired_at = self.app.now();
        hubs::retire(tx.conn(), hub.id, retired_at).await?;
        tx.commit().await?;
        Ok(self.hub_of(&HubRow { retired_at: Some(retired_at), ..hub }))
    }

    fn hub_of(&self, row: &HubRow) -> Hub {
        Hub {
            serial: row.serial.clone(),
            community: row.community.clone(),
            active: row.suspended_at.is_none() && row.retired_at.is_none(),
            online: is_online(self.app, row),
        }
    }
}

/// The hub with this serial number, unless it is retired.
pub(super) async fn find_hub(conn: &mut Connection, serial: &str) -> Answer<HubRow> {
    let hub = hubs::by_serial(conn, serial).await?.filter(|hub| hub.retired_at.is_none());
    hub.ok_or_else(|| Refusal::not_found().field("serial").detail("There is no hub with this serial number."))
}
