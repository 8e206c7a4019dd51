//! The way of codes into a door's lock: one delivery for each version, sealed when it is made, and what the lock says
//! became of it. [RES-5]

use std::collections::BTreeMap;

use sentri_protocol::codes::{
    delivery::{Delivery, Holder, MAX_ORDERS, Order},
    stored::StoredCode,
    validity::Validity,
};
use sentri_wire::{
    Binary,
    codes::CodeDelivery,
    residence::{CodeHolder, DoorCode},
};

use super::{super::fault, App, codes};
use crate::{
    refusal::Answer,
    store::{
        Connection, Json, Writing,
        columns::number,
        door_codes::{self, CodeStage, DeliveryRow, DoorCodeRow},
        doors::{self, DoorRow},
    },
};

/// Seals what changed up to `version`, which the rows say already, and lets the phones of all who pass carry it.
///
/// It leads back as far as the lock may be behind, or as 16 orders reach: then a phone brings the one before as well.
pub async fn seal(app: &App, tx: &mut Writing, door: &DoorRow, version: i64) -> Answer<()> {
    let rows = door_codes::at_door(tx.conn(), door.id).await?;
    let base = base(tx.conn(), door, &rows).await?;
    let mut changed: Vec<(i64, &DoorCodeRow)> = newest(&rows).map(|row| (last_change(row), row)).collect();
    changed.retain(|(at, _)| *at > base && *at <= version);
    changed.sort_unstable_by_key(|(at, _)| std::cmp::Reverse(*at));
    // Each version changes one place: what the delivery leaves out was changed by the version that it builds on.
    let from = changed.get(MAX_ORDERS).map_or(base, |(at, _)| *at);
    changed.truncate(MAX_ORDERS);
    changed.reverse();
    let orders = changed.iter().map(|(_, row)| Ok((row.place, order(app, row)?))).collect::<Answer<_>>()?;
    store(app, tx, door, (from, version), orders).await
}

/// Stores a delivery from one version to another: for each order the place that it is about.
pub async fn store(
    app: &App,
    tx: &mut Writing,
    door: &DoorRow,
    (from, version): (i64, i64),
    orders: Vec<(i64, Order)>,
) -> Answer<()> {
    let (places, orders) = orders.into_iter().unzip();
    let delivery = Delivery::new(number(from, "codes version")?, number(version, "codes version")?, orders)
        .ok_or_else(|| fault("a delivery without orders"))?;
    let row = DeliveryRow {
        door_id: door.id,
        version,
        from_version: from,
        places: Json(places),
        delivery: hex::encode(delivery.seal(&app.door_keys(door)?)),
    };
    door_codes::insert_delivery(tx.conn(), &row).await?;
    doors::set_codes_version(tx.conn(), door.id, version).await?;
    tell(tx, door).await
}

/// The version that a delivery may build on: the one that the lock has, or a later one that empties places in which there
/// is no code any more, since a delivery says nothing of these.
async fn base(conn: &mut Connection, door: &DoorRow, rows: &[DoorCodeRow]) -> Answer<i64> {
    let pending = door_codes::deliveries_after(conn, door.id, door.delivered_version).await?;
    let has_code = |place: &i64| rows.iter().any(|row| row.place == *place);
    let sweeps = pending.iter().filter(|it| !it.places.0.iter().all(has_code)).map(|it| it.version);
    Ok(sweeps.max().unwrap_or(door.delivered_version))
}

/// The newest code of each place: what shall be there, or leave it.
pub fn newest(rows: &[DoorCodeRow]) -> impl Iterator<Item = &DoorCodeRow> {
    rows.chunk_by(|a, b| a.place == b.place).filter_map(<[DoorCodeRow]>::last)
}

/// The version that last changed it.
pub fn last_change(row: &DoorCodeRow) -> i64 {
    row.out_version.unwrap_or(row.put_version)
}

fn order(app: &App, row: &DoorCodeRow) -> Answer<Order> {
    let place = number(row.place, "place")?;
    if row.out_version.is_some() {
        return Ok(Order::TakeOut(place));
    }
    let holder = match row.holder.0 {
        CodeHolder::Resident => Holder::Resident,
        CodeHolder::Guest => Holder::Guest,
    };
    Ok(Order::Put { place, holder, code: codes::digits(app, row)?, validity: validity(row)? })
}

