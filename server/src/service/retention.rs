//! Retention: what is older than it is kept is deleted, by command and once a day.

use serde::Serialize;

use super::{App, login::REFRESH_SECONDS};
use crate::{
    refusal::Answer,
    store::{
        meta,
        retention::{self, Old},
    },
};

/// Rows of one transaction: short enough that nobody's request waits for it.
const BATCH: i64 = 500;
const DAY: i64 = 86_400;
const PRUNED_AT: &str = "log_pruned_at";
/// A removed device may upload as long as its session can be renewed; a phone that was away for longer starts over.
const AWAY: i64 = REFRESH_SECONDS + 10 * DAY;

/// What was deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Pruned {
    /// Lines of the access log.
    pub log_entries: u64,
    /// Events that phones had uploaded.
    pub events: u64,
    /// Everything else that nobody needs any more: delivered posts, ended sessions, used links, counts of tries, …
    pub others: u64,
}

/// What goes beside log and events, and how long it is kept after its end, in seconds. What refers to something goes
/// before it.
const OTHERS: [(Old, i64); 10] = [
    (Old::Posts, 7 * DAY),
    (Old::Tries, 2 * DAY),
    (Old::Answers, 7 * DAY),
    (Old::Tokens, DAY),
    (Old::Sessions, DAY),
    (Old::Challenges, DAY),
    (Old::Proofs, DAY),
    (Old::Signups, DAY),
    (Old::Invitations, 30 * DAY),
    (Old::Devices, AWAY),
];

/// Deletes all that is too old, batch after batch.
pub async fn prune(app: &App) -> Answer<Pruned> {
    let logs = app.now() - i64::from(app.config.log_seconds);
    let events = delete(app, Old::Events, logs).await?;
    let log_entries = delete(app, Old::Log, logs).await?;
    let mut others = delete(app, Old::Credentials, logs).await?;
    others += delete(app, Old::SmacSlots, logs).await?;
    others += delete(app, Old::Codes, logs).await?;
    for (old, kept) in OTHERS {
        others += delete(app, old, app.now() - kept).await?;
    }
    let mut tx = app.store.write().await?;
    others += retention::forget_gone(tx.conn(), app.now() - AWAY).await?;
    tx.commit().await?;
    Ok(Pruned { log_entries, events, others })
}

async fn delete(app: &App, old: Old, before: i64) -> Answer<u64> {
    let mut all = 0;
    loop {
        let mut tx = app.store.write().await?;
        let deleted = retention::delete(tx.conn(), old, before, BATCH).await?;
        tx.commit().await?;
        all += deleted;
        if deleted == 0 {
            return Ok(all);
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
