//! Residents at their doors: what they go through, their codes and their guests', and the way of these into the
//! locks. [RES-0]

pub mod codes;
pub mod deliveries;
pub mod guests;
pub mod hubs;
pub mod passes;
pub mod records;
pub mod restored;

use sentri_protocol::{Generation, KeyTree, Seed, settings::Settings};
use sentri_wire::{
    account::AccountKind,
    codes::CodeDelivery,
    problem::ProblemCode,
    residence::{Door, DoorKind, DoorReach, Doors},
};

use super::{App, Caller, fault};
use crate::{
    refusal::{Answer, Refusal},
    store::{
        Connection, Id, Writing,
        columns::number,
        communities::{self, CommunityRow},
        door_codes,
        doors::{self, DoorRow, PassHolder},
    },
};

impl Caller {
    /// Refuses everyone but residents.
    pub fn resident(&self) -> Answer<()> {
        if self.kind == AccountKind::Resident {
            Ok(())
        } else {
            Err(Refusal::new(ProblemCode::Forbidden).detail("This is for residents."))
        }
    }
}

impl App {
    /// The keys of a door's lock.
    pub fn door_keys(&self, door: &DoorRow) -> Answer<KeyTree> {
        let bytes = self.vault.open("door-seed", &door.id.to_string(), &door.seed)?;
        let bytes = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| fault("a seed of a wrong length"))?;
        Ok(KeyTree::new(&Seed::new(bytes), Generation(number(door.key_generation, "generation")?)))
    }
}

/// The doors that the caller goes through; none, for whoever is no resident.
pub async fn all(app: &App, caller: &Caller) -> Answer<Doors> {
    let mut conn = app.store.read().await?;
    let mut found = Vec::new();
    for door in doors::of_account(&mut conn, caller.account).await? {
        found.push(to_wire(app, &mut conn, caller, &door).await?);
    }
    Ok(Doors { doors: found })
}

/// A door as the caller's device gets it.
pub async fn to_wire(app: &App, conn: &mut Connection, caller: &Caller, door: &DoorRow) -> Answer<Door> {
    let community = community(conn, door).await?;
    let pass = doors::pass(conn, PassHolder::Device(caller.device), door.id).await?;
    Ok(Door {
        id: door.id.0,
        lock: door.serial.clone(),
        name: door.name.clone(),
        kind: door.kind.0,
        reach: if door.hub_id.is_some() { DoorReach::Hub } else { DoorReach::Bluetooth },
        time_zone: community.time_zone.clone(),
        six_digits: community.six_digit_codes != 0,
        may_pick: community.custom_codes != 0 && door.kind.0 == DoorKind::Unit,
        pass: pass.map(|pass| passes::to_wire(app, door, &pass)).transpose()?,
    })
}

/// Somebody does not go through their doors any more: their codes leave the locks, and their phones forget the doors.
/// The names of their guests go at once.
pub async fn leave(app: &App, tx: &mut Writing, account: Id) -> Answer<()> {
    for door in doors::of_account(tx.conn(), account).await? {
        tx.touch::<Door>(account, &door.serial);
        tx.touch::<CodeDelivery>(account, &door.serial);
    }
    for door in doors::with_codes_of(tx.conn(), account).await? {
        doors::hold(tx.conn(), &door.serial).await?;
        let rows = door_codes::at_door(tx.conn(), door.id).await?;
        let mut places: Vec<i64> =
            rows.iter().filter(|row| row.account_id == account).map(|row| row.place).collect();
        places.dedup();
        for place in places {
            codes::take_out(app, tx, &door.serial, place, true).await?;
        }
    }
    Ok(())
}

/// The settings of a door's lock, without their MAC.
pub fn settings(door: &DoorRow) -> Answer<Settings> {
    let bytes = hex::decode(&door.settings).map_err(|_| fault("settings that are no hex"))?;
    Settings::decode(&bytes).map_err(|_| fault("settings that can't be read"))
}

/// The door of this serial number, where the caller goes through it; nobody else changes it meanwhile.
async fn own_door(tx: &mut Writing, caller: &Caller, serial: &str) -> Answer<DoorRow> {
    caller.resident()?;
    doors::hold(tx.conn(), serial).await?;
    let found = doors::among(tx.conn(), caller.account, &[serial]).await?;
    found.into_iter().next().ok_or_else(Refusal::not_found)
}

async fn community(conn: &mut Connection, door: &DoorRow) -> Answer<CommunityRow> {
    communities::by_id(conn, door.community_id).await?.ok_or_else(|| fault("a door without its community"))
}
