//! Deleting what is older than logs are kept, a few rows at a time.
//!
//! What a lock's own records are checked against (its mark on the lockbox, the records themselves) is no part of
//! this, and neither is which operations of a lock were used for an event: these hold for ever.

use super::Connection;

/// Deletes events that came before a time; at most so many. Says how many.
pub async fn delete_events(conn: &mut Connection, before: i64, limit: i64) -> sqlx::Result<u64> {
    let deleted = sqlx::query(
        "DELETE FROM access_events WHERE id IN \
         (SELECT id FROM access_events WHERE received_at < $1 ORDER BY received_at LIMIT $2)",
    )
    .bind(before)
    .bind(limit)
    .execute(conn)
    .await?;
    Ok(deleted.rows_affected())
}

/// Deletes lines of the access log from before a time; at most so many. Says how many. A line whose event came
/// since then stays, however old its phone's clock says it is: delete old events first.
pub async fn delete_log(conn: &mut Connection, before: i64, limit: i64) -> sqlx::Result<u64> {
    let deleted = sqlx::query(
        "DELETE FROM access_log WHERE id IN \
         (SELECT l.id FROM access_log l WHERE l.at < $1 \
          AND NOT EXISTS (SELECT 1 FROM access_events e WHERE e.id = l.id) ORDER BY l.at LIMIT $2)",
    )
    .bind(before)
    .bind(limit)
    .execute(conn)
    .await?;
    Ok(deleted.rows_affected())
}
