//! How far the listings feed of each association has been read, and which instance is at it.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::{Connection, Id, Named};

/// What is being done with a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Nothing: the last pass has come to its end.
    Idle,
    /// A pass reads page after page.
    Reading,
    /// A whole pass has read all; what it did not see is taken away.
    Sweeping,
}

/// A feed's state. Times of the feed's own are in milliseconds, ours in seconds.
#[derive(Clone, Debug, FromRow)]
pub struct FeedRow {
    pub association_id: Id,
    /// All that changed up to here has been taken.
    pub mark: i64,
    /// Number of the latest pass.
    pub pass: i64,
    pub stage: Named<Stage>,
    /// Whether the pass reads the feed from its beginning to its end, and not only what changed.
    pub is_whole: i64,
    /// What the pass asked first.
    pub query: Option<String>,
    /// Where it goes on; at its beginning where nothing.
    pub next_link: Option<String>,
    /// Records that came in this pass.
    pub taken: i64,
    /// The latest change among them.
    pub highest: i64,
    /// Whether they came in the order of their changes so far.
    pub in_order: i64,
    /// When the last whole pass began that came to its end.
    pub whole_at: Option<i64>,
    /// When the pass in hand began.
    pub begun_at: i64,
    /// When the feed is to be asked next.
    pub due_at: i64,
    /// Calls that failed, one after the other.
    pub failures: i64,
}

/// Makes the state of a feed where there is none.
pub async fn keep(conn: &mut Connection, association: Id) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO feeds (association_id, mark, pass, stage, is_whole, taken, highest, in_order, begun_at, \
         due_at, failures) VALUES ($1, 0, 0, $2, 0, 0, 0, 1, 0, 0, 0) ON CONFLICT (association_id) DO NOTHING",
    )
    .bind(association)
    .bind(Named(Stage::Idle))
    .execute(conn)
    .await
    .map(drop)
}

/// The state of a feed.
pub async fn of(conn: &mut Connection, association: Id) -> sqlx::Result<Option<FeedRow>> {
    sqlx::query_as("SELECT * FROM feeds WHERE association_id = $1")
        .bind(association)
        .fetch_optional(conn)
        .await
}

/// Takes a feed in hand until a time. False where somebody else has it, or where it is due later than it should be.
pub async fn lease(
    conn: &mut Connection,
    association: Id,
    holder: &str,
    (now, until): (i64, i64),
    due_by: i64,
) -> sqlx::Result<bool> {
    let leased = sqlx::query(
        "UPDATE feeds SET leased_by = $1, leased_until = $2 WHERE association_id = $3 \
         AND (leased_by IS NULL OR leased_by = $1 OR leased_until <= $4) AND due_at <= $5",
    )
    .bind(holder)
    .bind(until)
    .bind(association)
    .bind(now)
    .bind(due_by)
    .execute(conn)
    .await?;
    Ok(leased.rows_affected() == 1)
}

/// Keeps a feed in hand for longer. False where somebody else has taken it meanwhile: nothing more may be written then.
pub async fn hold(conn: &mut Connection, association: Id, holder: &str, until: i64) -> sqlx::Result<bool> {
    let held = sqlx::query("UPDATE feeds SET leased_until = $1 WHERE association_id = $2 AND leased_by = $3")
        .bind(until)
        .bind(association)
        .bind(holder)
        .execute(conn)
        .await?;
    Ok(held.rows_affected() == 1)
}

/// Gives a feed back.
pub async fn release(conn: &mut Connection, association: Id, holder: &str) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE feeds SET leased_by = NULL, leased_until = NULL WHERE association_id = $1 AND leased_by = $2",
    )
    .bind(association)
    .bind(holder)
    .execute(conn)
    .await
    .map(drop)
}

/// Writes the state of a feed. Only whoever holds it may.
pub async fn set(conn: &mut Connection, row: &FeedRow) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE feeds SET mark = $1, pass = $2, stage = $3, is_whole = $4, query = $5, next_link = $6, taken = $7, \
         highest = $8, in_order = $9, whole_at = $10, begun_at = $11, due_at = $12, failures = $13 \
         WHERE association_id = $14",
    )
    .bind(row.mark)
    .bind(row.pass)
    .bind(row.stage)
    .bind(row.is_whole)
    .bind(row.query.as_deref())
    .bind(row.next_link.as_deref())
    .bind(row.taken)
    .bind(row.highest)
    .bind(row.in_order)
    .bind(row.whole_at)
    .bind(row.begun_at)
    .bind(row.due_at)
    .bind(row.failures)
    .bind(row.association_id)
    .execute(conn)
    .await
    .map(drop)
}
