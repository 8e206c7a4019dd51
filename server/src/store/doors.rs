//! Doors of communities: who goes through, what their locks were heard to say, what phones hold for them. [RES-0]

use sentri_wire::residence::DoorKind;
use sqlx::FromRow;

use super::{Connection, Id, Named, columns::placeholders, events::AuditRow, lockboxes::AuditMark};

/// A door with its lock.
#[derive(Clone, FromRow)]
pub struct DoorRow {
    pub id: Id,
    pub serial: String,
    pub community_id: Id,
    pub kind: Named<DoorKind>,
    pub name: String,
    /// Whose it is; nothing for what all residents share.
    pub unit: Option<String>,
    /// By which it is reached; nothing for Bluetooth.
    pub hub_id: Option<Id>,
    /// The settings as the lock reads them, without a MAC, in hex.
    pub settings: String,
    /// Sealed under a master key.
    pub seed: String,
    pub key_generation: i64,
    pub epoch: i64,
    /// The newest version of its codes.
    pub codes_version: i64,
    /// The version that the lock's log says it has.
    pub delivered_version: i64,
    pub last_heard_at: Option<i64>,
    /// When its hub last heard it, by the server's clock.
    pub hub_heard_at: Option<i64>,
    /// The newest version of its codes that its hub was given, and until when it has that in hand.
    pub hub_took_version: i64,
    pub hub_leased_until: Option<i64>,
    /// The newest version that its hub says it brought.
    pub hub_brought_version: i64,
    /// Up to which number its audit records are here, and the tag of that record, in hex.
    pub audit_number: i64,
    pub audit_tag: String,
    /// How many of them the lock said were overwritten unread.
    pub audit_lost: i64,
    pub created_at: i64,
}

/// Doors that an account goes through: its unit's, and what all share.
const OF_ACCOUNT: &str = "SELECT d.* FROM residents r JOIN doors d ON d.community_id = r.community_id \
                          AND (d.unit IS NULL OR d.unit = r.unit) WHERE r.account_id = $1";

/// Adds a door.
pub async fn insert(conn: &mut Connection, row: &DoorRow) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO doors (id, serial, community_id, kind, name, unit, hub_id, settings, seed, key_generation, \
         epoch, codes_version, delivered_version, audit_number, audit_tag, audit_lost, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
    )
    .bind(row.id)
    .bind(row.serial.as_str())
    .bind(row.community_id)
    .bind(row.kind)
    .bind(row.name.as_str())
    .bind(row.unit.as_deref())
    .bind(row.hub_id)
    .bind(row.settings.as_str())
    .bind(row.seed.as_str())
    .bind(row.key_generation)
    .bind(row.epoch)
    .bind(row.codes_version)
    .bind(row.delivered_version)
    .bind(row.audit_number)
    .bind(row.audit_tag.as_str())
    .bind(row.audit_lost)
    .bind(row.created_at)
    .execute(conn)
    .await
    .map(drop)
}

/// Lets a second transaction about this door wait for the end of this one.
pub async fn hold(conn: &mut Connection, serial: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE doors SET serial = serial WHERE serial = $1")
        .bind(serial)
        .execute(conn)
        .await
        .map(drop)
}

/// The door with this lock, whoever goes through: for rules, never for an answer.
pub async fn by_serial(conn: &mut Connection, serial: &str) -> sqlx::Result<Option<DoorRow>> {
    sqlx::query_as("SELECT * FROM doors WHERE serial = $1").bind(serial).fetch_optional(conn).await
}

/// A community's doors, by name.
pub async fn of_community(conn: &mut Connection, community: Id) -> sqlx::Result<Vec<DoorRow>> {
    sqlx::query_as("SELECT * FROM doors WHERE community_id = $1 ORDER BY name, serial")
        .bind(community)
        .fetch_all(conn)
        .await
}

/// The doors that an account goes through, by name.
pub async fn of_account(conn: &mut Connection, account: Id) -> sqlx::Result<Vec<DoorRow>> {
    let sql = format!("{OF_ACCOUNT} ORDER BY d.name, d.serial");
    sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(account).fetch_all(conn).await
}

/// Those of the named doors that an account goes through.
pub async fn among(conn: &mut Connection, account: Id, serials: &[&str]) -> sqlx::Result<Vec<DoorRow>> {
    let sql = format!("{OF_ACCOUNT} AND d.serial IN ({})", placeholders(2, serials.len()));
    let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(account);
    for serial in serials {
        query = query.bind(*serial);
    }
    query.fetch_all(conn).await
}

/// Doors at which an account has codes, whether it still goes through or not, in the order in which hubs' calls hold them.
pub async fn with_codes_of(conn: &mut Connection, account: Id) -> sqlx::Result<Vec<DoorRow>> {
    sqlx::query_as(
        "SELECT d.* FROM doors d WHERE d.id IN (SELECT door_id FROM door_codes WHERE account_id = $1) \
         ORDER BY d.serial",
    )
    .bind(account)
    .fetch_all(conn)
    .await
}

/// The door with this lock, where the account goes through it, or held a pass for it.
pub async fn met_by(conn: &mut Connection, account: Id, serial: &str) -> sqlx::Result<Option<DoorRow>> {
    sqlx::query_as(
        "SELECT d.* FROM doors d WHERE d.serial = $2 AND (EXISTS (SELECT 1 FROM residents r \
         WHERE r.account_id = $1 AND r.community_id = d.community_id AND (d.unit IS NULL OR d.unit = r.unit)) \
         OR EXISTS (SELECT 1 FROM door_passes p JOIN devices v ON v.id = p.device_id \
         WHERE p.door_id = d.id AND v.account_id = $1))",
    )
    .bind(account)
    .bind(serial)
    .fetch_optional(conn)
    .await
}

