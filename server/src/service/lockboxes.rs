//! My Lockboxes, and hanging them at listings. [LST-2, LST-3, LST-5]

use sentri_protocol::{advert::Advert, keys::Key, time::Week};
use sentri_wire::{
    agent::{AssignRequest, Listing, Lockbox, Lockboxes},
    settings::LockboxSearch,
};

use super::{App, Caller, box_settings, once::Once, protocol_time, visits};
use crate::{
    refusal::{Answer, Refusal},
    rules,
    store::{
        Id, Writing, grants, listings,
        lockboxes::{self, LockboxRow},
    },
};

/// The caller's lockboxes, by serial number.
pub async fn all(app: &App, caller: &Caller) -> Answer<Lockboxes> {
    caller.agent()?;
    let mut conn = app.store.read().await?;
    let rows = lockboxes::all_owned(&mut conn, caller.account).await?;
    Ok(Lockboxes { lockboxes: rows.iter().map(LockboxRow::to_wire).collect() })
}

/// One of the caller's lockboxes: what Search finds.
pub async fn one(app: &App, caller: &Caller, serial: &str) -> Answer<Lockbox> {
    caller.agent()?;
    let mut conn = app.store.read().await?;
    let row = lockboxes::owned(&mut conn, caller.account, serial).await?;
    row.map(|row| row.to_wire()).ok_or_else(Refusal::not_found)
}

/// Which of the caller's lockboxes sent an advert: what ENT finds. Nobody learns of a box that is not theirs.
pub async fn heard(app: &App, caller: &Caller, search: &LockboxSearch) -> Answer<Lockbox> {
    caller.agent()?;
    let advert = Advert::decode(search.advert.as_ref())
        .map_err(|_| Refusal::invalid("advert", "The 18 bytes that a lockbox sends after ENT."))?;
    // Its clock may be some way off, or lost.
    let week = protocol_time(app.now())?.week().0;
    let weeks = [week, week.saturating_sub(1), week + 1].map(Week);
    let mut conn = app.store.read().await?;
    for row in lockboxes::all_owned(&mut conn, caller.account).await? {
        let keys = app.keys(&row)?;
        let sent = |key: &Key| advert.is_from(key);
        if weeks.iter().any(|week| sent(&keys.advert_key(*week))) || sent(&keys.advert_key_lost()) {
            return Ok(row.to_wire());
        }
    }
    Err(Refusal::not_found())
}

/// Hangs one of the caller's lockboxes at one of their listings.
pub async fn assign(
    app: &App,
    caller: &Caller,
    once: &Once,
    serial: &str,
    request: &AssignRequest,
) -> Answer<Lockbox> {
    caller.agent()?;
    let region = rules::text(&request.region, 64, "region")?;
    // A day's grace: an agent types a date, in their own zone.
    if !(0..=app.now() + 86_400).contains(&request.on_listing_since) {
        return Err(Refusal::invalid("on_listing_since", "This is not a day up to today."));
    }
    let mut tx = app.store.write().await?;
    if let Some(earlier) = once.earlier(app, &mut tx, caller).await? {
        return Ok(earlier);
    }
    // Just now the box may be told of settings, and a feed may be giving the listing to another agent.
    let lockbox = held(&mut tx, caller, serial).await?;
    listings::hold(tx.conn(), Id(request.listing_id)).await?;
    let listing = listings::owned(tx.conn(), caller.account, Id(request.listing_id))
        .await?
        .ok_or_else(|| Refusal::not_found().field("listing_id"))?;
    if listing.lockbox.as_deref().is_some_and(|at_it| at_it != serial) {
        return Err(Refusal::conflict("The listing has another lockbox. Unassign that one first.")
            .field("listing_id"));
    }
    if listing.gone_at.is_some() && lockbox.listing_id != Some(listing.id) {
        return Err(Refusal::conflict("The listing is off the market.").field("listing_id"));
    }
    let free =
        lockboxes::assign(tx.conn(), lockbox.id, listing.id, request.on_listing_since, &region).await?;
    if !free && lockbox.listing_id != Some(listing.id) {
        return Err(Refusal::conflict("The lockbox is on another listing. Unassign it there first."));
    }
    box_settings::follow_zone(app, &mut tx, &lockbox, &listing.time_zone).await?;
    changed(&mut tx, caller, serial, listing.id);
    answer(app, tx, caller, once, serial).await
}

/// Takes one of the caller's lockboxes off its listing.
pub async fn unassign(app: &App, caller: &Caller, once: &Once, serial: &str) -> Answer<Lockbox> {
    caller.agent()?;
    let mut tx = app.store.write().await?;
    if let Some(earlier) = once.earlier(app, &mut tx, caller).await? {
        return Ok(earlier);
    }
    let lockbox = owned(&mut tx, caller, serial).await?;
    if let Some(listing) = lockbox.listing_id {
        // Their tickets would go on opening the box wherever it hangs next.
        if grants::any_open(tx.conn(), listing, app.now()).await? {
            return Err(Refusal::conflict(
                "Somebody has access to this listing still. Revoke it, or wait for its end.",
            ));
        }
        visits::end_at(app, &mut tx, lockbox.id).await?;
        lockboxes::unassign(tx.conn(), lockbox.id).await?;
        changed(&mut tx, caller, serial, listing);
    }
    answer(app, tx, caller, once, serial).await
}

/// One of the caller's lockboxes, which nobody else writes to until the transaction is over.
pub async fn held(tx: &mut Writing, caller: &Caller, serial: &str) -> Answer<LockboxRow> {
    lockboxes::hold(tx.conn(), serial).await?;
    owned(tx, caller, serial).await
}

async fn owned(tx: &mut Writing, caller: &Caller, serial: &str) -> Answer<LockboxRow> {
    lockboxes::owned(tx.conn(), caller.account, serial).await?.ok_or_else(Refusal::not_found)
}

fn changed(tx: &mut Writing, caller: &Caller, serial: &str, listing: Id) {
    tx.touch::<Lockbox>(caller.account, serial);
    tx.touch::<Listing>(caller.account, listing);
}

async fn answer(app: &App, mut tx: Writing, caller: &Caller, once: &Once, serial: &str) -> Answer<Lockbox> {
    let lockbox = owned(&mut tx, caller, serial).await?.to_wire();
    once.keep(app, &mut tx, caller, &lockbox).await?;
    tx.commit().await?;
    Ok(lockbox)
}
