//! Codes that were made for somebody, SMAC slots, and which phones can make SmartPINs by themselves.

use sentri_wire::codes::CodeKind;
use sqlx::FromRow;

use super::{Connection, Id, Named, columns::placeholders};

/// A code that was made. Its digits follow from the lock's seed.
#[derive(Clone, FromRow)]
pub struct IssuedRow {
    pub id: Id,
    pub lockbox_id: Id,
    pub key_generation: i64,
    pub kind: Named<CodeKind>,
    /// On the wall of the property, in hours since 1970-01-01.
    pub first_hour: i64,
    pub hours: i64,
    /// Which of those with this window.
    pub number: i64,
    pub guest: Option<String>,
    pub made_by: Id,
    pub by_support: i64,
    pub made_at: i64,
    /// Which version of the lock's codes blocks it.
    pub blocked_in: Option<i64>,
}

/// Adds a code.
pub async fn insert(conn: &mut Connection, row: &IssuedRow) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO issued_codes (id, lockbox_id, key_generation, kind, first_hour, hours, number, guest, made_by, \
         by_support, made_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(row.id)
    .bind(row.lockbox_id)
    .bind(row.key_generation)
    .bind(row.kind)
    .bind(row.first_hour)
    .bind(row.hours)
    .bind(row.number)
    .bind(row.guest.as_deref())
    .bind(row.made_by)
    .bind(row.by_support)
    .bind(row.made_at)
    .execute(conn)
    .await
    .map(drop)
}

/// The codes of a lock that were made with these keys and for this window.
pub async fn of_window(conn: &mut Connection, like: &IssuedRow) -> sqlx::Result<Vec<IssuedRow>> {
    sqlx::query_as(
        "SELECT * FROM issued_codes WHERE lockbox_id = $1 AND first_hour = $2 AND hours = $3 \
         AND key_generation = $4 AND kind = $5 ORDER BY made_at, id",
    )
    .bind(like.lockbox_id)
    .bind(like.first_hour)
    .bind(like.hours)
    .bind(like.key_generation)
    .bind(like.kind)
    .fetch_all(conn)
    .await
}

/// The code with this id, whoever made it: for rules, never for an answer.
pub async fn by_id(conn: &mut Connection, id: Id) -> sqlx::Result<Option<IssuedRow>> {
    sqlx::query_as("SELECT * FROM issued_codes WHERE id = $1").bind(id).fetch_optional(conn).await
}

/// Those of the named codes that were made for boxes that are this agent's, by the keys that these have now.
pub async fn owned_among(conn: &mut Connection, owner: Id, ids: &[&str]) -> sqlx::Result<Vec<IssuedRow>> {
    let list = placeholders(2, ids.len());
    let sql = format!(
        "SELECT c.* FROM issued_codes c JOIN lockboxes b ON b.id = c.lockbox_id AND b.key_generation = c.key_generation \
         WHERE b.owner_id = $1 AND b.retired_at IS NULL AND c.id IN ({list})"
    );
    let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(owner);
    for id in ids {
        query = query.bind(*id);
    }
    query.fetch_all(conn).await
}

/// Blocks a code by a version of its lock's codes.
pub async fn block(conn: &mut Connection, id: Id, version: i64) -> sqlx::Result<()> {
    sqlx::query("UPDATE issued_codes SET blocked_in = $1 WHERE id = $2")
        .bind(version)
        .bind(id)
        .execute(conn)
        .await
        .map(drop)
}

/// Blocks by another version what some versions, the first not among them, blocked.
pub async fn block_again(
    conn: &mut Connection,
    lockbox: Id,
    (after, up_to): (i64, i64),
    version: i64,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE issued_codes SET blocked_in = $1 WHERE lockbox_id = $2 AND blocked_in > $3 AND blocked_in <= $4",
    )
    .bind(version)
    .bind(lockbox)
    .bind(after)
    .bind(up_to)
    .execute(conn)
    .await
    .map(drop)
}

/// The blocked codes of a lock, of the keys that it has now, in the order of their blocking.
pub async fn blocked(conn: &mut Connection, lockbox: Id) -> sqlx::Result<Vec<IssuedRow>> {
    sqlx::query_as(
        "SELECT c.* FROM issued_codes c JOIN lockboxes b ON b.id = c.lockbox_id AND b.key_generation = c.key_generation \
         WHERE c.lockbox_id = $1 AND c.blocked_in IS NOT NULL ORDER BY c.blocked_in, c.id",
    )
    .bind(lockbox)
    .fetch_all(conn)
    .await
}

