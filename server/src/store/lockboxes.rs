//! Lockboxes: where they hang, what they were told, what they were heard to say.

use sentri_protocol::settings::Settings;
use sentri_wire::agent::{Lockbox, LockboxGeneration};
use sqlx::FromRow;

use super::{
    Connection, Id, Named,
    columns::{is_sqlite, number, placeholders},
};

/// Version of the settings that a lock leaves the factory with.
pub const FACTORY_SETTINGS: i64 = 1;

/// A lockbox.
#[derive(Clone, FromRow)]
pub struct LockboxRow {
    pub id: Id,
    pub serial: String,
    pub generation: Named<LockboxGeneration>,
    pub association_id: Id,
    pub owner_id: Id,
    pub listing_id: Option<Id>,
    pub on_listing_since: Option<i64>,
    pub region: Option<String>,
    /// IANA name.
    pub time_zone: String,
    /// The settings as the lock reads them, without a MAC, in hex.
    pub settings: String,
    /// Sealed under a master key.
    pub seed: String,
    pub key_generation: i64,
    pub epoch: i64,
    pub revocation_version: i64,
    pub heard_revocation_version: i64,
    pub heard_settings_version: i64,
    pub battery_percent: Option<i64>,
    pub last_heard_at: Option<i64>,
    /// Up to which number its audit records are here, and the tag of that record, in hex.
    pub audit_number: i64,
    pub audit_tag: String,
    /// How many of them the lock said were overwritten unread.
    pub audit_lost: i64,
    /// Newest version of what is ordered of its codes.
    pub codes_version: i64,
    pub heard_codes_version: i64,
    /// Since when it is out of use.
    pub retired_at: Option<i64>,
    pub created_at: i64,
    /// Whether it takes its owner's default settings.
    pub follows_default: i64,
}

impl LockboxRow {
    /// As its owner sees it.
    pub fn to_wire(&self) -> Lockbox {
        Lockbox {
            id: self.id.0,
            serial: self.serial.clone(),
            generation: self.generation.0,
            battery_percent: self.battery_percent.and_then(|percent| number(percent, "battery").ok()),
            listing_id: self.listing_id.map(|id| id.0),
            on_listing_since: self.on_listing_since,
            region: self.region.clone(),
            last_heard_at: self.last_heard_at,
            settings_pending: self.has_pending_settings(),
        }
    }

    /// Version of the settings that the lock is known to have: at least those that the factory wrote.
    pub fn working_settings_version(&self) -> i64 {
        self.heard_settings_version.max(FACTORY_SETTINGS)
    }

    /// Whether the lock may still go by older settings than it was told. [LST-6]
    pub fn has_pending_settings(&self) -> bool {
        let told = hex::decode(&self.settings).ok().and_then(|bytes| Settings::decode(&bytes).ok());
        told.is_some_and(|told| i64::from(told.version) > self.working_settings_version())
    }
}

/// Lets a second transaction about this lock wait for the end of this one. SQLite has one writer anyway.
pub async fn hold(conn: &mut Connection, serial: &str) -> sqlx::Result<()> {
    if is_sqlite(conn) {
        return Ok(());
    }
    sqlx::query("UPDATE lockboxes SET serial = serial WHERE serial = $1").bind(serial).execute(conn).await?;
    Ok(())
}

