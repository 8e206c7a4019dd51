//! The lock's side of an open: proves M1, writes M2. What the ticket is worth is judged elsewhere.

use alloc::vec::Vec;

use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit,
    aead::{Aead, Payload},
};
use p256::ecdsa::{Signature, VerifyingKey, signature::Verifier};
use snow::HandshakeState;
use thiserror::Error;

use super::{
    DEVICE_SIGNATURE_CONTEXT, M1_OVERHEAD, M1_WITH_DEVICE_KEY, Request, SIGNATURE, TAIL_TAG,
    channel::LockChannel,
    noise,
    phone::{hash_of, narrow, tail_key},
};
use crate::{
    advert::Advert,
    keys::KeyTree,
    status::{SignedStatus, Status},
    ticket::DeviceKey,
};

/// M1 proves nothing. Why is not said, not even here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not proved")]
pub struct NotProved;

/// A request whose ticket is the backend's and whose sender holds its secret (and its device key).
#[derive(Debug)]
pub struct Proved {
    /// What is asked.
    pub request: Request,
    handshake: HandshakeState,
}

/// M2, and what follows it.
#[derive(Debug)]
pub struct Answered {
    /// The bytes of M2.
    pub m2: Vec<u8>,
    /// The status in it.
    pub signed_status: SignedStatus,
    /// For all that follows.
    pub channel: LockChannel,
}

/// Reads M1 as an answer to `advert`. `ephemeral` is 32 bytes from the wake's generator, never used again.
pub fn read_m1(
    keys: &KeyTree,
    advert: &Advert,
    m1: &[u8],
    ephemeral: &[u8; 32],
) -> Result<Proved, NotProved> {
    let mut handshake = noise::responder(advert, keys.noise_static(), ephemeral).map_err(|_| NotProved)?;
    let (message, tail) = split_tail(m1).ok_or(NotProved)?;
    let request = read_message(&mut handshake, message).ok_or(NotProved)?;
    let h1 = hash_of(&handshake);

    let secret = narrow(&keys.ticket_secret(&request.ticket.encode()), &request.caveats);
    let payload = Payload { msg: tail, aad: &h1 };
    let signature = ChaCha20Poly1305::new(tail_key(&secret.k_open(), &h1).expose().into())
        .decrypt(&[0; 12].into(), payload)
        .map_err(|_| NotProved)?;
    match &request.ticket.device_key {
        Some(key) if signed_by(key, &h1, &signature) => {}
        None if signature.is_empty() => {}
        _ => return Err(NotProved),
    }
    handshake.set_psk(2, secret.psk().expose()).map_err(|_| NotProved)?;
    Ok(Proved { request, handshake })
}

/// Parts Noise's message from our tail. A ticket with a device key makes M1 at least 209 bytes long, one
/// without at most 148, so that the length alone tells how long the tail is.
fn split_tail(m1: &[u8]) -> Option<(&[u8], &[u8])> {
    let tail = if m1.len() < M1_WITH_DEVICE_KEY { TAIL_TAG } else { SIGNATURE + TAIL_TAG };
    m1.split_at_checked(m1.len().checked_sub(tail).filter(|split| *split >= M1_OVERHEAD)?)
}

fn read_message(handshake: &mut HandshakeState, message: &[u8]) -> Option<Request> {
    let mut payload = alloc::vec![0; message.len()];
    let length = handshake.read_message(message, &mut payload).ok()?;
    Request::decode(payload.get(..length)?).ok()
}

fn signed_by(key: &DeviceKey, h1: &[u8; 32], signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) = (VerifyingKey::from_sec1_bytes(&key.0), Signature::from_slice(signature))
    else {
        return false;
    };
    key.verify(&[DEVICE_SIGNATURE_CONTEXT, h1].concat(), &signature).is_ok()
}

impl Proved {
    /// M2 with this status.
    pub fn answer(mut self, keys: &KeyTree, status: &Status) -> Result<Answered, NotProved> {
        let signed_status = status.sign(keys);
        let mut m2 = alloc::vec![0; 32 + Status::LEN + 16];
        self.handshake.write_message(&signed_status, &mut m2).map_err(|_| NotProved)?;
        let channel = LockChannel::new(self.handshake).ok_or(NotProved)?;
        Ok(Answered { m2, signed_status, channel })
    }
}
