//! Registered devices, and the keys that they hold.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Binary, Secret, Timestamp, account::Platform};

/// `GET /v1/identity/devices`, with a proven identity as the bearer: one's own devices, oldest first. Each is
/// removed by `DELETE /v1/identity/devices/{id}`. [ACC-5]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OwnDevices {
    /// How many the account may register.
    pub limit: u32,
    /// The devices.
    pub devices: Vec<OwnDevice>,
}

/// A registered device, as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OwnDevice {
    /// The registration's id: [`crate::account::LoginResponse::device_id`].
    pub id: Uuid,
    /// As it named itself.
    pub name: String,
    /// Which system it runs.
    pub platform: Platform,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// When it last logged in or renewed its tokens.
    pub last_seen_at: Timestamp,
}

/// Where a device's private key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeviceKeyKind {
    /// In a chip for keys, like the Secure Enclave; used only after the user's fingerprint, face or passcode.
    Hardware,
    /// In the app. Tickets are bound to it and last at most a day; it approves no grant.
    Software,
}

/// What a challenge is for: a signature made for one purpose proves nothing for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ChallengePurpose {
    /// To register a key: [`DeviceKeyRequest`].
    RegisterKey,
    /// To approve a grant in place of the PIN: [`Presence`].
    Grant,
}

/// `POST /v1/me/device/challenge`: asks for something fresh to sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChallengeRequest {
    /// What for.
    pub purpose: ChallengePurpose,
}

/// Something fresh to sign. It works once, for five minutes, for the device that asked; a newer one of the same
/// purpose takes its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Challenge {
    /// 32 bytes.
    pub challenge: Binary,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// `POST /v1/me/device/key`: registers the key that this device holds, and proves that it does. Tickets are issued
/// anew, bound to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceKeyRequest {
    /// P-256, compressed SEC 1: 33 bytes.
    pub public_key: Binary,
    /// Where the private half is.
    pub kind: DeviceKeyKind,
    /// The challenge that was signed.
    pub challenge: Binary,
    /// ECDSA over [`register_key_message`] with SHA-256: r ‖ s, 64 bytes.
    pub signature: Binary,
    /// The account's password; asked for only where the device has another key already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
}

/// Who carries pushes to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PushService {
    /// Apple's.
    Apns,
    /// Google's.
    Fcm,
}

/// `POST /v1/me/device/push`: where this device's pushes go from now on, whatever it said before.
/// `DELETE /v1/me/device/push`, a logout and a removal of the device end it. [GRT-3, SYN-1]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PushAddress {
    /// Who carries them.
    pub service: PushService,
    /// What the service gave the device: up to 1,024 visible ASCII characters.
    pub token: Secret,
}

/// The device's key took part: in place of a PIN. [ACC-12]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Presence {
    /// The challenge that was signed.
    pub challenge: Binary,
    /// ECDSA over [`crate::agent::GrantRequest::presence_message`] with SHA-256: r ‖ s, 64 bytes.
    pub signature: Binary,
}

/// What a device signs to register its key: the key itself, for this device, over this challenge.
pub fn register_key_message(device: Uuid, challenge: &[u8], public_key: &[u8]) -> Vec<u8> {
    message(b"sentri/v1 device-key", &[device.as_bytes(), challenge, public_key])
}

/// A domain and parts, each with its length before it, so that no two lists give the same bytes.
pub(crate) fn message(domain: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in std::iter::once(&domain).chain(parts) {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_can_not_be_moved_over_their_border() {
        assert_ne!(message(b"d", &[b"ab", b"c"]), message(b"d", &[b"a", b"bc"]));
        assert_ne!(message(b"d", &[b""]), message(b"d", &[]));
    }
}
