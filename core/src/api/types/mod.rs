//! Records that the exported calls take and give. Ids are UUIDs as text; times are whole seconds since
//! 1970-01-01 UTC.

mod access;
mod account;
mod agent;
mod log;
mod message;
mod residence;
mod sync;

pub use access::{Access, AccessState, Readiness};
pub use account::{AccountKind, AccountOnPhone, PasswordRule, Profile, SignedIn, Standing};
pub use agent::{Grant, GrantState, Invitee, Listing, Lockbox, LockboxGeneration, NewListing};
pub use log::{AccessLogEntry, AccessLogPage, AccessMethod, AccessOutcome};
pub use message::{Message, MessageTopic};
pub use residence::{CodeValidity, Door, DoorCode, DoorCodeState, DoorKind, DoorReach, Weekday};
pub use sync::{BlockedWhy, SyncState, SyncStatus};

use sentri_wire as wire;

/// Which of the two apps runs the core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum App {
    /// For agents.
    Agent,
    /// For contractors and residents.
    Connect,
}

/// Operating system of the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Platform {
    /// iPhone or iPad.
    Ios,
    /// Android.
    Android,
    /// Anything else.
    Desktop,
}

impl From<Platform> for wire::account::Platform {
    fn from(platform: Platform) -> Self {
        match platform {
            Platform::Ios => Self::Ios,
            Platform::Android => Self::Android,
            Platform::Desktop => Self::Desktop,
        }
    }
}

impl From<wire::account::Platform> for Platform {
    fn from(platform: wire::account::Platform) -> Self {
        match platform {
            wire::account::Platform::Ios => Self::Ios,
            wire::account::Platform::Android => Self::Android,
            wire::account::Platform::Desktop => Self::Desktop,
        }
    }
}

/// What the core must know of the app that it runs in.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CoreConfig {
    /// The service's address, `https://…`; `http://` only on this very device.
    pub base_url: String,
    /// A folder of the app's own that is in no backup.
    pub data_dir: String,
    /// Which app.
    pub app: App,
    /// The app's version, as `3.2.0`.
    pub app_version: String,
    /// For the user's own list of devices: "Dana's iPhone". At most 64 characters.
    pub device_name: String,
    /// Which system it runs.
    pub platform: Platform,
}

/// Whom a user calls.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SupportContact {
    /// Who answers.
    pub name: String,
    /// Phone numbers, as they are dialled.
    pub phones: Vec<String>,
    /// When they answer, in words.
    pub hours: String,
}

impl From<wire::problem::SupportContact> for SupportContact {
    fn from(it: wire::problem::SupportContact) -> Self {
        Self { name: it.name, phones: it.phones, hours: it.hours }
    }
}
