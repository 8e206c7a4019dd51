//! From HTTP to the rules and back. Nothing is decided here.

use axum::{
    Json,
    body::Body as Content,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use sentri_wire::{
    account::{
        Account, LoginRequest, LoginResponse, RefreshRequest, SignupComplete, SignupRequest, SignupStarted,
        SignupVerify, Tokens,
    },
    agent::{
        AssignRequest, Grant, GrantRequest, GrantResponse, Grants, Listing, Listings, Lockbox, Lockboxes,
        NewListing, Reassertion,
    },
    credential::{TimeRequest, TimeResponse, Visit, VisitRequest},
    event::{AuditReceipt, AuditUpload, EventReceipts, EventUpload, LogPage},
    export::PersonalData,
};
use serde::Serialize;
use utoipa::{ToSchema, openapi::OpenApi};

use super::{
    Shared,
    extract::{AnyDevice, AnyStanding, Auth, Body, Key, Params, Segment},
};
use crate::{
    refusal::Answer,
    service::{
        events, export, grants, id_in_path, listings, lockboxes, locks,
        log_pages::{self, LogRequest},
        login, messages, restore, signup, sync, visits,
    },
    store::Id,
};

/// Result of a handler with a body.
pub(super) type Reply<T> = Answer<Json<T>>;
/// The same, for something new.
pub(super) type Created<T> = Answer<(StatusCode, Json<T>)>;
/// The same, without a body.
pub(super) type Done = Answer<StatusCode>;

pub(super) fn created<T>(value: T) -> (StatusCode, Json<T>) {
    (StatusCode::CREATED, Json(value))
}

pub async fn login(State(app): State<Shared>, body: Body<LoginRequest>) -> Reply<LoginResponse> {
    login::login(&app, &body.value).await.map(Json)
}

pub async fn refresh(State(app): State<Shared>, key: Key, body: Body<RefreshRequest>) -> Reply<Tokens> {
    let once = key.with(&app, &body.bytes)?;
    login::refresh(&app, &once, &body.value.refresh).await.map(Json)
}

pub async fn logout(State(app): State<Shared>, AnyDevice(caller): AnyDevice) -> Done {
    login::logout(&app, &caller).await.map(|()| StatusCode::NO_CONTENT)
}

pub async fn me(State(app): State<Shared>, AnyStanding(caller): AnyStanding) -> Reply<Account> {
    login::me(&app, &caller).await.map(Json)
}

pub async fn export_me(State(app): State<Shared>, AnyStanding(caller): AnyStanding) -> Reply<PersonalData> {
    export::own(&app, &caller).await.map(Json)
}

pub async fn start_signup(State(app): State<Shared>, body: Body<SignupRequest>) -> Created<SignupStarted> {
    signup::start(&app, &body.value).await.map(created)
}

pub async fn verify_signup(State(app): State<Shared>, body: Body<SignupVerify>) -> Done {
    signup::verify(&app, &body.value).await.map(|()| StatusCode::NO_CONTENT)
}

pub async fn complete_signup(State(app): State<Shared>, body: Body<SignupComplete>) -> Created<Account> {
    signup::complete(&app, &body.value).await.map(created)
}

pub async fn all_listings(State(app): State<Shared>, Auth(caller): Auth) -> Reply<Listings> {
    listings::all(&app, &caller).await.map(Json)
}

pub async fn add_listing(
    State(app): State<Shared>,
    Auth(caller): Auth,
    key: Key,
    body: Body<NewListing>,
) -> Created<Listing> {
    let once = key.with(&app, &body.bytes)?;
    listings::add(&app, &caller, &once, &body.value).await.map(created)
}

pub async fn all_lockboxes(State(app): State<Shared>, Auth(caller): Auth) -> Reply<Lockboxes> {
    lockboxes::all(&app, &caller).await.map(Json)
}

pub async fn one_lockbox(
    State(app): State<Shared>,
    Auth(caller): Auth,
    Segment(serial): Segment,
) -> Reply<Lockbox> {
    lockboxes::one(&app, &caller, &serial).await.map(Json)
}

pub async fn assign(
    State(app): State<Shared>,
    Auth(caller): Auth,
    Segment(serial): Segment,
    key: Key,
    body: Body<AssignRequest>,
) -> Reply<Lockbox> {
    let once = key.with(&app, &body.bytes)?;
    lockboxes::assign(&app, &caller, &once, &serial, &body.value).await.map(Json)
}

pub async fn unassign(
    State(app): State<Shared>,
    Auth(caller): Auth,
    Segment(serial): Segment,
    key: Key,
) -> Reply<Lockbox> {
    let once = key.with(&app, &[])?;
    lockboxes::unassign(&app, &caller, &once, &serial).await.map(Json)
}

pub async fn grant(
    State(app): State<Shared>,
    Auth(caller): Auth,
    key: Key,
    body: Body<GrantRequest>,
) -> Created<GrantResponse> {
    let once = key.with(&app, &body.bytes)?;
    grants::grant(&app, &caller, &once, &body.value).await.map(created)
}

pub async fn history(State(app): State<Shared>, Auth(caller): Auth, params: Params) -> Reply<Grants> {
    let listing = params.only(&["listing_id"])?.require("listing_id")?;
    grants::history(&app, &caller, Id(listing)).await.map(Json)
}

pub async fn revoke(
    State(app): State<Shared>,
    Auth(caller): Auth,
    Segment(id): Segment,
    key: Key,
) -> Reply<Grant> {
    let once = key.with(&app, &[])?;
    grants::revoke(&app, &caller, &once, id_in_path(&id)?).await.map(Json)
}

pub async fn sync_page(State(app): State<Shared>, Auth(caller): Auth, params: Params) -> Reply<sync::Page> {
    let params = params.only(&["cursor", "limit"])?;
    sync::sync(&app, &caller, params.get("cursor"), params.parse("limit")?).await.map(Json)
}

pub async fn upload_events(
    State(app): State<Shared>,
    AnyDevice(caller): AnyDevice,
    body: Body<EventUpload>,
) -> Reply<EventReceipts> {
    events::upload(&app, &caller, body.value).await.map(Json)
}

pub async fn access_log(State(app): State<Shared>, Auth(caller): Auth, params: Params) -> Reply<LogPage> {
    let params = params.only(&["from", "to", "listing_id", "lockbox", "person_id", "after"])?;
    log_pages::page(&app, &caller, &log_request(&params)?).await.map(Json)
}

pub async fn access_log_csv(
    State(app): State<Shared>,
    Auth(caller): Auth,
    params: Params,
) -> Answer<Response> {
    let params = params.only(&["from", "to", "listing_id", "lockbox", "person_id"])?;
    let lines = log_pages::csv(app, &caller, &log_request(&params)?).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"access-log.csv\""),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, Content::from_stream(lines)).into_response())
}

