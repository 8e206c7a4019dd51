//! Credentials given out, when the next ones are due, and the revocation lists of locks.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::{Connection, Id, Named, columns::placeholders};

/// Where a credential is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialState {
    /// The phone may use it.
    Live,
    /// A newer one took its place.
    Replaced,
    /// Taken back.
    Revoked,
    /// Its account was deleted while the key was out: good for the return alone.
    ReturnOnly,
}

/// A credential. Its secret is not stored: it follows from the lock's seed and the ticket.
#[derive(Clone, FromRow)]
pub struct CredentialRow {
    /// 16 hex digits.
    pub id: String,
    pub lockbox_id: Id,
    pub grant_id: Id,
    pub account_id: Id,
    pub device_id: Id,
    pub state: Named<CredentialState>,
    pub key_generation: i64,
    pub issued_at: i64,
    pub not_before: i64,
    pub not_after: i64,
    pub renew_at: i64,
    /// As the lock reads it, in hex.
    pub ticket: String,
}

/// Adds a credential.
pub async fn insert(conn: &mut Connection, row: &CredentialRow) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO credentials (id, lockbox_id, grant_id, account_id, device_id, state, key_generation, \
         issued_at, not_before, not_after, renew_at, ticket) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(row.id.as_str())
    .bind(row.lockbox_id)
    .bind(row.grant_id)
    .bind(row.account_id)
    .bind(row.device_id)
    .bind(row.state)
    .bind(row.key_generation)
    .bind(row.issued_at)
    .bind(row.not_before)
    .bind(row.not_after)
    .bind(row.renew_at)
    .bind(row.ticket.as_str())
    .execute(conn)
    .await?;
    Ok(())
}

/// Those of the credentials that this device may use.
pub async fn live_among(conn: &mut Connection, device: Id, ids: &[&str]) -> sqlx::Result<Vec<CredentialRow>> {
    let list = placeholders(2, ids.len());
    let sql = format!("SELECT * FROM credentials WHERE device_id = $1 AND state = 'live' AND id IN ({list})");
    let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(device);
    for id in ids {
        query = query.bind(*id);
    }
    query.fetch_all(conn).await
}

/// What one device holds for a grant gives way to a newer one; says what that was.
pub async fn replace(conn: &mut Connection, grant: Id, device: Id) -> sqlx::Result<Vec<CredentialRow>> {
    let live =
        sqlx::query_as("SELECT * FROM credentials WHERE grant_id = $1 AND state = 'live' AND device_id = $2")
            .bind(grant)
            .bind(device)
            .fetch_all(&mut *conn)
            .await?;
    set_state(conn, &live, CredentialState::Replaced).await?;
    Ok(live)
}

/// All that could still open under a grant is taken back, replaced ones too; says what that was.
pub async fn take_back(conn: &mut Connection, grant: Id, now: i64) -> sqlx::Result<Vec<CredentialRow>> {
    let usable = sqlx::query_as(
        "SELECT * FROM credentials WHERE grant_id = $1 AND state IN ('live', 'replaced') AND not_after > $2",
    )
    .bind(grant)
    .bind(now)
    .fetch_all(&mut *conn)
    .await?;
    set_state(conn, &usable, CredentialState::Revoked).await?;
    Ok(usable)
}

/// All that could still open and is on one device is taken back; says what that was.
pub async fn take_back_from(conn: &mut Connection, device: Id, now: i64) -> sqlx::Result<Vec<CredentialRow>> {
    let usable = sqlx::query_as(
        "SELECT * FROM credentials WHERE device_id = $1 AND state IN ('live', 'replaced') AND not_after > $2",
    )
    .bind(device)
    .bind(now)
    .fetch_all(&mut *conn)
    .await?;
    set_state(conn, &usable, CredentialState::Revoked).await?;
    Ok(usable)
}

/// What a device holds or held for a grant, and could still open with, is kept for a return alone; says what that
/// was.
pub async fn keep_for_return(
    conn: &mut Connection,
    grant: Id,
    device: Id,
    now: i64,
) -> sqlx::Result<Vec<CredentialRow>> {
    let usable = sqlx::query_as(
        "SELECT * FROM credentials WHERE grant_id = $1 AND device_id = $2 \
         AND state IN ('live', 'replaced') AND not_after > $3 AND not_before < $3",
    )
    .bind(grant)
    .bind(device)
    .bind(now)
    .fetch_all(&mut *conn)
    .await?;
    set_state(conn, &usable, CredentialState::ReturnOnly).await?;
    Ok(usable)
}

