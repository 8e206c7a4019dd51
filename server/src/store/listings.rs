//! Listings.

use sentri_wire::agent::Listing;
use sqlx::FromRow;

use super::{
    Connection, Id,
    columns::{is_sqlite, placeholders},
};

/// A listing, with the serial number of its lockbox.
#[derive(Clone, Debug, FromRow)]
pub struct ListingRow {
    pub id: Id,
    pub owner_id: Id,
    pub listing_key: String,
    pub address: String,
    pub city: String,
    pub state: String,
    pub postal_code: String,
    pub list_price: Option<i64>,
    pub standard_status: String,
    pub time_zone: String,
    pub created_at: i64,
    /// Off the market, no longer in its feed, or no longer this agent's.
    pub gone_at: Option<i64>,
    pub lockbox: Option<String>,
}

impl ListingRow {
    /// As the agent sees it.
    pub fn to_wire(&self) -> Listing {
        Listing {
            id: self.id.0,
            listing_key: self.listing_key.clone(),
            unparsed_address: self.address.clone(),
            city: self.city.clone(),
            state_or_province: self.state.clone(),
            postal_code: self.postal_code.clone(),
            list_price: self.list_price,
            standard_status: self.standard_status.clone(),
            time_zone: self.time_zone.clone(),
            lockbox: self.lockbox.clone(),
        }
    }
}

/// Adds a listing.
pub async fn insert(conn: &mut Connection, row: &ListingRow) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO listings (id, owner_id, listing_key, address, city, state, postal_code, list_price, \
         standard_status, time_zone, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(row.id)
    .bind(row.owner_id)
    .bind(row.listing_key.as_str())
    .bind(row.address.as_str())
    .bind(row.city.as_str())
    .bind(row.state.as_str())
    .bind(row.postal_code.as_str())
    .bind(row.list_price)
    .bind(row.standard_status.as_str())
    .bind(row.time_zone.as_str())
    .bind(row.created_at)
    .execute(conn)
    .await?;
    Ok(())
}

const SELECT: &str = "SELECT l.*, b.serial AS lockbox FROM listings l \
                      LEFT JOIN lockboxes b ON b.listing_id = l.id WHERE ";
/// What is among My Listings: a listing that is gone too, as long as a box hangs at it.
const IS_SHOWN: &str = "(l.gone_at IS NULL OR b.id IS NOT NULL)";

/// Lets others who are about this listing wait until the transaction is over. SQLite has one writer anyway.
pub async fn hold(conn: &mut Connection, id: Id) -> sqlx::Result<()> {
    if is_sqlite(conn) {
        return Ok(());
    }
    sqlx::query("UPDATE listings SET listing_key = listing_key WHERE id = $1").bind(id).execute(conn).await?;
    Ok(())
}

/// The listing, where it is this agent's.
pub async fn owned(conn: &mut Connection, owner: Id, id: Id) -> sqlx::Result<Option<ListingRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!("{SELECT} l.id = $1 AND l.owner_id = $2")))
        .bind(id)
        .bind(owner)
        .fetch_optional(conn)
        .await
}

/// An agent's listings, newest first.
pub async fn all_owned(conn: &mut Connection, owner: Id) -> sqlx::Result<Vec<ListingRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{SELECT} l.owner_id = $1 AND {IS_SHOWN} ORDER BY l.created_at DESC, l.id"
    )))
    .bind(owner)
    .fetch_all(conn)
    .await
}

/// The listing of this id, whoever owns it: for rules, never for an answer.
pub async fn by_id(conn: &mut Connection, id: Id) -> sqlx::Result<Option<ListingRow>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!("{SELECT} l.id = $1"))).bind(id).fetch_optional(conn).await
}

/// Those of the listings that are this agent's.
pub async fn owned_among(conn: &mut Connection, owner: Id, ids: &[&str]) -> sqlx::Result<Vec<ListingRow>> {
    let list = placeholders(2, ids.len());
    let sql = format!("{SELECT} l.owner_id = $1 AND {IS_SHOWN} AND l.id IN ({list})");
    let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(owner);
    for id in ids {
        query = query.bind(*id);
    }
    query.fetch_all(conn).await
}