/// Adds a lockbox.
pub async fn insert(conn: &mut Connection, row: &LockboxRow) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO lockboxes (id, serial, generation, association_id, owner_id, time_zone, settings, seed, \
         key_generation, epoch, revocation_version, heard_revocation_version, heard_settings_version, \
         audit_number, audit_tag, audit_lost, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
    )
    .bind(row.id)
    .bind(row.serial.as_str())
    .bind(row.generation)
    .bind(row.association_id)
    .bind(row.owner_id)
    .bind(row.time_zone.as_str())
    .bind(row.settings.as_str())
    .bind(row.seed.as_str())
    .bind(row.key_generation)
    .bind(row.epoch)
    .bind(row.revocation_version)
    .bind(row.heard_revocation_version)
    .bind(row.heard_settings_version)
    .bind(row.audit_number)
    .bind(row.audit_tag.as_str())
    .bind(row.audit_lost)
    .bind(row.created_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// The lockbox with this serial number, where it is this agent's and in use.
pub async fn owned(conn: &mut Connection, owner: Id, serial: &str) -> sqlx::Result<Option<LockboxRow>> {
    sqlx::query_as("SELECT * FROM lockboxes WHERE serial = $1 AND owner_id = $2 AND retired_at IS NULL")
        .bind(serial)
        .bind(owner)
        .fetch_optional(conn)
        .await
}

/// An agent's lockboxes that are in use, by serial number.
pub async fn all_owned(conn: &mut Connection, owner: Id) -> sqlx::Result<Vec<LockboxRow>> {
    sqlx::query_as("SELECT * FROM lockboxes WHERE owner_id = $1 AND retired_at IS NULL ORDER BY serial")
        .bind(owner)
        .fetch_all(conn)
        .await
}

/// The lockbox with this serial number, whoever owns it: for rules, never for an answer.
pub async fn by_serial(conn: &mut Connection, serial: &str) -> sqlx::Result<Option<LockboxRow>> {
    sqlx::query_as("SELECT * FROM lockboxes WHERE serial = $1").bind(serial).fetch_optional(conn).await
}

/// The lockbox of this id, whoever owns it: for rules, never for an answer.
pub async fn by_id(conn: &mut Connection, id: Id) -> sqlx::Result<Option<LockboxRow>> {
    sqlx::query_as("SELECT * FROM lockboxes WHERE id = $1").bind(id).fetch_optional(conn).await
}

/// The lockbox that hangs at a listing.
pub async fn at_listing(conn: &mut Connection, listing: Id) -> sqlx::Result<Option<LockboxRow>> {
    sqlx::query_as("SELECT * FROM lockboxes WHERE listing_id = $1").bind(listing).fetch_optional(conn).await
}

/// What a member may open, $2, of an association, $1, now, $3: what hangs at an active listing, and their own. [AGT-1]
const OPEN_TO_MEMBER: &str = "b.association_id = $1 AND b.retired_at IS NULL AND (b.owner_id = $2 OR \
     (b.on_listing_since <= $3 AND l.gone_at IS NULL AND l.standard_status IN ('Active', 'Active Under Contract')))";

/// The lockbox with this serial number, where a member may open it. [AGT-1]
pub async fn open_to_member(
    conn: &mut Connection,
    association: Id,
    member: Id,
    now: i64,
    serial: &str,
) -> sqlx::Result<Option<LockboxRow>> {
    let sql = format!(
        "SELECT b.* FROM lockboxes b LEFT JOIN listings l ON l.id = b.listing_id \
         WHERE {OPEN_TO_MEMBER} AND b.serial = $4"
    );
    sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(association)
        .bind(member)
        .bind(now)
        .bind(serial)
        .fetch_optional(conn)
        .await
}

/// The lockboxes with Bluetooth that a member may open and that hang at a listing. [AGT-1]
pub async fn open_to_members(
    conn: &mut Connection,
    association: Id,
    member: Id,
    now: i64,
) -> sqlx::Result<Vec<LockboxRow>> {
    let sql = format!(
        "SELECT b.* FROM lockboxes b JOIN listings l ON l.id = b.listing_id \
         WHERE {OPEN_TO_MEMBER} AND b.generation = 'ble' ORDER BY b.id"
    );
    sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(association).bind(member).bind(now).fetch_all(conn).await
}

/// Those of the named lockboxes that are this agent's and in use.
pub async fn owned_among(
    conn: &mut Connection,
    owner: Id,
    serials: &[&str],
) -> sqlx::Result<Vec<LockboxRow>> {
    let list = placeholders(2, serials.len());
    let sql =
        format!("SELECT * FROM lockboxes WHERE owner_id = $1 AND retired_at IS NULL AND serial IN ({list})");
    let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(owner);
    for serial in serials {
        query = query.bind(*serial);
    }
    query.fetch_all(conn).await
}

/// Those of the named lockboxes to which this account's phones carry what they were told: where they hold live credentials,
/// and the account's own.
pub async fn carried_to(
    conn: &mut Connection,
    account: Id,
    serials: &[&str],
) -> sqlx::Result<Vec<LockboxRow>> {
    let list = placeholders(2, serials.len());
    let sql = format!(
        "SELECT * FROM lockboxes b WHERE b.serial IN ({list}) AND (EXISTS (SELECT 1 FROM credentials c \
         WHERE c.lockbox_id = b.id AND c.account_id = $1 AND c.state = 'live') \
         OR (b.owner_id = $1 AND b.generation = 'ble' AND b.retired_at IS NULL))"
    );
    let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(account);
    for serial in serials {
        query = query.bind(*serial);
    }
    query.fetch_all(conn).await
}

/// Hangs the lockbox at a listing. False where it hangs at one already: it is at one listing at a time.
pub async fn assign(
    conn: &mut Connection,
    id: Id,
    listing: Id,
    since: i64,
    region: &str,
) -> sqlx::Result<bool> {
    let assigned = sqlx::query(
        "UPDATE lockboxes SET listing_id = $1, on_listing_since = $2, region = $3 \
         WHERE id = $4 AND listing_id IS NULL",
    )
    .bind(listing)
    .bind(since)
    .bind(region)
    .bind(id)
    .execute(conn)
    .await?;
    Ok(assigned.rows_affected() == 1)
}

/// Takes the lockbox off its listing.
pub async fn unassign(conn: &mut Connection, id: Id) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE lockboxes SET listing_id = NULL, on_listing_since = NULL, region = NULL WHERE id = $1",
    )
    .bind(id)
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes the next version number for the revocation list; with `raise_epoch` also the next epoch.
pub async fn raise_revocation_version(conn: &mut Connection, id: Id, raise_epoch: bool) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE lockboxes SET revocation_version = revocation_version + 1, epoch = epoch + $1 WHERE id = $2",
    )
    .bind(i64::from(raise_epoch))
    .bind(id)
    .execute(conn)
    .await?;
    Ok(())
}