async fn set_state(
    conn: &mut Connection,
    rows: &[CredentialRow],
    state: CredentialState,
) -> sqlx::Result<()> {
    for row in rows {
        sqlx::query("UPDATE credentials SET state = $1 WHERE id = $2")
            .bind(Named(state))
            .bind(row.id.as_str())
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

/// Accounts whose phones carry to a lock what it was told: those that hold live credentials for it, and its owner's.
pub async fn carriers(conn: &mut Connection, lockbox: Id, now: i64) -> sqlx::Result<Vec<Id>> {
    sqlx::query_scalar(
        "SELECT account_id FROM credentials WHERE lockbox_id = $1 AND state = 'live' AND not_after > $2 \
         UNION SELECT owner_id FROM lockboxes WHERE id = $1",
    )
    .bind(lockbox)
    .bind(now)
    .fetch_all(conn)
    .await
}

/// The credentials for a lock that phones may use.
pub async fn live_at(conn: &mut Connection, lockbox: Id, now: i64) -> sqlx::Result<Vec<CredentialRow>> {
    sqlx::query_as("SELECT * FROM credentials WHERE lockbox_id = $1 AND state = 'live' AND not_after > $2")
        .bind(lockbox)
        .bind(now)
        .fetch_all(conn)
        .await
}

/// The credential of this id, where it was issued for that lock.
pub async fn issued(conn: &mut Connection, lockbox: Id, id: &str) -> sqlx::Result<Option<CredentialRow>> {
    sqlx::query_as("SELECT * FROM credentials WHERE id = $1 AND lockbox_id = $2")
        .bind(id)
        .bind(lockbox)
        .fetch_optional(conn)
        .await
}

/// Whether the device holds, or held, a credential for a lock.
pub async fn ever_held(conn: &mut Connection, account: Id, lockbox: Id) -> sqlx::Result<bool> {
    let found: Option<String> =
        sqlx::query_scalar("SELECT id FROM credentials WHERE account_id = $1 AND lockbox_id = $2 LIMIT 1")
            .bind(account)
            .bind(lockbox)
            .fetch_optional(conn)
            .await?;
    Ok(found.is_some())
}

/// Notes when a device's ticket for a grant is due. An earlier note is replaced.
pub async fn set_due(conn: &mut Connection, device: Id, grant: Id, due_at: i64) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO tickets_due (device_id, grant_id, due_at) VALUES ($1, $2, $3) \
         ON CONFLICT (device_id, grant_id) DO UPDATE SET due_at = excluded.due_at",
    )
    .bind(device)
    .bind(grant)
    .bind(due_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes all that is granted to an account as due for a device that is new.
pub async fn set_all_due(conn: &mut Connection, device: Id, account: Id, now: i64) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO tickets_due (device_id, grant_id, due_at) \
         SELECT $1, g.id, g.starts_at - s.lead_seconds FROM grants g \
         JOIN lockboxes b ON b.id = g.lockbox_id JOIN associations s ON s.id = b.association_id \
         WHERE g.grantee_id = $2 AND g.state = 'granted' AND g.ends_at > $3 \
         ON CONFLICT (device_id, grant_id) DO NOTHING",
    )
    .bind(device)
    .bind(account)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// All that a device has live tickets for is due anew: they are to be bound to its new key.
pub async fn set_device_due(conn: &mut Connection, device: Id, now: i64) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE tickets_due SET due_at = $1 WHERE device_id = $2 AND due_at > $1 AND grant_id IN \
         (SELECT grant_id FROM credentials WHERE device_id = $2 AND state = 'live' AND not_after > $1)",
    )
    .bind(now)
    .bind(device)
    .execute(conn)
    .await?;
    Ok(())
}

/// Nothing is due for a device any more.
pub async fn clear_due_of(conn: &mut Connection, device: Id) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM tickets_due WHERE device_id = $1").bind(device).execute(conn).await?;
    Ok(())
}

/// Nothing is due under a grant any more.
pub async fn clear_due(conn: &mut Connection, grant: Id) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM tickets_due WHERE grant_id = $1").bind(grant).execute(conn).await?;
    Ok(())
}

/// Nothing is due for a device under a grant any more.
pub async fn clear_due_for(conn: &mut Connection, device: Id, grant: Id) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM tickets_due WHERE device_id = $1 AND grant_id = $2")
        .bind(device)
        .bind(grant)
        .execute(conn)
        .await?;
    Ok(())
}

/// Everything live at a lock is due anew: its epoch was raised.
pub async fn set_lock_due(conn: &mut Connection, lockbox: Id, now: i64) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE tickets_due SET due_at = $1 WHERE due_at > $1 AND grant_id IN \
         (SELECT grant_id FROM credentials WHERE lockbox_id = $2 AND state = 'live' AND not_after > $1)",
    )
    .bind(now)
    .bind(lockbox)
    .execute(conn)
    .await?;
    Ok(())
}

/// Grants whose ticket is due for a device.
pub async fn due(conn: &mut Connection, device: Id, now: i64, limit: i64) -> sqlx::Result<Vec<Id>> {
    sqlx::query_scalar(
        "SELECT grant_id FROM tickets_due WHERE device_id = $1 AND due_at <= $2 ORDER BY due_at LIMIT $3",
    )
    .bind(device)
    .bind(now)
    .bind(limit)
    .fetch_all(conn)
    .await
}

/// Puts a credential on its lock's revocation list.
pub async fn revoke(conn: &mut Connection, lockbox: Id, credential: &str, until: i64) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO revocations (lockbox_id, credential_id, until) VALUES ($1, $2, $3) \
         ON CONFLICT (lockbox_id, credential_id) DO NOTHING",
    )
    .bind(lockbox)
    .bind(credential)
    .bind(until)
    .execute(conn)
    .await?;
    Ok(())
}

/// A lock's revocation list: credential and until when it must be remembered.
pub async fn revoked_at(conn: &mut Connection, lockbox: Id) -> sqlx::Result<Vec<(String, i64)>> {
    sqlx::query_as(
        "SELECT credential_id, until FROM revocations WHERE lockbox_id = $1 ORDER BY until, credential_id",
    )
    .bind(lockbox)
    .fetch_all(conn)
    .await
}

/// Drops entries that ended before a time; all of them, where the epoch was raised.
pub async fn forget_revoked(conn: &mut Connection, lockbox: Id, before: i64) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM revocations WHERE lockbox_id = $1 AND until < $2")
        .bind(lockbox)
        .bind(before)
        .execute(conn)
        .await?;
    Ok(())
}
