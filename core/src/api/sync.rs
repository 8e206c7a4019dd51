//! How fresh the phone is, and making it fresh. [SYN-1]

use super::{
    core_object::SentriCore,
    error::CoreError,
    types::{BlockedWhy, SyncState, SyncStatus},
};
use crate::{
    session::Session,
    sync::{self, Freshness, Status},
};

#[uniffi::export]
impl SentriCore {
    /// Uploads what waits and fetches what changed. Call it whenever the app comes to the front, when a push
    /// arrives, and when the network comes back; two calls at once do the work of one.
    ///
    /// Fails only where the phone can't even tell its status (`NotSignedIn`, `SignInAgain`, `DeviceTrouble`, …), among
    /// them `DeviceRemoved`: what waited is uploaded, and nothing of the account is on the phone any more. A sync that did not succeed is told by the status.
    pub async fn sync_now(&self) -> Result<SyncStatus, CoreError> {
        let session = self.session().await?;
        // The status tells how it went; a device that was removed has none any more.
        if self.core.sync(&session).await == Err(CoreError::DeviceRemoved) {
            self.accounts.note();
            return Err(CoreError::DeviceRemoved);
        }
        told(&session).await
    }

    /// The home page's status. Needs no network. [SYN-1]
    pub async fn sync_status(&self) -> Result<SyncStatus, CoreError> {
        told(&*self.session().await?).await
    }
}

/// The status, as the home page shows it.
pub(super) async fn told(session: &Session) -> Result<SyncStatus, CoreError> {
    Ok(sync::status(session).await?.into())
}

impl From<Status> for SyncStatus {
    fn from(status: Status) -> Self {
        Self {
            state: match status.freshness {
                Freshness::Current(at) => SyncState::Current { at },
                Freshness::Syncing => SyncState::Syncing,
                Freshness::Stale(at) => SyncState::StaleSince { at },
                Freshness::Offline(at) => SyncState::Offline { at },
                Freshness::Blocked(error) => SyncState::Blocked { why: error.into() },
            },
            opens_from: status.opens_from,
            opens_until: status.opens_until,
            events_queued: status.events_queued,
        }
    }
}

impl From<CoreError> for BlockedWhy {
    fn from(error: CoreError) -> Self {
        match error {
            CoreError::NotSignedIn | CoreError::SignInAgain { .. } => Self::SignInAgain,
            CoreError::AccountNotActive { standing, support } => Self::AccountNotActive { standing, support },
            CoreError::DeviceRemoved => Self::DeviceRemoved,
            CoreError::UpgradeRequired { .. } => Self::UpgradeRequired,
            CoreError::DeviceLocked | CoreError::DeviceFull | CoreError::DeviceTrouble => Self::DeviceTrouble,
            _ => Self::ServiceTrouble,
        }
    }
}
