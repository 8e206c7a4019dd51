//! Codes in the tables of doors' locks: what works, what is on its way, and the deliveries that carry it. [RES-5]

use sentri_wire::residence::CodeHolder;
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::{Connection, Id, Json, Named};

/// Where a code is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeStage {
    /// The lock has not said that it has it.
    Ordered,
    /// The lock has it.
    Works,
    /// The lock did not take it.
    NotTaken,
}

/// A code. A place has several of them while one takes the place of another.
#[derive(Clone, FromRow)]
pub struct DoorCodeRow {
    pub id: Id,
    pub door_id: Id,
    /// Who made it, and may look at it.
    pub account_id: Id,
    /// Its place in the lock's table.
    pub place: i64,
    pub holder: Named<CodeHolder>,
    pub guest: Option<String>,
    /// Sealed under a master key.
    pub code: String,
    /// As the lock reads it, in hex.
    pub validity: String,
    pub ends_at: Option<i64>,
    pub state: Named<CodeStage>,
    /// The version of the lock's codes that puts it there.
    pub put_version: i64,
    /// The one that takes it out.
    pub out_version: Option<i64>,
    pub created_at: i64,
}

/// Adds a code.
pub async fn insert(conn: &mut Connection, row: &DoorCodeRow) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO door_codes (id, door_id, account_id, place, holder, guest, code, validity, ends_at, state, \
         put_version, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(row.id)
    .bind(row.door_id)
    .bind(row.account_id)
    .bind(row.place)
    .bind(row.holder)
    .bind(row.guest.as_deref())
    .bind(row.code.as_str())
    .bind(row.validity.as_str())
    .bind(row.ends_at)
    .bind(row.state)
    .bind(row.put_version)
    .bind(row.created_at)
    .execute(conn)
    .await
    .map(drop)
}

/// All codes of a door: by their places, in each the oldest first.
pub async fn at_door(conn: &mut Connection, door: Id) -> sqlx::Result<Vec<DoorCodeRow>> {
    sqlx::query_as("SELECT * FROM door_codes WHERE door_id = $1 ORDER BY place, put_version")
        .bind(door)
        .fetch_all(conn)
        .await
}

/// Notes that a place is to be emptied with a version. `forget_guest` takes out the guest's name at once.
pub async fn take_out(
    conn: &mut Connection,
    door: Id,
    place: i64,
    version: i64,
    forget_guest: bool,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE door_codes SET out_version = $1, guest = CASE WHEN $2 = 1 THEN NULL ELSE guest END \
         WHERE door_id = $3 AND place = $4",
    )
    .bind(version)
    .bind(i64::from(forget_guest))
    .bind(door)
    .bind(place)
    .execute(conn)
    .await
    .map(drop)
}

/// Notes that a code is to be put into its place by another version.
pub async fn put_again(conn: &mut Connection, id: Id, version: i64) -> sqlx::Result<()> {
    sqlx::query("UPDATE door_codes SET put_version = $1 WHERE id = $2")
        .bind(version)
        .bind(id)
        .execute(conn)
        .await
        .map(drop)
}

/// What the lock says of a code.
pub async fn set_stage(conn: &mut Connection, id: Id, stage: CodeStage) -> sqlx::Result<()> {
    sqlx::query("UPDATE door_codes SET state = $1 WHERE id = $2")
        .bind(Named(stage))
        .bind(id)
        .execute(conn)
        .await
        .map(drop)
}

/// Forgets a code that the lock has no more.
pub async fn delete(conn: &mut Connection, id: Id) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM door_codes WHERE id = $1").bind(id).execute(conn).await.map(drop)
}

/// What changes a lock's codes from one version to another, sealed.
#[derive(Clone, FromRow)]
pub struct DeliveryRow {
    pub door_id: Id,
    pub version: i64,
    pub from_version: i64,
    /// The place that each order is about, in turn.
    pub places: Json<Vec<i64>>,
    /// In hex.
    pub delivery: String,
}

/// Adds a delivery.
pub async fn insert_delivery(conn: &mut Connection, row: &DeliveryRow) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO door_deliveries (door_id, version, from_version, places, delivery) \
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(row.door_id)
    .bind(row.version)
    .bind(row.from_version)
    .bind(Json(row.places.0.clone()))
    .bind(row.delivery.as_str())
    .execute(conn)
    .await
    .map(drop)
}

/// The delivery that leads to a version.
pub async fn delivery(conn: &mut Connection, door: Id, version: i64) -> sqlx::Result<Option<DeliveryRow>> {
    sqlx::query_as("SELECT * FROM door_deliveries WHERE door_id = $1 AND version = $2")
        .bind(door)
        .bind(version)
        .fetch_optional(conn)
        .await
}

/// The deliveries that lead beyond a version.
pub async fn deliveries_after(
    conn: &mut Connection,
    door: Id,
    version: i64,
) -> sqlx::Result<Vec<DeliveryRow>> {
    sqlx::query_as("SELECT * FROM door_deliveries WHERE door_id = $1 AND version > $2 ORDER BY version")
        .bind(door)
        .bind(version)
        .fetch_all(conn)
        .await
}

/// Forgets deliveries up to a version that the lock has.
pub async fn forget_deliveries(conn: &mut Connection, door: Id, up_to: i64) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM door_deliveries WHERE door_id = $1 AND version <= $2")
        .bind(door)
        .bind(up_to)
        .execute(conn)
        .await
        .map(drop)
}
