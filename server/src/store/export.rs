//! All that is stored of one account, for its owner to take along.

use sentri_wire::{account::Platform, export::Device};
use sqlx::FromRow;

use super::{Connection, Id, Named};

#[derive(FromRow)]
struct DeviceRow {
    id: Id,
    name: String,
    platform: Named<Platform>,
    registered_at: i64,
}

/// Its devices, oldest first.
pub async fn devices(conn: &mut Connection, account: Id) -> sqlx::Result<Vec<Device>> {
    let rows: Vec<DeviceRow> = sqlx::query_as(
        "SELECT id, name, platform, registered_at FROM devices WHERE account_id = $1 AND removed_at IS NULL ORDER BY registered_at, id",
    )
    .bind(account)
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Device {
            id: row.id.0,
            name: row.name,
            platform: row.platform.0,
            registered_at: row.registered_at,
        })
        .collect())
}
