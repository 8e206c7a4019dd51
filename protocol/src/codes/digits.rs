//! A code of a fixed number of digits, kept from logs and compared in constant time.

use core::fmt;

use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// What was given isn't the right number of the digits 0 to 9.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{expected} digits are needed")]
pub struct NotTheseDigits {
    /// How many there should be.
    pub expected: usize,
}

/// A code of `N` digits. Not shown by `Debug`, compared in constant time, wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Digits<const N: usize>([u8; N]);

impl<const N: usize> Digits<N> {
    /// The last `N` decimal digits of a number, leading zeros included.
    pub fn from_number(mut number: u64) -> Self {
        let mut digits = [b'0'; N];
        for digit in digits.iter_mut().rev() {
            // A remainder of ten fits any integer.
            *digit = b'0' + u8::try_from(number % 10).unwrap_or(0);
            number /= 10;
        }
        Self(digits)
    }

    /// From what was typed or read, as ASCII: exactly `N` digits, leading zeros included.
    pub fn parse(entry: &[u8]) -> Result<Self, NotTheseDigits> {
        let digits: [u8; N] = entry.try_into().map_err(|_| NotTheseDigits { expected: N })?;
        if digits.iter().all(u8::is_ascii_digit) {
            Ok(Self(digits))
        } else {
            Err(NotTheseDigits { expected: N })
        }
    }

    /// The number that the digits write.
    pub fn number(&self) -> u64 {
        self.0.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0'))
    }

    /// The digits as ASCII, leading zeros included: for the keypad, or to be shown to their owner.
    pub fn as_ascii(&self) -> &[u8; N] {
        &self.0
    }

    /// The same as text.
    pub fn as_str(&self) -> &str {
        // Digits alone are always UTF-8.
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Whether `entry`, as ASCII, is this code; in constant time.
    #[must_use]
    pub fn matches(&self, entry: &[u8]) -> bool {
        self.0.as_slice().ct_eq(entry).into()
    }
}

impl<const N: usize> fmt::Debug for Digits<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digits({N} digits)")
    }
}

impl<const N: usize> PartialEq for Digits<N> {
    fn eq(&self, other: &Self) -> bool {
        self.matches(&other.0)
    }
}

impl<const N: usize> Eq for Digits<N> {}
