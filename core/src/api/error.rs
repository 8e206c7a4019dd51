//! What can go wrong, each variant saying what the user can do about it.

use sentri_wire::{Problem, problem::ProblemCode};

use super::{
    ports::{LinkError, SecureStoreError},
    types::{Standing, SupportContact},
};
use crate::{
    flows::grant::BadForm,
    http::{ApiError, BadBaseUrl},
    ports::NoRandomness,
    store::StoreError,
};

/// Who refused an open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Judge {
    /// The phone, from what it holds; the lock was not asked.
    Phone,
    /// The lock itself.
    Lock,
}

/// What is offline between the service and a lock that is reached by a hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum OfflinePart {
    /// The hub.
    Hub,
    /// The lock: the hub does not hear it. Its battery may be empty.
    Lock,
}

impl OfflinePart {
    fn told(self) -> &'static str {
        match self {
            Self::Hub => "The hub of this lock is offline. Nothing was changed.",
            Self::Lock => "The hub does not hear this lock. Nothing was changed.",
        }
    }
}

/// What went wrong, for a shell to switch over. The English texts are for terminals and logs; no personal data
/// and no secret is ever in one. Times are whole seconds since 1970-01-01 UTC.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
#[uniffi::export(Display)]
pub enum CoreError {
    /// Nobody is logged in on this phone: log in.
    #[error("Please log in.")]
    NotSignedIn,
    /// The phone's key to its data is gone: log in again. Events that were not uploaded are lost; tell how many.
    #[error("Please log in again. {events_lost} entries that were not yet uploaded are lost.")]
    SignInAgain {
        /// Queued access events that can't be read any more.
        events_lost: u32,
    },
    /// Unknown account or wrong password; which of them is never told.
    #[error("The name or the password is wrong.")]
    WrongCredentials,
    /// The account is suspended or unpaid: contact `support`.
    #[error("This account is not active. Please contact {}.", contact(support.as_ref()))]
    AccountNotActive {
        /// Why.
        standing: Standing,
        /// Association, MLS or support line.
        support: Option<SupportContact>,
    },
    /// This device was removed by its owner or by support, or the account was deleted: nothing of it is on the phone
    /// any more. Log in again, which may need a free registration.
    #[error("This device was removed from the account. Please log in again.")]
    DeviceRemoved,
    /// All device registrations are used: remove a device, or call `support`.
    #[error("This account is in use on {limit} devices already. Please contact {}.", contact(support.as_ref()))]
    DeviceLimitReached {
        /// How many devices an account may have.
        limit: u32,
        /// Whom to call.
        support: Option<SupportContact>,
    },
    /// No network, or the service can't be reached: try again with network.
    #[error("There is no connection to the service.")]
    Offline,
    /// The app is too old for this: update it.
    #[error("Please update the app.")]
    UpgradeRequired {
        /// The version needed, in words, where it is known.
        needed: Option<String>,
    },
    /// A value that was entered is not right: correct it.
    #[error("{field}: {reason}")]
    InvalidField {
        /// Which one, as a dotted path (`ends_at`).
        field: String,
        /// What is wrong with it, in English.
        reason: String,
    },
    /// The code or PIN is wrong: enter it again.
    #[error("The code is wrong.")]
    WrongCode,
    /// Too many wrong tries: wait, or ask for a new code.
    #[error("Too many wrong tries.")]
    TooManyTries {
        /// Seconds to wait, where waiting helps.
        retry_after: Option<u32>,
    },
    /// The thing is gone, or is not yours to see.
    #[error("This does not exist any more.")]
    NotFound,
    /// You may see this but not do that with it.
    #[error("You may not do this.")]
    Forbidden,
    /// It collides with what is there.
    #[error("{reason}")]
    Conflict {
        /// What it collides with, in English.
        reason: String,
    },
    /// The lock gets its codes through a hub, and that hub or the lock itself is offline: nothing was changed, try again
    /// later, or call the building's manager.
    #[error("{}", offline.told())]
    LockUnreachable {
        /// Which of the two.
        offline: OfflinePart,
    },
    /// The access has begun, the key may be out: it can't be revoked any more.
    #[error("This access has begun and can't be revoked any more.")]
    AlreadyBegun {
        /// Its start.
        since: Option<i64>,
    },
    /// The lockbox has no Bluetooth: offer a one day code.
    #[error("This lockbox has no Bluetooth. Please use a one day code.")]
    LockboxWithoutBluetooth,
    /// The listing has no lockbox yet: assign one.
    #[error("This listing has no lockbox yet.")]
    NoLockboxAssigned,
    /// The address belongs to an agent: use the agent app.
    #[error("This address belongs to an agent. Please use the agent app.")]
    AgentAccount,
    /// The invitation, link or request is used or too old: ask for a new one.
    #[error("This invitation is used or expired.")]
    LinkExpired,
    /// The service had a problem; nothing was changed: try again later.
    #[error("The service has a problem. Please try again later.")]
    ServiceTrouble {
        /// Seconds to wait, where it said so.
        retry_after: Option<u32>,
        /// Whom to call if it stays.
        support: Option<SupportContact>,
    },
    /// The step is not the one that the flow is at: show `step()` again.
    #[error("This step is not the next one.")]
    WrongStep,