/// When a code works, as the lock reads it.
pub fn validity(row: &DoorCodeRow) -> Answer<Validity> {
    let mut bytes = [0; Validity::LEN];
    hex::decode_to_slice(&row.validity, &mut bytes).map_err(|_| fault("a validity that is no hex"))?;
    Validity::decode(&bytes).map_err(|_| fault("a validity that can't be read"))
}

/// All that a lock may be missing, as phones carry it; nothing where it has everything.
pub async fn to_wire(conn: &mut Connection, door: &DoorRow) -> Answer<Option<CodeDelivery>> {
    let mut deliveries = Vec::new();
    let mut version = door.codes_version;
    while version > door.delivered_version {
        let row = door_codes::delivery(conn, door.id, version)
            .await?
            .ok_or_else(|| fault("a version of codes without its delivery"))?;
        let bytes = hex::decode(&row.delivery).map_err(|_| fault("a delivery that is no hex"))?;
        deliveries.push(Binary::from(bytes));
        version = row.from_version;
    }
    deliveries.reverse();
    let (lock, version) = (door.serial.clone(), number(door.codes_version, "codes version")?);
    Ok((!deliveries.is_empty()).then_some(CodeDelivery { lock, version, deliveries }))
}

/// The lock's log says that its codes have this version; bit n of `not_done`: order n of the delivery was not carried
/// out. What an older record says is known already.
pub async fn heard(tx: &mut Writing, door: &DoorRow, version: i64, not_done: u16) -> Answer<()> {
    if version <= door.delivered_version || version > door.codes_version {
        return Ok(());
    }
    // After a restore the lock may have had versions that this database does not know; all is ordered anew then.
    let Some(delivery) = door_codes::delivery(tx.conn(), door.id, version).await? else { return Ok(()) };
    let outcome: BTreeMap<i64, bool> =
        delivery.places.0.iter().enumerate().map(|(n, place)| (*place, not_done >> n & 1 == 0)).collect();
    let rows = door_codes::at_door(tx.conn(), door.id).await?;
    for place in rows.chunk_by(|a, b| a.place == b.place) {
        settle(tx, door, version, place, &outcome).await?;
    }
    doors::set_delivered(tx.conn(), door.id, version).await?;
    door_codes::forget_deliveries(tx.conn(), door.id, version).await?;
    tell(tx, door).await
}

/// What became of one place with the version that the lock now has.
async fn settle(
    tx: &mut Writing,
    door: &DoorRow,
    version: i64,
    place: &[DoorCodeRow],
    outcome: &BTreeMap<i64, bool>,
) -> Answer<()> {
    let until_now: Vec<&DoorCodeRow> = place.iter().filter(|row| row.put_version <= version).collect();
    let Some((last, earlier)) = until_now.split_last() else { return Ok(()) };
    let is_out = last.out_version.is_some_and(|out| out <= version);
    let told = outcome.get(&last.place).copied();
    let is_known = last.put_version <= door.delivered_version && !is_out;
    if is_known && told.is_none() {
        return Ok(());
    }
    // A code that the lock did not take leaves the one that works where it is.
    let taken = is_out || told.unwrap_or(true);
    for row in earlier {
        if taken || row.state.0 != CodeStage::Works {
            door_codes::delete(tx.conn(), row.id).await?;
        }
    }
    match (is_out, taken) {
        (true, _) => door_codes::delete(tx.conn(), last.id).await?,
        (false, true) => door_codes::set_stage(tx.conn(), last.id, CodeStage::Works).await?,
        (false, false) => door_codes::set_stage(tx.conn(), last.id, CodeStage::NotTaken).await?,
    }
    tx.touch::<DoorCode>(last.account_id, codes::name(&door.serial, last.place));
    Ok(())
}

/// Lets the phones of all who pass know that there is something to carry, or no more.
async fn tell(tx: &mut Writing, door: &DoorRow) -> Answer<()> {
    for account in doors::passers(tx.conn(), door).await? {
        tx.touch::<CodeDelivery>(account, &door.serial);
    }
    Ok(())
}

/// The digits as the lock stores them.
pub fn stored(digits: &[u8]) -> Answer<StoredCode> {
    StoredCode::parse(digits).map_err(|_| fault("a stored code that is none"))
}
