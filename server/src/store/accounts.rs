//! Accounts and their device registrations.

use sentri_wire::account::{Account, AccountKind, Platform};
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

    /// The profile.
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

/// A device that logs in.
pub struct NewDevice<'a> {
    pub id: Id,
    pub account: Id,
    pub install_id: Id,
    pub name: &'a str,
    pub platform: Platform,
    pub now: i64,
}

/// What became of a registration.
pub enum Registered {
    /// The device has used one registration now.
    New(Id),
    /// It was registered already and used none.
    Known(Id),
    /// All are used.
    LimitReached,
}

/// Registers a device. Two logins can't both take the last place: the place is counted by an update that
/// carries the limit, and a refusal undoes the transaction. [ACC-4]
pub async fn register(conn: &mut Connection, device: &NewDevice<'_>, limit: i64) -> sqlx::Result<Registered> {
    let added = sqlx::query(
        "INSERT INTO devices (id, account_id, install_id, name, platform, registered_at) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (account_id, install_id) DO NOTHING",
    )
    .bind(device.id)
    .bind(device.account)
    .bind(device.install_id)
    .bind(device.name)
    .bind(Named(device.platform))
    .bind(device.now)
    .execute(&mut *conn)
    .await?;
    if added.rows_affected() == 0 {
        return rename(conn, device).await.map(Registered::Known);
    }
    let counted = sqlx::query(
        "UPDATE accounts SET device_count = device_count + 1 WHERE id = $1 AND device_count < $2",
    )
    .bind(device.account)
    .bind(limit)
    .execute(conn)
    .await?;
    Ok(if counted.rows_affected() == 1 { Registered::New(device.id) } else { Registered::LimitReached })
}

async fn rename(conn: &mut Connection, device: &NewDevice<'_>) -> sqlx::Result<Id> {
    sqlx::query_scalar("UPDATE devices SET name = $1 WHERE account_id = $2 AND install_id = $3 RETURNING id")
        .bind(device.name)
        .bind(device.account)
        .bind(device.install_id)
        .fetch_one(conn)
        .await
}

/// An account's devices.
pub async fn devices_of(conn: &mut Connection, account: Id) -> sqlx::Result<Vec<Id>> {
    sqlx::query_scalar("SELECT id FROM devices WHERE account_id = $1 ORDER BY registered_at, id")
        .bind(account)
        .fetch_all(conn)
        .await
}
