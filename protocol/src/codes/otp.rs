//! From a MAC to digits a person can type: the dynamic truncation of RFC 4226, with HMAC-SHA256.

use super::digits::Digits;
use crate::keys::{Key, PreparedKey};

/// The truncation of RFC 4226, section 5.3, for a MAC of any length from 20 bytes on: the low nibble of its last
/// byte picks four bytes, whose lower 31 bits are the number.
pub fn truncate(mac: &[u8]) -> u32 {
    let offset = usize::from(mac.last().copied().unwrap_or(0) & 0x0f);
    let value = mac.iter().skip(offset).take(4).fold(0_u32, |value, byte| value << 8 | u32::from(*byte));
    value & 0x7fff_ffff
}

/// The code of the joined parts.
pub(super) fn code<const N: usize>(key: &PreparedKey, parts: &[&[u8]]) -> Digits<N> {
    Digits::from_number(u64::from(truncate(&key.mac(parts))))
}

/// The code of a counter: HOTP of RFC 4226 with HMAC-SHA256; of a time step: TOTP of RFC 6238.
pub fn hotp<const N: usize>(key: &Key, counter: u64) -> Digits<N> {
    code(&key.prepared(), &[&counter.to_be_bytes()])
}
