//! Why accounts are suspended, and which groups are. An account is in good standing once no reason is left. [ACC-7]

use super::{Connection, Id};

/// A kind of group whose members are suspended with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// An association, with its agents.
    Association,
    /// A brokerage, with its agents.
    Brokerage,
    /// A community, with its residents.
    Community,
    /// A hub, which has no members.
    Hub,
}

impl Group {
    fn table(self) -> &'static str {
        match self {
            Self::Association => "associations",
            Self::Brokerage => "brokerages",
            Self::Community => "communities",
            Self::Hub => "hubs",
        }
    }

    /// The reason, as it stands with each member.
    pub fn cause(self, id: Id) -> String {
        format!("{}:{id}", self.table())
    }

    /// Notes since when the group is suspended; nothing for one in good standing.
    pub async fn set_suspended(self, conn: &mut Connection, id: Id, at: Option<i64>) -> sqlx::Result<()> {
        let sql = format!("UPDATE {} SET suspended_at = $1 WHERE id = $2", self.table());
        sqlx::query(sqlx::AssertSqlSafe(sql)).bind(at).bind(id).execute(conn).await.map(drop)
    }
}

/// The reason of an account that was suspended by itself.
pub const OWN: &str = "account";

/// Adds a reason. One that is there already stays as it is.
pub async fn add(conn: &mut Connection, account: Id, cause: &str, now: i64) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO suspensions (account_id, cause, at) VALUES ($1, $2, $3) ON CONFLICT (account_id, cause) DO NOTHING",
    )
    .bind(account)
    .bind(cause)
    .bind(now)
    .execute(conn)
    .await
    .map(drop)
}

/// Takes a reason away.
pub async fn remove(conn: &mut Connection, account: Id, cause: &str) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM suspensions WHERE account_id = $1 AND cause = $2")
        .bind(account)
        .bind(cause)
        .execute(conn)
        .await
        .map(drop)
}

/// Whether any reason is left.
pub async fn any(conn: &mut Connection, account: Id) -> sqlx::Result<bool> {
    let left: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM suspensions WHERE account_id = $1")
        .bind(account)
        .fetch_one(conn)
        .await?;
    Ok(left > 0)
}
