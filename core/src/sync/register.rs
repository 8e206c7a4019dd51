//! Makes the device's key known to the backend, so that tickets are bound to it. [ACC-12]

use sentri_wire::{
    Binary, Secret,
    device::{
        Challenge, ChallengePurpose, ChallengeRequest, DeviceKeyKind, DeviceKeyRequest, register_key_message,
    },
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    CoreError, api::device_key::SigningReason, device_key::PublicHalf, http::Call, session::Session,
    store::ThisDevice,
};

/// The key that the backend knows of this device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct KnownKey {
    device: Uuid,
    public_key: Binary,
}

impl KnownKey {
    const NAME: &'static str = "device-key";
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registered {
    /// The device has no key.
    NoKey,
    /// The backend knows the device's key.
    Known,
}

/// Registers the key, where the backend does not know it. The password is asked for only where it knows another.
pub async fn register(session: &Session, password: Option<Secret>) -> Result<Registered, CoreError> {
    let Some(half) = session.device_keys.public_half().await? else { return Ok(Registered::NoKey) };
    let Some(device) = session.read(|rows| rows.meta::<ThisDevice>(ThisDevice::NAME)).await? else {
        // A store from before devices had keys: the next login says which device this is.
        return Ok(Registered::NoKey);
    };
    let known = KnownKey { device: device.id, public_key: Binary::from(half.key) };
    if session.read(|rows| rows.meta::<KnownKey>(KnownKey::NAME)).await?.as_ref() == Some(&known) {
        return Ok(Registered::Known);
    }
    let request = prove(session, device.id, half, password).await?;
    session.tell(&Call::post("/v1/me/device/key", &request)?).await?;
    session.write("device-key", move |rows| rows.set_meta(KnownKey::NAME, &known)).await?;
    Ok(Registered::Known)
}

/// As [`register`], where nobody must be asked: a software key signs by itself.
pub(super) async fn register_quietly(session: &Session) -> Result<Registered, CoreError> {
    match session.device_keys.public_half().await? {
        Some(PublicHalf { kind: DeviceKeyKind::Software, .. }) => register(session, None).await,
        _ => Ok(Registered::NoKey),
    }
}

async fn prove(
    session: &Session,
    device: Uuid,
    half: PublicHalf,
    password: Option<Secret>,
) -> Result<DeviceKeyRequest, CoreError> {
    let asked = ChallengeRequest { purpose: ChallengePurpose::RegisterKey };
    let call = Call::post("/v1/me/device/challenge", &asked)?.repeatable();
    let Challenge { challenge, .. } = session.call(&call).await?;
    let message = register_key_message(device, challenge.as_ref(), &half.key);
    let signature = session.device_keys.sign(message, SigningReason::Register).await?;
    Ok(DeviceKeyRequest {
        public_key: Binary::from(half.key),
        kind: half.kind,
        challenge,
        signature: Binary::from(signature),
        password,
    })
}
