//! Grants: who may open which box when, by whose word.

use std::collections::BTreeSet;

use sentri_wire::agent::{Grant, GrantState};
use sqlx::FromRow;

use super::{
    Connection, Id, Named,
    columns::{pieces, placeholders},
};

/// A grant, with the serial number of its box.
#[derive(Clone, FromRow)]
pub struct GrantRow {
    pub id: Id,
    pub listing_id: Id,
    pub lockbox_id: Id,
    pub granter_id: Id,
    pub grantee_id: Option<Id>,
    pub email: String,
    pub email_key: String,
    pub starts_at: i64,
    pub ends_at: i64,
    pub state: Named<GrantState>,
    pub phone_ready: i64,
    pub last_used_at: Option<i64>,
    pub created_at: i64,
    /// Of the lockbox.
    pub serial: String,
    /// The lockbox's, who need not be the granter any more.
    pub owner_id: Id,
}

impl GrantRow {
    /// As its granter sees it.
    pub fn to_wire(&self) -> Grant {
        Grant {
            id: self.id.0,
            listing_id: self.listing_id.0,
            lockbox: self.serial.clone(),
            email: self.email.clone(),
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            state: self.state.0,
            phone_ready: self.phone_ready != 0,
            last_used_at: self.last_used_at,
        }
    }
}

/// Adds a grant.
pub async fn insert(conn: &mut Connection, row: &GrantRow) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO grants (id, listing_id, lockbox_id, granter_id, grantee_id, email, email_key, starts_at, \
         ends_at, state, phone_ready, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11)",
    )
    .bind(row.id)
    .bind(row.listing_id)
    .bind(row.lockbox_id)
    .bind(row.granter_id)
    .bind(row.grantee_id)
    .bind(row.email.as_str())
    .bind(row.email_key.as_str())
    .bind(row.starts_at)
    .bind(row.ends_at)
    .bind(row.state)
    .bind(row.created_at)
    .execute(conn)
    .await?;
    Ok(())
}

const SELECT: &str =
    "SELECT g.*, b.serial, b.owner_id FROM grants g JOIN lockboxes b ON b.id = g.lockbox_id WHERE ";

/// The grant, where this agent gave it.
pub async fn given(conn: &mut Connection, granter: Id, id: Id) -> sqlx::Result<Option<GrantRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!("{SELECT} g.id = $1 AND g.granter_id = $2")))
        .bind(id)
        .bind(granter)
        .fetch_optional(conn)
        .await
}

/// The grant of this id, whoever gave it: for rules, never for an answer.
pub async fn by_id(conn: &mut Connection, id: Id) -> sqlx::Result<Option<GrantRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!("{SELECT} g.id = $1"))).bind(id).fetch_optional(conn).await
}

/// Those of these ids, whoever gave them: for rules, never for an answer.
pub async fn among(conn: &mut Connection, ids: &BTreeSet<Id>) -> sqlx::Result<Vec<GrantRow>> {
    let ids: Vec<Id> = ids.iter().copied().collect();
    let mut found = Vec::with_capacity(ids.len());
    for piece in pieces(&ids) {
        let sql = format!("{SELECT} g.id IN ({})", placeholders(1, piece.len()));
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql));
        for id in piece {
            query = query.bind(*id);
        }
        found.extend(query.fetch_all(&mut *conn).await?);
    }
    Ok(found)
}

/// A listing's grants, newest first: its SentriConnect history. [GRT-5]
pub async fn of_listing(conn: &mut Connection, listing: Id, limit: i64) -> sqlx::Result<Vec<GrantRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{SELECT} g.listing_id = $1 ORDER BY g.created_at DESC, g.id LIMIT $2"
    )))
    .bind(listing)
    .bind(limit)
    .fetch_all(conn)
    .await
}

/// All grants that this agent gave, oldest first.
pub async fn given_by(conn: &mut Connection, granter: Id) -> sqlx::Result<Vec<GrantRow>> {
    let sql = format!("{SELECT} g.granter_id = $1 ORDER BY g.created_at, g.id");
    sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(granter).fetch_all(conn).await
}

