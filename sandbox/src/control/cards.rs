//! Agents' cards: renewed at a reader, put into slots and taken out.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use serde::Deserialize;

use super::{
    answers::{LockboxSeen, Trouble},
    handlers::{Answer, Body, find, read},
};
use crate::{
    calls::CallTrouble,
    town::{CardSeen, CardTrouble, Town},
};

pub async fn cards(State(town): State<Arc<Town>>) -> Json<Vec<CardSeen>> {
    Json(town.cards().await)
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Renewal {
    /// What is typed at the reader; the agent's own where it is left out.
    password: Option<String>,
    pin: Option<String>,
}

pub async fn renew(
    State(town): State<Arc<Town>>,
    Path(sentrikey_id): Path<String>,
    body: Body<Renewal>,
) -> Answer<CardSeen> {
    let Renewal { password, pin } = read(body)?;
    Ok(Json(town.renew_card(&sentrikey_id, password, pin).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Insert {
    /// SentriKey ID of the agent whose card it is.
    of: String,
}

pub async fn insert(
    State(town): State<Arc<Town>>,
    Path(serial): Path<String>,
    body: Body<Insert>,
) -> Answer<LockboxSeen> {
    let lockbox = find(&town, &serial)?;
    town.insert_card(&read(body)?.of, &lockbox).await?;
    Ok(Json(LockboxSeen::look(&lockbox)))
}

pub async fn take_out(State(town): State<Arc<Town>>, Path(serial): Path<String>) -> Answer<LockboxSeen> {
    let lockbox = find(&town, &serial)?;
    town.take_card_out(&lockbox).await?;
    Ok(Json(LockboxSeen::look(&lockbox)))
}

impl From<CardTrouble> for Trouble {
    fn from(trouble: CardTrouble) -> Self {
        let told = trouble.to_string();
        match trouble {
            CardTrouble::NoSuchAgent => Self::not_found(told),
            CardTrouble::Reader(CallTrouble::Garbled | CallTrouble::Network(_)) => Self::failed(told),
            _ => Self::bad(told),
        }
    }
}
