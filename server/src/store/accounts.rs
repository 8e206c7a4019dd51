//! Accounts.

use sentri_wire::account::{Account, AccountKind, PasswordRule, Standing};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::{Connection, Id, Named};

/// Whether an account may be used. [ACC-7]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// In good standing.
    Active,
    /// Suspended by the association.
    Suspended,
    /// Unpaid.
    Lapsed,
    /// Locked by support.
    Locked,
    /// Deleted: the row stays for the log, without anything personal.
    Deleted,
}

impl Status {
    /// As its user is told it.
    pub fn to_wire(self) -> Standing {
        match self {
            Self::Active => Standing::Active,
            Self::Suspended => Standing::Suspended,
            Self::Lapsed => Standing::Lapsed,
            Self::Locked => Standing::Locked,
            Self::Deleted => Standing::Unknown,
        }
    }
}

/// An account.
#[derive(Clone, FromRow)]
pub struct AccountRow {
    pub id: Id,
    pub kind: Named<AccountKind>,
    pub status: Named<Status>,
    pub association_id: Option<Id>,
    pub brokerage_id: Option<Id>,
    pub sentrikey_id: Option<String>,
    pub first_name: String,
    pub last_name: String,
    pub email: String,
    pub email_key: String,
    pub phone: String,
    pub phone_key: String,
    pub role: Option<String>,
    /// Argon2id, as a PHC string; likewise the PIN.
    pub password: String,
    pub pin: String,
    /// Questions and answers, sealed.
    pub security_questions: String,
    /// Four bytes that name the account in tickets and audit records.
    pub subject: i64,
    pub created_at: i64,
}

impl AccountRow {
    /// "Dana Reyes".
    pub fn full_name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name)
    }

    /// The profile, without what the association says of it.
    pub fn to_wire(&self) -> Account {
        Account {
            id: self.id.0,
            kind: self.kind.0,
            sentrikey_id: self.sentrikey_id.clone(),
            first_name: self.first_name.clone(),
            last_name: self.last_name.clone(),
            email: self.email.clone(),
            phone: self.phone.clone(),
            role: self.role.clone(),
            standing: self.status.0.to_wire(),
            grant_approval: None,
            password_rule: PasswordRule::Standard,
        }
    }
}

