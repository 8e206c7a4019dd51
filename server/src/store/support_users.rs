//! Who works the support portal, and what they may. [SUP-1]

use serde::{Deserialize, Serialize};

use super::{Connection, Id, Named, accounts::AccountRow};

/// What a support user may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Search and help users.
    Support,
    /// The same, and administer support users.
    SysAdmin,
}

/// Gives an account its permission, in place of the one it had.
pub async fn set(conn: &mut Connection, account: Id, permission: Permission) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO support_users (account_id, permission) VALUES ($1, $2) \
         ON CONFLICT (account_id) DO UPDATE SET permission = excluded.permission",
    )
    .bind(account)
    .bind(Named(permission))
    .execute(conn)
    .await
    .map(drop)
}

/// What an account may.
pub async fn permission(conn: &mut Connection, account: Id) -> sqlx::Result<Option<Permission>> {
    let found: Option<Named<Permission>> =
        sqlx::query_scalar("SELECT permission FROM support_users WHERE account_id = $1")
            .bind(account)
            .fetch_optional(conn)
            .await?;
    Ok(found.map(|named| named.0))
}

/// All support users' accounts, by address.
pub async fn all(conn: &mut Connection) -> sqlx::Result<Vec<AccountRow>> {
    sqlx::query_as(
        "SELECT a.* FROM accounts a JOIN support_users s ON s.account_id = a.id ORDER BY a.email_key",
    )
    .fetch_all(conn)
    .await
}
