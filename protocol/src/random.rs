//! The lock's random numbers: good even where its hardware repeats itself after a reset (section 11).

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{
    advert::Wake,
    keys::{Key, KeyTree},
};

/// The generator of one wake.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct WakeRandom {
    seed: Key,
    next: u32,
}

impl fmt::Debug for WakeRandom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WakeRandom(…)")
    }
}

impl WakeRandom {
    /// Mixes the lock's own key, its counters and the hardware's entropy.
    pub fn new(keys: &KeyTree, wake: Wake, entropy: &[u8; 32]) -> Self {
        let seed = keys.rng.derive(&[&wake.boot.to_be_bytes(), &wake.press.to_be_bytes(), entropy]);
        Self { seed, next: 0 }
    }

    /// The next 32 bytes.
    pub fn block(&mut self) -> [u8; 32] {
        let block = self.seed.mac(&[&self.next.to_be_bytes()]);
        self.next = self.next.wrapping_add(1);
        block
    }
}
