//! The key of this device, with which it signs its opens and what its owner approves. [ACC-12]
//!
//! Where the platform has hardware for it, the shell's port holds the key and it never leaves. Where the port says
//! that there is none, the core makes a key of its own and keeps it in the platform's key store. Which of the two it
//! is, is decided once, by the first use, and told to shell and backend.

use std::{future::Future, sync::Arc, time::Duration};

use p256::ecdsa::{Signature, SigningKey, VerifyingKey, signature::Signer};
use sentri_wire::device::DeviceKeyKind;
use zeroize::Zeroizing;

use crate::{
    CoreError,
    api::device_key::{DeviceKey, DeviceKeyError, SigningReason},
    keys::Keys,
    runtime,
};

/// How long the port may take where nobody is asked.
const QUICK: Duration = Duration::from_secs(5);
/// How long a person may take who stands before a lockbox that has just woken.
const AT_THE_BOX: Duration = Duration::from_secs(10);
/// How long a person may take to be recognised.
const PATIENCE: Duration = Duration::from_secs(60);
/// What stands before an uncompressed point in a P-256 `SubjectPublicKeyInfo` (RFC 5480).
const SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// The device's key, wherever it is.
#[derive(Clone)]
pub struct DeviceKeys {
    port: Option<Arc<dyn DeviceKey>>,
    keys: Keys,
}

/// The public half, and where the private one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicHalf {
    /// Compressed SEC 1.
    pub key: [u8; 33],
    /// Where the private half is.
    pub kind: DeviceKeyKind,
}

impl DeviceKeys {
    /// Over the shell's port; without one the device has no key, and tickets are bound to none.
    pub fn new(port: Option<Arc<dyn DeviceKey>>, keys: Keys) -> Self {
        Self { port, keys }
    }

    /// The public half, made where there is none yet; nothing where the shell brings no port.
    pub async fn public_half(&self) -> Result<Option<PublicHalf>, CoreError> {
        let Some(port) = &self.port else { return Ok(None) };
        let key = match self.keys.device_key_kind().await? {
            Some(DeviceKeyKind::Software) => return self.software_half().await.map(Some),
            Some(DeviceKeyKind::Hardware) => within(QUICK, port.public_key()).await?,
            None => match within(QUICK, port.public_key()).await {
                Err(DeviceKeyError::NoHardware) => return self.software_half().await.map(Some),
                key => key?,
            },
        };
        let key = point(&key).ok_or(CoreError::DeviceTrouble)?;
        self.keys.set_device_key_kind(DeviceKeyKind::Hardware).await?;
        Ok(Some(PublicHalf { key, kind: DeviceKeyKind::Hardware }))
    }

    /// Signs with ECDSA over SHA-256: r ‖ s. For a hardware key the platform may ask its owner first.
    pub async fn sign(&self, message: Vec<u8>, reason: SigningReason) -> Result<[u8; 64], CoreError> {
        let half = self.public_half().await?.ok_or(CoreError::PinNeeded)?;
        if half.kind == DeviceKeyKind::Software {
            let signature: Signature = self.software().await?.sign(&message);
            return Ok(signature.to_bytes().into());
        }
        let port = self.port.as_ref().ok_or(CoreError::PinNeeded)?;
        let patience = if reason == SigningReason::Open { AT_THE_BOX } else { PATIENCE };
        let signed = within(patience, port.sign(message, reason)).await?;
        signature(&signed).ok_or(CoreError::DeviceTrouble)
    }

    async fn software_half(&self) -> Result<PublicHalf, CoreError> {
        let key = self.software().await?;
        // First the key, then the word for it: a kill in between is a key that is found again.
        self.keys.set_device_key_kind(DeviceKeyKind::Software).await?;
        Ok(PublicHalf { key: compressed(key.verifying_key()), kind: DeviceKeyKind::Software })
    }

    async fn software(&self) -> Result<SigningKey, CoreError> {
        if let Some(scalar) = self.keys.software_key().await?
            && let Ok(key) = SigningKey::from_slice(&scalar)
        {
            return Ok(key);
        }
        // One number in 2^32 is no key.
        for _ in 0..4 {
            let scalar: Zeroizing<[u8; 32]> = self.keys.fresh()?;
            if let Ok(key) = SigningKey::from_slice(&*scalar) {
                self.keys.set_software_key(&scalar).await?;
                return Ok(key);
            }
        }
        Err(CoreError::DeviceTrouble)
    }
}

async fn within<T>(
    patience: Duration,
    call: impl Future<Output = Result<T, DeviceKeyError>>,
) -> Result<T, DeviceKeyError> {
    runtime::within(patience, call).await.unwrap_or(Err(DeviceKeyError::NotRecognised))
}

fn compressed(key: &VerifyingKey) -> [u8; 33] {
    let mut bytes = [0; 33];
    // A compressed point of P-256 always has 33 bytes.
    bytes.copy_from_slice(key.to_sec1_point(true).as_bytes());
    bytes
}

/// A public key as platforms give it: SEC 1, compressed or not, or a `SubjectPublicKeyInfo`.
fn point(key: &[u8]) -> Option<[u8; 33]> {
    let point = key.strip_prefix(&SPKI[..]).unwrap_or(key);
    Some(compressed(&VerifyingKey::from_sec1_bytes(point).ok()?))
}

/// A signature as platforms give it: r ‖ s, or DER.
fn signature(bytes: &[u8]) -> Option<[u8; 64]> {
    let signature = Signature::from_slice(bytes).or_else(|_| Signature::from_der(bytes)).ok()?;
    Some(signature.to_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SigningKey {
        SigningKey::from_slice(&[9; 32]).unwrap()
    }

    #[test]
    fn keys_are_taken_in_every_form_that_platforms_give() {
        let key = *key().verifying_key();
        let long = key.to_sec1_point(false);
        let spki = [&SPKI[..], long.as_bytes()].concat();
        for form in [&compressed(&key)[..], long.as_bytes(), &spki] {
            assert_eq!(point(form), Some(compressed(&key)));
        }
        for bad in [&[][..], &[0xFF; 33], &spki[1..], &[0; 91]] {
            assert_eq!(point(bad), None);
        }
    }

    #[test]
    fn signatures_are_taken_in_both_forms() {
        let signed: Signature = key().sign(b"message");
        let plain: [u8; 64] = signed.to_bytes().into();
        assert_eq!(signature(&plain), Some(plain));
        assert_eq!(signature(signed.to_der().as_bytes()), Some(plain));
        assert_eq!(signature(&plain[1..]), None);
        assert_eq!(signature(&[0; 64]), None);
    }
}
