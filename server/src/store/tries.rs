//! Counters of wrong tries, by purpose and subject. A subject is a keyed digest or an id, so that the table
//! names nobody, and it need not exist: an unknown login is counted like a known one.

use sqlx::FromRow;

use super::Connection;

/// Until when the subject has to wait; 0 where it need not.
pub async fn waits_until(conn: &mut Connection, purpose: &str, subject: &str) -> sqlx::Result<i64> {
    let until = sqlx::query_scalar("SELECT wait_until FROM tries WHERE purpose = $1 AND subject = $2")
        .bind(purpose)
        .bind(subject)
        .fetch_optional(conn)
        .await?;
    Ok(until.unwrap_or(0))
}

/// Counts one more and says how many there are now. A count that is older than `forget_before` starts over.
pub async fn count(
    conn: &mut Connection,
    purpose: &str,
    subject: &str,
    now: i64,
    forget_before: i64,
) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "INSERT INTO tries (purpose, subject, failures, wait_until, last_at) VALUES ($1, $2, 1, 0, $3) \
         ON CONFLICT (purpose, subject) DO UPDATE SET last_at = excluded.last_at, \
         failures = CASE WHEN tries.last_at < $4 THEN 1 ELSE tries.failures + 1 END \
         RETURNING failures",
    )
    .bind(purpose)
    .bind(subject)
    .bind(now)
    .bind(forget_before)
    .fetch_one(conn)
    .await
}

/// Makes the subject wait.
pub async fn wait(conn: &mut Connection, purpose: &str, subject: &str, until: i64) -> sqlx::Result<()> {
    sqlx::query("UPDATE tries SET wait_until = $1 WHERE purpose = $2 AND subject = $3")
        .bind(until)
        .bind(purpose)
        .bind(subject)
        .execute(conn)
        .await?;
    Ok(())
}

/// Forgets the wrong tries after a right one.
pub async fn clear(conn: &mut Connection, purpose: &str, subject: &str) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM tries WHERE purpose = $1 AND subject = $2")
        .bind(purpose)
        .bind(subject)
        .execute(conn)
        .await?;
    Ok(())
}

/// A count, and when it starts over.
#[derive(FromRow)]
pub struct Window {
    #[sqlx(rename = "failures")]
    pub count: i64,
    #[sqlx(rename = "wait_until")]
    pub ends_at: i64,
}

/// Counts one more within a window of so many seconds, which begins with the first and does not move on.
pub async fn count_within(
    conn: &mut Connection,
    purpose: &str,
    subject: &str,
    now: i64,
    seconds: i64,
) -> sqlx::Result<Window> {
    sqlx::query_as(
        "INSERT INTO tries (purpose, subject, failures, wait_until, last_at) VALUES ($1, $2, 1, $4, $3) \
         ON CONFLICT (purpose, subject) DO UPDATE SET last_at = excluded.last_at, \
         failures = CASE WHEN tries.wait_until <= $3 THEN 1 ELSE tries.failures + 1 END, \
         wait_until = CASE WHEN tries.wait_until <= $3 THEN excluded.wait_until ELSE tries.wait_until END \
         RETURNING failures, wait_until",
    )
    .bind(purpose)
    .bind(subject)
    .bind(now)
    .bind(now + seconds)
    .fetch_one(conn)
    .await
}
