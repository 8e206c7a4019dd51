//! Codes at doors after a backup was restored: locks may have heard of versions that this database has not, so that each
//! place is ordered anew, by numbers that no lock has seen. [OPS-3, RES-5]

use sentri_protocol::codes::delivery::{MAX_ORDERS, Order};
use sentri_wire::residence::DoorCode;

use super::{
    App,
    codes::{self, PLACES},
    deliveries,
};
use crate::{
    refusal::Answer,
    store::{
        Writing,
        columns::number,
        door_codes,
        doors::DoorRow,
        restore::{self, VERSIONS},
    },
};

/// Orders every place of every door to be as this database has it. Codes that were made since the backup leave.
pub async fn order_anew(app: &App, tx: &mut Writing) -> Answer<()> {
    for door in restore::doors(tx.conn()).await? {
        order_door_anew(app, tx, &door).await?;
    }
    Ok(())
}

async fn order_door_anew(app: &App, tx: &mut Writing, door: &DoorRow) -> Answer<()> {
    let rows = door_codes::at_door(tx.conn(), door.id).await?;
    door_codes::forget_deliveries(tx.conn(), door.id, door.codes_version).await?;
    let swept = sweep(app, tx, door, |place| !rows.iter().any(|row| row.place == place)).await?;
    let mut version = swept;
    for row in deliveries::newest(&rows) {
        version += 1;
        match row.out_version {
            Some(_) => door_codes::take_out(tx.conn(), door.id, row.place, version, false).await?,
            None => door_codes::put_again(tx.conn(), row.id, version).await?,
        }
        tx.touch::<DoorCode>(row.account_id, codes::name(&door.serial, row.place));
    }
    for version in swept + 1..=version {
        deliveries::seal(app, tx, door, version).await?;
    }
    Ok(())
}

/// Orders places empty in which this database has no code. The version that does it.
async fn sweep(app: &App, tx: &mut Writing, door: &DoorRow, is_free: impl Fn(i64) -> bool) -> Answer<i64> {
    let (mut from, mut version) = (door.delivered_version, door.codes_version + i64::from(VERSIONS));
    let free: Vec<i64> = PLACES.filter(|place| is_free(*place)).collect();
    for places in free.chunks(MAX_ORDERS) {
        version += 1;
        let take_out = |place: &i64| Ok((*place, Order::TakeOut(number(*place, "place")?)));
        let orders = places.iter().map(take_out).collect::<Answer<_>>()?;
        deliveries::store(app, tx, door, (from, version), orders).await?;
        from = version;
    }
    Ok(version)
}
