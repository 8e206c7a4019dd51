//! Grants: who may open which box when, by whose word.

use std::collections::BTreeSet;

use sentri_wire::agent::{Grant, GrantState, Revocation, RevocationReach};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::{
    Connection, Id, Named,
    columns::{pieces, placeholders},
    lockboxes::LockboxRow,
};

/// What gives the right to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantKind {
    /// An agent gave it to somebody.
    Access,
    /// A member's visit to a box of their association. [AGT-1]
    Visit,
}

/// A grant, with what it needs to know of its box.
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
    pub kind: Named<GrantKind>,
    pub revoked_at: Option<i64>,
    /// The list of the box that first names its tickets; absent where no phone had one.
    pub revoked_version: Option<i64>,
    /// When the last of its tickets ends, with all tolerance.
    pub revoked_until: Option<i64>,
    /// Of the lockbox.
    pub serial: String,
    /// The lockbox's, who need not be the granter any more.
    pub owner_id: Id,
    /// The newest list that the lockbox was heard to have.
    pub heard_revocation_version: i64,
}

impl GrantRow {
    /// A new one at a box, by its owner; to whom is still to be said.
    pub fn new(
        id: Id,
        kind: GrantKind,
        lockbox: &LockboxRow,
        listing: Id,
        (starts_at, ends_at): (i64, i64),
        now: i64,
    ) -> Self {
        Self {
            id,
            listing_id: listing,
            lockbox_id: lockbox.id,
            granter_id: lockbox.owner_id,
            grantee_id: None,
            email: String::new(),
            email_key: String::new(),
            starts_at,
            ends_at,
            state: Named(GrantState::Granted),
            phone_ready: 0,
            last_used_at: None,
            created_at: now,
            kind: Named(kind),
            revoked_at: None,
            revoked_version: None,
            revoked_until: None,
            serial: lockbox.serial.clone(),
            owner_id: lockbox.owner_id,
            heard_revocation_version: lockbox.heard_revocation_version,
        }
    }

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
            revocation: self.revocation(),
        }
    }

    fn revocation(&self) -> Option<Revocation> {
        if self.state.0 != GrantState::Revoked {
            return None;
        }
        let reach = match self.revoked_version {
            None => RevocationReach::NothingOut,
            Some(version) if version <= self.heard_revocation_version => RevocationReach::AtTheBox,
            Some(_) => RevocationReach::OnItsWay,
        };
        Some(Revocation { at: self.revoked_at, reach, opens_until: self.revoked_until })
    }
}

/// Adds a grant.
pub async fn insert(conn: &mut Connection, row: &GrantRow) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO grants (id, listing_id, lockbox_id, granter_id, grantee_id, email, email_key, starts_at, \
         ends_at, state, phone_ready, created_at, kind) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11, $12)",
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
    .bind(row.kind)
    .execute(conn)
    .await?;
    Ok(())
}

const SELECT: &str = "SELECT g.*, b.serial, b.owner_id, b.heard_revocation_version \
                      FROM grants g JOIN lockboxes b ON b.id = g.lockbox_id WHERE ";

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

/// The grant to this address for this box and this very window, where it stands.
pub async fn same(conn: &mut Connection, row: &GrantRow) -> sqlx::Result<Option<GrantRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{SELECT} g.email_key = $1 AND g.lockbox_id = $2 AND g.granter_id = $3 AND g.starts_at = $4 \
         AND g.ends_at = $5 AND g.kind = 'access' AND g.state <> 'revoked' ORDER BY g.id LIMIT 1"
    )))
    .bind(row.email_key.as_str())
    .bind(row.lockbox_id)
    .bind(row.granter_id)
    .bind(row.starts_at)
    .bind(row.ends_at)
    .fetch_optional(conn)
    .await
}

/// A listing's grants, newest first: its SentriConnect history. [GRT-5]
pub async fn of_listing(conn: &mut Connection, listing: Id, limit: i64) -> sqlx::Result<Vec<GrantRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{SELECT} g.listing_id = $1 AND g.kind = 'access' ORDER BY g.created_at DESC, g.id LIMIT $2"
    )))
    .bind(listing)
    .bind(limit)
    .fetch_all(conn)
    .await
}

/// All grants that this agent gave, oldest first.
pub async fn given_by(conn: &mut Connection, granter: Id) -> sqlx::Result<Vec<GrantRow>> {
    let sql = format!("{SELECT} g.granter_id = $1 AND g.kind = 'access' ORDER BY g.created_at, g.id");
    sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(granter).fetch_all(conn).await
}

