//! What was answered to a request that carried an idempotency key.

use sqlx::FromRow;

use super::{Connection, Id};

/// A request that came before under the same key.
#[derive(Debug, FromRow)]
pub struct EarlierRow {
    /// Keyed digest of its route and body.
    pub digest: String,
    /// The answer, sealed.
    pub answer: Option<String>,
    /// When the key was taken.
    pub created_at: i64,
}

/// Takes the key, in the transaction that does the work. Of two that race, the second waits here for the
/// first one's commit, and then finds its answer.
pub async fn take(
    conn: &mut Connection,
    account: Id,
    key: &str,
    digest: &str,
    now: i64,
) -> sqlx::Result<Option<EarlierRow>> {
    let taken = sqlx::query(
        "INSERT INTO idempotency (account_id, idempotency_key, digest, created_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (account_id, idempotency_key) DO NOTHING",
    )
    .bind(account)
    .bind(key)
    .bind(digest)
    .bind(now)
    .execute(&mut *conn)
    .await?;
    if taken.rows_affected() == 1 {
        return Ok(None);
    }
    find(conn, account, key).await
}

/// Finds the request that took the key.
pub async fn find(conn: &mut Connection, account: Id, key: &str) -> sqlx::Result<Option<EarlierRow>> {
    sqlx::query_as(
        "SELECT digest, answer, created_at FROM idempotency WHERE account_id = $1 AND idempotency_key = $2",
    )
    .bind(account)
    .bind(key)
    .fetch_optional(conn)
    .await
}

/// Keeps the answer.
pub async fn keep(conn: &mut Connection, account: Id, key: &str, answer: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE idempotency SET answer = $1 WHERE account_id = $2 AND idempotency_key = $3")
        .bind(answer)
        .bind(account)
        .bind(key)
        .execute(conn)
        .await?;
    Ok(())
}
