//! A device's own key, and what becomes of a device that is removed. [ACC-5, ACC-12]

use p256::ecdsa::{Signature, VerifyingKey, signature::Verifier};
use sentri_wire::{
    Binary,
    agent::GrantRequest,
    credential::Credential,
    device::{
        Challenge, ChallengePurpose, ChallengeRequest, DeviceKeyKind, DeviceKeyRequest, Presence,
        register_key_message,
    },
    problem::ProblemCode,
};

use super::{App, Caller, password, revocations, smart_pins};
use crate::{
    refusal::{Answer, Refusal},
    store::{
        Id, Named, Writing, credentials,
        devices::{self, KeyRow},
    },
};

const CHALLENGE_SECONDS: i64 = 300;

/// Something fresh for the caller's device to sign.
pub async fn challenge(app: &App, caller: &Caller, request: &ChallengeRequest) -> Answer<Challenge> {
    let challenge = app.random::<32>();
    let expires_at = app.now() + CHALLENGE_SECONDS;
    let mut tx = app.store.write().await?;
    let text = hex::encode(challenge);
    devices::set_challenge(tx.conn(), caller.device, request.purpose, &text, expires_at).await?;
    tx.commit().await?;
    Ok(Challenge { challenge: Binary::from(challenge), expires_at })
}

/// Registers the key of the caller's device, which proves that it holds it. What it holds otherwise is issued anew,
/// bound to the key.
pub async fn register_key(app: &App, caller: &Caller, request: &DeviceKeyRequest) -> Answer<()> {
    let key = request.public_key.as_ref();
    let message = register_key_message(caller.device.0, request.challenge.as_ref(), key);
    verify(key, &message, request.signature.as_ref(), "public_key", "signature")?;
    let row = KeyRow { key: hex::encode(key), kind: Named(request.kind) };
    let mut conn = app.store.read().await?;
    let former = devices::key(&mut conn, caller.device).await?;
    drop(conn);
    if former.as_ref().is_some_and(|former| former.key != row.key) {
        // Whoever has stolen a token must not put a key of their own in the place of the phone's.
        let password = request.password.as_ref().ok_or_else(|| {
            Refusal::conflict("This device has another key. Enter your password to replace it.")
                .field("password")
        })?;
        password::again(app, caller, password).await?;
    }

    let mut tx = app.store.write().await?;
    spend(app, &mut tx, caller, ChallengePurpose::RegisterKey, &request.challenge, "challenge").await?;
    let now = devices::key(tx.conn(), caller.device).await?;
    if now.as_ref().map(|it| &it.key) != former.as_ref().map(|it| &it.key) {
        return Err(Refusal::conflict("Another key was registered at the same time. Try again."));
    }
    if now.is_none_or(|now| now.key != row.key || now.kind != row.kind) {
        devices::set_key(tx.conn(), caller.device, &row).await?;
        credentials::set_device_due(tx.conn(), caller.device, app.now()).await?;
    }
    Ok(tx.commit().await?)
}

/// Whether the device's hardware key has signed this very grant. What remains is [`spend_presence`], in the
/// transaction that grants. [ACC-12]
pub async fn check_presence(
    app: &App,
    caller: &Caller,
    request: &GrantRequest,
    presence: &Presence,
) -> Answer<()> {
    let mut conn = app.store.read().await?;
    let key = devices::key(&mut conn, caller.device).await?;
    drop(conn);
    let key = key.filter(|key| key.kind.0 == DeviceKeyKind::Hardware).ok_or_else(|| {
        Refusal::new(ProblemCode::PinRequired)
            .detail("This phone has no key in secure hardware. Enter your PIN.")
    })?;
    let key = hex::decode(&key.key).map_err(|_| super::fault("a device key that is no hex"))?;
    let message = request.presence_message(presence.challenge.as_ref());
    verify(&key, &message, presence.signature.as_ref(), "presence", "presence.signature")
}

/// Uses up what was signed, so that one touch approves one grant.
pub async fn spend_presence(app: &App, tx: &mut Writing, caller: &Caller, presence: &Presence) -> Answer<()> {
    let purpose = ChallengePurpose::Grant;
    spend(app, tx, caller, purpose, &presence.challenge, "presence.challenge").await
}

async fn spend(
    app: &App,
    tx: &mut Writing,
    caller: &Caller,
    purpose: ChallengePurpose,
    challenge: &Binary,
    field: &str,
) -> Answer<()> {
    let text = hex::encode(challenge.as_ref());
    if devices::spend_challenge(tx.conn(), caller.device, purpose, &text, app.now()).await? {
        return Ok(());
    }
    Err(Refusal::new(ProblemCode::Expired).field(field).detail("Ask for a new challenge, and sign that."))
}

/// Refuses a key that is none, and a signature that is not the key's.
fn verify(key: &[u8], message: &[u8], signature: &[u8], key_field: &str, field: &str) -> Answer<()> {
    let compressed = matches!(key, [2 | 3, ..]) && key.len() == 33;
    let key = VerifyingKey::from_sec1_bytes(key)
        .ok()
        .filter(|_| compressed)
        .ok_or_else(|| Refusal::invalid(key_field, "A P-256 point, compressed: 33 bytes."))?;
    Signature::from_slice(signature)
        .ok()
        .filter(|signature| key.verify(message, signature).is_ok())
        .map(|_| ())
        .ok_or_else(|| Refusal::new(ProblemCode::WrongCode).field(field))
}

/// Gives up a registration: no more tickets, those that are out go on the revocation lists, and its session may only
/// upload what the phone has not yet reported. False where the account has no such device.
pub async fn remove(app: &App, tx: &mut Writing, account: Id, device: Id) -> Answer<bool> {
    if !devices::of_account(tx.conn(), account).await?.contains(&device) {
        return Ok(false);
    }
    take_back(app, tx, account, device).await?;
    smart_pins::phone_lost(app, tx, device).await?;
    Ok(devices::remove(tx.conn(), account, device, app.now()).await?)
}

/// Takes back what a device holds. Before anything is written to the account: whoever writes to lockboxes and accounts
/// does it in this order, so that two never wait for each other crosswise.
pub async fn take_back(app: &App, tx: &mut Writing, account: Id, device: Id) -> Answer<()> {
    credentials::clear_due_of(tx.conn(), device).await?;
    let taken = credentials::take_back_from(tx.conn(), device, app.now()).await?;
    for row in &taken {
        tx.touch_device::<Credential>(account, device, &row.id);
    }
    revocations::put_on_lists(app, tx, &taken).await
}
