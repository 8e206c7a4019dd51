//! Where pushes to this device go. [GRT-3, SYN-1]

use sentri_wire::{Secret, device as wire};

use super::{core_object::SentriCore, error::CoreError, invalid};
use crate::sync::pushes::{self, Wanted};

/// As long as a token may be.
const LONGEST: usize = 1024;

/// Who carries pushes to the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum PushService {
    /// Apple's.
    Apns,
    /// Google's.
    Fcm,
}

#[uniffi::export]
impl SentriCore {
    /// Takes the token that the platform gave for pushes to this device. Call it at each start of the app, once the
    /// platform has given it, and whenever it gives another. The core tells the service, now or with the next sync, and
    /// again after each login and each switch of accounts.
    ///
    /// `InvalidField` names `token`.
    pub async fn set_push_token(&self, service: PushService, token: String) -> Result<(), CoreError> {
        if token.is_empty() || token.len() > LONGEST || !token.bytes().all(|it| it.is_ascii_graphic()) {
            return Err(invalid("token", "1 to 1,024 visible ASCII characters."));
        }
        let service = match service {
            PushService::Apns => wire::PushService::Apns,
            PushService::Fcm => wire::PushService::Fcm,
        };
        self.want(Some(wire::PushAddress { service, token: Secret::new(token) })).await;
        Ok(())
    }

    /// The user wants no pushes to this device any more. What there is to know still comes by sync.
    pub async fn stop_pushes(&self) {
        self.want(None).await;
    }
}

impl SentriCore {
    async fn want(&self, to: Option<wire::PushAddress>) {
        self.core.pushes.want(Wanted { to });
        if let Ok(session) = self.session().await {
            // What can't be told now is told with the next sync.
            let _ = pushes::tell(&session).await;
        }
    }
}
