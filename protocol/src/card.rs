//! Memory cards: an image signed by the association, that opens with its PIN for three days at most. [AGT-1, COD-4]
//!
//! Locks hold the association's public key alone. A memory card can be copied, and whoever has a copy can find its four
//! digits by trying them against the copy: what bounds the harm is the short life and the revocation list.

use core::fmt;

use hmac::{Hmac, KeyInit, Mac};
use p256::ecdsa::{Signature, VerifyingKey, signature::Verifier};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use thiserror::Error;

use crate::{
    bytes::{Malformed, Reader},
    time::{DAY, Time, Window},
};

/// Seconds for which an image is good at most.
pub const GOOD_FOR_AT_MOST: u32 = 3 * DAY;

const FORMAT: u8 = 1;
const PIN_CONTEXT: &[u8] = b"sentri/v1 card pin";
const SIGNATURE_CONTEXT: &[u8] = b"sentri/v1 card";

/// An agent's number: nine digits, the first not 0. [ACC-2]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SentriKeyId(u32);

impl SentriKeyId {
    /// By its number, 100,000,000 to 999,999,999.
    pub fn new(number: u32) -> Option<Self> {
        (100_000_000..=999_999_999).contains(&number).then_some(Self(number))
    }

    /// Its number.
    pub fn number(self) -> u32 {
        self.0
    }
}

/// A card's serial number, as revocation lists name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CardSerial(pub [u8; 8]);

/// What recognises a card's PIN.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PinCheck {
    salt: [u8; 16],
    tag: [u8; 16],
}

impl fmt::Debug for PinCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PinCheck(…)")
    }
}

impl PinCheck {
    /// Of a PIN, as ASCII digits; `salt` is random.
    pub fn new(serial: CardSerial, pin: &[u8], salt: [u8; 16]) -> Self {
        Self { salt, tag: tag(serial, pin, &salt) }
    }

    fn matches(&self, serial: CardSerial, pin: &[u8]) -> bool {
        tag(serial, pin, &self.salt).ct_eq(&self.tag).into()
    }
}

fn tag(serial: CardSerial, pin: &[u8], salt: &[u8; 16]) -> [u8; 16] {
    let mut tag = [0; 16];
    // HMAC takes keys of any length, so that this can't fail.
    if let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(salt) {
        for part in [PIN_CONTEXT, &serial.0, pin] {
            mac.update(part);
        }
        for (to, from) in tag.iter_mut().zip(mac.finalize().into_bytes()) {
            *to = from;
        }
    }
    tag
}

/// What a card says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Card {
    /// Its number.
    pub serial: CardSerial,
    /// Whose it is.
    pub holder: SentriKeyId,
    /// When it may be used: three days at most.
    pub window: Window,
    /// What recognises its PIN.
    pub pin: PinCheck,
}

/// Why an image is no card of this association.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CardError {
    /// Not of the documented form, or good for longer than three days.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// Another signer's, or altered.
    #[error("not a card of this association")]
    NotAuthentic,
}

impl Card {
    /// Bytes of an image without its signature.
    pub const LEN: usize = 53;
    /// Bytes of a signed image.
    pub const SIGNED_LEN: usize = Self::LEN + 64;

    /// The bytes on the card without the signature.
    pub fn encode(&self) -> [u8; Self::LEN] {
        let mut out = [0; Self::LEN];
        out[0] = FORMAT;
        out[1..9].copy_from_slice(&self.serial.0);
        out[9..13].copy_from_slice(&self.holder.number().to_be_bytes());
        out[13..17].copy_from_slice(&self.window.not_before().to_bytes());
        out[17..21].copy_from_slice(&self.window.not_after().to_bytes());
        out[21..37].copy_from_slice(&self.pin.salt);
        out[37..].copy_from_slice(&self.pin.tag);
        out
    }

    /// What the association signs with ECDSA-P256-SHA256.
    pub fn to_sign(&self) -> [u8; SIGNATURE_CONTEXT.len() + Self::LEN] {
        let mut out = [0; SIGNATURE_CONTEXT.len() + Self::LEN];
        let (context, card) = out.split_at_mut(SIGNATURE_CONTEXT.len());
        context.copy_from_slice(SIGNATURE_CONTEXT);
        card.copy_from_slice(&self.encode());
        out
    }

    /// The image as it is written to a card: `signature` is r ‖ s.
    pub fn signed(&self, signature: &[u8; 64]) -> [u8; Self::SIGNED_LEN] {
        let mut out = [0; Self::SIGNED_LEN];
        out[..Self::LEN].copy_from_slice(&self.encode());
        out[Self::LEN..].copy_from_slice(signature);
        out
    }

    /// Checked by the lock against its association's public key, compressed SEC 1.
    pub fn open(association: &[u8; 33], image: &[u8]) -> Result<Self, CardError> {
        let malformed = Malformed { what: "card" };
        let (said, signature) = image.split_last_chunk::<64>().ok_or(malformed)?;
        let card = Self::decode(said)?;
        let key = VerifyingKey::from_sec1_bytes(association).map_err(|_| CardError::NotAuthentic)?;
        let signature = Signature::from_slice(signature).map_err(|_| malformed)?;
        key.verify(&card.to_sign(), &signature).map_err(|_| CardError::NotAuthentic)?;
        Ok(card)
    }

    /// Whether these digits, as ASCII, are the card's PIN; in constant time.
    #[must_use]
    pub fn has_pin(&self, pin: &[u8]) -> bool {
        self.pin.matches(self.serial, pin)
    }

    fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes, "card");
        let malformed = reader.malformed();
        if reader.u8()? != FORMAT {
            return Err(malformed);
        }
        let serial = CardSerial(reader.array()?);
        let holder = SentriKeyId::new(reader.u32()?).ok_or(malformed)?;
        let window = Window::new(Time(reader.u32()?), Time(reader.u32()?)).ok_or(malformed)?;
        let pin = PinCheck { salt: reader.array()?, tag: reader.array()? };
        reader.finish()?;
        if window.not_after().since(window.not_before()) > GOOD_FOR_AT_MOST {
            return Err(malformed);
        }
        Ok(Self { serial, holder, window, pin })
    }
}
