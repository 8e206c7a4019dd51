//! Hubs that reach the locks of a community's doors, and what they last told. [RES-5]

use sqlx::FromRow;

use super::{Connection, Id, doors::DoorRow};

/// A hub.
#[derive(Clone, Debug, FromRow)]
pub struct HubRow {
    pub id: Id,
    pub serial: String,
    /// Name of the community that it hangs in.
    pub community: String,
    pub suspended_at: Option<i64>,
    pub retired_at: Option<i64>,
    /// By the server's clock.
    pub last_call_at: Option<i64>,
}

const SELECT: &str = "SELECT h.id, h.serial, c.name AS community, h.suspended_at, h.retired_at, h.last_call_at \
                      FROM hubs h JOIN communities c ON c.id = h.community_id WHERE ";

/// Adds a hub.
pub async fn insert(
    conn: &mut Connection,
    id: Id,
    serial: &str,
    community: Id,
    now: i64,
) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO hubs (id, serial, community_id, created_at) VALUES ($1, $2, $3, $4)")
        .bind(id)
        .bind(serial)
        .bind(community)
        .bind(now)
        .execute(conn)
        .await
        .map(drop)
}

/// The hub with this serial number.
pub async fn by_serial(conn: &mut Connection, serial: &str) -> sqlx::Result<Option<HubRow>> {
    let sql = format!("{SELECT} h.serial = $1");
    sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(serial).fetch_optional(conn).await
}

/// The hub of this id.
pub async fn by_id(conn: &mut Connection, id: Id) -> sqlx::Result<Option<HubRow>> {
    let sql = format!("{SELECT} h.id = $1");
    sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(id).fetch_optional(conn).await
}

/// The hub whose key has this digest. A retired one has none.
pub async fn by_key(conn: &mut Connection, digest: &str) -> sqlx::Result<Option<HubRow>> {
    let sql = format!("{SELECT} h.key_digest = $1 AND h.retired_at IS NULL");
    sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(digest).fetch_optional(conn).await
}

/// A community's hubs, by serial number.
pub async fn of_community(conn: &mut Connection, community: Id) -> sqlx::Result<Vec<HubRow>> {
    let sql = format!("{SELECT} h.community_id = $1 ORDER BY h.serial");
    sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(community).fetch_all(conn).await
}

/// Puts a hub into another community.
pub async fn move_to(conn: &mut Connection, id: Id, community: Id) -> sqlx::Result<()> {
    sqlx::query("UPDATE hubs SET community_id = $1 WHERE id = $2")
        .bind(community)
        .bind(id)
        .execute(conn)
        .await
        .map(drop)
}

/// Gives a hub a key; the one before is worth nothing from then on.
pub async fn set_key(conn: &mut Connection, id: Id, digest: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE hubs SET key_digest = $1 WHERE id = $2 AND retired_at IS NULL")
        .bind(digest)
        .bind(id)
        .execute(conn)
        .await
        .map(drop)
}

/// Takes a hub out of use for good, with its key.
pub async fn retire(conn: &mut Connection, id: Id, now: i64) -> sqlx::Result<()> {
    sqlx::query("UPDATE hubs SET retired_at = $1, key_digest = NULL WHERE id = $2")
        .bind(now)
        .bind(id)
        .execute(conn)
        .await
        .map(drop)
}

/// A hub has called.
pub async fn called(conn: &mut Connection, id: Id, now: i64) -> sqlx::Result<()> {
    sqlx::query("UPDATE hubs SET last_call_at = $1 WHERE id = $2")
        .bind(now)
        .bind(id)
        .execute(conn)
        .await
        .map(drop)
}

/// The doors that a hub reaches, by the serial numbers of their locks.
pub async fn doors(conn: &mut Connection, id: Id) -> sqlx::Result<Vec<DoorRow>> {
    sqlx::query_as("SELECT * FROM doors WHERE hub_id = $1 ORDER BY serial").bind(id).fetch_all(conn).await
}

/// Has a door reached by this hub from now on, or by Bluetooth. What the former hub told of it counts no more.
pub async fn put_door(conn: &mut Connection, door: Id, hub: Option<Id>) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE doors SET hub_id = $1, hub_heard_at = NULL, hub_took_version = 0, hub_leased_until = NULL, \
         hub_brought_version = 0 WHERE id = $2",
    )
    .bind(hub)
    .bind(door)
    .execute(conn)
    .await
    .map(drop)
}

/// A hub has heard the lock of a door that it still reaches.
pub async fn heard(conn: &mut Connection, hub: Id, door: Id, at: i64) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE doors SET hub_heard_at = $1 WHERE id = $2 AND hub_id = $3 \
         AND (hub_heard_at IS NULL OR hub_heard_at < $1)",
    )
    .bind(at)
    .bind(door)
    .bind(hub)
    .execute(conn)
    .await
    .map(drop)
}

/// A hub says that a door's lock answered to this version of its codes. False where that is no news.
pub async fn brought(conn: &mut Connection, hub: Id, door: Id, version: i64) -> sqlx::Result<bool> {
    let moved = sqlx::query(
        "UPDATE doors SET hub_brought_version = $1 WHERE id = $2 AND hub_id = $3 AND hub_brought_version < $1 \
         AND hub_took_version >= $1",
    )
    .bind(version)
    .bind(door)
    .bind(hub)
    .execute(conn)
    .await?;
    Ok(moved.rows_affected() == 1)
}

/// Gives a version of a door's codes into its hub's hands for a while. False where the hub has it in hand already.
pub async fn lease(
    conn: &mut Connection,
    (hub, door): (Id, Id),
    version: i64,
    (now, until): (i64, i64),
) -> sqlx::Result<bool> {
    let leased = sqlx::query(
        "UPDATE doors SET hub_took_version = $1, hub_leased_until = $2 WHERE id = $3 AND hub_id = $5 \
         AND (hub_took_version < $1 OR hub_leased_until IS NULL OR hub_leased_until <= $4)",
    )
    .bind(version)
    .bind(until)
    .bind(door)
    .bind(now)
    .bind(hub)
    .execute(conn)
    .await?;
    Ok(leased.rows_affected() == 1)
}
