//! Doors of communities, and their locks. [OPS-1, OPS-2, RES-0]

use sentri_protocol::{Generation, hours::AccessHours, settings::Settings};
use sentri_wire::{
    Binary,
    residence::{Door, DoorCode, DoorKind},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Operator, communities::find_community, hubs::find_hub, serial_number};
use crate::{
    refusal::{Answer, Refusal},
    rules,
    service::{fault, protocol_time, residence::codes::name, zones},
    store::{
        Named,
        communities::{self, CommunityRow},
        door_codes,
        doors::{self, DoorRow},
        hubs::{self, HubRow},
        lockboxes,
    },
};

/// A new door with its lock.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewDoor {
    /// What is printed on the lock: 4 to 16 digits, capital letters and dashes.
    pub serial: String,
    /// Name of the community.
    pub community: String,
    /// What is behind it.
    pub kind: DoorKind,
    /// Which unit it belongs to; an access point or amenity belongs to none.
    #[serde(default)]
    pub unit: Option<String>,
    /// What residents call it: "Unit 12", "Pool".
    pub name: String,
    /// Serial number of the hub that reaches it; left out: Bluetooth.
    #[serde(default)]
    pub hub: Option<String>,
}

/// A door, as operators see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DoorSummary {
    /// Its id.
    pub id: Uuid,
    /// What is printed on its lock.
    pub serial: String,
    /// What is behind it.
    pub kind: DoorKind,
    /// Which unit it belongs to.
    pub unit: Option<String>,
    /// What residents call it.
    pub name: String,
    /// The newest version of its codes.
    pub codes_version: i64,
    /// The version that its lock says it has.
    pub delivered_version: i64,
}

/// What the factory writes into a door's lock. The seed is its secret.
#[derive(Clone, Debug, Serialize)]
pub struct ProvisionedDoor {
    /// The door; its id is the lock's.
    #[serde(flatten)]
    pub door: DoorSummary,
    /// 32 bytes, as base64.
    pub seed: Binary,
    /// Generation of its keys.
    pub key_generation: u32,
    /// Its first settings, signed, as base64.
    pub settings: Binary,
}

impl Operator<'_> {
    /// Makes a lock with a fresh seed a unit's door, an access point or an amenity, and says what the factory writes
    /// into it.
    pub async fn provision_door(&self, new: &NewDoor) -> Answer<ProvisionedDoor> {
        let serial = serial_number(&new.serial)?;
        let called = rules::text(&new.name, 64, "name")?;
        let unit = unit(new)?;
        let mut tx = self.app.store.write().await?;
        let community = find_community(tx.conn(), &new.community).await?;
        let hub = match &new.hub {
            Some(serial) => Some(find_hub(tx.conn(), serial).await?),
            None => None,
        };
        hangs_in(&community, hub.as_ref())?;
        if lockboxes::by_serial(tx.conn(), &serial).await?.is_some()
            || doors::by_serial(tx.conn(), &serial).await?.is_some()
        {
            return Err(Refusal::conflict("There is a lock with this serial number.").field("serial"));
        }
        let settings = Settings {
            version: 1,
            zone: zones::around(
                rules::time_zone(&community.time_zone, "time_zone")?,
                protocol_time(self.app.now())?,
            ),
            access_hours: AccessHours::ALWAYS,
            ..Settings::default()
        };
        let seed = zeroize::Zeroizing::new(self.app.random::<32>());
        let id = self.app.new_id();
        let row = DoorRow {
            id,
            serial,
            community_id: community.id,
            kind: Named(new.kind),
            name: called,
            unit,
            hub_id: hub.map(|hub| hub.id),
            settings: hex::encode(settings.encode()),
            seed: self.app.vault.seal("door-seed", &id.to_string(), seed.as_ref())?,
            key_generation: Generation::FIRST.0.into(),
            epoch: 1,
            codes_version: 0,
            delivered_version: 0,
            last_heard_at: None,
            hub_heard_at: None,
            hub_took_version: 0,
            hub_leased_until: None,
            hub_brought_version: 0,
            audit_number: 0,
            audit_tag: hex::encode([0; 12]),
            audit_lost: 0,
            created_at: self.app.now(),
        };
        doors::insert(tx.conn(), &row).await?;
        for account in doors::passers(tx.conn(), &row).await? {
            tx.touch::<Door>(account, &row.serial);
        }
        tx.commit().await?;
        Ok(ProvisionedDoor {
            door: summary(&row),
            seed: Binary::from(*seed),
            key_generation: Generation::FIRST.0,
            settings: Binary::from(settings.sign(&self.app.door_keys(&row)?)),
        })
    }

    /// Has a door reached by this hub from now on, or by Bluetooth where none is named.
    pub async fn reach_door(&self, serial: &str, hub: Option<&str>) -> Answer<DoorSummary> {
        let mut tx = self.app.store.write().await?;
        doors::hold(tx.conn(), serial).await?;
        let door = doors::by_serial(tx.conn(), serial).await?.ok_or_else(|| {
            Refusal::not_found().field("serial").detail("There is no door with this serial number.")
        })?;
        let community = communities::by_id(tx.conn(), door.community_id)
            .await?
            .ok_or_else(|| fault("a door without its community"))?;
        let hub = match hub {
            Some(serial) => Some(find_hub(tx.conn(), serial).await?),
            None => None,
        };
        hangs_in(&community, hub.as_ref())?;
        hubs::put_door(tx.conn(), door.id, hub.map(|hub| hub.id)).await?;
        for account in doors::passers(tx.conn(), &door).await? {
            tx.touch::<Door>(account, &door.serial);
        }
        for row in door_codes::at_door(tx.conn(), door.id).await? {
            tx.touch::<DoorCode>(row.account_id, name(&door.serial, row.place));
        }
        tx.commit().await?;
        Ok(summary(&door))
    }

    /// A community's doors, by name.
    pub async fn doors(&self, community: &str) -> Answer<Vec<DoorSummary>> {
        let mut conn = self.app.store.read().await?;
        let community = find_community(&mut conn, community).await?;
        Ok(doors::of_community(&mut conn, community.id).await?.iter().map(summary).collect())
    }
}

fn hangs_in(community: &CommunityRow, hub: Option<&HubRow>) -> Answer<()> {
    if hub.is_some_and(|hub| hub.community != community.name) {
        return Err(Refusal::conflict("The hub hangs in another community.").field("hub"));
    }
    Ok(())
}

/// A unit's door has its unit, and no other door has one.
fn unit(new: &NewDoor) -> Answer<Option<String>> {
    match (new.kind, &new.unit) {
        (DoorKind::Unit, Some(unit)) => rules::text(unit, 32, "unit").map(Some),
        (DoorKind::Unit, None) => Err(Refusal::invalid("unit", "Say which unit it is the door of.")),
        (_, None) => Ok(None),
        (_, Some(_)) => Err(Refusal::invalid("unit", "Access points and amenities belong to no unit.")),
    }
}

fn summary(row: &DoorRow) -> DoorSummary {
    DoorSummary {
        id: row.id.0,
        serial: row.serial.clone(),
        kind: row.kind.0,
        unit: row.unit.clone(),
        name: row.name.clone(),
        codes_version: row.codes_version,
        delivered_version: row.delivered_version,
    }
}
