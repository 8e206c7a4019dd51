//! Owners' default settings, and the settings that locks go by until they have newer ones. [LST-4, LST-6]

use sentri_wire::settings::BoxSettings;
use sqlx::FromRow;

use super::{Connection, Id, columns, lockboxes::LockboxRow};

/// Settings that were newest before.
#[derive(FromRow)]
pub struct FormerSettings {
    /// As the lock reads them, in hex.
    pub settings: String,
    /// IANA name.
    pub time_zone: String,
}

/// An agent's default settings, where they set any.
pub async fn default_of(conn: &mut Connection, account: Id) -> sqlx::Result<Option<BoxSettings>> {
    let set: Option<columns::Json<BoxSettings>> =
        sqlx::query_scalar("SELECT settings FROM default_settings WHERE account_id = $1")
            .bind(account)
            .fetch_optional(conn)
            .await?;
    Ok(set.map(|set| set.0))
}

/// Sets an agent's default settings.
pub async fn set_default(conn: &mut Connection, account: Id, settings: &BoxSettings) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO default_settings (account_id, settings) VALUES ($1, $2) \
         ON CONFLICT (account_id) DO UPDATE SET settings = excluded.settings",
    )
    .bind(account)
    .bind(columns::Json(settings.clone()))
    .execute(conn)
    .await
    .map(drop)
}

/// Keeps a lock's settings of now, before it is told of others. What it surely has outgrown is forgotten.
pub async fn remember(conn: &mut Connection, lockbox: &LockboxRow, version: u32) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM former_settings WHERE lockbox_id = $1 AND version < $2")
        .bind(lockbox.id)
        .bind(lockbox.working_settings_version())
        .execute(&mut *conn)
        .await?;
    sqlx::query(
        "INSERT INTO former_settings (lockbox_id, version, settings, time_zone) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (lockbox_id, version) DO NOTHING",
    )
    .bind(lockbox.id)
    .bind(i64::from(version))
    .bind(lockbox.settings.as_str())
    .bind(lockbox.time_zone.as_str())
    .execute(conn)
    .await
    .map(drop)
}

/// Forgets what a lock had before: it was given its settings by hand.
pub async fn forget_former(conn: &mut Connection, lockbox: Id) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM former_settings WHERE lockbox_id = $1")
        .bind(lockbox)
        .execute(conn)
        .await
        .map(drop)
}

/// The settings of a version that a lock was told of before.
pub async fn former(
    conn: &mut Connection,
    lockbox: Id,
    version: i64,
) -> sqlx::Result<Option<FormerSettings>> {
    sqlx::query_as("SELECT settings, time_zone FROM former_settings WHERE lockbox_id = $1 AND version = $2")
        .bind(lockbox)
        .bind(version)
        .fetch_optional(conn)
        .await
}