/// Accounts that go through a door.
pub async fn passers(conn: &mut Connection, door: &DoorRow) -> sqlx::Result<Vec<Id>> {
    sqlx::query_scalar(
        "SELECT account_id FROM residents WHERE community_id = $1 AND ($2 = 0 OR unit = $3) ORDER BY account_id",
    )
    .bind(door.community_id)
    .bind(i64::from(door.unit.is_some()))
    .bind(door.unit.as_deref().unwrap_or_default())
    .fetch_all(conn)
    .await
}

/// Stores the newest version of a door's codes.
pub async fn set_codes_version(conn: &mut Connection, door: Id, version: i64) -> sqlx::Result<()> {
    sqlx::query("UPDATE doors SET codes_version = $1 WHERE id = $2")
        .bind(version)
        .bind(door)
        .execute(conn)
        .await
        .map(drop)
}

/// Stores which version of its codes a lock says it has.
pub async fn set_delivered(conn: &mut Connection, door: Id, version: i64) -> sqlx::Result<()> {
    sqlx::query("UPDATE doors SET delivered_version = $1 WHERE id = $2 AND delivered_version < $1")
        .bind(version)
        .bind(door)
        .execute(conn)
        .await
        .map(drop)
}

/// Stores a record of a lock once. False where it was there.
pub async fn insert_record(conn: &mut Connection, door: Id, row: &AuditRow) -> sqlx::Result<bool> {
    let stored = sqlx::query(
        "INSERT INTO door_records (door_id, number, at, kind, result, who, operation, skew) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (door_id, number) DO NOTHING",
    )
    .bind(door)
    .bind(row.number)
    .bind(row.at)
    .bind(row.kind)
    .bind(row.result)
    .bind(row.who.as_str())
    .bind(row.operation.as_str())
    .bind(row.skew)
    .execute(conn)
    .await?;
    Ok(stored.rows_affected() == 1)
}

/// Moves the mark up to which a lock's records are here.
pub async fn move_audit_mark(
    conn: &mut Connection,
    door: Id,
    to: &AuditMark<'_>,
    now: i64,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE doors SET audit_number = $1, audit_tag = $2, audit_lost = $3, last_heard_at = $4 WHERE id = $5",
    )
    .bind(to.number)
    .bind(to.tag)
    .bind(to.lost)
    .bind(now)
    .bind(door)
    .execute(conn)
    .await
    .map(drop)
}

/// What a phone or a hub shows a door's lock.
#[derive(Clone, FromRow)]
pub struct PassRow {
    pub door_id: Id,
    /// 16 hex digits.
    pub credential_id: String,
    /// As the lock reads it, in hex.
    pub ticket: String,
    pub issued_at: i64,
    pub not_after: i64,
    pub renew_at: i64,
}

/// Who holds a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassHolder {
    /// A resident's phone.
    Device(Id),
    /// A hub.
    Hub(Id),
}

impl PassHolder {
    fn place(self) -> (&'static str, &'static str, Id) {
        match self {
            Self::Device(id) => ("door_passes", "device_id", id),
            Self::Hub(id) => ("hub_passes", "hub_id", id),
        }
    }
}

/// Doors for which a device has no pass, or one that is to be renewed.
pub async fn without_pass(
    conn: &mut Connection,
    account: Id,
    device: Id,
    now: i64,
    limit: i64,
) -> sqlx::Result<Vec<DoorRow>> {
    let sql = format!(
        "{OF_ACCOUNT} AND NOT EXISTS (SELECT 1 FROM door_passes p WHERE p.door_id = d.id AND p.device_id = $2 \
         AND p.renew_at > $3) ORDER BY d.id LIMIT $4"
    );
    sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(account)
        .bind(device)
        .bind(now)
        .bind(limit)
        .fetch_all(conn)
        .await
}

/// Gives somebody a pass; a former one is replaced.
pub async fn put_pass(conn: &mut Connection, holder: PassHolder, row: &PassRow) -> sqlx::Result<()> {
    let (table, column, id) = holder.place();
    let sql = format!(
        "INSERT INTO {table} ({column}, door_id, credential_id, ticket, issued_at, not_after, renew_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT ({column}, door_id) DO UPDATE SET \
         credential_id = excluded.credential_id, ticket = excluded.ticket, issued_at = excluded.issued_at, \
         not_after = excluded.not_after, renew_at = excluded.renew_at"
    );
    sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(id)
        .bind(row.door_id)
        .bind(row.credential_id.as_str())
        .bind(row.ticket.as_str())
        .bind(row.issued_at)
        .bind(row.not_after)
        .bind(row.renew_at)
        .execute(conn)
        .await
        .map(drop)
}

/// Somebody's pass for a door.
pub async fn pass(conn: &mut Connection, holder: PassHolder, door: Id) -> sqlx::Result<Option<PassRow>> {
    let (table, column, id) = holder.place();
    let sql = format!("SELECT * FROM {table} WHERE {column} = $1 AND door_id = $2");
    sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(id).bind(door).fetch_optional(conn).await
}
