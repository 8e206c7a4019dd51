//! From HTTP to the rules for residents and back. Nothing is decided here.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use sentri_wire::residence::{DoorCode, DoorCodes, Doors, GenerateCode, GuestCode, PickCode};

use super::{
    Shared,
    extract::{Auth, Body, Key, Segment},
    handlers::{Created, Done, Reply, created},
    versions,
};
use crate::service::residence::{self, codes, guests};

pub async fn doors(State(app): State<Shared>, Auth(caller): Auth) -> Reply<Doors> {
    residence::all(&app, &caller).await.map(Json)
}

pub async fn codes(
    State(app): State<Shared>,
    Auth(caller): Auth,
    Segment(serial): Segment,
) -> Reply<DoorCodes> {
    codes::all(&app, &caller, &serial).await.map(Json)
}

pub async fn generate(
    State(app): State<Shared>,
    Auth(caller): Auth,
    Segment(serial): Segment,
    key: Key,
    body: Body<GenerateCode>,
) -> Created<DoorCode> {
    let once = key.with(&app, &body.bytes)?;
    codes::generate_own(&app, &caller, &once, &serial, &body.value).await.map(created)
}

pub async fn pick(
    State(app): State<Shared>,
    Auth(caller): Auth,
    Segment(serial): Segment,
    headers: HeaderMap,
    key: Key,
    body: Body<PickCode>,
) -> Created<DoorCode> {
    versions::only_in_app(&headers, "connect", versions::CUSTOM_CODES)?;
    let once = key.with(&app, &body.bytes)?;
    codes::pick_own(&app, &caller, &once, &serial, &body.value).await.map(created)
}

pub async fn make_guest_code(
    State(app): State<Shared>,
    Auth(caller): Auth,
    Segment(serial): Segment,
    key: Key,
    body: Body<GuestCode>,
) -> Created<DoorCode> {
    let once = key.with(&app, &body.bytes)?;
    guests::make(&app, &caller, &once, &serial, &body.value).await.map(created)
}

pub async fn delete(State(app): State<Shared>, Auth(caller): Auth, Segment(id): Segment, key: Key) -> Done {
    let once = key.with(&app, &[])?;
    codes::delete(&app, &caller, &once, &id).await.map(|()| StatusCode::NO_CONTENT)
}
