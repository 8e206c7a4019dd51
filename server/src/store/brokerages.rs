//! Brokerages within an association, and where agents belong.

use sqlx::FromRow;

use super::{Connection, Id, accounts::AccountRow};

/// A brokerage.
#[derive(Clone, Debug, FromRow)]
pub struct BrokerageRow {
    pub id: Id,
    pub name: String,
    pub suspended_at: Option<i64>,
    /// At its agents' lockboxes. [COD-6]
    pub forbids_one_day: i64,
    pub forbids_contractor: i64,
}

/// An association's brokerage of this name.
pub async fn by_name(
    conn: &mut Connection,
    association: Id,
    name: &str,
) -> sqlx::Result<Option<BrokerageRow>> {
    sqlx::query_as("SELECT * FROM brokerages WHERE association_id = $1 AND name = $2")
        .bind(association)
        .bind(name)
        .fetch_optional(conn)
        .await
}

/// An association's brokerages, by name.
pub async fn of_association(conn: &mut Connection, association: Id) -> sqlx::Result<Vec<BrokerageRow>> {
    sqlx::query_as("SELECT * FROM brokerages WHERE association_id = $1 ORDER BY name")
        .bind(association)
        .fetch_all(conn)
        .await
}

/// The brokerage that an agent is under.
pub async fn of_agent(conn: &mut Connection, agent: Id) -> sqlx::Result<Option<BrokerageRow>> {
    sqlx::query_as("SELECT b.* FROM brokerages b JOIN accounts a ON a.brokerage_id = b.id WHERE a.id = $1")
        .bind(agent)
        .fetch_optional(conn)
        .await
}

/// Stores what a brokerage forbids.
pub async fn forbid(conn: &mut Connection, row: &BrokerageRow) -> sqlx::Result<()> {
    sqlx::query("UPDATE brokerages SET forbids_one_day = $1, forbids_contractor = $2 WHERE id = $3")
        .bind(row.forbids_one_day)
        .bind(row.forbids_contractor)
        .bind(row.id)
        .execute(conn)
        .await
        .map(drop)
}

/// A brokerage's agents.
pub async fn agents(conn: &mut Connection, brokerage: Id) -> sqlx::Result<Vec<AccountRow>> {
    sqlx::query_as("SELECT * FROM accounts WHERE brokerage_id = $1 ORDER BY sentrikey_id")
        .bind(brokerage)
        .fetch_all(conn)
        .await
}

/// Puts a brokerage under another association.
pub async fn move_to(conn: &mut Connection, id: Id, association: Id) -> sqlx::Result<()> {
    sqlx::query("UPDATE brokerages SET association_id = $1 WHERE id = $2")
        .bind(association)
        .bind(id)
        .execute(conn)
        .await
        .map(drop)
}

/// Puts an agent under an association and a brokerage of it, with the boxes that are theirs.
pub async fn move_agent(
    conn: &mut Connection,
    agent: Id,
    association: Id,
    brokerage: Option<Id>,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE accounts SET association_id = $1, brokerage_id = $2 WHERE id = $3")
        .bind(association)
        .bind(brokerage)
        .bind(agent)
        .execute(&mut *conn)
        .await?;
    sqlx::query("UPDATE lockboxes SET association_id = $1 WHERE owner_id = $2")
        .bind(association)
        .bind(agent)
        .execute(conn)
        .await
        .map(drop)
}
