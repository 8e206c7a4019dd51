//! What a phone holds so that a lockbox opens for it offline.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Binary, Timestamp};

/// An access, as the person who holds it sees it. [CON-1]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Access {
    /// The same id as the granter's grant.
    pub id: Uuid,
    /// The box.
    pub lockbox: String,
    /// Street address, one line.
    pub address: String,
    /// City, state and ZIP code, one line.
    pub locality: String,
    /// IANA time zone of the property.
    pub time_zone: String,
    /// Who granted it.
    pub granted_by: String,
    /// First second of the window.
    pub starts_at: Timestamp,
    /// First second after the window.
    pub ends_at: Timestamp,
    /// Taken back before it began.
    pub revoked: bool,
    /// It rests: whoever granted it is not in good standing at present. It goes on once they are.
    #[serde(default)]
    pub on_hold: bool,
    /// Percent, as the box last reported it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub battery_percent: Option<u8>,
    /// From when on a ticket can be fetched: "connect once after …".
    pub ready_from: Timestamp,
}

/// A ticket with its secret, and all that a phone needs to use it without network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Credential {
    /// The credential's id within its ticket: 8 bytes, as 16 hex digits.
    pub id: String,
    /// The access that it serves.
    pub access_id: Uuid,
    /// The box.
    pub lockbox: String,
    /// The ticket, 32 bytes (65 with a device key), as `docs/protocol.md` lays it out.
    pub ticket: Binary,
    /// S, 32 bytes.
    pub secret: Binary,
    /// The lock's static X25519 public key, 32 bytes.
    pub lock_public_key: Binary,
    /// Advert keys, one for each week in which the lock may be met, and the one of a lost clock.
    pub advert_keys: Vec<AdvertKey>,
    /// A lower-bound time token of 12 bytes, for a lock that lost its clock.
    pub lower_bound: Binary,
    /// The lock's zone, for what the phone shows and checks by itself.
    pub zone: Zone,
    /// Access hours of the lockbox, 7 pairs of quarter hours from Monday on (14 bytes).
    pub access_hours: Binary,
    /// When the phone should fetch a fresh one.
    pub renew_at: Timestamp,
}

/// The key that recognises a lock's adverts in one week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AdvertKey {
    /// Weeks since 1970-01-01; absent for the key of a lock whose clock is lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub week: Option<u32>,
    /// 32 bytes.
    pub key: Binary,
}

/// Offset from UTC now and at the next two transitions; lock and phone hold no zone database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Zone {
    /// Quarter hours east of UTC.
    pub offset: i8,
    /// When the offset changes next; 0 where it does not.
    pub next_at: u32,
    /// The offset from then on.
    pub next_offset: i8,
    /// When it changes again; 0 where it does not.
    pub after_at: u32,
    /// The offset from then on.
    pub after_offset: i8,
}

/// The current revocation list of a lock, to be handed over at the box.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RevocationList {
    /// The box.
    pub lockbox: String,
    /// Its version, strictly rising.
    pub version: u32,
    /// The MACed list, as `docs/protocol.md` lays it out.
    pub list: Binary,
}

/// Settings of a lock on their way to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LockSettings {
    /// The box.
    pub lockbox: String,
    /// Their version, strictly rising.
    pub version: u32,
    /// The MACed settings, as `docs/protocol.md` lays them out.
    pub settings: Binary,
}

/// `POST /v1/visits`: a member has pressed ENT on a box of their association that their phone holds nothing for. [AGT-1]
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VisitRequest {
    /// What the box sent after that: the 18 bytes of its advert, which nobody but its own side can tell from another's.
    pub advert: Binary,
}

/// A member's visit, and what opens the box for it. Asked for twice it is the same visit.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Visit {
    /// The visit, for an hour.
    pub access: Access,
    /// For the phone that asked.
    pub credential: Credential,
}

/// `POST /v1/locks/{serial}/time`: asks for a fresh time token during a session with the lock.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TimeRequest {
    /// The final handshake hash of the session, 32 bytes.
    pub handshake_hash: Binary,
}

/// A fresh time token for that session.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TimeResponse {
    /// The token, 13 bytes, as `docs/protocol.md` lays it out.
    pub token: Binary,
}
