//! A building with a door that phones bring codes to and one that has a hub, and two residents who share a home there:
//! built once, and copied for each run of a test.

use std::{collections::HashMap, sync::Arc};

use sentri_core::{api::types::App, http::Http, open::PhoneChecks};
use sentri_sandbox::{
    clock::Clock,
    hub::VirtualHub,
    phone::{Between, Device, Phone},
    story::cast,
    town::{Plan, Town},
};
use sentri_server::operator::NewDoor;
use sentri_wire::{Secret, agent::LockboxGeneration, residence::DoorKind};

use crate::{
    BEGINS, Trouble,
    home::{COMMUNITY, DOOR, HUB, RAE, SAM, community, deliver, resident},
    kept::{Kept, TownCopy},
};

/// Serial number of the lock of the home, which phones alone reach.
pub const HOME: &str = DOOR;
/// Serial number of the garage's lock, which the hub reaches too.
pub const GARAGE: &str = "DOOR-0002";
/// The residents.
pub const RESIDENTS: [(&str, &str, &str); 2] = [RAE, SAM];

/// How a building stood when its town was stopped: all residents have codes that work at both doors.
pub struct Building {
    kept: Kept,
    now: i64,
    hub_key: Secret,
    keys: Vec<HashMap<String, Vec<u8>>>,
}

/// A copy of the building, with nobody's app started and no hub plugged in yet.
pub struct BuildingCopy {
    /// The town that it stands in.
    pub town: Arc<Town>,
    devices: Vec<Device>,
    hub_key: Secret,
    /// Its data go with it.
    _copy: TownCopy,
}

impl Building {
    /// Builds it, has everybody move in, and stops its town.
    pub async fn build(seed: u64) -> Result<Self, Trouble> {
        let kept = Kept::new().await?;
        let (data, database) = (Some(kept.folder()), kept.database());
        let plan = Plan { clock: Clock::simulated(BEGINS), data, port: 0, database, seed: Some(seed) };
        let town = Arc::new(Town::found(plan).await?);
        let hub_key = put_up(&town).await?;
        let hub = VirtualHub::new(&town.surroundings(), hub_key.clone(), seed);
        let hub = hub.map_err(|_| Trouble::Unexpected("a hub without a network"))?;
        turn(&town, &hub).await?;
        let mut keys = Vec::new();
        for (name, email, _) in RESIDENTS {
            let mut device = device(&town, name);
            let phone = device.start(&town.surroundings())?;
            move_in(&town, &phone, email).await?;
            turn(&town, &hub).await?;
            town.clock.scene(phone.core.sync_now()).await?;
            keys.push(device.keys().items());
        }
        let building = Self { kept, now: town.clock.now(), hub_key, keys };
        town.stop().await;
        Ok(building)
    }

    /// Copies it. All chance in the copy follows from `seed`.
    pub async fn copy(&self, seed: u64) -> Result<BuildingCopy, Trouble> {
        let locks = [HOME, GARAGE].map(|serial| (serial, LockboxGeneration::Ble));
        let copy = self.kept.copy(seed, self.now, &locks).await?;
        let town = copy.town.clone();
        let with_keys = |((name, ..), keys): ((&str, _, _), &HashMap<_, _>)| {
            let device = device(&town, name);
            device.keys().restore(keys.clone());
            device
        };
        let devices = RESIDENTS.into_iter().zip(&self.keys).map(with_keys).collect();
        Ok(BuildingCopy { town, devices, hub_key: self.hub_key.clone(), _copy: copy })
    }
}

impl BuildingCopy {
    /// Starts the app of a resident.
    pub fn start(&mut self, resident: usize, between: Between) -> Result<Phone, Trouble> {
        let around = self.town.surroundings();
        let device = self.devices.get_mut(resident).ok_or(Trouble::Unexpected("no such device"))?;
        Ok(device.start_between(&around, between)?)
    }

    /// Plugs the hub in: it remembers nothing but its key.
    pub fn plug_in_hub(&self, http: Arc<dyn Http>, seed: u64) -> VirtualHub {
        VirtualHub::over(&self.town.surroundings(), http, self.hub_key.clone(), seed)
    }
}

/// The community with its doors, its hub and its residents; the hub's key.
async fn put_up(town: &Town) -> Result<Secret, Trouble> {
    let key = town.operate(async |operator| {
        operator.add_community(&community()).await?;
        for who in RESIDENTS {
            operator.add_resident(COMMUNITY, "1", &resident(who)).await?;
        }
        operator.add_hub(HUB, COMMUNITY).await?;
        operator.renew_hub_key(HUB).await
    });
    let key = key.await?.key;
    let home = (HOME, DoorKind::Unit, Some("1".into()), None);
    let garage = (GARAGE, DoorKind::AccessPoint, None, Some(HUB.into()));
    for (serial, kind, unit, hub) in [home, garage] {
        let (name, community) = (serial.into(), COMMUNITY.into());
        town.add_door(&NewDoor { serial: serial.into(), community, kind, unit, name, hub }).await?;
    }
    Ok(key)
}

/// A resident logs in, and has a code made for each door; the home's goes there with the phone.
async fn move_in(town: &Town, phone: &Phone, email: &str) -> Result<(), Trouble> {
    let core = &phone.core;
    core.login_contractor(email.into(), cast::CONTRACTOR_PASSWORD.into()).await?;
    town.clock.scene(core.sync_now()).await?;
    for serial in [HOME, GARAGE] {
        town.clock.scene(core.generate_door_code(serial.into(), None)).await?;
    }
    let door = town.lockbox(HOME).ok_or(Trouble::Unexpected("a door without a lock"))?;
    deliver(town, phone, &door).await?;
    Ok(())
}

async fn turn(town: &Town, hub: &VirtualHub) -> Result<(), Trouble> {
    let turned = town.clock.scene(hub.turn()).await;
    turned.map(drop).map_err(|_| Trouble::Unexpected("a hub that can't call"))
}

fn device(town: &Town, name: &str) -> Device {
    town.device(&format!("{name}'s phone"), App::Connect, PhoneChecks::Enforced)
}
