//! From HTTP to the rules for hubs and back. Nothing is decided here.

use axum::{Json, extract::State};
use sentri_wire::{
    credential::{TimeRequest, TimeResponse},
    event::{AuditReceipt, AuditUpload},
    hub::{HubOrders, HubReport},
};

use super::{
    Shared,
    extract::{Body, Hub, Segment},
    handlers::Reply,
};
use crate::service::residence::hubs;

pub async fn call(State(app): State<Shared>, Hub(hub): Hub, body: Body<HubReport>) -> Reply<HubOrders> {
    hubs::call(&app, &hub, &body.value).await.map(Json)
}

pub async fn time(
    State(app): State<Shared>,
    Hub(hub): Hub,
    Segment(serial): Segment,
    body: Body<TimeRequest>,
) -> Reply<TimeResponse> {
    hubs::time(&app, &hub, &serial, &body.value).await.map(Json)
}

pub async fn audit(
    State(app): State<Shared>,
    Hub(hub): Hub,
    Segment(serial): Segment,
    body: Body<AuditUpload>,
) -> Reply<AuditReceipt> {
    hubs::audit(&app, &hub, &serial, &body.value).await.map(Json)
}