    /// Before the access begins.
    #[error("This access has not begun.")]
    NotYetValid {
        /// When it begins.
        from: i64,
        /// Who refused.
        by: Judge,
    },
    /// The access is over.
    #[error("This access is over.")]
    Expired {
        /// When it ended; absent where only the lock knows.
        since: Option<i64>,
        /// Who refused.
        by: Judge,
    },
    /// Outside the lockbox's hours.
    #[error("The lockbox does not open at this hour.")]
    OutsideHours {
        /// When it opens next, within a week.
        next: Option<i64>,
        /// Who refused.
        by: Judge,
    },
    /// The access was taken back.
    #[error("This access was revoked.")]
    Revoked {
        /// Who refused.
        by: Judge,
    },
    /// The lockbox that was woken is not one of yours, or not the one of this access.
    #[error("This is not the lockbox of your access.")]
    WrongBox {
        /// Who refused.
        by: Judge,
    },
    /// The access holds, but the phone has no credential for it yet: connect once.
    #[error("Please connect to the network once, then try again.")]
    NotReady {
        /// From when on connecting helps.
        connect_after: Option<i64>,
    },
    /// The lock has lost its clock (a battery was pulled): connect to the network and press ENT again.
    #[error("The lockbox has lost its clock. Please connect to the network and press ENT again.")]
    ClockUntrusted,
    /// The access gives no right to this.
    #[error("Your access does not include this.")]
    NoRight,
    /// This press of ENT has opened already: press ENT again.
    #[error("Please press ENT again.")]
    PressEntAgain,
    /// The lockbox is broken: call its owner.
    #[error("The lockbox has a defect. Please call its owner.")]
    LockboxDefect,
    /// No lockbox was heard: press ENT, stay near.
    #[error("No lockbox was heard. Please press ENT on it.")]
    NoLockboxHeard,
    /// Several lockboxes are awake that would open: ask which one, then open by its access.
    #[error("More than one of your lockboxes is awake. Please choose one.")]
    SeveralLockboxes {
        /// The accesses that would open one each, the nearest box first.
        access_ids: Vec<String>,
    },
    /// The radio lost the lockbox before it answered. It may have opened: look, then press ENT again.
    #[error("The lockbox did not answer. Please press ENT again.")]
    NoAnswer,
    /// Bluetooth is off: switch it on.
    #[error("Bluetooth is switched off.")]
    BluetoothOff,
    /// The app may not use Bluetooth: allow it in the settings.
    #[error("The app is not allowed to use Bluetooth.")]
    BluetoothNotAllowed,
    /// The device's Bluetooth failed: switch it off and on.
    #[error("Bluetooth failed.")]
    BluetoothTrouble,
    /// Another open is going on: cancel it, or wait for its result.
    #[error("The app is opening a lockbox already.")]
    AlreadyOpening,
    /// The shell or the user ended it.
    #[error("Ended.")]
    Cancelled,
    /// The owner can't be recognised by face or finger, or no PIN is kept for it: ask for the PIN.
    #[error("Please enter your PIN.")]
    PinNeeded,

    /// The device must be unlocked first.
    #[error("Please unlock the device.")]
    DeviceLocked,
    /// No room left on the device: make some.
    #[error("The device is full.")]
    DeviceFull,
    /// The device's storage, key store or random numbers failed: restart it.
    #[error("The device has a problem with its storage.")]
    DeviceTrouble,
}

fn contact(support: Option<&SupportContact>) -> String {
    support.map_or_else(|| "support".to_owned(), |it| format!("{} ({})", it.name, it.phones.join(", ")))
}