/// Those of the grants that this agent gave.
pub async fn given_among(conn: &mut Connection, granter: Id, ids: &[&str]) -> sqlx::Result<Vec<GrantRow>> {
    let list = placeholders(2, ids.len());
    let sql = format!("{SELECT} g.granter_id = $1 AND g.id IN ({list})");
    let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(granter);
    for id in ids {
        query = query.bind(*id);
    }
    query.fetch_all(conn).await
}

/// Takes the grant back, where it is this agent's, stands, and has not begun: one statement decides. [GRT-4]
pub async fn revoke(conn: &mut Connection, granter: Id, id: Id, now: i64) -> sqlx::Result<bool> {
    let revoked = sqlx::query(
        "UPDATE grants SET state = 'revoked' \
         WHERE id = $1 AND granter_id = $2 AND state <> 'revoked' AND starts_at > $3",
    )
    .bind(id)
    .bind(granter)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(revoked.rows_affected() == 1)
}

/// All grants of an account that stand or stood.
pub async fn all_of(conn: &mut Connection, holder: Id) -> sqlx::Result<Vec<GrantRow>> {
    let sql = format!("{SELECT} g.grantee_id = $1 ORDER BY g.lockbox_id, g.id");
    sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(holder).fetch_all(conn).await
}

/// What is granted at a lockbox and not over.
pub async fn open_at(conn: &mut Connection, lockbox: Id, now: i64) -> sqlx::Result<Vec<GrantRow>> {
    let sql = format!("{SELECT} g.lockbox_id = $1 AND g.ends_at > $2 AND g.state <> 'revoked' ORDER BY g.id");
    sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(lockbox).bind(now).fetch_all(conn).await
}

/// Takes a grant back, whoever gave it and whenever it begins.
pub async fn set_revoked(conn: &mut Connection, id: Id) -> sqlx::Result<()> {
    sqlx::query("UPDATE grants SET state = 'revoked' WHERE id = $1").bind(id).execute(conn).await?;
    Ok(())
}

/// Hands all that was granted to an address to the account that proved it.
pub async fn claim(conn: &mut Connection, email_key: &str, account: Id) -> sqlx::Result<Vec<GrantRow>> {
    sqlx::query(
        "UPDATE grants SET grantee_id = $1, state = CASE WHEN state = 'invited' THEN 'granted' ELSE state END \
         WHERE email_key = $2 AND grantee_id IS NULL",
    )
    .bind(account)
    .bind(email_key)
    .execute(&mut *conn)
    .await?;
    sqlx::query_as(sqlx::AssertSqlSafe(format!("{SELECT} g.grantee_id = $1")))
        .bind(account)
        .fetch_all(conn)
        .await
}

/// Whether anyone may still come to this listing: a grant that stands and has not ended.
pub async fn any_open(conn: &mut Connection, listing: Id, now: i64) -> sqlx::Result<bool> {
    let found: Option<Id> = sqlx::query_scalar(
        "SELECT id FROM grants WHERE listing_id = $1 AND state <> 'revoked' AND ends_at > $2 LIMIT 1",
    )
    .bind(listing)
    .bind(now)
    .fetch_optional(conn)
    .await?;
    Ok(found.is_some())
}

/// Whether the account holds or ever held an access at a box, and which one covers a moment best.
pub async fn held_at_box(conn: &mut Connection, holder: Id, serial: &str) -> sqlx::Result<Option<GrantRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{SELECT} g.grantee_id = $1 AND b.serial = $2 ORDER BY g.ends_at DESC LIMIT 1"
    )))
    .bind(holder)
    .bind(serial)
    .fetch_optional(conn)
    .await
}

/// Notes that a phone has fetched a ticket. True where it is news.
pub async fn set_phone_ready(conn: &mut Connection, id: Id) -> sqlx::Result<bool> {
    let changed = sqlx::query("UPDATE grants SET phone_ready = 1 WHERE id = $1 AND phone_ready = 0")
        .bind(id)
        .execute(conn)
        .await?;
    Ok(changed.rows_affected() == 1)
}

/// Notes that the access was used.
pub async fn set_last_used(conn: &mut Connection, id: Id, at: i64) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE grants SET last_used_at = $1 WHERE id = $2 AND (last_used_at IS NULL OR last_used_at < $1)",
    )
    .bind(at)
    .bind(id)
    .execute(conn)
    .await?;
    Ok(())
}
