//! From HTTP to the rules about lockboxes' settings and members' cards, and back.

use axum::{Json, extract::State};
use sentri_wire::{
    agent::Lockbox,
    card::{CardErrands, CardRenewal, RenewedCard},
    settings::{BoxSettings, LockboxSearch, LockboxSettings, SettingsChoice},
};

use super::{
    Shared,
    extract::{Auth, Body, Key, Segment},
    handlers::Reply,
};
use crate::service::{box_settings, cards, lockboxes};

pub async fn defaults(State(app): State<Shared>, Auth(caller): Auth) -> Reply<BoxSettings> {
    box_settings::defaults(&app, &caller).await.map(Json)
}

pub async fn set_defaults(
    State(app): State<Shared>,
    Auth(caller): Auth,
    key: Key,
    body: Body<BoxSettings>,
) -> Reply<BoxSettings> {
    let once = key.with(&app, &body.bytes)?;
    box_settings::set_defaults(&app, &caller, &once, &body.value).await.map(Json)
}

pub async fn settings(
    State(app): State<Shared>,
    Auth(caller): Auth,
    Segment(serial): Segment,
) -> Reply<LockboxSettings> {
    box_settings::of(&app, &caller, &serial).await.map(Json)
}

pub async fn set_settings(
    State(app): State<Shared>,
    Auth(caller): Auth,
    Segment(serial): Segment,
    key: Key,
    body: Body<SettingsChoice>,
) -> Reply<LockboxSettings> {
    let once = key.with(&app, &body.bytes)?;
    box_settings::set(&app, &caller, &once, &serial, &body.value).await.map(Json)
}

pub async fn search(
    State(app): State<Shared>,
    Auth(caller): Auth,
    body: Body<LockboxSearch>,
) -> Reply<Lockbox> {
    lockboxes::heard(&app, &caller, &body.value).await.map(Json)
}

pub async fn card_errands(State(app): State<Shared>, Auth(caller): Auth) -> Reply<CardErrands> {
    cards::errands(&app, &caller).await.map(Json)
}

pub async fn renew_card(
    State(app): State<Shared>,
    Auth(caller): Auth,
    body: Body<CardRenewal>,
) -> Reply<RenewedCard> {
    cards::renew(&app, &caller, &body.value).await.map(Json)
}
