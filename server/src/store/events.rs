//! Access events as phones uploaded them, the lines of the access log made of them, and locks' own audit records.

use std::collections::HashSet;

use sentri_wire::event::{Method, Outcome};
use sqlx::FromRow;

use super::{
    Connection, Id, Named,
    columns::{pieces, rows},
};

/// An event that a phone uploaded.
pub struct NewEvent {
    pub id: Id,
    pub account: Id,
    pub lockbox: Id,
    /// Of all that it says.
    pub digest: String,
}

/// Stores events, each once. Says which were not there before; of two with one id, the first is stored.
pub async fn insert(conn: &mut Connection, events: &[NewEvent], now: i64) -> sqlx::Result<HashSet<Id>> {
    let mut stored = HashSet::with_capacity(events.len());
    for piece in pieces(events) {
        let sql = format!(
            "INSERT INTO access_events (id, account_id, lockbox_id, digest, received_at) VALUES {} \
             ON CONFLICT (id) DO NOTHING RETURNING id",
            rows(conn, piece.len(), 5)
        );
        let mut query = sqlx::query_scalar::<_, Id>(sqlx::AssertSqlSafe(sql));
        for event in piece {
            let NewEvent { id, account, lockbox, digest } = event;
            query = query.bind(*id).bind(*account).bind(*lockbox).bind(digest.as_str()).bind(now);
        }
        stored.extend(query.fetch_all(&mut *conn).await?);
    }
    Ok(stored)
}

/// Of all that a stored event says.
pub async fn digest(conn: &mut Connection, id: Id) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar("SELECT digest FROM access_events WHERE id = $1").bind(id).fetch_optional(conn).await
}

/// Notes that a lock's own word was used for an event. False where it was used for another: each counts once.
pub async fn claim_operation(
    conn: &mut Connection,
    lockbox: Id,
    operation: &str,
    event: Id,
) -> sqlx::Result<bool> {
    let claimed = sqlx::query(
        "INSERT INTO proven_operations (lockbox_id, operation, event_id) VALUES ($1, $2, $3) \
         ON CONFLICT (lockbox_id, operation) DO NOTHING",
    )
    .bind(lockbox)
    .bind(operation)
    .bind(event)
    .execute(conn)
    .await?;
    Ok(claimed.rows_affected() == 1)
}

/// A line of the access log.
pub struct NewLogEntry {
    pub id: Id,
    /// What a phone reported, where it was made of that.
    pub event: Option<Id>,
    pub owner: Id,
    pub at: i64,
    pub lockbox: Id,
    pub listing: Option<Id>,
    pub account: Option<Id>,
    pub grant: Option<Id>,
    pub method: Method,
    pub outcome: Outcome,
    pub confirmed: bool,
    /// First half of the operation's id, in hex: all that a lock's records name of it.
    pub operation: Option<String>,
    /// The lock's newest record when it said so.
    pub record: Option<i64>,
    /// What it is called where no account is named.
    pub label: Option<String>,
}

/// Adds lines.
pub async fn log(conn: &mut Connection, entries: &[NewLogEntry]) -> sqlx::Result<()> {
    for piece in pieces(entries) {
        let sql = format!(
            "INSERT INTO access_log (id, event_id, owner_id, at, lockbox_id, listing_id, account_id, grant_id, \
             method, outcome, confirmed, operation, record, label) VALUES {}",
            rows(conn, piece.len(), 14)
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for entry in piece {
            query = query.bind(entry.id).bind(entry.event).bind(entry.owner).bind(entry.at);
            query = query.bind(entry.lockbox).bind(entry.listing).bind(entry.account).bind(entry.grant);
            query = query.bind(Named(entry.method)).bind(Named(entry.outcome));
            query = query.bind(i64::from(entry.confirmed));
            query = query.bind(entry.operation.as_deref()).bind(entry.record);
            query = query.bind(entry.label.as_deref());
        }
        query.execute(&mut *conn).await?;
    }
    Ok(())
}

/// A line, as what the lock says is laid beside it.
#[derive(Clone, FromRow)]
pub struct LoggedTry {
    pub id: Id,
    pub at: i64,
    pub outcome: Named<Outcome>,
    pub confirmed: i64,
    pub record: Option<i64>,
    /// 0 where it was made of a record, and no phone has reported yet.
    pub has_event: i64,
}

/// The lines of one operation at a lock, under one grant or any; oldest first.
pub async fn tries_of(
    conn: &mut Connection,
    lockbox: Id,
    grant: Option<Id>,
    operation: &str,
) -> sqlx::Result<Vec<LoggedTry>> {
    sqlx::query_as(
        "SELECT l.id, l.at, l.outcome, l.confirmed, l.record, \
         (SELECT COUNT(*) FROM access_events e WHERE e.id = l.event_id) AS has_event FROM access_log l \
         WHERE l.lockbox_id = $1 AND l.operation = $2 AND ($3 = '' OR l.grant_id = $3) ORDER BY l.at, l.id",
    )
    .bind(lockbox)
    .bind(operation)
    .bind(grant.map_or_else(String::new, |id| id.to_string()))
    .fetch_all(conn)
    .await
}

/// The lock's word for how a try ended.
pub struct Settled {
    pub at: i64,
    pub outcome: Outcome,
    pub record: i64,
}

/// Writes the lock's word into a line.
pub async fn settle(conn: &mut Connection, line: Id, word: &Settled) -> sqlx::Result<()> {
    sqlx::query("UPDATE access_log SET at = $1, outcome = $2, record = $3, confirmed = 1 WHERE id = $4")
        .bind(word.at)
        .bind(Named(word.outcome))
        .bind(word.record)
        .bind(line)
        .execute(conn)
        .await?;
    Ok(())
}

/// Notes that a phone now reports what a line says that was made of a lock's record.
pub async fn adopt(conn: &mut Connection, line: Id, event: Id) -> sqlx::Result<()> {
    sqlx::query("UPDATE access_log SET event_id = $1 WHERE id = $2")
        .bind(event)
        .bind(line)
        .execute(conn)
        .await?;
    Ok(())
}

/// A lock's own record of what happened at it.
pub struct AuditRow {
    pub number: i64,
    pub at: i64,
    pub kind: i64,
    pub result: i64,
    /// Hex, as is the operation.
    pub who: String,
    pub operation: String,
    pub skew: i64,
}

/// Stores a record once. False where it was there.
pub async fn insert_audit(conn: &mut Connection, lockbox: Id, row: &AuditRow) -> sqlx::Result<bool> {
    let stored = sqlx::query(
        "INSERT INTO audit_records (lockbox_id, number, at, kind, result, who, operation, skew) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (lockbox_id, number) DO NOTHING",
    )
    .bind(lockbox)
    .bind(row.number)
    .bind(row.at)
    .bind(row.kind)
    .bind(row.result)
    .bind(row.who.as_str())
    .bind(row.operation.as_str())
    .bind(row.skew)
    .execute(conn)
    .await?;
    Ok(stored.rows_affected() == 1)
}
