//! Codes that backend and lock compute alike from the lock's seed: contractor and one day codes.

use core::fmt;

use crate::keys::{Key, KeyTree};

/// A code of `N` digits. Not shown by `Debug`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digits<const N: usize>([u8; N]);

impl<const N: usize> fmt::Debug for Digits<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digits({N} digits)")
    }
}

impl<const N: usize> Digits<N> {
    /// The digits as ASCII, leading zeros included: for the keypad, or to be shown to their owner.
    pub fn as_ascii(&self) -> &[u8; N] {
        &self.0
    }

    /// Whether `entry`, as ASCII, is this code; in constant time.
    #[must_use]
    pub fn matches(&self, entry: &[u8]) -> bool {
        subtle::ConstantTimeEq::ct_eq(self.0.as_slice(), entry).into()
    }
}

/// Digits of a contractor code.
pub const CONTRACTOR_DIGITS: usize = 7;
/// Digits of a one day code.
pub const ONE_DAY_DIGITS: usize = 8;
/// One day codes that exist for one day.
pub const ONE_DAY_INDICES: u8 = 4;

/// The truncation of RFC 4226 (section 5.3) with HMAC-SHA256: its last byte's low nibble picks four bytes,
/// whose lower 31 bits give the digits.
fn truncated<const N: usize>(key: &Key, parts: &[&[u8]]) -> Digits<N> {
    let mac = key.mac(parts);
    let offset = usize::from(mac[31] & 0x0f);
    let mut value = mac.iter().skip(offset).take(4).fold(0_u32, |value, byte| value << 8 | u32::from(*byte));
    value &= 0x7fff_ffff;
    let mut digits = [b'0'; N];
    for digit in digits.iter_mut().rev() {
        // A remainder of ten fits any integer.
        *digit = b'0' + u8::try_from(value % 10).unwrap_or(0);
        value /= 10;
    }
    Digits(digits)
}

/// The contractor code of a slot (0 to 2) at its generation. [COD-3]
pub fn contractor(keys: &KeyTree, slot: u8, generation: u16) -> Digits<CONTRACTOR_DIGITS> {
    truncated(&keys.expand("contractor", b""), &[&[slot], &generation.to_be_bytes()])
}

/// A one day code: `day` counts lock-local days since 1970-01-01, `index` is 0 to 3. [COD-2]
pub fn one_day(keys: &KeyTree, day: u32, index: u8) -> Digits<ONE_DAY_DIGITS> {
    truncated(&keys.expand("oneday", b""), &[&day.to_be_bytes(), &[index]])
}
