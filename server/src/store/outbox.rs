//! What is to be delivered to people: written with its cause, delivered afterwards, at least once.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::{Connection, Id, Named, columns::placeholders};

/// By which way it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PostKind {
    /// An email.
    Mail,
    /// A text message.
    Text,
    /// A push to the account's phones.
    Push,
}

/// Something to be delivered.
#[derive(Clone, FromRow)]
pub struct PostRow {
    pub id: Id,
    pub kind: Named<PostKind>,
    /// The same at every attempt, so that a receiver can tell a repeat.
    pub message_id: String,
    /// Recipient and text, sealed: they hold addresses, codes and invitation tokens.
    pub sealed: String,
    pub attempts: i64,
}

/// Adds something.
pub async fn insert(conn: &mut Connection, row: &PostRow, now: i64) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO outbox (id, kind, message_id, sealed, created_at, due_at, attempts) \
         VALUES ($1, $2, $3, $4, $5, $5, 0)",
    )
    .bind(row.id)
    .bind(row.kind)
    .bind(row.message_id.as_str())
    .bind(row.sealed.as_str())
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// Leases what is due, of these kinds, to an instance until a time, oldest first: the others leave it alone until then.
pub async fn lease(
    conn: &mut Connection,
    instance: &str,
    kinds: &[PostKind],
    (now, until): (i64, i64),
    limit: i64,
) -> sqlx::Result<Vec<PostRow>> {
    if kinds.is_empty() {
        return Ok(Vec::new());
    }
    let list = placeholders(3, kinds.len());
    let sql = format!(
        "SELECT id, kind, message_id, sealed, attempts FROM outbox WHERE delivered_at IS NULL \
         AND due_at <= $1 AND (leased_until IS NULL OR leased_until <= $1) AND kind IN ({list}) \
         ORDER BY due_at, created_at, id LIMIT $2"
    );
    let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(now).bind(limit);
    for kind in kinds {
        query = query.bind(Named(*kind));
    }
    let due: Vec<PostRow> = query.fetch_all(&mut *conn).await?;
    let mut leased = Vec::with_capacity(due.len());
    for row in due {
        if take(conn, row.id, instance, now, until).await? {
            leased.push(row);
        }
    }
    Ok(leased)
}

/// False where another instance was quicker.
async fn take(conn: &mut Connection, id: Id, instance: &str, now: i64, until: i64) -> sqlx::Result<bool> {
    let taken = sqlx::query(
        "UPDATE outbox SET leased_by = $1, leased_until = $2, attempts = attempts + 1 \
         WHERE id = $3 AND delivered_at IS NULL AND (leased_until IS NULL OR leased_until <= $4)",
    )
    .bind(instance)
    .bind(until)
    .bind(id)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(taken.rows_affected() == 1)
}

/// Ends the leases of one instance: it has just started, or is about to stop. Those of others stand.
pub async fn end_leases(conn: &mut Connection, instance: &str) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE outbox SET leased_by = NULL, leased_until = NULL WHERE delivered_at IS NULL AND leased_by = $1",
    )
    .bind(instance)
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes a delivery and drops what was in it.
pub async fn delivered(conn: &mut Connection, id: Id, now: i64) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE outbox SET delivered_at = $1, sealed = '', leased_by = NULL, leased_until = NULL WHERE id = $2",
    )
    .bind(now)
    .bind(id)
    .execute(conn)
    .await?;
    Ok(())
}

/// Sets when to try again, and gives it back.
pub async fn retry_at(conn: &mut Connection, id: Id, due_at: i64) -> sqlx::Result<()> {
    sqlx::query("UPDATE outbox SET due_at = $1, leased_by = NULL, leased_until = NULL WHERE id = $2")
        .bind(due_at)
        .bind(id)
        .execute(conn)
        .await?;
    Ok(())
}

/// What waits, of one kind.
#[derive(Clone, Debug, FromRow)]
pub struct Waiting {
    pub kind: Named<PostKind>,
    pub posts: i64,
    /// When the oldest of it was put in.
    pub since: i64,
}

/// How much waits to be delivered, kind by kind.
pub async fn waiting(conn: &mut Connection) -> sqlx::Result<Vec<Waiting>> {
    sqlx::query_as(
        "SELECT kind, COUNT(*) AS posts, MIN(created_at) AS since FROM outbox WHERE delivered_at IS NULL \
         GROUP BY kind ORDER BY kind",
    )
    .fetch_all(conn)
    .await
}
