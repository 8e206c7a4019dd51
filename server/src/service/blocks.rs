//! Blocking SmartPINs from afar: any phone that opens the box brings the order, and can't read it. [PIN-7]

use sentri_protocol::{
    audit::Entry,
    codes::{
        delivery::{Delivery, MAX_ORDERS, Order},
        smart_pin::SmartPin,
    },
};
use sentri_wire::{
    Binary,
    codes::{CodeDelivery, CodeKind, IssuedCode},
};

use super::{App, Caller, fault, issued_codes, lockboxes::held};
use crate::{
    refusal::{Answer, Refusal},
    store::{
        Connection, Id, Writing,
        codes::{self, IssuedRow},
        columns::number,
        credentials,
        lockboxes::{self, LockboxRow},
    },
};

/// Blocks a SmartPIN that was made for one of the caller's lockboxes. It opens until the lock has heard of it. Once more
/// changes nothing.
pub async fn block(app: &App, caller: &Caller, id: Id) -> Answer<IssuedCode> {
    caller.agent()?;
    let mut conn = app.store.read().await?;
    let (_, serial) = own(&mut conn, caller, id).await?;
    drop(conn);
    let mut tx = app.store.write().await?;
    let lockbox = held(&mut tx, caller, &serial).await?;
    let (row, _) = own(tx.conn(), caller, id).await?;
    if row.kind.0 != CodeKind::SmartPin {
        return Err(Refusal::conflict("Only a SmartPIN can be blocked. A one day code ends by itself."));
    }
    if row.blocked_in.is_some() {
        return issued_codes::to_wire(app, tx.conn(), &lockbox, &row).await;
    }
    let version = lockbox.codes_version + 1;
    lockboxes::set_codes_version(tx.conn(), lockbox.id, version).await?;
    let lockbox = LockboxRow { codes_version: version, ..lockbox };
    // Guests with the same digits are blocked together.
    for alike in codes::of_window(tx.conn(), &row).await?.iter().filter(|it| it.number == row.number) {
        codes::block(tx.conn(), alike.id, version).await?;
    }
    tell(app, &mut tx, &lockbox).await?;
    let row = IssuedRow { blocked_in: Some(version), ..row };
    let blocked = issued_codes::to_wire(app, tx.conn(), &lockbox, &row).await?;
    tx.commit().await?;
    Ok(blocked)
}

async fn own(conn: &mut Connection, caller: &Caller, id: Id) -> Answer<(IssuedRow, String)> {
    let row = codes::owned_among(conn, caller.account, &[id.to_string().as_str()]).await?.pop();
    let row = row.ok_or_else(Refusal::not_found)?;
    let lockbox =
        lockboxes::by_id(conn, row.lockbox_id).await?.ok_or_else(|| fault("a code without its lockbox"))?;
    Ok((row, lockbox.serial))
}

/// Tells the phones that can bring a lock what it has not heard of, and the owner's.
async fn tell(app: &App, tx: &mut Writing, lockbox: &LockboxRow) -> Answer<()> {
    for holder in credentials::carriers(tx.conn(), lockbox.id, app.now()).await? {
        tx.touch::<CodeDelivery>(holder, &lockbox.serial);
    }
    for code in codes::blocked(tx.conn(), lockbox.id).await? {
        tx.touch::<IssuedCode>(lockbox.owner_id, code.id);
    }
    Ok(())
}

/// Whether a lock has not heard of all that was ordered.
pub fn is_pending(lockbox: &LockboxRow) -> bool {
    lockbox.codes_version > lockbox.heard_codes_version
}

/// What a lock has not heard of, sealed for it; nothing where there is nothing to be done.
pub async fn delivery(
    app: &App,
    conn: &mut Connection,
    lockbox: &LockboxRow,
) -> Answer<Option<CodeDelivery>> {
    let since = lockbox.heard_codes_version;
    let rows = codes::blocked(conn, lockbox.id).await?;
    let (mut orders, mut version) = (Vec::new(), since);
    for row in rows.iter().filter(|row| row.blocked_in.is_some_and(|it| it > since)).take(MAX_ORDERS) {
        let code = issued_codes::to_wire(app, conn, lockbox, row).await?.code;
        let pin = SmartPin::parse(code.expose().as_bytes()).map_err(|_| fault("a SmartPIN that is none"))?;
        orders.push(Order::Block(pin));
        version = row.blocked_in.unwrap_or(version);
    }
    let (from, version) = (number(since, "codes version")?, number(version, "codes version")?);
    let Some(delivery) = Delivery::new(from, version, orders) else { return Ok(None) };
    Ok(Some(CodeDelivery {
        lock: lockbox.serial.clone(),
        version,
        deliveries: vec![Binary::from(delivery.seal(&app.keys(lockbox)?))],
    }))
}

/// A lock wrote down that a phone brought it codes.
pub async fn recorded(app: &App, tx: &mut Writing, lockbox: &LockboxRow, entry: &Entry) -> Answer<()> {
    let [a, b, c, d, not_done @ .., _, _] = entry.who;
    let lockbox =
        lockboxes::by_id(tx.conn(), lockbox.id).await?.ok_or_else(|| fault("a lockbox that vanished"))?;
    let heard = i64::from(u32::from_be_bytes([a, b, c, d])).min(lockbox.codes_version);
    if heard <= lockbox.heard_codes_version {
        return Ok(());
    }
    lockboxes::hear_codes(tx.conn(), lockbox.id, heard).await?;
    if not_done != [0, 0] {
        // It has no room for one until an older one has ended: ordered again, all that it was told of.
        let version = lockbox.codes_version + 1;
        lockboxes::set_codes_version(tx.conn(), lockbox.id, version).await?;
        codes::block_again(tx.conn(), lockbox.id, (lockbox.heard_codes_version, heard), version).await?;
    }
    tell(app, tx, &lockbox).await
}
