//! What changed for whom: one row for each object that an account's phones hold, with the number of its
//! latest change. A cursor is such a number; a page reads only the rows above it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use sqlx::FromRow;

use super::{
    Connection, Id,
    columns::{pieces, rows},
    gather::{Gathering, gather},
};

/// An object that a transaction changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Touched {
    /// Whose.
    pub account: Id,
    /// On which device; on all where nothing.
    pub device: Option<Id>,
    /// The kind of record.
    pub kind: &'static str,
    /// Its id.
    pub object: String,
}

/// A row of a page.
#[derive(Debug, Deserialize)]
pub struct ChangeRow {
    /// Its place in the account's order.
    pub seq: i64,
    /// The kind of record.
    pub kind: String,
    /// Its id.
    pub object_id: String,
}

/// Gives each change the account's next number. The account's row stays locked until the commit, so numbers
/// become visible in their order.
pub async fn number(conn: &mut Connection, touched: &BTreeSet<Touched>, now: i64) -> sqlx::Result<()> {
    let mut accounts: BTreeMap<Id, Vec<&Touched>> = BTreeMap::new();
    for change in touched {
        accounts.entry(change.account).or_default().push(change);
    }
    for (account, changes) in accounts {
        let count = i64::try_from(changes.len()).unwrap_or(i64::MAX);
        let last: i64 = sqlx::query_scalar(
            "UPDATE accounts SET change_seq = change_seq + $1 WHERE id = $2 RETURNING change_seq",
        )
        .bind(count)
        .bind(account)
        .fetch_one(&mut *conn)
        .await?;
        let numbered: Vec<(&Touched, i64)> = changes.into_iter().zip(last - count + 1..).collect();
        for piece in pieces(&numbered) {
            upsert(conn, piece, now).await?;
        }
    }
    Ok(())
}

async fn upsert(conn: &mut Connection, changed: &[(&Touched, i64)], now: i64) -> sqlx::Result<()> {
    let sql = format!(
        "INSERT INTO changes (account_id, device_id, kind, object_id, seq, at) VALUES {} \
         ON CONFLICT (account_id, device_id, kind, object_id) DO UPDATE SET seq = excluded.seq, at = excluded.at",
        rows(conn, changed.len(), 6)
    );
    let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
    for (change, seq) in changed {
        query = query
            .bind(change.account)
            .bind(change.device.map_or_else(String::new, |device| device.to_string()))
            .bind(change.kind)
            .bind(change.object.as_str())
            .bind(*seq)
            .bind(now);
    }
    query.execute(conn).await.map(drop)
}

/// Query of a page, alone so that the bench can have its plan explained.
pub const PAGE: &str = "SELECT seq, kind, object_id FROM changes \
                        WHERE account_id = $1 AND seq > $2 AND device_id IN ('', $3) \
                        ORDER BY seq LIMIT $4";

/// The changes of an account above a number, oldest first, those for other devices left out.
pub async fn page(
    conn: &mut Connection,
    account: Id,
    device: Id,
    above: i64,
    limit: i64,
) -> sqlx::Result<Vec<ChangeRow>> {
    let rows = format!("({PAGE}) AS page");
    let bind = |query: Gathering| query.bind(account).bind(above).bind(device).bind(limit);
    let mut rows: Vec<ChangeRow> = gather(conn, "seq, kind, object_id", &rows, bind).await?;
    rows.sort_unstable_by_key(|row| row.seq);
    Ok(rows)
}

/// Where an account's changes stand.
#[derive(FromRow)]
pub struct Position {
    /// The number of the newest one.
    pub newest: i64,
    /// Up to here, what went away may be forgotten: a cursor below starts over.
    pub floor: i64,
    /// Names the database.
    pub incarnation: String,
    /// When a ticket for the device is due next.
    pub due_at: Option<i64>,
    /// When a pass for one of a resident's doors is due next.
    pub pass_due_at: Option<i64>,
}

/// Where an account's changes stand now, and what its device waits for.
pub async fn position(conn: &mut Connection, account: Id, device: Id) -> sqlx::Result<Position> {
    sqlx::query_as(
        "SELECT change_seq AS newest, change_floor AS floor, \
         (SELECT value FROM meta WHERE name = 'incarnation') AS incarnation, \
         (SELECT MIN(due_at) FROM tickets_due WHERE device_id = $2) AS due_at, \
         (SELECT MIN(COALESCE(p.renew_at, 0)) FROM residents r JOIN doors d ON d.community_id = r.community_id \
         AND (d.unit IS NULL OR d.unit = r.unit) LEFT JOIN door_passes p ON p.door_id = d.id AND p.device_id = $2 \
         WHERE r.account_id = $1) AS pass_due_at FROM accounts WHERE id = $1",
    )
    .bind(account)
    .bind(device)
    .fetch_one(conn)
    .await
}
