//! Which settings a lock was given, by version: what it works by, as long as newer ones are Pending. [LST-6]

use super::{Connection, Id};

/// Adds a version.
pub async fn add(conn: &mut Connection, lockbox: Id, version: i64, settings: &str) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO settings_history (lockbox_id, version, settings) VALUES ($1, $2, $3) \
         ON CONFLICT (lockbox_id, version) DO UPDATE SET settings = excluded.settings",
    )
    .bind(lockbox)
    .bind(version)
    .bind(settings)
    .execute(conn)
    .await
    .map(drop)
}

/// The lock has these by other means than a phone: what was before is no more.
pub async fn begin_anew(
    conn: &mut Connection,
    lockbox: Id,
    version: i64,
    settings: &str,
) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM settings_history WHERE lockbox_id = $1")
        .bind(lockbox)
        .execute(&mut *conn)
        .await?;
    add(conn, lockbox, version, settings).await
}

/// What a lock works by that was heard to have this version, in hex: at least what the factory wrote into it.
pub async fn at_lock(conn: &mut Connection, lockbox: Id, heard: i64) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar(
        "SELECT settings FROM settings_history WHERE lockbox_id = $1 \
         ORDER BY CASE WHEN version <= $2 THEN 0 ELSE 1 END, CASE WHEN version <= $2 THEN -version ELSE version END \
         LIMIT 1",
    )
    .bind(lockbox)
    .bind(heard)
    .fetch_optional(conn)
    .await
}