/// Adds an account.
pub async fn insert(conn: &mut Connection, row: &AccountRow) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO accounts (id, kind, status, association_id, brokerage_id, sentrikey_id, first_name, \
         last_name, email, email_key, phone, phone_key, role, password, pin, security_questions, subject, \
         device_count, change_seq, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, 0, 0, $18)",
    )
    .bind(row.id)
    .bind(row.kind)
    .bind(row.status)
    .bind(row.association_id)
    .bind(row.brokerage_id)
    .bind(row.sentrikey_id.as_deref())
    .bind(row.first_name.as_str())
    .bind(row.last_name.as_str())
    .bind(row.email.as_str())
    .bind(row.email_key.as_str())
    .bind(row.phone.as_str())
    .bind(row.phone_key.as_str())
    .bind(row.role.as_deref())
    .bind(row.password.as_str())
    .bind(row.pin.as_str())
    .bind(row.security_questions.as_str())
    .bind(row.subject)
    .bind(row.created_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// The account of this id.
pub async fn by_id(conn: &mut Connection, id: Id) -> sqlx::Result<Option<AccountRow>> {
    sqlx::query_as("SELECT * FROM accounts WHERE id = $1").bind(id).fetch_optional(conn).await
}

/// The agent with this SentriKey ID.
pub async fn by_sentrikey_id(conn: &mut Connection, number: &str) -> sqlx::Result<Option<AccountRow>> {
    sqlx::query_as("SELECT * FROM accounts WHERE sentrikey_id = $1").bind(number).fetch_optional(conn).await
}

/// The account with this address (its lower-case form).
pub async fn by_email(conn: &mut Connection, key: &str) -> sqlx::Result<Option<AccountRow>> {
    sqlx::query_as("SELECT * FROM accounts WHERE email_key = $1").bind(key).fetch_optional(conn).await
}

/// Whether an agent has this phone number.
pub async fn agent_has_phone(conn: &mut Connection, key: &str) -> sqlx::Result<bool> {
    let found: Option<Id> =
        sqlx::query_scalar("SELECT id FROM accounts WHERE phone_key = $1 AND kind = 'agent' LIMIT 1")
            .bind(key)
            .fetch_optional(conn)
            .await?;
    Ok(found.is_some())
}

/// An association's agents, by name.
pub async fn agents_of(conn: &mut Connection, association: Id) -> sqlx::Result<Vec<AccountRow>> {
    sqlx::query_as(
        "SELECT * FROM accounts WHERE association_id = $1 AND kind = 'agent' ORDER BY last_name, first_name, id",
    )
    .bind(association)
    .fetch_all(conn)
    .await
}

/// Sets whether the account may be used.
pub async fn set_status(conn: &mut Connection, id: Id, status: Status) -> sqlx::Result<()> {
    sqlx::query("UPDATE accounts SET status = $1 WHERE id = $2")
        .bind(Named(status))
        .bind(id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Sets the password.
pub async fn set_password(conn: &mut Connection, id: Id, hash: &str) -> sqlx::Result<()> {
    set(conn, id, "password", hash).await
}

/// Sets the PIN.
pub async fn set_pin(conn: &mut Connection, id: Id, hash: &str) -> sqlx::Result<()> {
    set(conn, id, "pin", hash).await
}

/// Sets the security questions, sealed.
pub async fn set_questions(conn: &mut Connection, id: Id, sealed: &str) -> sqlx::Result<()> {
    set(conn, id, "security_questions", sealed).await
}

async fn set(conn: &mut Connection, id: Id, column: &'static str, value: &str) -> sqlx::Result<()> {
    let sql = format!("UPDATE accounts SET {column} = $1 WHERE id = $2");
    sqlx::query(sqlx::AssertSqlSafe(sql)).bind(value).bind(id).execute(conn).await?;
    Ok(())
}

/// Sets name and role.
pub async fn set_profile(
    conn: &mut Connection,
    id: Id,
    first_name: &str,
    last_name: &str,
    role: Option<&str>,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE accounts SET first_name = $1, last_name = $2, role = $3 WHERE id = $4")
        .bind(first_name)
        .bind(last_name)
        .bind(role)
        .bind(id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Sets the number.
pub async fn set_phone(conn: &mut Connection, id: Id, phone: &str, key: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE accounts SET phone = $1, phone_key = $2 WHERE id = $3")
        .bind(phone)
        .bind(key)
        .bind(id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Sets the address.
pub async fn set_email(conn: &mut Connection, id: Id, email: &str, key: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE accounts SET email = $1, email_key = $2 WHERE id = $3")
        .bind(email)
        .bind(key)
        .bind(id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Leaves of an account only what the log points at: a pseudonym. [ACC-11]
pub async fn erase(conn: &mut Connection, id: Id, first: &str, last: &str) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE accounts SET status = $1, first_name = $2, last_name = $3, email = '', email_key = $4, \
         phone = '', phone_key = '', role = NULL, password = '', pin = '', security_questions = '' \
         WHERE id = $5",
    )
    .bind(Named(Status::Deleted))
    .bind(first)
    .bind(last)
    .bind(format!("deleted:{id}"))
    .bind(id)
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that a granter's phone told again what was revoked. [OPS-3]
pub async fn set_reasserted(conn: &mut Connection, id: Id, now: i64) -> sqlx::Result<()> {
    sqlx::query("UPDATE accounts SET reasserted_at = $1 WHERE id = $2")
        .bind(now)
        .bind(id)
        .execute(conn)
        .await?;
    Ok(())
}

/// When that was last; 0 where never.
pub async fn reasserted_at(conn: &mut Connection, id: Id) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT reasserted_at FROM accounts WHERE id = $1").bind(id).fetch_one(conn).await
}
