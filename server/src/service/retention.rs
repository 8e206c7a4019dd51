//! Log retention: what is older than the deployment keeps it is deleted, by command and once a day.

use serde::Serialize;

use super::App;
use crate::{
    refusal::Answer,
    store::{meta, retention},
};

/// Rows of one transaction: short enough that nobody's request waits for it.
const BATCH: i64 = 500;
const DAY: i64 = 86_400;
const PRUNED_AT: &str = "log_pruned_at";

/// What was deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Pruned {
    /// Lines of the access log.
    pub log_entries: u64,
    /// Events that phones had uploaded.
    pub events: u64,
}

/// Deletes all that is too old, batch after batch.
pub async fn prune(app: &App) -> Answer<Pruned> {
    let before = app.now() - i64::from(app.config.log_seconds);
    let mut pruned = Pruned::default();
    loop {
        let mut tx = app.store.write().await?;
        let events = retention::delete_events(tx.conn(), before, BATCH).await?;
        tx.commit().await?;
        pruned.events += events;
        if events == 0 {
            break;
        }
    }
    loop {
        let mut tx = app.store.write().await?;
        let lines = retention::delete_log(tx.conn(), before, BATCH).await?;
        tx.commit().await?;
        pruned.log_entries += lines;
        if lines == 0 {
            return Ok(pruned);
        }
    }
}

/// The same, where a day has passed since the last time; nothing where it has not.
pub async fn prune_if_due(app: &App) -> Answer<Option<Pruned>> {
    let now = app.now();
    let mut conn = app.store.read().await?;
    let last = meta::get(&mut conn, PRUNED_AT).await?.and_then(|text| text.parse::<i64>().ok());
    drop(conn);
    // A clock that went back must not put it off.
    if last.is_some_and(|last| (last..last.saturating_add(DAY)).contains(&now)) {
        return Ok(None);
    }
    let pruned = prune(app).await?;
    let mut tx = app.store.write().await?;
    meta::set(tx.conn(), PRUNED_AT, &now.to_string()).await?;
    tx.commit().await?;
    Ok(Some(pruned))
}
