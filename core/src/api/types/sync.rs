//! How fresh the phone's data are.

use super::{Standing, SupportContact};

/// Why a sync can't succeed as things stand.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum BlockedWhy {
    /// The session has ended: log in again.
    SignInAgain,
    /// The account is suspended or unpaid.
    AccountNotActive {
        /// Why.
        standing: Standing,
        /// Whom to contact.
        support: Option<SupportContact>,
    },
    /// The device was removed from the account; what waits is uploaded first, then everything is wiped.
    DeviceRemoved,
    /// Update the app.
    UpgradeRequired,
    /// The device is full, locked, or its storage fails.
    DeviceTrouble,
    /// The service has a problem.
    ServiceTrouble,
}

/// How fresh the phone's data are. [SYN-1]
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum SyncState {
    /// Green check mark.
    Current {
        /// When they came.
        at: i64,
    },
    /// A sync is going on.
    Syncing,
    /// Older than they should be: open the app with network.
    StaleSince {
        /// When they came; absent where they never did.
        at: Option<i64>,
    },
    /// The last try found no connection.
    Offline {
        /// When the data came; absent where they never did.
        at: Option<i64>,
    },
    /// A sync can't succeed until something is done.
    Blocked {
        /// What.
        why: BlockedWhy,
    },
}

/// The home page's status. [SYN-1, SYN-3]
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SyncStatus {
    /// How fresh the data are.
    pub state: SyncState,
    /// "Opens offline from …": the span that goes on, else the next one; absent where the phone holds no credential.
    pub opens_from: Option<i64>,
    /// "… until …": first second after that span, in which no credential leaves a gap.
    pub opens_until: Option<i64>,
    /// Access events that wait to be uploaded.
    pub events_queued: u32,
}