/// A field as the records here call it: the backend's own names of listings are the RESO Data Dictionary's.
fn named(field: Option<&str>) -> String {
    field.unwrap_or_default().chars().fold(String::new(), |mut name, letter| {
        if letter.is_ascii_uppercase() && name.ends_with(|before: char| before.is_ascii_lowercase()) {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
        name
    })
}

impl From<Problem> for CoreError {
    fn from(problem: Problem) -> Self {
        let support = problem.support.map(SupportContact::from);
        let retry_after = problem.retry_after;
        let told = problem.detail.unwrap_or(problem.title);
        match problem.code {
            ProblemCode::Malformed | ProblemCode::TooLarge | ProblemCode::Invalid => {
                Self::InvalidField { field: named(problem.field.as_deref()), reason: told }
            }
            ProblemCode::WrongCredentials => Self::WrongCredentials,
            ProblemCode::NotLoggedIn | ProblemCode::TokenExpired => Self::NotSignedIn,
            ProblemCode::DeviceRemoved => Self::DeviceRemoved,
            ProblemCode::AccountNotActive => {
                Self::AccountNotActive { standing: problem.standing.unwrap_or_default().into(), support }
            }
            ProblemCode::DeviceLimitReached => {
                Self::DeviceLimitReached { limit: problem.limit.unwrap_or_default(), support }
            }
            ProblemCode::WrongCode => Self::WrongCode,
            ProblemCode::PinRequired => Self::PinNeeded,
            ProblemCode::TooManyTries => Self::TooManyTries { retry_after },
            ProblemCode::NotFound => Self::NotFound,
            ProblemCode::Forbidden => Self::Forbidden,
            ProblemCode::Conflict => Self::Conflict { reason: told },
            ProblemCode::HubOffline => Self::LockUnreachable { offline: OfflinePart::Hub },
            ProblemCode::LockOffline => Self::LockUnreachable { offline: OfflinePart::Lock },
            ProblemCode::AlreadyBegun => Self::AlreadyBegun { since: problem.at },
            ProblemCode::LockboxWithoutBluetooth => Self::LockboxWithoutBluetooth,
            ProblemCode::NoLockboxAssigned => Self::NoLockboxAssigned,
            ProblemCode::AgentAccount => Self::AgentAccount,
            ProblemCode::Expired => Self::LinkExpired,
            ProblemCode::UpgradeRequired => Self::UpgradeRequired { needed: Some(told) },
            ProblemCode::SlowDown
            | ProblemCode::ClockNotTrusted
            | ProblemCode::Internal
            | ProblemCode::Unknown => Self::ServiceTrouble { retry_after, support },
        }
    }
}

impl From<ApiError> for CoreError {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::Offline => Self::Offline,
            ApiError::Refused(problem) => (*problem).into(),
            ApiError::Garbled => Self::ServiceTrouble { retry_after: None, support: None },
            ApiError::NoRandomness => Self::DeviceTrouble,
        }
    }
}

impl From<StoreError> for CoreError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full => Self::DeviceFull,
            StoreError::Newer => Self::UpgradeRequired { needed: None },
            StoreError::OutOfTurn | StoreError::Unreadable => {
                Self::ServiceTrouble { retry_after: None, support: None }
            }
            StoreError::Damaged
            | StoreError::Unavailable
            | StoreError::NoRandomness
            | StoreError::Interrupted => Self::DeviceTrouble,
        }
    }
}

impl From<SecureStoreError> for CoreError {
    fn from(error: SecureStoreError) -> Self {
        match error {
            SecureStoreError::Locked => Self::DeviceLocked,
            SecureStoreError::Failed => Self::DeviceTrouble,
        }
    }
}

impl From<LinkError> for CoreError {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::PoweredOff => Self::BluetoothOff,
            LinkError::NotAllowed => Self::BluetoothNotAllowed,
            LinkError::Unsupported | LinkError::Failed => Self::BluetoothTrouble,
        }
    }
}

impl From<NoRandomness> for CoreError {
    fn from(_: NoRandomness) -> Self {
        Self::DeviceTrouble
    }
}

impl From<BadForm> for CoreError {
    fn from(form: BadForm) -> Self {
        Self::InvalidField { field: form.field.into(), reason: form.reason.into() }
    }
}

impl From<BadBaseUrl> for CoreError {
    fn from(error: BadBaseUrl) -> Self {
        Self::InvalidField { field: "base_url".into(), reason: error.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn fields_are_called_as_in_the_records() {
        for (told, name) in [
            ("UnparsedAddress", "unparsed_address"),
            ("ends_at", "ends_at"),
            ("security_questions.0.answer", "security_questions.0.answer"),
            ("", ""),
        ] {
            assert_eq!(named(Some(told)), name);
        }
        assert_eq!(named(None), "");
    }
}