/// Stores new settings.
pub async fn set_settings(conn: &mut Connection, id: Id, settings: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE lockboxes SET settings = $1 WHERE id = $2")
        .bind(settings)
        .bind(id)
        .execute(conn)
        .await
        .map(drop)
}

/// Notes the newest version of what is ordered of a lock's codes.
pub async fn set_codes_version(conn: &mut Connection, id: Id, version: i64) -> sqlx::Result<()> {
    sqlx::query("UPDATE lockboxes SET codes_version = $1 WHERE id = $2")
        .bind(version)
        .bind(id)
        .execute(conn)
        .await
        .map(drop)
}

/// Notes up to which version a lock was heard to have carried that out.
pub async fn hear_codes(conn: &mut Connection, id: Id, version: i64) -> sqlx::Result<()> {
    sqlx::query("UPDATE lockboxes SET heard_codes_version = $1 WHERE id = $2 AND heard_codes_version < $1")
        .bind(version)
        .bind(id)
        .execute(conn)
        .await
        .map(drop)
}

/// Stores by which clock the lock's hours are meant.
pub async fn set_time_zone(conn: &mut Connection, id: Id, time_zone: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE lockboxes SET time_zone = $1 WHERE id = $2")
        .bind(time_zone)
        .bind(id)
        .execute(conn)
        .await
        .map(drop)
}

