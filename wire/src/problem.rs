//! Every refusal of the backend: a problem document after RFC 9457.

use serde::{Deserialize, Serialize};

use crate::{Timestamp, account::Standing};

/// A problem document (RFC 9457), served as `application/problem+json`.
///
/// `code` is what a client switches over; `title` and `detail` are English for logs and for terminals. No
/// personal data and no secret is ever in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// A URI reference that names the kind of problem: `/problems/` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The HTTP status, repeated.
    pub status: u16,
    /// What went wrong, in one short sentence.
    pub title: String,
    /// What to do next, where there is something to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The machine's name of the problem.
    pub code: ProblemCode,
    /// The field of the request that is wrong, as a dotted path (`account.email`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The limit that was met (devices, tries, bytes).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Seconds to wait before another try can succeed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
    /// When the thing began or begins, where that is the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Why the account may not be used, where that is the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<Standing>,
    /// Whom to call, on every problem that says to call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub support: Option<SupportContact>,
}

impl std::fmt::Display for Problem {
    /// What went wrong and what to do next, in a line for logs and terminals.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.title)?;
        if let Some(field) = &self.field {
            write!(f, " ({field})")?;
        }
        if let Some(detail) = &self.detail {
            write!(f, " {detail}")?;
        }
        Ok(())
    }
}

/// Whom a user calls. A deployment's setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SupportContact {
    /// Who answers: "Support", "Your association", …
    pub name: String,
    /// Phone numbers, as they are dialled.
    pub phones: Vec<String>,
    /// When they answer, in words.
    pub hours: String,
}

/// What went wrong, for a client to switch over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ProblemCode {
    /// The body is no JSON, or not of the documented form; `field` names the place.
    Malformed,
    /// The body is larger than the route takes; `limit` is in bytes.
    TooLarge,
    /// A field's value breaks a rule; `field` and `detail` say which.
    Invalid,
    /// Unknown account or wrong password; the answer never tells which.
    WrongCredentials,
    /// No token, or one that is unknown or ended: log in again.
    NotLoggedIn,
    /// The access token has expired: refresh it.
    TokenExpired,
    /// The account is suspended, unpaid or locked: `standing` says which, `support` is whom to contact.
    AccountNotActive,
    /// This device was removed, or its account deleted. It may still upload its events (`POST /v1/events`), hand in
    /// audit records and log out; then it wipes what it holds.
    DeviceRemoved,
    /// The association wants the PIN here, or the device's key is no hardware key: ask for the PIN.
    PinRequired,
    /// All device registrations are used; `limit` and `support` come with it.
    DeviceLimitReached,
    /// A code or PIN was wrong.
    WrongCode,
    /// Too many wrong tries; `retry_after` or a new code is the way out.
    TooManyTries,
    /// The thing does not exist, or is not this account's to see.
    NotFound,
    /// The account may see the thing but not do this with it.
    Forbidden,
    /// The request collides with what is there (already assigned, key used with another body).
    Conflict,
    /// The access has begun and can't be revoked any more; `at` is its start.
    AlreadyBegun,
    /// The lockbox is of a generation without Bluetooth; a one day code is the way.
    LockboxWithoutBluetooth,
    /// The listing has no lockbox yet.
    NoLockboxAssigned,
    /// The hub of the lock is offline: nothing was changed, try again once it is back.
    HubOffline,
    /// The hub is online and does not hear the lock: nothing was changed, try again once it does.
    LockOffline,
    /// The address belongs to an agent; told only after it was proven.
    AgentAccount,
    /// The invitation, request or link is used or expired.
    Expired,
    /// The app is too old for this; `detail` names the version needed.
    UpgradeRequired,
    /// Too many requests; `retry_after` says when.
    SlowDown,
    /// The clock of the backend is not trusted: nothing is signed until an operator looks.
    ClockNotTrusted,
    /// Something failed on our side; nothing was changed.
    Internal,
    /// A code that this client does not know yet.
    #[serde(other)]
    Unknown,
}
