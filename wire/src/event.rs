//! What happened at a lockbox, on its way up, and the access log.

use sentri_protocol::open::Verdict;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Binary, Timestamp};

/// `POST /v1/events`: access events from the phone's outbox, at most 100. Each is stored once.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventUpload {
    /// The events, oldest first.
    pub events: Vec<AccessEvent>,
}

/// One try at a lockbox, as the phone saw it. [CON-3]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccessEvent {
    /// Made by the phone; what makes the event once.
    pub id: Uuid,
    /// The phone's time.
    pub at: Timestamp,
    /// The box.
    pub lockbox: String,
    /// The access that was used; absent where none was held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_id: Option<Uuid>,
    /// The operation id sent to the lock, 8 bytes; absent where the phone refused by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<Binary>,
    /// How it went.
    pub outcome: Outcome,
    /// The lock's status as it came, 44 bytes; the backend believes only what its MAC covers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Binary>,
}

/// How a try at a lockbox went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The key bin opened.
    Opened,
    /// Refused: the access has not begun.
    TooEarly,
    /// Refused: the access is over.
    TooLate,
    /// Refused: outside the access hours.
    OutsideHours,
    /// Refused: no access for this box.
    WrongBox,
    /// Refused: revoked.
    Revoked,
    /// Refused: the lock has lost its clock.
    ClockLost,
    /// Refused for another reason.
    Refused,
    /// The link broke before an answer came.
    Unanswered,
}

/// A lock's verdict as the access log names it.
impl From<Verdict> for Outcome {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Opened => Self::Opened,
            Verdict::NotYet => Self::TooEarly,
            Verdict::Expired => Self::TooLate,
            Verdict::OutsideHours => Self::OutsideHours,
            Verdict::Revoked => Self::Revoked,
            Verdict::ClockLost => Self::ClockLost,
            Verdict::Served
            | Verdict::NoRight
            | Verdict::AlreadyOpened
            | Verdict::MotorFailed
            | Verdict::UnknownCaveat
            | Verdict::FlashFailed => Self::Refused,
        }
    }
}

/// What became of each event.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventReceipts {
    /// In the order of the upload.
    pub receipts: Vec<EventReceipt>,
}

/// What became of one event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventReceipt {
    /// The event's id.
    pub id: Uuid,
    /// What became of it.
    pub result: ReceiptResult,
}

/// Whether an event was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReceiptResult {
    /// Stored now.
    Stored,
    /// The same event was stored before: nothing changed.
    Duplicate,
    /// Another event has this id: the first one stays.
    Conflict,
    /// Not this account's to report (a box it never had access to): dropped.
    Refused,
}

/// `POST /v1/locks/{serial}/audit`: audit records as a lock gave them out.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditUpload {
    /// The batch, header and records, as `docs/protocol.md` lays it out.
    pub batch: Binary,
}

/// What the lock is told: up to where its records are backed up.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditReceipt {
    /// The MACed acknowledgement, 24 bytes, to be handed over at the next meeting with the lock.
    pub acknowledgement: Binary,
}

/// How a lockbox was asked to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// A phone, over Bluetooth.
    Ble,
    /// A code on the keypad.
    Code,
    /// A card.
    Card,
}

/// A line of the access log. [CON-3]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogEntry {
    /// The entry's id.
    pub id: Uuid,
    /// When: the lock's clock where its word is there, the phone's otherwise.
    pub at: Timestamp,
    /// The box.
    pub lockbox: String,
    /// The listing that it hung at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listing_id: Option<Uuid>,
    /// Who: the same for all that one person did; absent where nobody knows any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person_id: Option<Uuid>,
    /// Who, by name; a pseudonym once the account is deleted.
    pub who: String,
    /// How.
    pub method: Method,
    /// How it went.
    pub outcome: Outcome,
    /// Whether the lock's own word confirms it.
    pub confirmed_by_lock: bool,
}

/// `GET /v1/access-log?from=&to=&listing_id=&lockbox=&person_id=&after=`: newest first, keyed pages of 50.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogPage {
    /// The entries.
    pub entries: Vec<LogEntry>,
    /// Passed as `after` for the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
