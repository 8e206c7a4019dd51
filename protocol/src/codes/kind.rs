//! What an entry is, told from its length alone: no two kinds on one lock share one.

use core::ops::RangeInclusive;

use super::{contractor, one_day, smac, smart_pin};

/// What sort of lock the keypad is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// A realtor's lockbox: key bin, shackle, card slot.
    Lockbox,
    /// A residential door lock.
    Residential,
}

/// Kinds of codes, as far as their length tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// In the lock's table: programming code, short PIN, resident, guest.
    Stored,
    /// One of three for contractors. [COD-3]
    Contractor,
    /// Works for an hour from its first use. [COD-2]
    OneDay,
    /// An agent's, in place of the card. [COD-1]
    Smac,
    /// Carries its own window. [PIN-1]
    SmartPin,
}

impl Profile {
    /// Numbers of digits that stored codes may have.
    pub const fn stored_digits(self) -> RangeInclusive<usize> {
        match self {
            Self::Lockbox => 4..=6,
            Self::Residential => 4..=8,
        }
    }

    /// Which kind an entry of so many digits is; nothing where no kind has that length.
    pub fn kind_of(self, digits: usize) -> Option<Kind> {
        if self.stored_digits().contains(&digits) {
            return Some(Kind::Stored);
        }
        match (self, digits) {
            (Self::Lockbox, contractor::DIGITS) => Some(Kind::Contractor),
            (Self::Lockbox, one_day::DIGITS) => Some(Kind::OneDay),
            (Self::Lockbox, smac::DIGITS) => Some(Kind::Smac),
            (_, smart_pin::DIGITS) => Some(Kind::SmartPin),
            _ => None,
        }
    }
}
