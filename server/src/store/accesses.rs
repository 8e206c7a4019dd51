//! Accesses: grants as the people who hold them see them. They are only ever sent, so the database puts them together in
//! the form in which they travel: a page of a hundred passes through here as one text.

use sentri_wire::credential::Access;

use super::{
    Connection, Id,
    gather::{
        Gathering, Member,
        Member::{Flag, Value},
        Records, listed, object, records,
    },
};

/// What [`Access`] holds.
pub const MEMBERS: &[Member] = &[
    Value("id", "g.id"),
    Value("lockbox", "b.serial"),
    Value("address", "l.address"),
    Value("locality", "l.city || ', ' || l.state || ' ' || l.postal_code"),
    Value("time_zone", "l.time_zone"),
    Value("granted_by", "a.first_name || ' ' || a.last_name"),
    Value("starts_at", "g.starts_at"),
    Value("ends_at", "g.ends_at"),
    Flag("revoked", "g.state = 'revoked'"),
    Flag("on_hold", "a.status <> 'active'"),
    Value("battery_percent", "b.battery_percent"),
    Value("ready_from", "g.starts_at - s.lead_seconds"),
];

/// Where it comes from.
pub const TABLES: &str = "grants g JOIN lockboxes b ON b.id = g.lockbox_id JOIN listings l ON l.id = g.listing_id \
                          JOIN accounts a ON a.id = g.granter_id JOIN associations s ON s.id = b.association_id";

/// All accesses that this account holds or held, oldest first.
pub async fn held_by(conn: &mut Connection, holder: Id) -> sqlx::Result<Vec<Access>> {
    let access = object(conn, MEMBERS);
    let sql = format!(
        "SELECT CAST({access} AS TEXT) FROM {TABLES} WHERE g.grantee_id = $1 ORDER BY g.created_at, g.id"
    );
    let texts: Vec<String> =
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(holder).fetch_all(conn).await?;
    texts
        .iter()
        .map(|text| serde_json::from_str(text).map_err(|error| sqlx::Error::Decode(error.into())))
        .collect()
}

/// Those of the accesses that this account holds, by their ids.
pub async fn held_among(conn: &mut Connection, holder: Id, ids: &[&str]) -> sqlx::Result<Records> {
    // A cross join is where SQLite keeps to our order: it begins with the ids, however many the holder has.
    let rows = format!(
        "{} CROSS JOIN {TABLES} WHERE g.id = wanted.value AND g.grantee_id = $1",
        listed(conn, 2, "wanted")
    );
    let ids = serde_json::to_string(ids).map_err(|error| sqlx::Error::Encode(error.into()))?;
    records(conn, "g.id", MEMBERS, &rows, |query: Gathering| query.bind(holder).bind(ids)).await
}
