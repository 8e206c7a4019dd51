//! What a memory card carries beside its image, between the backend and locks that no phone talks to (`docs/keypad.md`,
//! Cards). [LST-6]
//!
//! Nothing of it rests on the card: each letter proves itself to whom it is for, as it does in a phone's hands.

use alloc::vec::Vec;

use crate::{
    bytes::{Malformed, Reader},
    card::Card,
    codes::smart_pin::LockId,
    frame::MAX_MESSAGE,
};

/// Bytes that a card holds.
pub const CARD_BYTES: usize = 8192;
/// Of a letter, before its message.
const HEAD: usize = 16 + 2;

/// A message for a lock, or from it, in the form that it has in the channel after M2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The lock that it is for, or from.
    pub lock: LockId,
    /// A `PhoneMessage` to the lock, or a `LockMessage` from it.
    pub message: Vec<u8>,
}

impl Letter {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let lock = LockId(reader.array()?);
        let length = usize::from(reader.u16()?);
        Ok(Self { lock, message: reader.slice(length)?.to_vec() })
    }
}

/// All that is on a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardMemory {
    /// What opens locks: a signed [`Card`].
    pub image: [u8; Card::SIGNED_LEN],
    letters: Vec<Letter>,
}

impl CardMemory {
    /// A card that carries nothing yet.
    pub fn new(image: [u8; Card::SIGNED_LEN]) -> Self {
        Self { image, letters: Vec::new() }
    }

    /// What is carried.
    pub fn letters(&self) -> &[Letter] {
        &self.letters
    }

    /// Takes out what is for one lock, or from it.
    pub fn take(&mut self, lock: LockId) -> Vec<Letter> {
        let (taken, left) =
            core::mem::take(&mut self.letters).into_iter().partition(|letter| letter.lock == lock);
        self.letters = left;
        taken
    }

    /// Adds a letter; false where it does not fit.
    #[must_use]
    pub fn add(&mut self, lock: LockId, message: Vec<u8>) -> bool {
        let held: usize = self.letters.iter().map(|letter| HEAD + letter.message.len()).sum();
        let fits = (1..=MAX_MESSAGE).contains(&message.len())
            && self.letters.len() < usize::from(u8::MAX)
            && Card::SIGNED_LEN + 1 + held + HEAD + message.len() <= CARD_BYTES;
        if fits {
            self.letters.push(Letter { lock, message });
        }
        fits
    }

    /// The bytes on the card.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.image.to_vec();
        out.push(u8::try_from(self.letters.len()).unwrap_or(u8::MAX));
        for Letter { lock, message } in &self.letters {
            out.extend_from_slice(&lock.0);
            out.extend_from_slice(&u16::try_from(message.len()).unwrap_or(u16::MAX).to_be_bytes());
            out.extend_from_slice(message);
        }
        out
    }

    /// From the bytes of a card, which break off no sooner than after its image. A letter that breaks off is none, as are
    /// those behind it: the card was pulled out while somebody wrote onto it. What stands after the last letter is of no
    /// matter.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes, "card's memory");
        let mut memory = Self::new(reader.array()?);
        for _ in 0..reader.u8().unwrap_or(0) {
            let Ok(letter) = Letter::read(&mut reader) else { break };
            if !memory.add(letter.lock, letter.message) {
                break;
            }
        }
        Ok(memory)
    }
}
