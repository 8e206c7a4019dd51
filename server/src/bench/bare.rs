//! What a product's figure is held against: the least that the same call could do, with the same listener, the same
//! token check, the same connections and the same writer.

use std::sync::{Arc, OnceLock};

use axum::{
    Extension, Json, Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::{get, post},
};
use serde_json::{Value, json};

use crate::{
    http::{Auth, Shared},
    refusal::Answer,
    server::Running,
    service::{App, fault, sync::PAGE},
    store::{
        Id, accesses, changes,
        events::{self, NewEvent},
        gather,
    },
    together::Together,
};

/// Routes of the ceilings, for callers with a token of this backend.
pub fn router(running: &Running) -> Router {
    Router::new()
        .route("/bare/sync", get(idle))
        .route("/bare/page", get(page))
        .route("/bare/insert", post(insert))
        .layer(Extension(Arc::new(OnceLock::<Id>::new())))
        .layer(Extension(Arc::<Inserts>::default()))
        .with_state(running.shared())
}

/// Idle sync: who calls, and the number of the newest change.
async fn idle(State(app): State<Shared>, Auth(caller): Auth) -> Answer<Json<Value>> {
    let mut conn = app.store.read().await?;
    let newest: i64 = sqlx::query_scalar("SELECT change_seq FROM accounts WHERE id = $1")
        .bind(caller.account)
        .fetch_one(&mut *conn)
        .await?;
    Ok(Json(json!({ "cursor": format!("{newest:016x}"), "changes": [] })))
}

/// A full page: one query, whose answer is the body's text. A page's changes, the objects of each, and no more.
async fn page(State(app): State<Shared>, Auth(caller): Auth) -> Answer<impl IntoResponse> {
    let mut conn = app.store.read().await?;
    let limit = i64::try_from(PAGE).unwrap_or(i64::MAX);
    let object = gather::object(&conn, accesses::MEMBERS);
    let sql = format!(
        "SELECT CAST(json_object('cursor', MAX(page.seq), 'changes', json_group_array({object})) AS TEXT) FROM ({}) AS page CROSS JOIN {} \
         WHERE page.kind = 'access' AND g.id = page.object_id AND g.grantee_id = $1",
        changes::PAGE,
        accesses::TABLES
    );
    let text: String = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .bind(caller.account)
        .bind(0i64)
        .bind(caller.device)
        .bind(limit)
        .fetch_one(&mut *conn)
        .await?;
    Ok(([(CONTENT_TYPE, "application/json")], text))
}

/// Inserts that come at one moment, as uploads are stored.
type Inserts = Together<NewEvent, bool>;
const MOST_INSERTS: usize = 64;

/// A durable insert: one row of the table that an uploaded event goes to.
async fn insert(
    State(app): State<Shared>,
    Auth(caller): Auth,
    Extension(lockbox): Extension<Arc<OnceLock<Id>>>,
    Extension(inserts): Extension<Arc<Inserts>>,
    digest: String,
) -> Answer<StatusCode> {
    let lockbox = super::any_lockbox(&app, &lockbox).await?;
    let event = NewEvent { id: app.new_id(), account: caller.account, lockbox, digest };
    let insert = move |events| insert_all(app.clone(), events);
    match inserts.join(event, MOST_INSERTS, insert).await {
        Some(true) => Ok(StatusCode::NO_CONTENT),
        _ => Err(fault("a bare insert failed")),
    }
}

async fn insert_all(app: Shared, events: Vec<NewEvent>) -> Vec<bool> {
    vec![are_inserted(&app, &events).await.is_ok(); events.len()]
}

async fn are_inserted(app: &App, events: &[NewEvent]) -> Answer<()> {
    let mut tx = app.store.write().await?;
    events::insert(tx.conn(), events, app.now()).await?;
    Ok(tx.commit().await?)
}
