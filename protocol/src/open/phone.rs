//! The phone's side of an open: makes M1, reads M2.

use alloc::vec::Vec;

use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit,
    aead::{Aead, Payload},
};
use snow::HandshakeState;
use thiserror::Error;

use super::{
    DEVICE_SIGNATURE_CONTEXT, M1_OVERHEAD, Request, TAIL_CONTEXT, TAIL_TAG, channel::PhoneChannel, noise,
};
use crate::{
    advert::Advert,
    keys::Key,
    status::{SignedStatus, Status},
    ticket::{Caveat, TicketSecret},
};

/// Why a phone's side stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PhoneError {
    /// The lock's public key is none, or more than two caveats.
    #[error("the credential can't be used")]
    BadCredential,
    /// A ticket with a device key needs the device's signature, one without takes none.
    #[error("device signature missing or not asked for")]
    Signature,
    /// The lock did not accept the proof: another lock's ticket, or an altered one.
    #[error("the lock does not know this credential")]
    NotProved,
    /// The answer was altered, or is of another session.
    #[error("the answer is not the lock's")]
    NotAuthentic,
}

/// M1 before its tail: where a ticket is bound to a device, the device signs now.
#[derive(Debug)]
pub struct Unsigned {
    handshake: HandshakeState,
    message: Vec<u8>,
    h1: [u8; 32],
    k_open: Key,
    device_key: bool,
    request: Request,
}

/// M1 is out; M2 is awaited.
#[derive(Debug)]
pub struct Waiting {
    handshake: HandshakeState,
    request: Request,
}

/// What M2 brought.
#[derive(Debug)]
pub struct Answer {
    /// What the lock told.
    pub status: Status,
    /// The same as it came, for the backend.
    pub signed_status: SignedStatus,
    /// For all that follows.
    pub channel: PhoneChannel,
}

/// Begins M1 for the lock that sent `advert`. `secret` is the ticket's own, before caveats; `ephemeral` is 32
/// fresh random bytes, never used again.
pub fn begin(
    advert: &Advert,
    lock_public_key: &[u8; 32],
    secret: &TicketSecret,
    request: Request,
    ephemeral: &[u8; 32],
) -> Result<Unsigned, PhoneError> {
    if request.caveats.len() > Caveat::MOST {
        return Err(PhoneError::BadCredential);
    }
    let secret = narrow(secret, &request.caveats);
    let mut handshake = noise::initiator(advert, lock_public_key, &secret.psk(), ephemeral)
        .map_err(|_| PhoneError::BadCredential)?;
    let payload = request.encode();
    let mut message = alloc::vec![0; payload.len() + M1_OVERHEAD];
    handshake.write_message(&payload, &mut message).map_err(|_| PhoneError::BadCredential)?;
    Ok(Unsigned {
        h1: hash_of(&handshake),
        handshake,
        message,
        k_open: secret.k_open(),
        device_key: request.ticket.device_key.is_some(),
        request,
    })
}

impl Unsigned {
    /// What the device signs with ECDSA-P256-SHA256, where the ticket is bound to one.
    pub fn to_sign(&self) -> Option<Vec<u8>> {
        self.device_key.then(|| [DEVICE_SIGNATURE_CONTEXT, &self.h1].concat())
    }

    /// M1, with the device's signature (r ‖ s) where one is asked for.
    pub fn seal(mut self, signature: Option<&[u8; 64]>) -> Result<(Waiting, Vec<u8>), PhoneError> {
        if signature.is_some() != self.device_key {
            return Err(PhoneError::Signature);
        }
        let key = tail_key(&self.k_open, &self.h1);
        let payload = Payload { msg: signature.map_or(&[], |it| it.as_slice()), aad: &self.h1 };
        let tail = ChaCha20Poly1305::new(key.expose().into())
            .encrypt(&[0; 12].into(), payload)
            .map_err(|_| PhoneError::BadCredential)?;
        debug_assert!(tail.len() >= TAIL_TAG);
        self.message.extend_from_slice(&tail);
        Ok((Waiting { handshake: self.handshake, request: self.request }, self.message))
    }
}

impl Waiting {
    /// Reads M2, or the one byte that tells nothing.
    pub fn read(mut self, m2: &[u8]) -> Result<Answer, PhoneError> {
        if m2 == super::UNPROVED_ANSWER {
            return Err(PhoneError::NotProved);
        }
        let mut signed_status = [0; Status::LEN];
        let length =
            self.handshake.read_message(m2, &mut signed_status).map_err(|_| PhoneError::NotAuthentic)?;
        let status = Status::decode(signed_status.get(..length).unwrap_or_default())
            .ok()
            .filter(|status| status.operation_id == self.request.operation_id)
            .ok_or(PhoneError::NotAuthentic)?;
        let channel = PhoneChannel::new(self.handshake).ok_or(PhoneError::NotAuthentic)?;
        Ok(Answer { status, signed_status, channel })
    }
}

pub(super) fn narrow(secret: &TicketSecret, caveats: &[Caveat]) -> TicketSecret {
    (0_u8..).zip(caveats).fold(secret.clone(), |secret, (index, caveat)| secret.narrowed(index, caveat))
}

pub(super) fn tail_key(k_open: &Key, h1: &[u8; 32]) -> Key {
    k_open.derive(&[TAIL_CONTEXT, h1])
}

pub(super) fn hash_of(handshake: &HandshakeState) -> [u8; 32] {
    // SHA-256's output: always 32 bytes.
    handshake.get_handshake_hash().try_into().unwrap_or([0; 32])
}