fn log_request(params: &Params) -> Answer<LogRequest> {
    Ok(LogRequest {
        from: params.parse("from")?,
        to: params.parse("to")?,
        listing: params.parse("listing_id")?.map(Id),
        lockbox: params.get("lockbox").map(str::to_owned),
        person: params.parse("person_id")?.map(Id),
        after: params.get("after").map(str::to_owned),
    })
}

pub async fn reassert(State(app): State<Shared>, Auth(caller): Auth, body: Body<Reassertion>) -> Done {
    restore::reassert(&app, &caller, &body.value).await.map(|()| StatusCode::NO_CONTENT)
}

pub async fn read_message(State(app): State<Shared>, Auth(caller): Auth, Segment(id): Segment) -> Done {
    messages::read(&app, &caller, id_in_path(&id)?).await.map(|()| StatusCode::NO_CONTENT)
}

pub async fn delete_message(State(app): State<Shared>, Auth(caller): Auth, Segment(id): Segment) -> Done {
    messages::delete(&app, &caller, id_in_path(&id)?).await.map(|()| StatusCode::NO_CONTENT)
}

pub async fn visit(
    State(app): State<Shared>,
    Auth(caller): Auth,
    body: Body<VisitRequest>,
) -> Created<Visit> {
    visits::visit(&app, &caller, &body.value).await.map(created)
}

pub async fn lock_time(
    State(app): State<Shared>,
    Auth(caller): Auth,
    Segment(serial): Segment,
    body: Body<TimeRequest>,
) -> Reply<TimeResponse> {
    locks::time(&app, &caller, &serial, &body.value).await.map(Json)
}

pub async fn lock_audit(
    State(app): State<Shared>,
    AnyDevice(caller): AnyDevice,
    Segment(serial): Segment,
    body: Body<AuditUpload>,
) -> Reply<AuditReceipt> {
    locks::audit(&app, &caller, &serial, &body.value).await.map(Json)
}

/// That the backend answers, and its database too.
#[derive(Serialize, ToSchema)]
pub struct Health {
    /// `ok`
    status: &'static str,
}

pub async fn health(State(app): State<Shared>) -> Reply<Health> {
    let mut conn = app.store.read().await?;
    sqlx::query("SELECT 1").execute(&mut *conn).await?;
    Ok(Json(Health { status: "ok" }))
}

pub async fn openapi() -> Json<OpenApi> {
    Json(super::document())
}
