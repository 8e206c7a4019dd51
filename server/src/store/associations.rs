//! Associations and brokerages, and the rules that an association sets.

use sentri_wire::{
    account::{GrantApproval, PasswordRule},
    problem::SupportContact,
};
use sqlx::FromRow;

use super::{Connection, Id, Json, Named};

/// An association.
#[derive(Clone, Debug, FromRow)]
pub struct AssociationRow {
    /// Its id.
    pub id: Id,
    /// Its name, unique.
    pub name: String,
    /// Devices an account may register.
    pub device_limit: i64,
    /// How long before its start an access's ticket can be fetched.
    pub lead_seconds: i64,
    /// Longest life of a ticket that is not renewed.
    pub ticket_seconds: i64,
    /// Longest window of an access.
    pub longest_grant_seconds: i64,
    /// Whom a user calls.
    pub support: Json<SupportContact>,
    /// Since when its members may not use their accounts.
    pub suspended_at: Option<i64>,
    /// When it was made.
    pub created_at: i64,
    /// What a grant asks of its granter.
    pub grant_approval: Named<GrantApproval>,
    /// Which passwords its members may have.
    pub password_rule: Named<PasswordRule>,
}

/// Adds an association.
pub async fn insert(conn: &mut Connection, row: &AssociationRow) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO associations (id, name, device_limit, lead_seconds, ticket_seconds, \
         longest_grant_seconds, support, created_at, grant_approval, password_rule) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(row.id)
    .bind(row.name.as_str())
    .bind(row.device_limit)
    .bind(row.lead_seconds)
    .bind(row.ticket_seconds)
    .bind(row.longest_grant_seconds)
    .bind(&row.support)
    .bind(row.created_at)
    .bind(row.grant_approval)
    .bind(row.password_rule)
    .execute(conn)
    .await?;
    Ok(())
}

/// Changes the rules that an association sets for itself.
pub async fn set_rules(conn: &mut Connection, row: &AssociationRow) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE associations SET device_limit = $1, lead_seconds = $2, ticket_seconds = $3, \
         longest_grant_seconds = $4, support = $5, grant_approval = $6, password_rule = $7 WHERE id = $8",
    )
    .bind(row.device_limit)
    .bind(row.lead_seconds)
    .bind(row.ticket_seconds)
    .bind(row.longest_grant_seconds)
    .bind(&row.support)
    .bind(row.grant_approval)
    .bind(row.password_rule)
    .bind(row.id)
    .execute(conn)
    .await?;
    Ok(())
}

/// The association of this id.
pub async fn by_id(conn: &mut Connection, id: Id) -> sqlx::Result<Option<AssociationRow>> {
    sqlx::query_as("SELECT * FROM associations WHERE id = $1").bind(id).fetch_optional(conn).await
}

/// The association of this name.
pub async fn by_name(conn: &mut Connection, name: &str) -> sqlx::Result<Option<AssociationRow>> {
    sqlx::query_as("SELECT * FROM associations WHERE name = $1").bind(name).fetch_optional(conn).await
}

/// What an association signs cards with, sealed; nothing where it was never asked for.
pub async fn card_key(conn: &mut Connection, id: Id) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar("SELECT card_key FROM associations WHERE id = $1").bind(id).fetch_one(conn).await
}

/// Stores what an association signs cards with, unless there is something already.
pub async fn set_card_key(conn: &mut Connection, id: Id, sealed: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE associations SET card_key = $1 WHERE id = $2 AND card_key IS NULL")
        .bind(sealed)
        .bind(id)
        .execute(conn)
        .await
        .map(drop)
}

/// All of them.
pub async fn all(conn: &mut Connection) -> sqlx::Result<Vec<AssociationRow>> {
    sqlx::query_as("SELECT * FROM associations ORDER BY name").fetch_all(conn).await
}

/// Adds a brokerage.
pub async fn insert_brokerage(
    conn: &mut Connection,
    id: Id,
    association: Id,
    name: &str,
    now: i64,
) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO brokerages (id, association_id, name, created_at) VALUES ($1, $2, $3, $4)")
        .bind(id)
        .bind(association)
        .bind(name)
        .bind(now)
        .execute(conn)
        .await?;
    Ok(())
}
