//! Biometrics in place of the PIN: the PIN rests under a key that the platform releases to its owner only. [ACC-12]

use std::{sync::Arc, time::Duration};

use zeroize::Zeroizing;

use super::{
    error::CoreError,
    grant_flow::{GrantFlow, GrantStep},
    invalid,
};
use crate::runtime;

/// How long a person may take to look at the camera.
const PATIENCE: Duration = Duration::from_secs(60);
/// A PIN has four digits; anything much longer is another thing.
const LONGEST: usize = 64;

/// Why the platform does not release what it keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum PresenceError {
    /// The person ended it, or it was not the owner: ask for the PIN.
    #[error("The owner was not recognised.")]
    NotRecognised,
    /// Nothing is kept, or the platform dropped it as fingers or faces changed: ask for the PIN.
    #[error("Nothing is kept for the owner.")]
    NothingKept,
    /// Any other reason, among them a failure of the adapter itself: ask for the PIN.
    #[error("The owner can't be recognised now.")]
    Failed,
}

impl From<uniffi::UnexpectedUniFFICallbackError> for PresenceError {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed
    }
}

/// A secret that the platform gives out only to the device's owner, recognised by face or finger at that moment
/// (on iOS a Keychain item with `biometryCurrentSet`, on Android a Keystore key that asks for authentication).
/// There is no call that merely answers "yes, it is the owner": nothing could be built on it.
///
/// The core calls from a background thread and waits at most a minute.
#[uniffi::export(rust, foreign)]
#[async_trait::async_trait]
pub trait UserPresence: Send + Sync + 'static {
    /// Keeps the secret, over any former one.
    async fn keep(&self, secret: Vec<u8>) -> Result<(), PresenceError>;

    /// Recognises the owner, then gives out the secret. Shows the platform's own dialogue.
    async fn release(&self) -> Result<Vec<u8>, PresenceError>;
}

impl From<PresenceError> for CoreError {
    fn from(error: PresenceError) -> Self {
        match error {
            PresenceError::NotRecognised => Self::Cancelled,
            PresenceError::NothingKept | PresenceError::Failed => Self::PinNeeded,
        }
    }
}

#[uniffi::export]
impl GrantFlow {
    /// As `authenticate`, with the PIN that `presence` keeps: the backend checks and counts it all the same.
    /// Needs network. [ACC-12]
    ///
    /// `Cancelled` where the owner was not recognised, `PinNeeded` where no PIN is kept: ask for it, then
    /// `keep_pin`.
    pub async fn authenticate_by_presence(
        &self,
        presence: Arc<dyn UserPresence>,
    ) -> Result<GrantStep, CoreError> {
        let released = runtime::within(PATIENCE, presence.release()).await;
        let pin = Zeroizing::new(released.ok_or(CoreError::Cancelled)??);
        let pin = std::str::from_utf8(&pin).map_err(|_| CoreError::PinNeeded)?;
        self.authenticate(pin.to_owned()).await
    }
}

/// Has the platform keep a PIN that `authenticate` has just accepted, for `authenticate_by_presence`. [ACC-12]
///
/// `InvalidField` where it is none; `PinNeeded` where the platform can't keep it.
#[uniffi::export]
pub async fn keep_pin(presence: Arc<dyn UserPresence>, pin: String) -> Result<(), CoreError> {
    if pin.is_empty() || pin.len() > LONGEST {
        return Err(invalid("pin", "A PIN has four digits."));
    }
    let kept = runtime::within(PATIENCE, presence.keep(pin.into_bytes())).await;
    Ok(kept.ok_or(CoreError::Cancelled)??)
}
