//! Access events as phones uploaded them, the access log made of them, and locks' own audit records.

use std::collections::HashSet;

use sentri_wire::event::{LogEntry, Method, Outcome};
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
            rows(piece.len(), 5)
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
            "INSERT INTO access_log (id, owner_id, at, lockbox_id, listing_id, account_id, grant_id, method, \
             outcome, confirmed, operation, record, label) VALUES {}",
            rows(piece.len(), 13)
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for entry in piece {
            query = query.bind(entry.id).bind(entry.owner).bind(entry.at).bind(entry.lockbox);
            query = query.bind(entry.listing).bind(entry.account).bind(entry.grant);
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
         (SELECT COUNT(*) FROM access_events e WHERE e.id = l.id) AS has_event FROM access_log l \
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

/// Gives a line that was made of a lock's record the id of the event that a phone now reports of it.
pub async fn adopt(conn: &mut Connection, line: Id, event: Id) -> sqlx::Result<()> {
    sqlx::query("UPDATE access_log SET id = $1 WHERE id = $2").bind(event).bind(line).execute(conn).await?;
    Ok(())
}

#[derive(FromRow)]
struct LogRow {
    id: Id,
    at: i64,
    serial: String,
    listing_id: Option<Id>,
    first_name: Option<String>,
    last_name: Option<String>,
    label: Option<String>,
    method: Named<Method>,
    outcome: Named<Outcome>,
    confirmed: i64,
}

impl LogRow {
    fn into_wire(self) -> LogEntry {
        let who = match (self.first_name, self.last_name) {
            (Some(first), Some(last)) => format!("{first} {last}"),
            // Where the account is gone, the line stays, without a name. [ACC-11]
            _ => self.label.unwrap_or_else(|| "Former user".to_owned()),
        };
        LogEntry {
            id: self.id.0,
            at: self.at,
            lockbox: self.serial,
            listing_id: self.listing_id.map(|id| id.0),
            who,
            method: self.method.0,
            outcome: self.outcome.0,
            confirmed_by_lock: self.confirmed != 0,
        }
    }
}

const SELECT_LOG: &str = "SELECT e.id, e.at, b.serial, e.listing_id, a.first_name, a.last_name, e.label, e.method, e.outcome, e.confirmed \
     FROM access_log e JOIN lockboxes b ON b.id = e.lockbox_id LEFT JOIN accounts a ON a.id = e.account_id WHERE ";

/// All lines that tell what one account did, oldest first.
pub async fn of_account(conn: &mut Connection, account: Id) -> sqlx::Result<Vec<LogEntry>> {
    let sql = format!("{SELECT_LOG} e.account_id = $1 ORDER BY e.at, e.id");
    let rows: Vec<LogRow> = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(account).fetch_all(conn).await?;
    Ok(rows.into_iter().map(LogRow::into_wire).collect())
}

/// Which lines to read.
pub struct LogQuery {
    pub owner: Id,
    pub from: i64,
    pub to: i64,
    pub listing: Option<Id>,
    /// Lines older than this one.
    pub before: Option<(i64, Id)>,
    pub limit: i64,
}

/// A page of the log, newest first.
pub async fn log_page(conn: &mut Connection, query: &LogQuery) -> sqlx::Result<Vec<LogEntry>> {
    let (before_at, before_id) =
        query.before.map_or((i64::MAX, String::new()), |(at, id)| (at, id.to_string()));
    let rows: Vec<LogRow> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{SELECT_LOG} e.owner_id = $1 AND e.at >= $2 AND e.at < $3 AND ($4 = '' OR e.listing_id = $4) \
         AND (e.at < $5 OR (e.at = $5 AND e.id < $6)) ORDER BY e.at DESC, e.id DESC LIMIT $7"
    )))
    .bind(query.owner)
    .bind(query.from)
    .bind(query.to)
    .bind(query.listing.map_or_else(String::new, |id| id.to_string()))
    .bind(before_at)
    .bind(before_id)
    .bind(query.limit)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(LogRow::into_wire).collect())
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
