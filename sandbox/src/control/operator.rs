//! What an operator does, and what befalls a box: makes agents and suspends them, hangs boxes, jams motors.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use sentri_server::operator::{NewAgent, NewLockbox};
use sentri_wire::agent::LockboxGeneration;
use serde::{Deserialize, Serialize};

use super::{
    answers::{LockboxSeen, Trouble},
    handlers::{Answer, Body, find, read},
};
use crate::{
    story::{cast, times},
    town::{Person, Town, TownTrouble},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HangLockbox {
    serial: String,
    #[serde(default = "bluetooth")]
    generation: LockboxGeneration,
    #[serde(default = "always")]
    access_hours: String,
}

fn bluetooth() -> LockboxGeneration {
    LockboxGeneration::Ble
}

fn always() -> String {
    "always".into()
}

pub async fn hang_lockbox(State(town): State<Arc<Town>>, body: Body<HangLockbox>) -> Answer<LockboxSeen> {
    let HangLockbox { serial, generation, access_hours } = read(body)?;
    let owner = cast::SENTRIKEY_ID.to_owned();
    let new = NewLockbox { serial, generation, owner, time_zone: times::ZONE.name().into(), access_hours };
    let lockbox = town.add_lockbox(&new).await.map_err(refused)?;
    Ok(Json(LockboxSeen::look(&lockbox)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddAgent {
    sentrikey_id: String,
    email: String,
}

pub async fn add_agent(State(town): State<Arc<Town>>, body: Body<AddAgent>) -> Answer<Person> {
    let AddAgent { sentrikey_id, email } = read(body)?;
    let new = NewAgent { sentrikey_id, email, ..cast::agent() };
    let made = town.operate(async |operator| operator.add_agent(&new).await).await.map_err(refused)?;
    let person = Person {
        name: format!("{} {}", made.account.first_name, made.account.last_name),
        kind: "agent",
        login: new.sentrikey_id,
        password: cast::AGENT_PASSWORD.into(),
        pin: cast::AGENT_PIN.into(),
    };
    town.introduce(person.clone());
    Ok(Json(person))
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum HowTheyStand {
    Good,
    Suspended,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standing {
    standing: HowTheyStand,
}

pub async fn set_standing(
    State(town): State<Arc<Town>>,
    Path(sentrikey_id): Path<String>,
    body: Body<Standing>,
) -> Answer<Standing> {
    let standing = read(body)?;
    town.operate(async |operator| match standing.standing {
        HowTheyStand::Good => operator.reinstate_agent(&sentrikey_id).await,
        HowTheyStand::Suspended => operator.suspend_agent(&sentrikey_id).await,
    })
    .await
    .map_err(refused)?;
    Ok(Json(standing))
}

pub(super) fn refused(trouble: TownTrouble) -> Trouble {
    match trouble {
        TownTrouble::Refused(refusal) => Trouble::bad(refusal.to_string()),
        other => Trouble::failed(other.to_string()),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum MotorState {
    Free,
    Jammed,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Motor {
    motor: MotorState,
}

pub async fn motor(
    State(town): State<Arc<Town>>,
    Path(serial): Path<String>,
    body: Body<Motor>,
) -> Answer<LockboxSeen> {
    let lockbox = find(&town, &serial)?;
    lockbox.board().set_jammed(matches!(read(body)?.motor, MotorState::Jammed));
    Ok(Json(LockboxSeen::look(&lockbox)))
}