/// Those of the grants that this agent gave.
pub async fn given_among(conn: &mut Connection, granter: Id, ids: &[&str]) -> sqlx::Result<Vec<GrantRow>> {
    let list = placeholders(2, ids.len());
    let sql = format!("{SELECT} g.granter_id = $1 AND g.kind = 'access' AND g.id IN ({list})");
    let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(granter);
    for id in ids {
        query = query.bind(*id);
    }
    query.fetch_all(conn).await
}

/// What an agent gave that stands and is not over, members' visits left out.
pub async fn open_given_by(conn: &mut Connection, granter: Id, now: i64) -> sqlx::Result<Vec<GrantRow>> {
    let sql = format!(
        "{SELECT} g.granter_id = $1 AND g.ends_at > $2 AND g.kind = 'access' AND g.state = 'granted' \
         ORDER BY g.lockbox_id, g.id"
    );
    sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(granter).bind(now).fetch_all(conn).await
}

/// Takes the grant back, where it is this agent's, stands, and has not begun: one statement decides. Whoever was let in
/// early, within the lock's tolerance, has begun as well. [GRT-4]
pub async fn revoke(conn: &mut Connection, granter: Id, id: Id, now: i64) -> sqlx::Result<bool> {
    let revoked = sqlx::query(
        "UPDATE grants SET state = 'revoked', revoked_at = $3 WHERE id = $1 AND granter_id = $2 \
         AND kind = 'access' AND state <> 'revoked' AND starts_at > $3 AND last_used_at IS NULL",
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
pub async fn set_revoked(conn: &mut Connection, id: Id, now: i64) -> sqlx::Result<()> {
    sqlx::query("UPDATE grants SET state = 'revoked', revoked_at = $1 WHERE id = $2")
        .bind(now)
        .bind(id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Notes which list of its box names a grant's tickets, and when the last of them ends.
pub async fn set_listed(conn: &mut Connection, id: Id, version: i64, until: i64) -> sqlx::Result<()> {
    sqlx::query("UPDATE grants SET revoked_version = $1, revoked_until = $2 WHERE id = $3")
        .bind(version)
        .bind(until)
        .bind(id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Grants with their granters that a box hears of between two of its lists.
pub async fn listed_between(
    conn: &mut Connection,
    lockbox: Id,
    above: i64,
    up_to: i64,
) -> sqlx::Result<Vec<(Id, Id)>> {
    sqlx::query_as(
        "SELECT id, granter_id FROM grants WHERE lockbox_id = $1 AND revoked_version > $2 AND revoked_version <= $3",
    )
    .bind(lockbox)
    .bind(above)
    .bind(up_to)
    .fetch_all(conn)
    .await
}

/// A grant whose last ticket was taken from the phones is ready on none. Says the granter, where that is news.
pub async fn forget_phone_ready(conn: &mut Connection, id: Id) -> sqlx::Result<Option<Id>> {
    sqlx::query_scalar(
        "UPDATE grants SET phone_ready = 0 WHERE id = $1 AND phone_ready = 1 AND kind = 'access' AND NOT EXISTS \
         (SELECT 1 FROM credentials c WHERE c.grant_id = grants.id AND c.state = 'live') RETURNING granter_id",
    )
    .bind(id)
    .fetch_optional(conn)
    .await
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

/// A member's visit to a box that goes on past a moment.
pub async fn visit_at(
    conn: &mut Connection,
    member: Id,
    lockbox: Id,
    past: i64,
) -> sqlx::Result<Option<GrantRow>> {
    let sql = format!(
        "{SELECT} g.grantee_id = $1 AND g.lockbox_id = $2 AND g.ends_at > $3 AND g.kind = 'visit' \
         AND g.state = 'granted' ORDER BY g.ends_at DESC LIMIT 1"
    );
    sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(member).bind(lockbox).bind(past).fetch_optional(conn).await
}

/// Whether anyone may still come to this listing: a grant that stands and has not ended.
pub async fn any_open(conn: &mut Connection, listing: Id, now: i64) -> sqlx::Result<bool> {
    let found: Option<Id> = sqlx::query_scalar(
        "SELECT id FROM grants WHERE listing_id = $1 AND kind = 'access' AND state <> 'revoked' AND ends_at > $2 LIMIT 1",
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

/// Notes that the access was used. Says when it had been taken back, where it had.
pub async fn set_last_used(conn: &mut Connection, id: Id, at: i64) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar(
        "UPDATE grants SET last_used_at = CASE WHEN last_used_at > $1 THEN last_used_at ELSE $1 END \
         WHERE id = $2 RETURNING revoked_at",
    )
    .bind(at)
    .bind(id)
    .fetch_one(conn)
    .await
}
