//! Device registrations: taken at login, given up by their owner; and the key that a device holds.

use sentri_wire::{
    account::Platform,
    device::{ChallengePurpose, DeviceKeyKind, OwnDevice, PushService},
};
use sqlx::FromRow;

use super::{Connection, Id, Named};

/// A device that logs in.
pub struct NewDevice<'a> {
    pub id: Id,
    pub account: Id,
    pub install_id: Id,
    pub name: &'a str,
    pub platform: Platform,
    pub now: i64,
}

/// What became of a registration.
pub enum Registered {
    /// The device has used one registration now.
    New(Id),
    /// It was registered already and used none.
    Known(Id),
    /// All are used.
    LimitReached,
}

/// Registers a device. Two logins can't both take the last place: the place is counted by an update that
/// carries the limit, and a refusal undoes the transaction. [ACC-4]
pub async fn register(conn: &mut Connection, device: &NewDevice<'_>, limit: i64) -> sqlx::Result<Registered> {
    let added = sqlx::query(
        "INSERT INTO devices (id, account_id, install_id, name, platform, registered_at, last_seen_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT (account_id, install_id) DO NOTHING",
    )
    .bind(device.id)
    .bind(device.account)
    .bind(device.install_id)
    .bind(device.name)
    .bind(Named(device.platform))
    .bind(device.now)
    .execute(&mut *conn)
    .await?;
    if added.rows_affected() == 0 {
        return rename(conn, device).await.map(Registered::Known);
    }
    let counted = sqlx::query(
        "UPDATE accounts SET device_count = device_count + 1 WHERE id = $1 AND device_count < $2",
    )
    .bind(device.account)
    .bind(limit)
    .execute(conn)
    .await?;
    Ok(if counted.rows_affected() == 1 { Registered::New(device.id) } else { Registered::LimitReached })
}

async fn rename(conn: &mut Connection, device: &NewDevice<'_>) -> sqlx::Result<Id> {
    sqlx::query_scalar(
        "UPDATE devices SET name = $1, last_seen_at = $2 WHERE account_id = $3 AND install_id = $4 RETURNING id",
    )
    .bind(device.name)
    .bind(device.now)
    .bind(device.account)
    .bind(device.install_id)
    .fetch_one(conn)
    .await
}

/// The registration of an installation.
pub async fn of_install(conn: &mut Connection, account: Id, install: Id) -> sqlx::Result<Option<Id>> {
    sqlx::query_scalar(
        "SELECT id FROM devices WHERE account_id = $1 AND install_id = $2 AND removed_at IS NULL",
    )
    .bind(account)
    .bind(install)
    .fetch_optional(conn)
    .await
}

/// Notes that a device was heard of.
pub async fn seen(conn: &mut Connection, id: Id, now: i64) -> sqlx::Result<()> {
    sqlx::query("UPDATE devices SET last_seen_at = $1 WHERE id = $2")
        .bind(now)
        .bind(id)
        .execute(conn)
        .await?;
    Ok(())
}

/// An account's devices that were not removed.
pub async fn of_account(conn: &mut Connection, account: Id) -> sqlx::Result<Vec<Id>> {
    sqlx::query_scalar(
        "SELECT id FROM devices WHERE account_id = $1 AND removed_at IS NULL ORDER BY registered_at, id",
    )
    .bind(account)
    .fetch_all(conn)
    .await
}

#[derive(FromRow)]
struct OwnRow {
    id: Id,
    name: String,
    platform: Named<Platform>,
    registered_at: i64,
    last_seen_at: i64,
}

/// The same, as their owner sees them.
pub async fn own(conn: &mut Connection, account: Id) -> sqlx::Result<Vec<OwnDevice>> {
    let rows: Vec<OwnRow> = sqlx::query_as(
        "SELECT id, name, platform, registered_at, last_seen_at FROM devices \
         WHERE account_id = $1 AND removed_at IS NULL ORDER BY registered_at, id",
    )
    .bind(account)
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| OwnDevice {
            id: row.id.0,
            name: row.name,
            platform: row.platform.0,
            registered_at: row.registered_at,
            last_seen_at: row.last_seen_at,
        })
        .collect())
}

