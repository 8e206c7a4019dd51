//! Invitations by mail, and sign-ups on their way. Tokens are stored as digests, codes as keyed ones.

use sqlx::FromRow;

use super::Connection;

/// An invitation.
#[derive(Clone, FromRow)]
pub struct InvitationRow {
    pub digest: String,
    pub email: String,
    pub email_key: String,
    pub expires_at: i64,
    pub used_at: Option<i64>,
}

/// Adds an invitation.
pub async fn insert(conn: &mut Connection, row: &InvitationRow) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO invitations (digest, email, email_key, expires_at) VALUES ($1, $2, $3, $4)")
        .bind(row.digest.as_str())
        .bind(row.email.as_str())
        .bind(row.email_key.as_str())
        .bind(row.expires_at)
        .execute(conn)
        .await?;
    Ok(())
}

/// Finds an invitation.
pub async fn find(conn: &mut Connection, digest: &str) -> sqlx::Result<Option<InvitationRow>> {
    sqlx::query_as("SELECT * FROM invitations WHERE digest = $1").bind(digest).fetch_optional(conn).await
}

/// Uses up an invitation. False where it was used before.
pub async fn spend(conn: &mut Connection, digest: &str, now: i64) -> sqlx::Result<bool> {
    let spent = sqlx::query("UPDATE invitations SET used_at = $1 WHERE digest = $2 AND used_at IS NULL")
        .bind(now)
        .bind(digest)
        .execute(conn)
        .await?;
    Ok(spent.rows_affected() == 1)
}

/// A sign-up on its way.
#[derive(Clone, FromRow)]
pub struct SignupRow {
    pub digest: String,
    pub invitation: Option<String>,
    pub email: String,
    pub phone: String,
    /// Keyed digest of the texted code.
    pub code: String,
    /// The same of the mailed one, where no invitation proved the address.
    pub email_code: Option<String>,
    pub code_expires_at: i64,
    pub tries: i64,
    pub verified_at: Option<i64>,
    pub completed_at: Option<i64>,
}

/// Adds a sign-up.
pub async fn insert_signup(conn: &mut Connection, row: &SignupRow) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO signups (digest, invitation, email, phone, code, code_expires_at, tries, email_code) \
         VALUES ($1, $2, $3, $4, $5, $6, 0, $7)",
    )
    .bind(row.digest.as_str())
    .bind(row.invitation.as_deref())
    .bind(row.email.as_str())
    .bind(row.phone.as_str())
    .bind(row.code.as_str())
    .bind(row.code_expires_at)
    .bind(row.email_code.as_deref())
    .execute(conn)
    .await?;
    Ok(())
}

/// Finds a sign-up.
pub async fn find_signup(conn: &mut Connection, digest: &str) -> sqlx::Result<Option<SignupRow>> {
    sqlx::query_as("SELECT * FROM signups WHERE digest = $1").bind(digest).fetch_optional(conn).await
}

/// Takes one of the tries at the code. False where none is left, or the code has ended or was used.
pub async fn take_try(conn: &mut Connection, digest: &str, most: i64, now: i64) -> sqlx::Result<bool> {
    let taken = sqlx::query(
        "UPDATE signups SET tries = tries + 1 \
         WHERE digest = $1 AND tries < $2 AND code_expires_at > $3 AND verified_at IS NULL",
    )
    .bind(digest)
    .bind(most)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(taken.rows_affected() == 1)
}

/// Notes that the code was right.
pub async fn set_verified(conn: &mut Connection, digest: &str, now: i64) -> sqlx::Result<()> {
    sqlx::query("UPDATE signups SET verified_at = $1 WHERE digest = $2")
        .bind(now)
        .bind(digest)
        .execute(conn)
        .await?;
    Ok(())
}

/// Uses up a verified sign-up. False where it was used before, or is not verified.
pub async fn complete(conn: &mut Connection, digest: &str, now: i64) -> sqlx::Result<bool> {
    let completed = sqlx::query(
        "UPDATE signups SET completed_at = $1 \
         WHERE digest = $2 AND verified_at IS NOT NULL AND completed_at IS NULL",
    )
    .bind(now)
    .bind(digest)
    .execute(conn)
    .await?;
    Ok(completed.rows_affected() == 1)
}
