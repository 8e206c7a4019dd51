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
    service::sync::PAGE,
    store::{Id, accesses, changes, events, gather},
};

/// Routes of the ceilings, for callers with a token of this backend.
pub fn router(running: &Running) -> Router {
    Router::new()
        .route("/bare/sync", get(idle))
        .route("/bare/page", get(page))
        .route("/bare/insert", post(insert))
        .layer(Extension(Arc::new(OnceLock::<Id>::new())))
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

/// A durable insert: one row of the table that an uploaded event goes to.
async fn insert(
    State(app): State<Shared>,
    Auth(caller): Auth,
    Extension(lockbox): Extension<Arc<OnceLock<Id>>>,
    body: String,
) -> Answer<StatusCode> {
    let mut tx = app.store.write().await?;
    let lockbox = super::any_lockbox(&mut tx, &lockbox).await?;
    events::insert(tx.conn(), app.new_id(), caller.account, lockbox, &body, app.now()).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