/// Stores whether the lock takes its owner's default settings.
pub async fn set_follows_default(conn: &mut Connection, id: Id, follows: bool) -> sqlx::Result<()> {
    sqlx::query("UPDATE lockboxes SET follows_default = $1 WHERE id = $2")
        .bind(i64::from(follows))
        .bind(id)
        .execute(conn)
        .await
        .map(drop)
}

/// What a lock itself was heard to say.
pub struct Heard {
    pub at: i64,
    pub battery: u8,
    pub revocation_version: u32,
    pub settings_version: u32,
}

/// Stores what a lock said. Versions only rise: words can arrive late.
pub async fn hear(conn: &mut Connection, id: Id, heard: &Heard) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE lockboxes SET \
         battery_percent = CASE WHEN last_heard_at IS NULL OR last_heard_at <= $1 THEN $2 ELSE battery_percent END, \
         last_heard_at = CASE WHEN last_heard_at IS NULL OR last_heard_at < $1 THEN $1 ELSE last_heard_at END, \
         heard_revocation_version = CASE WHEN heard_revocation_version < $3 THEN $3 ELSE heard_revocation_version END, \
         heard_settings_version = CASE WHEN heard_settings_version < $4 THEN $4 ELSE heard_settings_version END \
         WHERE id = $5",
    )
    .bind(heard.at)
    .bind(i64::from(heard.battery))
    .bind(i64::from(heard.revocation_version))
    .bind(i64::from(heard.settings_version))
    .bind(id)
    .execute(conn)
    .await?;
    Ok(())
}

/// Stores which settings a lock wrote down to have taken.
pub async fn hear_settings(conn: &mut Connection, id: Id, version: u32) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE lockboxes SET heard_settings_version = $1 WHERE id = $2 AND heard_settings_version < $1",
    )
    .bind(i64::from(version))
    .bind(id)
    .execute(conn)
    .await
    .map(drop)
}

/// Stores which revocation list a lock has, where that is news.
pub async fn hear_revocations(conn: &mut Connection, id: Id, version: i64) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE lockboxes SET heard_revocation_version = $1 WHERE id = $2 AND heard_revocation_version < $1",
    )
    .bind(version)
    .bind(id)
    .execute(conn)
    .await
    .map(drop)
}

/// Up to where a lock's audit records are here.
pub struct AuditMark<'a> {
    pub number: i64,
    pub tag: &'a str,
    pub lost: i64,
}

/// Moves the mark. False where another upload moved it meanwhile.
pub async fn move_audit_mark(
    conn: &mut Connection,
    id: Id,
    from: i64,
    to: &AuditMark<'_>,
) -> sqlx::Result<bool> {
    let moved = sqlx::query(
        "UPDATE lockboxes SET audit_number = $1, audit_tag = $2, audit_lost = $3 \
         WHERE id = $4 AND audit_number = $5",
    )
    .bind(to.number)
    .bind(to.tag)
    .bind(to.lost)
    .bind(id)
    .bind(from)
    .execute(conn)
    .await?;
    Ok(moved.rows_affected() == 1)
}

/// Gives a lockbox to another agent, with a new generation of keys. It hangs nowhere then.
pub async fn transfer(conn: &mut Connection, row: &LockboxRow) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE lockboxes SET owner_id = $1, association_id = $2, key_generation = $3, settings = $4, \
         follows_default = 0, listing_id = NULL, on_listing_since = NULL, region = NULL WHERE id = $5",
    )
    .bind(row.owner_id)
    .bind(row.association_id)
    .bind(row.key_generation)
    .bind(row.settings.as_str())
    .bind(row.id)
    .execute(conn)
    .await
    .map(drop)
}

/// Takes a lockbox out of use for good. Its serial number stays taken, and its log stays.
pub async fn retire(conn: &mut Connection, id: Id, now: i64) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE lockboxes SET retired_at = $1, listing_id = NULL, on_listing_since = NULL, region = NULL WHERE id = $2",
    )
    .bind(now)
    .bind(id)
    .execute(conn)
    .await
    .map(drop)
}
