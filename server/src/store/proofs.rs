//! Requests that a mailed link or a code proves. Tokens are stored as digests, codes as keyed ones.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::{Connection, Id, Named};

/// What a proof is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// A new password, by a mailed link.
    Reset,
    /// Who one is, by password and mailed code.
    Identity,
    /// A new number, by a texted code.
    Phone,
    /// A new address, by a mailed code.
    Email,
}

/// A request that waits for its proof.
#[derive(Clone, FromRow)]
pub struct ProofRow {
    pub digest: String,
    pub purpose: Named<Purpose>,
    pub account_id: Id,
    /// Keyed digest of the code.
    pub code: Option<String>,
    /// What is to be changed, sealed.
    pub payload: Option<String>,
    pub tries: i64,
    pub created_at: i64,
    pub expires_at: i64,
    pub proven_at: Option<i64>,
    pub used_at: Option<i64>,
}

/// Adds one.
pub async fn insert(conn: &mut Connection, row: &ProofRow) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO proofs (digest, purpose, account_id, code, payload, tries, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, 0, $6, $7)",
    )
    .bind(row.digest.as_str())
    .bind(row.purpose)
    .bind(row.account_id)
    .bind(row.code.as_deref())
    .bind(row.payload.as_deref())
    .bind(row.created_at)
    .bind(row.expires_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// Finds one of a purpose.
pub async fn find(conn: &mut Connection, purpose: Purpose, digest: &str) -> sqlx::Result<Option<ProofRow>> {
    sqlx::query_as("SELECT * FROM proofs WHERE digest = $1 AND purpose = $2")
        .bind(digest)
        .bind(Named(purpose))
        .fetch_optional(conn)
        .await
}

/// Takes one of the tries at the code. False where none is left, or it has ended or was used.
pub async fn take_try(conn: &mut Connection, digest: &str, most: i64, now: i64) -> sqlx::Result<bool> {
    let taken = sqlx::query(
        "UPDATE proofs SET tries = tries + 1 WHERE digest = $1 AND tries < $2 AND expires_at > $3 \
         AND proven_at IS NULL AND used_at IS NULL",
    )
    .bind(digest)
    .bind(most)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(taken.rows_affected() == 1)
}

/// Notes that the code was right, and until when that holds.
pub async fn prove(conn: &mut Connection, digest: &str, now: i64, expires_at: i64) -> sqlx::Result<()> {
    sqlx::query("UPDATE proofs SET proven_at = $1, expires_at = $2 WHERE digest = $3")
        .bind(now)
        .bind(expires_at)
        .bind(digest)
        .execute(conn)
        .await?;
    Ok(())
}

/// Uses one up. False where it was used before, or has ended: of two that race, one wins.
pub async fn spend(conn: &mut Connection, digest: &str, now: i64) -> sqlx::Result<bool> {
    let spent = sqlx::query(
        "UPDATE proofs SET used_at = $1 WHERE digest = $2 AND used_at IS NULL AND expires_at > $1",
    )
    .bind(now)
    .bind(digest)
    .execute(conn)
    .await?;
    Ok(spent.rows_affected() == 1)
}

/// Drops an account's open requests of one purpose.
pub async fn drop_of(conn: &mut Connection, account: Id, purpose: Purpose) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM proofs WHERE account_id = $1 AND purpose = $2")
        .bind(account)
        .bind(Named(purpose))
        .execute(conn)
        .await?;
    Ok(())
}

/// Drops all of an account's.
pub async fn drop_all_of(conn: &mut Connection, account: Id) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM proofs WHERE account_id = $1").bind(account).execute(conn).await?;
    Ok(())
}
