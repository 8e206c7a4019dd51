//! Keys of a device, as a shell's port holds them: in hardware, or with none there.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use sentri_core::api::device_key::{DeviceKey, DeviceKeyError, SigningReason};

/// A key in hardware that is simulated: real P-256, used only while its owner looks.
pub struct HardwareKey {
    key: Mutex<Option<SigningKey>>,
    owner_looks: AtomicBool,
    asked: Mutex<Vec<SigningReason>>,
}

impl HardwareKey {
    /// A key that follows from `number`, whose owner looks.
    pub fn new(number: u8) -> Self {
        let key = SigningKey::from_slice(&[number.max(1); 32]).ok();
        Self { key: key.into(), owner_looks: true.into(), asked: Mutex::default() }
    }

    /// Whether the owner is recognised from now on.
    pub fn set_owner_looks(&self, looks: bool) {
        self.owner_looks.store(looks, Ordering::SeqCst);
    }

    /// What it was asked for so far.
    pub fn asked(&self) -> Vec<SigningReason> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn key(&self) -> Result<SigningKey, DeviceKeyError> {
        let key = self.key.lock().unwrap_or_else(PoisonError::into_inner).clone();
        key.ok_or(DeviceKeyError::KeyLost)
    }
}

#[async_trait::async_trait]
impl DeviceKey for HardwareKey {
    async fn public_key(&self) -> Result<Vec<u8>, DeviceKeyError> {
        // As the Secure Enclave gives it.
        Ok(self.key()?.verifying_key().to_sec1_point(false).as_bytes().to_vec())
    }

    async fn sign(&self, message: Vec<u8>, reason: SigningReason) -> Result<Vec<u8>, DeviceKeyError> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(reason);
        if !self.owner_looks.load(Ordering::SeqCst) {
            return Err(DeviceKeyError::NotRecognised);
        }
        let signature: Signature = self.key()?.sign(&message);
        Ok(signature.to_der().as_bytes().to_vec())
    }
}

/// A device without such hardware.
pub struct NoHardware;

#[async_trait::async_trait]
impl DeviceKey for NoHardware {
    async fn public_key(&self) -> Result<Vec<u8>, DeviceKeyError> {
        Err(DeviceKeyError::NoHardware)
    }

    async fn sign(&self, _: Vec<u8>, _: SigningReason) -> Result<Vec<u8>, DeviceKeyError> {
        Err(DeviceKeyError::NoHardware)
    }
}
