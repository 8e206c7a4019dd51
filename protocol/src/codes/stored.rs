//! Codes in a lock's own table: programming code, short PINs, residents' and guests' codes. [RES-1, RES-3]

use core::fmt;

use subtle::{Choice, ConstantTimeEq};
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::picked::{self, PickedRefusal};
use crate::bytes::Malformed;

/// Fewest digits of a stored code.
pub const MIN_DIGITS: usize = 4;
/// Most digits of a stored code.
pub const MAX_DIGITS: usize = 8;

/// A stored code of 4 to 8 digits. Not shown by `Debug`, compared in constant time, wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct StoredCode {
    /// ASCII, zero bytes after the last digit.
    digits: [u8; MAX_DIGITS],
    len: u8,
}

impl StoredCode {
    /// Bytes on the wire and in a lock's table.
    pub const LEN: usize = 4;

    /// From digits as ASCII, of any permitted length, whether easy to guess or not.
    pub fn parse(entry: &[u8]) -> Result<Self, PickedRefusal> {
        picked::only_digits(entry)?;
        let len = u8::try_from(entry.len()).map_err(|_| PickedRefusal::WrongLength)?;
        let mut digits = [0; MAX_DIGITS];
        match digits.get_mut(..entry.len()) {
            Some(head) if entry.len() >= MIN_DIGITS => head.copy_from_slice(entry),
            _ => return Err(PickedRefusal::WrongLength),
        }
        Ok(Self { digits, len })
    }

    /// The digits as ASCII, leading zeros included.
    pub fn as_ascii(&self) -> &[u8] {
        self.digits.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// The same as text.
    pub fn as_str(&self) -> &str {
        // Digits alone are always UTF-8.
        core::str::from_utf8(self.as_ascii()).unwrap_or_default()
    }

    /// Whether `entry`, as ASCII, is this code, whole; in constant time.
    #[must_use]
    pub fn matches(&self, entry: &[u8]) -> bool {
        self.ct_matches(entry).into()
    }

    fn ct_matches(&self, entry: &[u8]) -> Choice {
        self.as_ascii().ct_eq(entry)
    }

    /// The bytes on the wire: a nibble for each digit, F after the last.
    pub fn encode(&self) -> [u8; Self::LEN] {
        let nibble = |digit: &u8| if digit.is_ascii_digit() { digit - b'0' } else { 0x0f };
        let mut out = [0; Self::LEN];
        for (byte, pair) in out.iter_mut().zip(self.digits.chunks_exact(2)) {
            *byte = pair.iter().fold(0, |byte, digit| byte << 4 | nibble(digit));
        }
        out
    }

    /// From the bytes on the wire.
    pub fn decode(bytes: [u8; Self::LEN]) -> Result<Self, Malformed> {
        let mut digits = [0; MAX_DIGITS];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
            pair.copy_from_slice(&[b'0' + (byte >> 4), b'0' + (byte & 0x0f)]);
        }
        let filled = digits.iter().position(|digit| *digit == b'0' + 0x0f).unwrap_or(MAX_DIGITS);
        let code = digits.get(..filled).and_then(|digits| Self::parse(digits).ok());
        digits.zeroize();
        // Nothing but F may follow the last digit, so that each code has one form.
        code.filter(|code| code.encode() == bytes).ok_or(Malformed { what: "stored code" })
    }
}

impl fmt::Debug for StoredCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoredCode({} digits)", self.len)
    }
}

impl PartialEq for StoredCode {
    fn eq(&self, other: &Self) -> bool {
        self.matches(other.as_ascii())
    }
}

impl Eq for StoredCode {}

/// Which of a lock's codes was entered; looks at every one of them, in constant time for each.
pub fn find<'a>(codes: impl IntoIterator<Item = &'a StoredCode>, entry: &[u8]) -> Option<usize> {
    let mut found = None;
    for (place, code) in codes.into_iter().enumerate() {
        if code.matches(entry) {
            found = Some(place);
        }
    }
    found
}

/// Numbers of digits that generated codes may have. [RES-1]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GeneratedLength {
    /// The usual.
    Four,
    /// Where the community enables it.
    Six,
}

/// Why no code was generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum GenerateRefusal {
    /// All random numbers that were handed in gave codes that are too easy or taken.
    #[error("no free code was found: try again")]
    RandomnessSpent,
}

/// A new code from random numbers, each code as likely as any other.
///
/// Draws until one is neither too easy to guess by the rule for picked codes, so that nobody need wonder who chose
/// 1111, nor `taken` at its lock. Eight numbers fail to give one in fewer than one case in 10^19, unless much is taken.
pub fn generate(
    length: GeneratedLength,
    random: impl IntoIterator<Item = u32>,
    taken: impl Fn(&StoredCode) -> bool,
) -> Result<StoredCode, GenerateRefusal> {
    let (digits, codes): (usize, u32) = match length {
        GeneratedLength::Four => (4, 10_000),
        GeneratedLength::Six => (6, 1_000_000),
    };
    // Numbers from here on would make the low codes likelier than the others.
    let limit = u32::MAX - u32::MAX % codes;
    random
        .into_iter()
        .filter(|number| *number < limit)
        .filter_map(|number| StoredCode::from_number(number % codes, digits))
        .find(|code| picked::not_too_easy(code.as_ascii()).is_ok() && !taken(code))
        .ok_or(GenerateRefusal::RandomnessSpent)
}

impl StoredCode {
    fn from_number(mut number: u32, len: usize) -> Option<Self> {
        let mut digits = [0; MAX_DIGITS];
        let head = digits.get_mut(..len)?;
        for digit in head.iter_mut().rev() {
            // A remainder of ten fits any integer.
            *digit = b'0' + u8::try_from(number % 10).unwrap_or(0);
            number /= 10;
        }
        Some(Self { digits, len: u8::try_from(len).ok()? })
    }
}
