//! Why a call is not done: a problem to tell the caller, or a fault of our own to log.

use sentri_wire::{
    Problem, Timestamp,
    account::Standing,
    problem::{ProblemCode, SupportContact},
};

/// What every service call answers with when it does not do what it was asked.
#[derive(Debug)]
pub enum Refusal {
    /// The caller is told this.
    Problem(Box<Problem>),
    /// The caller is told only that something failed; this goes to the log. It names no personal data.
    Fault(String),
}

/// Result of a service call.
pub type Answer<T> = Result<T, Refusal>;

impl Refusal {
    /// A problem with nothing but its code.
    pub fn new(code: ProblemCode) -> Self {
        let (status, title) = describe(code);
        let name = serde_json::to_value(code).ok().and_then(|value| value.as_str().map(str::to_owned));
        Self::Problem(Box::new(Problem {
            kind: format!("/problems/{}", name.as_deref().unwrap_or("unknown")),
            status,
            title: title.into(),
            detail: None,
            code,
            field: None,
            limit: None,
            retry_after: None,
            at: None,
            standing: None,
            support: None,
        }))
    }

    /// A field's value breaks a rule.
    pub fn invalid(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(ProblemCode::Invalid).field(field).detail(detail)
    }

    /// The thing does not exist, or is not the caller's to see: the same answer for both.
    pub fn not_found() -> Self {
        Self::new(ProblemCode::NotFound)
    }

    /// The request collides with what is there.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(ProblemCode::Conflict).detail(detail)
    }

    /// Adds what to do next.
    #[must_use]
    pub fn detail(self, detail: impl Into<String>) -> Self {
        self.with(|problem| problem.detail = Some(detail.into()))
    }

    /// Names the field.
    #[must_use]
    pub fn field(self, field: impl Into<String>) -> Self {
        self.with(|problem| problem.field = Some(field.into()))
    }

    /// Adds the limit that was met.
    #[must_use]
    pub fn limit(self, limit: u32) -> Self {
        self.with(|problem| problem.limit = Some(limit))
    }

    /// Adds how long to wait, in seconds.
    #[must_use]
    pub fn retry_after(self, seconds: i64) -> Self {
        let seconds = u32::try_from(seconds.max(1)).unwrap_or(u32::MAX);
        self.with(|problem| problem.retry_after = Some(seconds))
    }

    /// Adds when the thing began or begins.
    #[must_use]
    pub fn at(self, at: Timestamp) -> Self {
        self.with(|problem| problem.at = Some(at))
    }

    /// Adds why the account may not be used.
    #[must_use]
    pub fn standing(self, standing: Standing) -> Self {
        self.with(|problem| problem.standing = Some(standing))
    }

    /// Adds whom to call.
    #[must_use]
    pub fn support(self, contact: SupportContact) -> Self {
        self.with(|problem| problem.support = Some(contact))
    }

    fn with(mut self, change: impl FnOnce(&mut Problem)) -> Self {
        if let Self::Problem(problem) = &mut self {
            change(problem);
        }
        self
    }
}

/// HTTP status and title of each code.
fn describe(code: ProblemCode) -> (u16, &'static str) {
    match code {
        ProblemCode::Malformed => (400, "The request is not of the documented form."),
        ProblemCode::TooLarge => (413, "The request body is too large."),
        ProblemCode::Invalid => (422, "A value is not allowed."),
        ProblemCode::WrongCredentials => (401, "The login or the password is wrong."),
        ProblemCode::NotLoggedIn => (401, "Please log in."),
        ProblemCode::TokenExpired => (401, "The access token has expired."),
        ProblemCode::AccountNotActive => (403, "This account is not active."),
        ProblemCode::DeviceRemoved => (403, "This device was removed from the account."),
        ProblemCode::PinRequired => (403, "The PIN is needed here."),
        ProblemCode::DeviceLimitReached => (403, "All device registrations of this account are used."),
        ProblemCode::WrongCode => (403, "The code or PIN is wrong."),
        ProblemCode::TooManyTries => (429, "Too many wrong tries."),
        ProblemCode::NotFound => (404, "Not found."),
        ProblemCode::Forbidden => (403, "This account may not do that."),
        ProblemCode::Conflict => (409, "This collides with what is already there."),
        ProblemCode::AlreadyBegun => (409, "The access has begun and can't be revoked any more."),
        ProblemCode::LockboxWithoutBluetooth => (409, "The lockbox of this listing has no Bluetooth."),
        ProblemCode::NoLockboxAssigned => (409, "The listing has no lockbox yet."),
        ProblemCode::HubOffline => (409, "The hub of the lock can't be reached right now."),
        ProblemCode::LockOffline => (409, "The lock can't be reached right now."),
        ProblemCode::AgentAccount => (409, "This belongs to an agent's account."),
        ProblemCode::Expired => (410, "This was used already, or has expired."),
        ProblemCode::UpgradeRequired => (426, "Please update the app."),
        ProblemCode::SlowDown => (429, "Too many requests."),
        ProblemCode::ClockNotTrusted => (503, "The server's clock is being checked."),
        ProblemCode::Internal | ProblemCode::Unknown => (500, "Something failed on our side."),
    }
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        // A database error can quote values; its kind and code say enough for the log.
        Self::Fault(match &error {
            sqlx::Error::Database(database) => {
                format!("database: {:?}, code {:?}", database.kind(), database.code().unwrap_or_default())
            }
            other => format!("database: {other}"),
        })
    }
}

impl From<crate::vault::VaultError> for Refusal {
    fn from(error: crate::vault::VaultError) -> Self {
        Self::Fault(format!("vault: {error}"))
    }
}

impl From<serde_json::Error> for Refusal {
    fn from(error: serde_json::Error) -> Self {
        Self::Fault(format!("JSON of our own: {:?} at column {}", error.classify(), error.column()))
    }
}

impl From<crate::store::Corrupt> for Refusal {
    fn from(error: crate::store::Corrupt) -> Self {
        Self::Fault(error.to_string())
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Problem(problem) => write!(f, "{problem}"),
            Self::Fault(fault) => f.write_str(fault),
        }
    }
}

impl std::error::Error for Refusal {}
