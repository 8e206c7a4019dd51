//! What an agent sees and does: listings, lockboxes, grants, access log. [LST-1, LST-2, LST-3, GRT-4, GRT-5]

use sentri_wire::{
    agent::{self as wire, AssignRequest},
    event::LogPage,
};

use super::{
    core_object::SentriCore,
    error::CoreError,
    parse_id,
    types::{AccessLogFilter, AccessLogPage, Grant, Listing, Lockbox, NewListing},
};
use crate::{
    http::{Call, LogQuery, percent},
    order::ordered,
    session::Session,
};

#[uniffi::export]
impl SentriCore {
    /// My Listings, by address, from what the phone holds. [LST-1]
    pub async fn listings(&self) -> Result<Vec<Listing>, CoreError> {
        let listings: Vec<wire::Listing> = self.session().await?.all().await?;
        let listings = ordered(listings, |a, b| a.unparsed_address.cmp(&b.unparsed_address));
        Ok(listings.into_iter().map(Into::into).collect())
    }

    /// Adds a listing by hand. Needs network. [LST-1]
    ///
    /// `InvalidField` names the field.
    pub async fn add_listing(&self, listing: NewListing) -> Result<Listing, CoreError> {
        let session = self.session().await?;
        let request = wire::NewListing::from(listing);
        let call = Call::post("/v1/listings", &request)?.once(session.api.fresh_key()?);
        let added: wire::Listing = session.call(&call).await?;
        let kept = added.clone();
        session.write("listing", move |rows| rows.put(&kept)).await?;
        Ok(added.into())
    }

    /// My Lockboxes, by serial number, from what the phone holds. [LST-2]
    pub async fn lockboxes(&self) -> Result<Vec<Lockbox>, CoreError> {
        let lockboxes: Vec<wire::Lockbox> = self.session().await?.all().await?;
        let lockboxes = ordered(lockboxes, |a, b| a.serial.cmp(&b.serial));
        Ok(lockboxes.into_iter().map(Into::into).collect())
    }

    /// Puts a lockbox on a listing, as on the lockbox's own page. Needs network. [LST-3]
    ///
    /// `NotFound` where no such box is yours; `Conflict` where it hangs elsewhere.
    pub async fn assign_lockbox(
        &self,
        listing_id: String,
        serial: String,
        on_listing_since: i64,
        region: String,
    ) -> Result<Lockbox, CoreError> {
        let session = self.session().await?;
        let listing_id = parse_id("listing_id", &listing_id)?;
        Ok(assign(&session, &serial, AssignRequest { listing_id, on_listing_since, region }).await?.into())
    }

    /// Takes a lockbox off its listing. Needs network. [LST-3]
    ///
    /// `NotFound` where no such box is yours; `Conflict` where somebody has access to the listing still.
    pub async fn unassign_lockbox(&self, serial: String) -> Result<Lockbox, CoreError> {
        let session = self.session().await?;
        Ok(unassign(&session, &serial).await?.into())
    }

    /// The accesses that this agent granted, newest start first, from what the phone holds. [GRT-5]
    pub async fn grants(&self) -> Result<Vec<Grant>, CoreError> {
        let grants: Vec<wire::Grant> = self.session().await?.all().await?;
        let grants = ordered(grants, |a, b| (b.starts_at, a.id).cmp(&(a.starts_at, b.id)));
        Ok(grants.into_iter().map(Into::into).collect())
    }

    /// Revokes an access that has not begun; ask for a confirmation before. Needs network. [GRT-4]
    ///
    /// `AlreadyBegun` where the key may be out.
    pub async fn revoke(&self, grant_id: String) -> Result<Grant, CoreError> {
        let session = self.session().await?;
        let id = parse_id("grant_id", &grant_id)?;
        let path = format!("/v1/grants/{id}/revoke");
        let call = Call::ask(&path).once(session.api.fresh_key()?);
        let revoked: wire::Grant = session.call(&call).await?;
        let kept = revoked.clone();
        session.write("grant", move |rows| rows.put(&kept)).await?;
        Ok(revoked.into())
    }

    /// The access log between two instants, newest first, in pages. Needs network. [GRT-5]
    ///
    /// `after` is a former page's `next`. `NotFound` where the listing or the lockbox of the filter was never yours.
    pub async fn access_log(
        &self,
        from: i64,
        to: i64,
        filter: AccessLogFilter,
        after: Option<String>,
    ) -> Result<AccessLogPage, CoreError> {
        let path = LogQuery { after, ..query(from, to, filter)? }.page_path();
        let page: LogPage = self.session().await?.call(&Call::get(&path)).await?;
        Ok(page.into())
    }

    /// The access log between two instants as a CSV document, newest first, for the user to share. Needs network. [GRT-5]
    ///
    /// It is read as a whole, and a phone reads 8 MiB at most, some 60,000 lines: `Offline` where it is more.
    pub async fn access_log_csv(
        &self,
        from: i64,
        to: i64,
        filter: AccessLogFilter,
    ) -> Result<String, CoreError> {
        let path = query(from, to, filter)?.csv_path();
        Ok(self.session().await?.text(&Call::get(&path)).await?)
    }
}

fn query(from: i64, to: i64, filter: AccessLogFilter) -> Result<LogQuery, CoreError> {
    let AccessLogFilter { listing_id, lockbox, person_id } = filter;
    let listing_id = listing_id.map(|id| parse_id("listing_id", &id)).transpose()?;
    let person_id = person_id.map(|id| parse_id("person_id", &id)).transpose()?;
    Ok(LogQuery { from, to, listing_id, lockbox, person_id, after: None })
}

/// Assigns, and keeps what follows for both the box and the listing.
pub(super) async fn assign(
    session: &Session,
    serial: &str,
    request: AssignRequest,
) -> Result<wire::Lockbox, CoreError> {
    let path = format!("/v1/lockboxes/{}/assign", percent(serial.trim()));
    let call = Call::post(&path, &request)?.once(session.api.fresh_key()?);
    let assigned: wire::Lockbox = session.call(&call).await?;
    let kept = assigned.clone();
    let listing_id = request.listing_id.to_string();
    session
        .write("assign", move |rows| {
            rows.put(&kept)?;
            let Some(mut listing) = rows.get::<wire::Listing>(&listing_id)? else { return Ok(()) };
            listing.lockbox = Some(kept.serial.clone());
            rows.put(&listing)
        })
        .await?;
    Ok(assigned)
}

/// Unassigns, and keeps what follows for both the box and the listing.
async fn unassign(session: &Session, serial: &str) -> Result<wire::Lockbox, CoreError> {
    let path = format!("/v1/lockboxes/{}/unassign", percent(serial.trim()));
    let call = Call::ask(&path).once(session.api.fresh_key()?);
    let free: wire::Lockbox = session.call(&call).await?;
    let kept = free.clone();
    session
        .write("unassign", move |rows| {
            rows.put(&kept)?;
            let listings: Vec<wire::Listing> = rows.all()?;
            let at_it = listings.into_iter().filter(|it| it.lockbox.as_ref() == Some(&kept.serial));
            at_it.map(|it| wire::Listing { lockbox: None, ..it }).try_for_each(|it| rows.put(&it))
        })
        .await?;
    Ok(free)
}
