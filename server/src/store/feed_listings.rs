//! Listings as a feed brings them, and whom of an association the feed means. [LST-1]

use sqlx::FromRow;

use super::{
    Connection, Id,
    columns::{pieces, placeholders, rows},
};

/// A listing that came out of a feed.
#[derive(Clone, Debug, PartialEq, FromRow)]
pub struct FeedListingRow {
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
    /// The feed's own time of its latest change, in milliseconds.
    pub modified_at: Option<i64>,
    /// Off the market, no longer in the feed, or no longer this agent's.
    pub gone_at: Option<i64>,
}

/// Those of the keys that an association's feed brought before.
pub async fn by_keys(
    conn: &mut Connection,
    association: Id,
    keys: &[&str],
) -> sqlx::Result<Vec<FeedListingRow>> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let list = placeholders(2, keys.len());
    let sql = format!(
        "SELECT id, owner_id, listing_key, address, city, state, postal_code, list_price, standard_status, \
         time_zone, modified_at, gone_at FROM listings WHERE association_id = $1 AND listing_key IN ({list})"
    );
    let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(association);
    for key in keys {
        query = query.bind(*key);
    }
    query.fetch_all(conn).await
}

/// Adds listings that a pass has seen.
pub async fn insert(
    conn: &mut Connection,
    association: Id,
    listings: &[FeedListingRow],
    pass: i64,
    now: i64,
) -> sqlx::Result<()> {
    for piece in pieces(listings) {
        let sql = format!(
            "INSERT INTO listings (id, owner_id, listing_key, address, city, state, postal_code, list_price, \
             standard_status, time_zone, created_at, association_id, modified_at, seen_pass) VALUES {}",
            rows(conn, piece.len(), 14)
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for row in piece {
            query = query
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
                .bind(now)
                .bind(association)
                .bind(row.modified_at)
                .bind(pass);
        }
        query.execute(&mut *conn).await?;
    }
    Ok(())
}

/// Writes what changed of a listing.
pub async fn update(conn: &mut Connection, row: &FeedListingRow) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE listings SET owner_id = $1, address = $2, city = $3, state = $4, postal_code = $5, \
         list_price = $6, standard_status = $7, time_zone = $8, modified_at = $9, gone_at = $10 WHERE id = $11",
    )
    .bind(row.owner_id)
    .bind(row.address.as_str())
    .bind(row.city.as_str())
    .bind(row.state.as_str())
    .bind(row.postal_code.as_str())
    .bind(row.list_price)
    .bind(row.standard_status.as_str())
    .bind(row.time_zone.as_str())
    .bind(row.modified_at)
    .bind(row.gone_at)
    .bind(row.id)
    .execute(conn)
    .await
    .map(drop)
}

/// Notes that a whole pass has seen these.
pub async fn seen(conn: &mut Connection, association: Id, keys: &[&str], pass: i64) -> sqlx::Result<()> {
    if keys.is_empty() {
        return Ok(());
    }
    let list = placeholders(3, keys.len());
    let sql =
        format!("UPDATE listings SET seen_pass = $1 WHERE association_id = $2 AND listing_key IN ({list})");
    let mut query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(pass).bind(association);
    for key in keys {
        query = query.bind(*key);
    }
    query.execute(conn).await.map(drop)
}

/// How many listings an association's feed keeps on the market, and how many of them a whole pass did not see.
pub async fn unseen_of_all(conn: &mut Connection, association: Id, pass: i64) -> sqlx::Result<(i64, i64)> {
    sqlx::query_as(
        "SELECT COALESCE(SUM(CASE WHEN seen_pass < $1 THEN 1 ELSE 0 END), 0), COUNT(*) FROM listings \
         WHERE association_id = $2 AND gone_at IS NULL",
    )
    .bind(pass)
    .bind(association)
    .fetch_one(conn)
    .await
}

/// Takes those away that a whole pass did not see; at most so many. Says whose and which.
pub async fn sweep(
    conn: &mut Connection,
    association: Id,
    pass: i64,
    now: i64,
    limit: i64,
) -> sqlx::Result<Vec<(Id, Id)>> {
    sqlx::query_as(
        "UPDATE listings SET gone_at = $1 WHERE id IN (SELECT id FROM listings WHERE association_id = $2 \
         AND seen_pass < $3 AND gone_at IS NULL LIMIT $4) RETURNING owner_id, id",
    )
    .bind(now)
    .bind(association)
    .bind(pass)
    .bind(limit)
    .fetch_all(conn)
    .await
}

/// Whether a box hangs at a listing, or somebody may still come to it: then it stays with its agent.
pub async fn is_in_use(conn: &mut Connection, listing: Id, now: i64) -> sqlx::Result<bool> {
    let found: i64 = sqlx::query_scalar(
        "SELECT (SELECT COUNT(*) FROM lockboxes WHERE listing_id = $1) \
         + (SELECT COUNT(*) FROM grants WHERE listing_id = $1 AND state <> 'revoked' AND ends_at > $2)",
    )
    .bind(listing)
    .bind(now)
    .fetch_one(conn)
    .await?;
    Ok(found > 0)
}

/// What an MLS calls an agent of ours.
#[derive(FromRow)]
pub struct MemberRow {
    pub member_id: String,
    pub account_id: Id,
}

/// The agents of an association whom its MLS calls one of these: by the member id that the operator gave, or, where no
/// agent has that, by the SentriKey ID.
pub async fn members(conn: &mut Connection, association: Id, ids: &[&str]) -> sqlx::Result<Vec<MemberRow>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let list = placeholders(2, ids.len());
    let sql = format!(
        "SELECT m.member_id AS member_id, m.account_id AS account_id FROM mls_members m \
         JOIN accounts a ON a.id = m.account_id \
         WHERE m.association_id = $1 AND a.association_id = $1 AND m.member_id IN ({list}) \
         UNION ALL SELECT a.sentrikey_id AS member_id, a.id AS account_id FROM accounts a \
         WHERE a.association_id = $1 AND a.kind = 'agent' AND a.sentrikey_id IN ({list}) AND NOT EXISTS \
         (SELECT 1 FROM mls_members m WHERE m.association_id = $1 AND m.member_id = a.sentrikey_id)"
    );
    let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(association);
    for id in ids {
        query = query.bind(*id);
    }
    query.fetch_all(conn).await
}

/// What an MLS calls an agent, where the operator said so.
pub async fn member_id(conn: &mut Connection, account: Id) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar("SELECT member_id FROM mls_members WHERE account_id = $1")
        .bind(account)
        .fetch_optional(conn)
        .await
}

/// Notes what an MLS calls an agent, in the place of what it called them before. False where it calls another so.
pub async fn name_member(
    conn: &mut Connection,
    association: Id,
    member_id: &str,
    account: Id,
) -> sqlx::Result<bool> {
    sqlx::query("DELETE FROM mls_members WHERE account_id = $1").bind(account).execute(&mut *conn).await?;
    let named = sqlx::query(
        "INSERT INTO mls_members (association_id, member_id, account_id) VALUES ($1, $2, $3) \
         ON CONFLICT (association_id, member_id) DO NOTHING",
    )
    .bind(association)
    .bind(member_id)
    .bind(account)
    .execute(conn)
    .await?;
    Ok(named.rows_affected() == 1)
}
