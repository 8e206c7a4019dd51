//! What an agent keeps and does: listings, lockboxes, grants.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Secret, Timestamp,
    device::{Presence, message},
};

/// A listing, with the names of the RESO Data Dictionary. [LST-1]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "PascalCase")]
pub struct Listing {
    /// Ours.
    #[serde(rename = "id")]
    pub id: Uuid,
    /// The MLS's key; ours where the listing was added by hand.
    pub listing_key: String,
    /// Street address, one line.
    pub unparsed_address: String,
    /// City.
    pub city: String,
    /// Two letters.
    pub state_or_province: String,
    /// ZIP code.
    pub postal_code: String,
    /// Whole US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_price: Option<i64>,
    /// "Active", "Pending", …
    pub standard_status: String,
    /// IANA time zone of the property.
    #[serde(rename = "time_zone")]
    pub time_zone: String,
    /// Serial number of the assigned lockbox.
    #[serde(rename = "lockbox", default, skip_serializing_if = "Option::is_none")]
    pub lockbox: Option<String>,
}

/// `GET /v1/listings`: the agent's own, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Listings {
    /// The listings.
    pub listings: Vec<Listing>,
}

/// `GET /v1/lockboxes`: the agent's own, by serial number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Lockboxes {
    /// The lockboxes.
    pub lockboxes: Vec<Lockbox>,
}

/// `GET /v1/grants?listing_id=…`: the SentriConnect history of a listing, newest first, at most 200. [GRT-5]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Grants {
    /// The grants.
    pub grants: Vec<Grant>,
}

/// `POST /v1/listings`: added by hand. [LST-1]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "PascalCase")]
pub struct NewListing {
    /// Street address, one line; at most 200 characters.
    pub unparsed_address: String,
    /// City.
    pub city: String,
    /// Two letters.
    pub state_or_province: String,
    /// ZIP code.
    pub postal_code: String,
    /// Whole US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_price: Option<i64>,
    /// IANA time zone of the property.
    #[serde(rename = "time_zone")]
    pub time_zone: String,
}

/// Generation of a lockbox: what it can talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LockboxGeneration {
    /// Bluetooth Low Energy, keypad and card.
    Ble,
    /// Keypad and card only.
    NonBle,
}

/// My Lockboxes. [LST-2]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Lockbox {
    /// Our id.
    pub id: Uuid,
    /// What is printed on the box.
    pub serial: String,
    /// What it can talk.
    pub generation: LockboxGeneration,
    /// Percent, as the box last reported it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub battery_percent: Option<u8>,
    /// The listing that it hangs at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listing_id: Option<Uuid>,
    /// Since when it hangs there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_listing_since: Option<Timestamp>,
    /// The region that it hangs in, in the association's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// When a phone last brought word from the box.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_heard_at: Option<Timestamp>,
    /// Whether it was told of settings that it may not have yet: Pending. [LST-6]
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub settings_pending: bool,
}

/// `POST /v1/lockboxes/{serial}/assign`. [LST-3]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AssignRequest {
    /// The listing that the box is put on.
    pub listing_id: Uuid,
    /// Since when it hangs there.
    pub on_listing_since: Timestamp,
    /// The region the listing is in, in the association's words.
    pub region: String,
}

/// `POST /v1/grants`: gives a person access to a listing's lockbox. [GRT-1]
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GrantRequest {
    /// The listing.
    pub listing_id: Uuid,
    /// Whom: the address that the account has or will have.
    pub email: String,
    /// First second of the window.
    pub starts_at: Timestamp,
    /// First second after the window.
    pub ends_at: Timestamp,
    /// The granter's PIN, checked and counted by the backend. [ACC-12]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<Secret>,
    /// In place of the PIN, where [`crate::account::GrantApproval`] allows it: the device's hardware key has signed
    /// this very grant. One of the two must be there. [ACC-12]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presence: Option<Presence>,
}

impl GrantRequest {
    /// What the device's key signs to approve this grant: who may open what and when, over this challenge.
    pub fn presence_message(&self, challenge: &[u8]) -> Vec<u8> {
        let (starts_at, ends_at) = (self.starts_at.to_be_bytes(), self.ends_at.to_be_bytes());
        let parts: [&[u8]; 5] =
            [challenge, self.listing_id.as_bytes(), self.email.as_bytes(), &starts_at, &ends_at];
        message(b"sentri/v1 grant", &parts)
    }
}

/// `POST /v1/grants/reassert`: after the backend came back from an old backup (a sync's cursor is of another
/// incarnation), the granter's phone tells which of its grants were revoked, so that none comes back. Until then no
/// ticket is issued for this granter's older grants. [OPS-3]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reassertion {
    /// Grants that this phone knows as revoked, at most 1,000. Unknown ones are passed over.
    pub revoked: Vec<Uuid>,
}

/// Whether the person was known. [GRT-3]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Invitee {
    /// An invitation email goes out.
    New,
    /// A push and an in-app message go out.
    Existing,
}

/// Answer to a grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GrantResponse {
    /// The grant as it now stands.
    pub grant: Grant,
    /// Whether the person was known.
    pub invitee: Invitee,
}

/// Where a grant is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum GrantState {
    /// The person has no account yet.
    Invited,
    /// The person has an account.
    Granted,
    /// Taken back before it began.
    Revoked,
}

/// A grant, as its granter sees it. [GRT-5]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Grant {
    /// The same id as the contractor's access.
    pub id: Uuid,
    /// The listing.
    pub listing_id: Uuid,
    /// The box.
    pub lockbox: String,
    /// Whom.
    pub email: String,
    /// First second of the window.
    pub starts_at: Timestamp,
    /// First second after the window.
    pub ends_at: Timestamp,
    /// Where it is in its life.
    pub state: GrantState,
    /// Whether a phone holds a ticket for it: "ready".
    pub phone_ready: bool,
    /// When it was last used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
    /// How far its revocation has come; absent where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation: Option<Revocation>,
}

/// A revocation on its way: the backend takes no access back from a box without network by itself. [GRT-6]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Revocation {
    /// When it was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// How far it has come.
    pub reach: RevocationReach,
    /// First second at which nothing opens by this access any more, even with a phone and a box that have not heard of
    /// it; absent where it was out on no phone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens_until: Option<Timestamp>,
}

/// How far a revocation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RevocationReach {
    /// No phone had a ticket: nothing opens.
    NothingOut,
    /// A phone had a ticket, and the box has not said yet that it knows. The next phone that passes tells it.
    OnItsWay,
    /// The box knows.
    AtTheBox,
}