/// Ids of all codes that were made for a lock.
pub async fn of_lockbox(conn: &mut Connection, lockbox: Id) -> sqlx::Result<Vec<Id>> {
    sqlx::query_scalar("SELECT id FROM issued_codes WHERE lockbox_id = $1")
        .bind(lockbox)
        .fetch_all(conn)
        .await
}

/// The slot that an agent has at a lock on a day.
pub async fn smac_slot(
    conn: &mut Connection,
    lockbox: Id,
    day: i64,
    account: Id,
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar("SELECT slot FROM smac_slots WHERE lockbox_id = $1 AND day = $2 AND account_id = $3")
        .bind(lockbox)
        .bind(day)
        .bind(account)
        .fetch_optional(conn)
        .await
}

/// All slots that are given out at a lock on a day.
pub async fn smac_slots(conn: &mut Connection, lockbox: Id, day: i64) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar("SELECT slot FROM smac_slots WHERE lockbox_id = $1 AND day = $2")
        .bind(lockbox)
        .bind(day)
        .fetch_all(conn)
        .await
}

/// Gives a slot to an agent.
pub async fn give_slot(
    conn: &mut Connection,
    lockbox: Id,
    day: i64,
    slot: i64,
    account: Id,
) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO smac_slots (lockbox_id, day, slot, account_id) VALUES ($1, $2, $3, $4)")
        .bind(lockbox)
        .bind(day)
        .bind(slot)
        .bind(account)
        .execute(conn)
        .await
        .map(drop)
}

/// Whose slot it is, on any of two days: a step before or after midnight is the lock's to take.
pub async fn holder_of_slot(
    conn: &mut Connection,
    lockbox: Id,
    slot: i64,
    (earlier, later): (i64, i64),
) -> sqlx::Result<Option<Id>> {
    sqlx::query_scalar(
        "SELECT account_id FROM smac_slots WHERE lockbox_id = $1 AND slot = $2 AND day IN ($3, $4) ORDER BY day DESC",
    )
    .bind(lockbox)
    .bind(slot)
    .bind(earlier)
    .bind(later)
    .fetch_optional(conn)
    .await
}

/// Notes that a phone is given the key of a lock's generation.
pub async fn give_key(
    conn: &mut Connection,
    lockbox: Id,
    generation: i64,
    device: Id,
    until: i64,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO smart_pin_keys (lockbox_id, key_generation, device_id, until) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (lockbox_id, key_generation, device_id) DO UPDATE SET until = excluded.until",
    )
    .bind(lockbox)
    .bind(generation)
    .bind(device)
    .bind(until)
    .execute(conn)
    .await
    .map(drop)
}

/// Whether a phone was given the key of a lock's generation.
pub async fn has_key(conn: &mut Connection, lockbox: Id, generation: i64, device: Id) -> sqlx::Result<bool> {
    let given: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM smart_pin_keys WHERE lockbox_id = $1 AND key_generation = $2 AND device_id = $3",
    )
    .bind(lockbox)
    .bind(generation)
    .bind(device)
    .fetch_one(conn)
    .await?;
    Ok(given > 0)
}

/// Whether the key of a lock's generation went away with a phone.
pub async fn is_key_lost(conn: &mut Connection, lockbox: Id, generation: i64) -> sqlx::Result<bool> {
    let lost: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM smart_pin_keys \
         WHERE lockbox_id = $1 AND key_generation = $2 AND lost_at IS NOT NULL",
    )
    .bind(lockbox)
    .bind(generation)
    .fetch_one(conn)
    .await?;
    Ok(lost > 0)
}

/// A phone gave its key back: its owner said so on the phone itself.
pub async fn forget_key(conn: &mut Connection, lockbox: Id, generation: i64, device: Id) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM smart_pin_keys WHERE lockbox_id = $1 AND key_generation = $2 AND device_id = $3")
        .bind(lockbox)
        .bind(generation)
        .bind(device)
        .execute(conn)
        .await
        .map(drop)
}

/// Notes that all keys that a phone was given went away with it. Says of which locks.
pub async fn lose_keys(conn: &mut Connection, device: Id, now: i64) -> sqlx::Result<Vec<Id>> {
    sqlx::query_scalar(
        "UPDATE smart_pin_keys SET lost_at = $1 WHERE device_id = $2 AND lost_at IS NULL RETURNING lockbox_id",
    )
    .bind(now)
    .bind(device)
    .fetch_all(conn)
    .await
}
