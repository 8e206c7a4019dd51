//! Communities of residents: who lives where. [RES-0]

use sqlx::FromRow;

use super::{Connection, Id, accounts::AccountRow};

/// A community.
#[derive(Clone, Debug, FromRow)]
pub struct CommunityRow {
    pub id: Id,
    pub name: String,
    /// The company that manages it.
    pub management: String,
    /// IANA name.
    pub time_zone: String,
    /// Whether codes have six digits.
    pub six_digit_codes: i64,
    /// Whether residents may pick their codes.
    pub custom_codes: i64,
    pub suspended_at: Option<i64>,
    pub created_at: i64,
}

/// Adds a community.
pub async fn insert(conn: &mut Connection, row: &CommunityRow) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO communities (id, name, management, time_zone, six_digit_codes, custom_codes, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(row.id)
    .bind(row.name.as_str())
    .bind(row.management.as_str())
    .bind(row.time_zone.as_str())
    .bind(row.six_digit_codes)
    .bind(row.custom_codes)
    .bind(row.created_at)
    .execute(conn)
    .await
    .map(drop)
}

/// The community of this name.
pub async fn by_name(conn: &mut Connection, name: &str) -> sqlx::Result<Option<CommunityRow>> {
    sqlx::query_as("SELECT * FROM communities WHERE name = $1").bind(name).fetch_optional(conn).await
}

/// The community of this id.
pub async fn by_id(conn: &mut Connection, id: Id) -> sqlx::Result<Option<CommunityRow>> {
    sqlx::query_as("SELECT * FROM communities WHERE id = $1").bind(id).fetch_optional(conn).await
}

/// All of them, by name.
pub async fn all(conn: &mut Connection) -> sqlx::Result<Vec<CommunityRow>> {
    sqlx::query_as("SELECT * FROM communities ORDER BY name").fetch_all(conn).await
}

/// Changes who manages it, and what its residents may.
pub async fn change(conn: &mut Connection, row: &CommunityRow) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE communities SET management = $1, six_digit_codes = $2, custom_codes = $3 WHERE id = $4",
    )
    .bind(row.management.as_str())
    .bind(row.six_digit_codes)
    .bind(row.custom_codes)
    .bind(row.id)
    .execute(conn)
    .await
    .map(drop)
}

/// A resident's account lives in a unit of a community; a second time: moves there.
pub async fn settle(conn: &mut Connection, account: Id, community: Id, unit: &str) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO residents (account_id, community_id, unit) VALUES ($1, $2, $3) \
         ON CONFLICT (account_id) DO UPDATE SET community_id = excluded.community_id, unit = excluded.unit",
    )
    .bind(account)
    .bind(community)
    .bind(unit)
    .execute(conn)
    .await
    .map(drop)
}

/// The accounts of a community's residents, by unit.
pub async fn residents(conn: &mut Connection, community: Id) -> sqlx::Result<Vec<AccountRow>> {
    sqlx::query_as(
        "SELECT a.* FROM accounts a JOIN residents r ON r.account_id = a.id WHERE r.community_id = $1 \
         ORDER BY r.unit, a.id",
    )
    .bind(community)
    .fetch_all(conn)
    .await
}

/// Where somebody lives.
#[derive(Clone, Debug, FromRow)]
pub struct HomeRow {
    pub community: String,
    pub unit: String,
}

/// Where a resident lives.
pub async fn home(conn: &mut Connection, account: Id) -> sqlx::Result<Option<HomeRow>> {
    sqlx::query_as(
        "SELECT c.name AS community, r.unit FROM residents r JOIN communities c ON c.id = r.community_id \
         WHERE r.account_id = $1",
    )
    .bind(account)
    .fetch_optional(conn)
    .await
}
