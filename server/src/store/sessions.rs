//! Sessions and their tokens. Only digests of tokens are stored.

use sentri_wire::account::AccountKind;
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::{Connection, Id, Named, accounts::Status};

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// Sent with each call.
    Access,
    /// Exchanged once for a new pair.
    Refresh,
}

/// A token with the session, device and account that it stands for.
#[derive(Clone, Debug, FromRow)]
pub struct TokenRow {
    pub session_id: Id,
    pub device_id: Id,
    pub account_id: Id,
    pub kind: Named<AccountKind>,
    pub status: Named<Status>,
    pub association_id: Option<Id>,
    pub expires_at: i64,
    pub ended_at: Option<i64>,
    /// When the device was removed.
    pub removed_at: Option<i64>,
}

/// Begins a session and ends the device's earlier ones.
pub async fn begin(conn: &mut Connection, id: Id, account: Id, device: Id, now: i64) -> sqlx::Result<()> {
    sqlx::query("UPDATE sessions SET ended_at = $1 WHERE device_id = $2 AND ended_at IS NULL")
        .bind(now)
        .bind(device)
        .execute(&mut *conn)
        .await?;
    sqlx::query("INSERT INTO sessions (id, account_id, device_id, created_at) VALUES ($1, $2, $3, $4)")
        .bind(id)
        .bind(account)
        .bind(device)
        .bind(now)
        .execute(conn)
        .await?;
    Ok(())
}

/// Ends a session with all its tokens.
pub async fn end(conn: &mut Connection, id: Id, now: i64) -> sqlx::Result<()> {
    sqlx::query("UPDATE sessions SET ended_at = $1 WHERE id = $2 AND ended_at IS NULL")
        .bind(now)
        .bind(id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Ends all sessions of an account, but those of removed devices, which may only upload and then wipe, and but one
/// that is kept.
pub async fn end_all(conn: &mut Connection, account: Id, kept: Option<Id>, now: i64) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE sessions SET ended_at = $1 WHERE account_id = $2 AND ended_at IS NULL AND id <> $3 \
         AND device_id IN (SELECT id FROM devices WHERE account_id = $2 AND removed_at IS NULL)",
    )
    .bind(now)
    .bind(account)
    .bind(kept.map_or_else(String::new, |id| id.to_string()))
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends everybody's sessions.
pub async fn end_everybodys(conn: &mut Connection, now: i64) -> sqlx::Result<()> {
    sqlx::query("UPDATE sessions SET ended_at = $1 WHERE ended_at IS NULL").bind(now).execute(conn).await?;
    Ok(())
}

/// Adds a token.
pub async fn add_token(
    conn: &mut Connection,
    session: Id,
    kind: TokenKind,
    digest: &str,
    expires_at: i64,
) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO tokens (digest, session_id, kind, expires_at) VALUES ($1, $2, $3, $4)")
        .bind(digest)
        .bind(session)
        .bind(Named(kind))
        .bind(expires_at)
        .execute(conn)
        .await?;
    Ok(())
}

/// Finds a token.
pub async fn find(conn: &mut Connection, kind: TokenKind, digest: &str) -> sqlx::Result<Option<TokenRow>> {
    sqlx::query_as(
        "SELECT t.session_id, s.device_id, s.account_id, a.kind, a.status, a.association_id, \
         t.expires_at, s.ended_at, d.removed_at \
         FROM tokens t JOIN sessions s ON s.id = t.session_id JOIN accounts a ON a.id = s.account_id \
         JOIN devices d ON d.id = s.device_id \
         WHERE t.digest = $1 AND t.kind = $2",
    )
    .bind(digest)
    .bind(Named(kind))
    .fetch_optional(conn)
    .await
}

/// Spends a refresh token. False where it was spent before: of two that race, one wins.
pub async fn spend(conn: &mut Connection, digest: &str, now: i64) -> sqlx::Result<bool> {
    let spent = sqlx::query("UPDATE tokens SET spent_at = $1 WHERE digest = $2 AND spent_at IS NULL")
        .bind(now)
        .bind(digest)
        .execute(conn)
        .await?;
    Ok(spent.rows_affected() == 1)
}

/// Drops a session's access tokens that ended before a time. The newest one always stays, so that a phone
/// that was away is told "expired", not "unknown".
pub async fn drop_ended_access(conn: &mut Connection, session: Id, before: i64) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM tokens WHERE session_id = $1 AND kind = 'access' AND expires_at < $2")
        .bind(session)
        .bind(before)
        .execute(conn)
        .await?;
    Ok(())
}
