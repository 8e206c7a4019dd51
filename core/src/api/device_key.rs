//! The device's own key: a port for the platform's hardware, and what is done with it. [ACC-12]

use std::sync::Arc;

use sentri_wire::{
    Binary, Secret,
    device::{Challenge, ChallengePurpose, ChallengeRequest, DeviceKeyKind, Presence},
};

use super::{
    core_object::SentriCore,
    error::CoreError,
    grant_flow::{GrantFlow, GrantStep},
    ports::{LockLink, SecureStore},
    types::CoreConfig,
};
use crate::{Ports, http::Call, sync::register};

/// Why the platform does not use its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum DeviceKeyError {
    /// The device has no hardware for keys: the core makes a software key.
    #[error("The device has no hardware for keys.")]
    NoHardware,
    /// The person ended it, or it was not the owner.
    #[error("The owner was not recognised.")]
    NotRecognised,
    /// The key is gone, as fingers or faces changed, or was never there.
    #[error("The device's key is gone.")]
    KeyLost,
    /// Any other reason, among them a failure of the adapter itself.
    #[error("The device's key can't be used now.")]
    Failed,
}

impl From<uniffi::UnexpectedUniFFICallbackError> for DeviceKeyError {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed
    }
}

impl From<DeviceKeyError> for CoreError {
    fn from(error: DeviceKeyError) -> Self {
        match error {
            DeviceKeyError::NotRecognised => Self::Cancelled,
            DeviceKeyError::NoHardware | DeviceKeyError::KeyLost => Self::PinNeeded,
            DeviceKeyError::Failed => Self::DeviceTrouble,
        }
    }
}

/// What a signature is asked for, for the words of the platform's dialogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum SigningReason {
    /// To make the key known to the service, at login.
    Register,
    /// To open a lockbox that has just woken. May come up to three times within ten seconds: let one look at the
    /// camera count for some of them (on iOS `touchIDAuthenticationAllowableReuseDuration`, on Android
    /// `setUserAuthenticationParameters`).
    Open,
    /// To approve a grant, in place of the PIN: ask the owner each time.
    Approve,
}

/// A P-256 key that never leaves the device's hardware (on iOS in the Secure Enclave, on Android in `StrongBox` or the
/// trusted environment), used only after its owner was recognised. One for the app; it survives its updates, and is
/// in no backup.
///
/// The core calls from a background thread, and waits 5 seconds for the public key, 10 for a signature to open, else
/// a minute.
#[uniffi::export(rust, foreign)]
#[async_trait::async_trait]
pub trait DeviceKey: Send + Sync + 'static {
    /// The public half: SEC 1 (X9.63), compressed or not, or a `SubjectPublicKeyInfo`. Makes the key where there is
    /// none. Asks nobody.
    async fn public_key(&self) -> Result<Vec<u8>, DeviceKeyError>;

    /// ECDSA over the SHA-256 of the message: r ‖ s, 64 bytes, or DER.
    async fn sign(&self, message: Vec<u8>, reason: SigningReason) -> Result<Vec<u8>, DeviceKeyError>;
}

/// Where the device's key is, for a settings page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum KeyProtection {
    /// Nowhere: the shell brought no `DeviceKey`. Grants ask for the PIN.
    NoKey,
    /// In the device's hardware.
    Hardware,
    /// In the platform's key store, made by the core: the hardware has none. Grants ask for the PIN.
    Software,
}

#[uniffi::export]
impl SentriCore {
    /// As the plain constructor, for a device that may have a key in its hardware: from the next login on, opens and
    /// approvals are signed by it.
    #[uniffi::constructor]
    pub fn with_device_key(
        config: CoreConfig,
        link: Arc<dyn LockLink>,
        secure_store: Arc<dyn SecureStore>,
        device_key: Arc<dyn DeviceKey>,
    ) -> Result<Arc<Self>, CoreError> {
        Self::with_ports(config, Ports { device_key: Some(device_key), ..Ports::system(link, secure_store) })
    }

    /// Where the device's key is. Makes it where there is none yet; needs no network.
    ///
    /// `DeviceTrouble`, `DeviceLocked`.
    pub async fn key_protection(&self) -> Result<KeyProtection, CoreError> {
        Ok(match self.core.device_keys.public_half().await?.map(|half| half.kind) {
            None => KeyProtection::NoKey,
            Some(DeviceKeyKind::Hardware) => KeyProtection::Hardware,
            Some(DeviceKeyKind::Software) => KeyProtection::Software,
        })
    }

    /// Makes the device's key known to the service for the account in use. A login does it by itself; this is for
    /// when it could not, or the key was lost. Needs network, and the password where another key was known.
    ///
    /// `PinNeeded` where there is no key, `Conflict` where the password is missing, `WrongCredentials`, `Cancelled`.
    pub async fn register_device_key(&self, password: Option<String>) -> Result<(), CoreError> {
        let session = self.session().await?;
        match register::register(&session, password.map(Secret::new)).await? {
            register::Registered::NoKey => Err(CoreError::PinNeeded),
            register::Registered::Known => Ok(()),
        }
    }
}

#[uniffi::export]
impl GrantFlow {
    /// Grants, with a signature of the device's hardware key in place of the PIN; the platform asks for face or
    /// finger, and the backend checks the signature. Needs network. [ACC-12]
    ///
    /// `PinNeeded` where the association wants the PIN or the device has no hardware key: `authenticate` then;
    /// `Cancelled` where the owner was not recognised; else as `authenticate`.
    pub async fn authenticate_by_device_key(&self) -> Result<GrantStep, CoreError> {
        let session = self.session();
        let keys = &session.device_keys;
        if keys.public_half().await?.is_none_or(|half| half.kind != DeviceKeyKind::Hardware) {
            return Err(CoreError::PinNeeded);
        }
        let (mut request, key) = self.unapproved()?;
        let asked = ChallengeRequest { purpose: ChallengePurpose::Grant };
        let call = Call::post("/v1/me/device/challenge", &asked)?.repeatable();
        let Challenge { challenge, .. } = session.call(&call).await?;
        let message = request.presence_message(challenge.as_ref());
        let signature = Binary::from(keys.sign(message, SigningReason::Approve).await?);
        request.presence = Some(Presence { challenge, signature });
        self.grant(request, key).await
    }
}
