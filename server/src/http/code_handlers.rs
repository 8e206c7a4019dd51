//! From HTTP to the rules of codes and back. Nothing is decided here.

use axum::{Json, extract::State, http::StatusCode};
use sentri_wire::codes::{
    IssuedCode, Keypad, KeypadChange, OfflinePinsRequest, OneDayRequest, RotateRequest, SmacKey, SmartPinKey,
    SmartPinRequest,
};

use super::{
    Shared,
    extract::{Auth, Body, Key, Segment},
    handlers::{Created, Done, Reply, created},
};
use crate::service::{blocks, id_in_path, issued_codes, keypad, smacs, smart_pins};

pub async fn keypad(
    State(app): State<Shared>,
    Auth(caller): Auth,
    Segment(serial): Segment,
) -> Reply<Keypad> {
    keypad::one(&app, &caller, &serial).await.map(Json)
}

pub async fn set_keypad(
    State(app): State<Shared>,
    Auth(caller): Auth,
    Segment(serial): Segment,
    body: Body<KeypadChange>,
) -> Reply<Keypad> {
    keypad::set(&app, &caller, &serial, &body.value).await.map(Json)
}

pub async fn rotate(
    State(app): State<Shared>,
    Auth(caller): Auth,
    Segment(serial): Segment,
    key: Key,
    body: Body<RotateRequest>,
) -> Reply<Keypad> {
    let once = key.with(&app, &body.bytes)?;
    keypad::rotate(&app, &caller, &once, &serial, body.value.slot).await.map(Json)
}

pub async fn one_day(
    State(app): State<Shared>,
    Auth(caller): Auth,
    Segment(serial): Segment,
    key: Key,
    body: Body<OneDayRequest>,
) -> Created<IssuedCode> {
    let once = key.with(&app, &body.bytes)?;
    issued_codes::make_one_day(&app, &caller, &once, &serial, &body.value).await.map(created)
}

pub async fn smart_pin(
    State(app): State<Shared>,
    Auth(caller): Auth,
    Segment(serial): Segment,
    key: Key,
    body: Body<SmartPinRequest>,
) -> Created<IssuedCode> {
    let once = key.with(&app, &body.bytes)?;
    smart_pins::make(&app, &caller, &once, &serial, &body.value).await.map(created)
}

pub async fn go_offline(
    State(app): State<Shared>,
    Auth(caller): Auth,
    Segment(serial): Segment,
    body: Body<OfflinePinsRequest>,
) -> Reply<SmartPinKey> {
    smart_pins::go_offline(&app, &caller, &serial, &body.value).await.map(Json)
}

pub async fn stay_online(State(app): State<Shared>, Auth(caller): Auth, Segment(serial): Segment) -> Done {
    smart_pins::stay_online(&app, &caller, &serial).await.map(|()| StatusCode::NO_CONTENT)
}

pub async fn block(State(app): State<Shared>, Auth(caller): Auth, Segment(id): Segment) -> Reply<IssuedCode> {
    blocks::block(&app, &caller, id_in_path(&id)?).await.map(Json)
}

pub async fn smac(State(app): State<Shared>, Auth(caller): Auth, Segment(serial): Segment) -> Reply<SmacKey> {
    smacs::key(&app, &caller, &serial).await.map(Json)
}
