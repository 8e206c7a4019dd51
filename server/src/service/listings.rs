//! My Listings. [LST-1]

use sentri_wire::agent::{Listing, Listings, NewListing};

use super::{App, Caller, once::Once};
use crate::{
    refusal::{Answer, Refusal},
    rules,
    store::listings::{self, ListingRow},
};

/// The caller's listings, newest first.
pub async fn all(app: &App, caller: &Caller) -> Answer<Listings> {
    caller.agent()?;
    let mut conn = app.store.read().await?;
    let rows = listings::all_owned(&mut conn, caller.account).await?;
    Ok(Listings { listings: rows.iter().map(ListingRow::to_wire).collect() })
}

/// Adds a listing by hand.
pub async fn add(app: &App, caller: &Caller, once: &Once, new: &NewListing) -> Answer<Listing> {
    caller.agent()?;
    let id = app.new_id();
    let row = ListingRow {
        id,
        owner_id: caller.account,
        // Ours, since no MLS gave one.
        listing_key: id.to_string(),
        address: rules::street_address(&new.unparsed_address, "UnparsedAddress")?,
        city: rules::text(&new.city, 100, "City")?,
        state: state(&new.state_or_province)?,
        postal_code: postal_code(&new.postal_code)?,
        list_price: price(new.list_price)?,
        standard_status: "Active".into(),
        time_zone: rules::time_zone(&new.time_zone, "time_zone")?.name().to_owned(),
        created_at: app.now(),
        gone_at: None,
        lockbox: None,
    };
    let mut tx = app.store.write().await?;
    if let Some(earlier) = once.earlier(app, &mut tx, caller).await? {
        return Ok(earlier);
    }
    listings::insert(tx.conn(), &row).await?;
    tx.touch::<Listing>(caller.account, id);
    let listing = row.to_wire();
    once.keep(app, &mut tx, caller, &listing).await?;
    tx.commit().await?;
    Ok(listing)
}

/// Reads `StateOrProvince`.
pub(super) fn state(text: &str) -> Answer<String> {
    if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        Ok(text.to_ascii_uppercase())
    } else {
        Err(Refusal::invalid("StateOrProvince", "Two letters, like OR."))
    }
}

/// Reads `PostalCode`.
pub(super) fn postal_code(text: &str) -> Answer<String> {
    let text = rules::text(text, 10, "PostalCode")?;
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" -".contains(&byte)) {
        Ok(text)
    } else {
        Err(Refusal::invalid("PostalCode", "Digits and letters, like 97201."))
    }
}

/// Reads `ListPrice`.
pub(super) fn price(price: Option<i64>) -> Answer<Option<i64>> {
    if price.is_some_and(|price| !(0..=10_000_000_000).contains(&price)) {
        return Err(Refusal::invalid("ListPrice", "Whole dollars."));
    }
    Ok(price)
}