/// Gives up a registration. False where the account has no such device. The row stays, without a name, for the
/// session that may still upload; the installation can register anew. [ACC-5]
pub async fn remove(conn: &mut Connection, account: Id, id: Id, now: i64) -> sqlx::Result<bool> {
    let removed = sqlx::query(
        "UPDATE devices SET removed_at = $1, install_id = id, name = '', device_key = NULL, \
         device_key_kind = NULL, push_service = NULL, push_token = NULL WHERE id = $2 AND account_id = $3 AND removed_at IS NULL",
    )
    .bind(now)
    .bind(id)
    .bind(account)
    .execute(&mut *conn)
    .await?;
    if removed.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query("DELETE FROM challenges WHERE device_id = $1").bind(id).execute(&mut *conn).await?;
    sqlx::query("UPDATE accounts SET device_count = device_count - 1 WHERE id = $1")
        .bind(account)
        .execute(conn)
        .await?;
    Ok(true)
}

/// The key of a device.
#[derive(Clone, Debug, FromRow)]
pub struct KeyRow {
    /// P-256, compressed, in hex.
    #[sqlx(rename = "device_key")]
    pub key: String,
    #[sqlx(rename = "device_key_kind")]
    pub kind: Named<DeviceKeyKind>,
}

/// The key that a device registered.
pub async fn key(conn: &mut Connection, device: Id) -> sqlx::Result<Option<KeyRow>> {
    sqlx::query_as("SELECT device_key, device_key_kind FROM devices WHERE id = $1 AND device_key IS NOT NULL")
        .bind(device)
        .fetch_optional(conn)
        .await
}

/// Registers a key.
pub async fn set_key(conn: &mut Connection, device: Id, row: &KeyRow) -> sqlx::Result<()> {
    sqlx::query("UPDATE devices SET device_key = $1, device_key_kind = $2 WHERE id = $3")
        .bind(row.key.as_str())
        .bind(row.kind)
        .bind(device)
        .execute(conn)
        .await?;
    Ok(())
}

/// Where a device's pushes go.
#[derive(Clone, FromRow)]
pub struct PushRow {
    pub id: Id,
    pub push_service: Named<PushService>,
    /// Sealed: whoever has it can wake the phone.
    pub push_token: String,
}

/// Sets where a device's pushes go.
pub async fn set_push(conn: &mut Connection, row: &PushRow) -> sqlx::Result<()> {
    sqlx::query("UPDATE devices SET push_service = $1, push_token = $2 WHERE id = $3 AND removed_at IS NULL")
        .bind(row.push_service)
        .bind(row.push_token.as_str())
        .bind(row.id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Ends pushes to a device.
pub async fn clear_push(conn: &mut Connection, id: Id) -> sqlx::Result<()> {
    sqlx::query("UPDATE devices SET push_service = NULL, push_token = NULL WHERE id = $1")
        .bind(id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Where an account's pushes go, oldest device first.
pub async fn pushes_of(conn: &mut Connection, account: Id) -> sqlx::Result<Vec<PushRow>> {
    sqlx::query_as(
        "SELECT id, push_service, push_token FROM devices WHERE account_id = $1 AND push_token IS NOT NULL \
         ORDER BY registered_at, id",
    )
    .bind(account)
    .fetch_all(conn)
    .await
}

/// Puts a challenge in the place of the device's last one of this purpose.
pub async fn set_challenge(
    conn: &mut Connection,
    device: Id,
    purpose: ChallengePurpose,
    challenge: &str,
    expires_at: i64,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO challenges (device_id, purpose, challenge, expires_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (device_id, purpose) DO UPDATE SET challenge = excluded.challenge, \
         expires_at = excluded.expires_at",
    )
    .bind(device)
    .bind(Named(purpose))
    .bind(challenge)
    .bind(expires_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// Uses up a challenge. False where it is not the device's last one, was used, or has expired.
pub async fn spend_challenge(
    conn: &mut Connection,
    device: Id,
    purpose: ChallengePurpose,
    challenge: &str,
    now: i64,
) -> sqlx::Result<bool> {
    let spent = sqlx::query(
        "DELETE FROM challenges WHERE device_id = $1 AND purpose = $2 AND challenge = $3 AND expires_at > $4",
    )
    .bind(device)
    .bind(Named(purpose))
    .bind(challenge)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(spent.rows_affected() == 1)
}
