//! The Message Center. [CON-5]

use sentri_wire::sync::{Message, MessageTopic};
use sqlx::FromRow;

use super::{Connection, Id, Named, columns::placeholders};

/// A message.
#[derive(Clone, FromRow)]
pub struct MessageRow {
    pub id: Id,
    pub account_id: Id,
    pub at: i64,
    pub topic: Named<MessageTopic>,
    pub title: String,
    pub body: String,
    pub access_id: Option<Id>,
    pub read_at: Option<i64>,
}

impl MessageRow {
    /// As its reader sees it.
    pub fn to_wire(&self) -> Message {
        Message {
            id: self.id.0,
            at: self.at,
            topic: self.topic.0,
            title: self.title.clone(),
            body: self.body.clone(),
            access_id: self.access_id.map(|id| id.0),
            read: self.read_at.is_some(),
        }
    }
}

/// Adds a message.
pub async fn insert(conn: &mut Connection, row: &MessageRow) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO messages (id, account_id, at, topic, title, body, access_id) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(row.id)
    .bind(row.account_id)
    .bind(row.at)
    .bind(row.topic)
    .bind(row.title.as_str())
    .bind(row.body.as_str())
    .bind(row.access_id)
    .execute(conn)
    .await?;
    Ok(())
}

/// Marks a message as read, where it is this account's. False where there is none.
pub async fn mark_read(conn: &mut Connection, account: Id, id: Id, now: i64) -> sqlx::Result<bool> {
    let marked =
        sqlx::query("UPDATE messages SET read_at = COALESCE(read_at, $1) WHERE id = $2 AND account_id = $3")
            .bind(now)
            .bind(id)
            .bind(account)
            .execute(conn)
            .await?;
    Ok(marked.rows_affected() == 1)
}

/// Deletes a message, where it is this account's. False where there is none.
pub async fn delete(conn: &mut Connection, account: Id, id: Id) -> sqlx::Result<bool> {
    let deleted = sqlx::query("DELETE FROM messages WHERE id = $1 AND account_id = $2")
        .bind(id)
        .bind(account)
        .execute(conn)
        .await?;
    Ok(deleted.rows_affected() == 1)
}

/// Those of the messages that are this account's.
pub async fn among(conn: &mut Connection, account: Id, ids: &[&str]) -> sqlx::Result<Vec<MessageRow>> {
    let list = placeholders(2, ids.len());
    let sql = format!("SELECT * FROM messages WHERE account_id = $1 AND id IN ({list})");
    let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(account);
    for id in ids {
        query = query.bind(*id);
    }
    query.fetch_all(conn).await
}

/// All of an account's messages, oldest first.
pub async fn of_account(conn: &mut Connection, account: Id) -> sqlx::Result<Vec<MessageRow>> {
    sqlx::query_as("SELECT * FROM messages WHERE account_id = $1 ORDER BY at, id")
        .bind(account)
        .fetch_all(conn)
        .await
}
