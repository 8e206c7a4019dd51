//! Facts about the database itself, and counters that are never given out twice.

use super::Connection;

/// Names this database: a restored copy gets another, so that phones notice. [OPS-3]
pub const INCARNATION: &str = "incarnation";
/// The highest time at which anything was signed.
pub const HIGHEST_TIME: &str = "highest_time";

/// Reads a fact.
pub async fn get(conn: &mut Connection, name: &str) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar("SELECT value FROM meta WHERE name = $1").bind(name).fetch_optional(conn).await
}

/// Writes a fact where there is none.
pub async fn keep_first(conn: &mut Connection, name: &str, value: &str) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
        .bind(name)
        .bind(value)
        .execute(conn)
        .await?;
    Ok(())
}

/// Writes a fact.
pub async fn set(conn: &mut Connection, name: &str, value: &str) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(name)
    .bind(value)
    .execute(conn)
    .await?;
    Ok(())
}

/// The next number of a counter.
pub async fn next(conn: &mut Connection, counter: &str) -> sqlx::Result<i64> {
    sqlx::query_scalar("UPDATE counters SET n = n + 1 WHERE name = $1 RETURNING n")
        .bind(counter)
        .fetch_one(conn)
        .await
}
