//! Residents with their doors, and the hubs that reach these.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use sentri_server::operator::{NewCommunity, NewDoor, NewPerson};
use sentri_wire::{Secret, residence::DoorKind};
use serde::{Deserialize, Serialize};

use super::{
    answers::Trouble,
    handlers::{Answer, Body, read},
    operator::refused,
};
use crate::{
    calls::CallTrouble,
    hub::{Turn, VirtualHub},
    story::{cast, times},
    town::{Person, Town},
};

/// Where all residents of the sandbox live.
const COMMUNITY: &str = "Maple Court";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MoveIn {
    email: String,
    phone: String,
    /// Serial number of the lock of their door.
    door: String,
    /// Of the hub that reaches it; left out: Bluetooth.
    hub: Option<String>,
}

pub async fn move_in(State(town): State<Arc<Town>>, body: Body<MoveIn>) -> Answer<Person> {
    let MoveIn { email, phone, door, hub } = read(body)?;
    let (unit, login) = (format!("Unit {door}"), email.clone());
    let person = NewPerson {
        first_name: "Rae".into(),
        last_name: "Holm".into(),
        email,
        phone,
        password: Some(Secret::new(cast::CONTRACTOR_PASSWORD)),
        pin: Some(Secret::new(cast::AGENT_PIN)),
    };
    let moved = town.operate(async |operator| {
        if !operator.communities().await?.iter().any(|it| it.name == COMMUNITY) {
            operator.add_community(&community()).await?;
        }
        operator.add_resident(COMMUNITY, &unit, &person).await
    });
    moved.await.map_err(refused)?;
    if let Some(hub) = hub.as_ref().filter(|hub| town.hub(hub).is_none()) {
        town.hang_hub(hub, COMMUNITY).await.map_err(refused)?;
    }
    let (name, unit) = (unit.clone(), Some(unit));
    let door = NewDoor { serial: door, community: COMMUNITY.into(), kind: DoorKind::Unit, unit, name, hub };
    town.add_door(&door).await.map_err(refused)?;
    let person = Person {
        name: "Rae Holm".into(),
        kind: "resident",
        login,
        password: cast::CONTRACTOR_PASSWORD.into(),
        pin: cast::AGENT_PIN.into(),
    };
    town.introduce(person.clone());
    Ok(Json(person))
}

fn community() -> NewCommunity {
    NewCommunity {
        name: COMMUNITY.into(),
        management: "Oak Homes".into(),
        time_zone: times::ZONE.name().into(),
        six_digit_codes: false,
        custom_codes: true,
    }
}

/// What a turn came to.
#[derive(Serialize)]
pub struct Turned {
    heard: Vec<String>,
    brought: Vec<String>,
}

/// The hub does a round of its work, which takes some seconds.
pub async fn turn(State(town): State<Arc<Town>>, Path(serial): Path<String>) -> Answer<Turned> {
    let Turn { heard, brought, .. } = match town.clock.scene(find(&town, &serial)?.turn()).await {
        Ok(turn) => turn,
        // A hub without network waits for it.
        Err(CallTrouble::Offline) => Turn::default(),
        Err(trouble) => return Err(Trouble::failed(trouble.to_string())),
    };
    Ok(Json(Turned { heard, brought }))
}

fn find(town: &Town, serial: &str) -> Result<Arc<VirtualHub>, Trouble> {
    town.hub(serial).ok_or_else(|| Trouble::not_found("There is no hub with this serial number."))
}
