//! The access log.

use sentri_wire as wire;

/// How a lockbox was asked to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum AccessMethod {
    /// A phone, over Bluetooth.
    Ble,
    /// A code on the keypad.
    Code,
    /// A card.
    Card,
}

/// How a try at a lockbox went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum AccessOutcome {
    /// The key bin opened.
    Opened,
    /// Refused: the access had not begun.
    TooEarly,
    /// Refused: the access was over.
    TooLate,
    /// Refused: outside the access hours.
    OutsideHours,
    /// Refused: no access for this box.
    WrongBox,
    /// Refused: revoked.
    Revoked,
    /// Refused: the lock had lost its clock.
    ClockLost,
    /// Refused for another reason.
    Refused,
    /// The link broke before an answer came.
    Unanswered,
}

impl From<wire::event::Outcome> for AccessOutcome {
    fn from(outcome: wire::event::Outcome) -> Self {
        match outcome {
            wire::event::Outcome::Opened => Self::Opened,
            wire::event::Outcome::TooEarly => Self::TooEarly,
            wire::event::Outcome::TooLate => Self::TooLate,
            wire::event::Outcome::OutsideHours => Self::OutsideHours,
            wire::event::Outcome::WrongBox => Self::WrongBox,
            wire::event::Outcome::Revoked => Self::Revoked,
            wire::event::Outcome::ClockLost => Self::ClockLost,
            wire::event::Outcome::Refused => Self::Refused,
            wire::event::Outcome::Unanswered => Self::Unanswered,
        }
    }
}

/// A line of the access log. [CON-3]
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct AccessLogEntry {
    /// Its id.
    pub id: String,
    /// When: the lock's clock where its word is there, the phone's otherwise.
    pub at: i64,
    /// Serial number of the box.
    pub lockbox: String,
    /// The listing that it hung at.
    pub listing_id: Option<String>,
    /// Who: the same for all that one person did; absent where nobody knows any more.
    pub person_id: Option<String>,
    /// Who, by name.
    pub who: String,
    /// How.
    pub method: AccessMethod,
    /// How it went.
    pub outcome: AccessOutcome,
    /// Whether the lock's own word confirms it.
    pub confirmed_by_lock: bool,
}

impl From<wire::event::LogEntry> for AccessLogEntry {
    fn from(it: wire::event::LogEntry) -> Self {
        Self {
            id: it.id.to_string(),
            at: it.at,
            lockbox: it.lockbox,
            listing_id: it.listing_id.map(|id| id.to_string()),
            person_id: it.person_id.map(|id| id.to_string()),
            who: it.who,
            method: match it.method {
                wire::event::Method::Ble => AccessMethod::Ble,
                wire::event::Method::Code => AccessMethod::Code,
                wire::event::Method::Card => AccessMethod::Card,
            },
            outcome: it.outcome.into(),
            confirmed_by_lock: it.confirmed_by_lock,
        }
    }
}

/// Which lines of the access log to show: those to which all of it applies that is there. [GRT-5]
#[derive(Clone, Debug, Default, PartialEq, Eq, uniffi::Record)]
pub struct AccessLogFilter {
    /// What happened at this listing.
    #[uniffi(default)]
    pub listing_id: Option<String>,
    /// What happened at the box with this serial number.
    #[uniffi(default)]
    pub lockbox: Option<String>,
    /// What this person did, as [`AccessLogEntry`] names them.
    #[uniffi(default)]
    pub person_id: Option<String>,
}

/// A page of the access log, newest first.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct AccessLogPage {
    /// The entries.
    pub entries: Vec<AccessLogEntry>,
    /// Pass it as `after` for the next page; absent on the last.
    pub next: Option<String>,
}

impl From<wire::event::LogPage> for AccessLogPage {
    fn from(it: wire::event::LogPage) -> Self {
        Self { entries: it.entries.into_iter().map(Into::into).collect(), next: it.next }
    }
}
