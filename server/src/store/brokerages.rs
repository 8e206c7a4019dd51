//! Brokerages within an association, and where agents belong.

use sqlx::FromRow;

use super::{Connection, Id, accounts::AccountRow};

/// A brokerage.
#[derive(Clone, Debug, FromRow)]
pub struct BrokerageRow {
    pub id: Id,
    pub name: String,
    pub suspended_at: Option<i64>,
}

/// An association's brokerage of this name.
pub async fn by_name(
    conn: &mut Connection,
    association: Id,
    name: &str,
) -> sqlx::Result<Option<BrokerageRow>> {
    sqlx::query_as("SELECT id, name, suspended_at FROM brokerages WHERE association_id = $1 AND name = $2")
        .bind(association)
        .bind(name)
        .fetch_optional(conn)
        .await
}

/// An association's brokerages, by name.
pub async fn of_association(conn: &mut Connection, association: Id) -> sqlx::Result<Vec<BrokerageRow>> {
    sqlx::query_as("SELECT id, name, suspended_at FROM brokerages WHERE association_id = $1 ORDER BY name")
        .bind(association)
        .fetch_all(conn)
        .await
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
