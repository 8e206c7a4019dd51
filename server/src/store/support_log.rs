//! What phone support did, for whom and at which lockbox. [COD-7]

use super::{Connection, Id};

/// Something that support did.
pub struct SupportDeed<'a> {
    pub id: Id,
    pub at: i64,
    /// Who did it.
    pub support: Id,
    /// For whom.
    pub account: Id,
    pub lockbox: Id,
    pub action: &'a str,
}

/// Notes it.
pub async fn add(conn: &mut Connection, deed: &SupportDeed<'_>) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO support_log (id, at, support_id, account_id, lockbox_id, action) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(deed.id)
    .bind(deed.at)
    .bind(deed.support)
    .bind(deed.account)
    .bind(deed.lockbox)
    .bind(deed.action)
    .execute(conn)
    .await
    .map(drop)
}
