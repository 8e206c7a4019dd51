//! The operator's own listener: is it alive, is it ready for requests, and its figures. Without a login, so it is
//! bound to an address that only the operator reaches.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value, json};

use crate::{metrics::Metrics, service::App};

/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// What Prometheus calls the format.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What the answers are made of.
#[derive(Clone)]
pub(crate) struct Operations {
    pub app: Arc<App>,
    pub metrics: Arc<Metrics>,
    /// Set when the server is told to stop: a balancer sends it nothing more then.
    pub stopping: Arc<AtomicBool>,
}

/// The routes.
pub(crate) fn router(operations: Operations) -> Router {
    Router::new()
        .route("/healthz", get(ready))
        .route("/healthz/live", get(live))
        .route("/healthz/ready", get(ready))
        .route("/metrics", get(figures))
        .with_state(operations)
}

/// The process runs.
async fn live() -> Json<Value> {
    Json(json!({ "status": "live" }))
}

/// It takes requests: its database answers, and it is not about to stop.
async fn ready(State(operations): State<Operations>) -> (StatusCode, Json<Value>) {
    let refused = |why: &str| (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": why })));
    if operations.stopping.load(Ordering::SeqCst) {
        return refused("stopping");
    }
    match tokio::time::timeout(PATIENCE, operations.app.store.ping()).await {
        Ok(Ok(())) => (StatusCode::OK, Json(json!({ "status": "ready" }))),
        Ok(Err(_)) | Err(_) => refused("the database does not answer"),
    }
}

async fn figures(State(operations): State<Operations>) -> Response {
    let text = operations.metrics.text(&operations.app).await;
    ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response()
}
