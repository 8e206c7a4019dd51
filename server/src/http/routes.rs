//! All routes, in one list: what is not here is neither served nor documented.

use axum::{http::Method, routing::MethodFilter};
use sentri_wire::{agent, credential, event, sync};
use utoipa::openapi::Required;

use super::{
    account_routes, box_routes, code_routes,
    endpoint::{
        Access::{Account, Agent, AnyDevice, Public},
        Endpoint,
    },
    handlers, hub_routes, residence_routes,
};

pub(super) const GET: (MethodFilter, Method) = (MethodFilter::GET, Method::GET);
pub(super) const POST: (MethodFilter, Method) = (MethodFilter::POST, Method::POST);
pub(super) const DELETE: (MethodFilter, Method) = (MethodFilter::DELETE, Method::DELETE);

/// Every route of the API.
pub fn endpoints() -> Vec<Endpoint> {
    [
        account_routes::endpoints(),
        agent_routes(),
        box_routes::endpoints(),
        code_routes::endpoints(),
        residence_routes::endpoints(),
        hub_routes::endpoints(),
        phone_routes(),
        own_routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn agent_routes() -> Vec<Endpoint> {
    vec![
        Endpoint::new(GET, "/v1/listings", Agent, handlers::all_listings)
            .named("listListings", "My Listings.")
            .gives::<agent::Listings>(200, "The listings."),
        Endpoint::new(POST, "/v1/listings", Agent, handlers::add_listing)
            .named("addListing", "Add New Listing, by hand.")
            .feature("listing")
            .once()
            .takes::<agent::NewListing>()
            .gives::<agent::Listing>(201, "The listing."),
        Endpoint::new(GET, "/v1/lockboxes", Agent, handlers::all_lockboxes)
            .named("listLockboxes", "My Lockboxes.")
            .gives::<agent::Lockboxes>(200, "The lockboxes."),
        Endpoint::new(GET, "/v1/lockboxes/{serial}", Agent, handlers::one_lockbox)
            .named("findLockbox", "Search one of the agent's own lockboxes by serial number.")
            .gives::<agent::Lockbox>(200, "The lockbox."),
        Endpoint::new(POST, "/v1/lockboxes/{serial}/assign", Agent, handlers::assign)
            .named("assignLockbox", "Hang a lockbox at a listing.")
            .feature("assign")
            .once()
            .takes::<agent::AssignRequest>()
            .gives::<agent::Lockbox>(200, "The lockbox as it now is."),
        Endpoint::new(POST, "/v1/lockboxes/{serial}/unassign", Agent, handlers::unassign)
            .named("unassignLockbox", "Take a lockbox off its listing.")
            .feature("assign")
            .once()
            .gives::<agent::Lockbox>(200, "The lockbox as it now is."),
        Endpoint::new(POST, "/v1/grants", Agent, handlers::grant)
            .named("grant", "Give a person access to a listing's lockbox.")
            .feature("grant")
            .once()
            .takes::<agent::GrantRequest>()
            .gives::<agent::GrantResponse>(201, "The grant, and whether the person was known."),
        Endpoint::new(GET, "/v1/grants", Agent, handlers::history)
            .named("listGrants", "The SentriConnect history of a listing.")
            .query("listing_id", Required::True, "The listing.")
            .gives::<agent::Grants>(200, "The grants, newest first."),
        Endpoint::new(POST, "/v1/grants/{id}/revoke", Agent, handlers::revoke)
            .named("revokeGrant", "Take an access back that has not begun.")
            .feature("revoke")
            .once()
            .gives::<agent::Grant>(200, "The grant as it now is."),
        Endpoint::new(POST, "/v1/grants/reassert", Agent, handlers::reassert)
            .named("reassertGrants", "After a restored backup: tell again what was revoked.")
            .takes::<agent::Reassertion>()
            .gives_nothing("Taken back again; tickets are issued again for what stands."),
        Endpoint::new(POST, "/v1/visits", Agent, handlers::visit)
            .named("visit", "As a member, open a lockbox of the association whose ENT was pressed.")
            .takes::<credential::VisitRequest>()
            .gives::<credential::Visit>(201, "The visit, with a ticket for this phone."),
        Endpoint::new(GET, "/v1/access-log", Agent, handlers::access_log)
            .named("accessLog", "The log of the agent's lockboxes.")
            .query("from", Required::False, "First second.")
            .query("to", Required::False, "First second after.")
            .query("listing_id", Required::False, "Of this listing only.")
            .query("lockbox", Required::False, "Of the lockbox with this serial number only.")
            .query("person_id", Required::False, "Of what this person did only, as a line names them.")
            .query("after", Required::False, "`next` of the page before.")
            .gives::<event::LogPage>(200, "A page, newest first."),
        Endpoint::new(GET, "/v1/access-log.csv", Agent, handlers::access_log_csv)
            .named("accessLogCsv", "The same as a CSV document for spreadsheets, whole.")
            .query("from", Required::False, "First second.")
            .query("to", Required::False, "First second after.")
            .query("listing_id", Required::False, "Of this listing only.")
            .query("lockbox", Required::False, "Of the lockbox with this serial number only.")
            .query("person_id", Required::False, "Of what this person did only, as a line names them.")
            .gives_csv("The lines, newest first."),
    ]
}

fn phone_routes() -> Vec<Endpoint> {
    vec![
        Endpoint::new(GET, "/v1/sync", Account, handlers::sync_page)
            .named("sync", "What changed since a cursor.")
            .query("cursor", Required::False, "Of the page before; without it the answer starts over.")
            .query("limit", Required::False, "Changes on the page: 1 to 1,000; without it 100.")
            .gives::<sync::SyncPage>(200, "A page of changes."),
        Endpoint::new(POST, "/v1/events", AnyDevice, handlers::upload_events)
            .named("uploadEvents", "Report what happened at lockboxes; each event is stored once.")
            .takes::<event::EventUpload>()
            .gives::<event::EventReceipts>(200, "What became of each."),
        Endpoint::new(POST, "/v1/messages/{id}/read", Account, handlers::read_message)
            .named("readMessage", "Mark a message as read.")
            .gives_nothing("Marked."),
        Endpoint::new(DELETE, "/v1/messages/{id}", Account, handlers::delete_message)
            .named("deleteMessage", "Delete a message.")
            .gives_nothing("Deleted."),
        Endpoint::new(POST, "/v1/locks/{serial}/time", Account, handlers::lock_time)
            .named("lockTime", "A fresh time token for a session with a lock.")
            .takes::<credential::TimeRequest>()
            .gives::<credential::TimeResponse>(200, "The token."),
        Endpoint::new(POST, "/v1/locks/{serial}/audit", AnyDevice, handlers::lock_audit)
            .named("lockAudit", "Hand in audit records of a lock.")
            .takes::<event::AuditUpload>()
            .gives::<event::AuditReceipt>(200, "The acknowledgement for the lock."),
    ]
}

fn own_routes() -> Vec<Endpoint> {
    vec![
        Endpoint::new(GET, "/v1/health", Public, handlers::health)
            .named("health", "Whether the backend and its database answer.")
            .gives::<handlers::Health>(200, "They do."),
        Endpoint::new(GET, "/v1/openapi.json", Public, handlers::openapi)
            .named("openapi", "This document.")
            .gives_object("An OpenAPI document."),
    ]
}
