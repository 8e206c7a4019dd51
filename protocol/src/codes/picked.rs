//! Codes that people pick: which are too easy to guess. [RES-2, PIN-5, ACC-9]

use core::ops::RangeInclusive;

use thiserror::Error;

/// Why a picked code is refused; each names its rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PickedRefusal {
    /// Something other than the digits 0 to 9.
    #[error("use digits only")]
    NotDigits,
    /// Too short or too long.
    #[error("wrong number of digits")]
    WrongLength,
    /// One digit repeated, like 1111.
    #[error("don't repeat one digit")]
    OneDigitRepeated,
    /// A run up or down, like 1234, 6543 or 8901.
    #[error("don't use digits in sequence")]
    ConsecutiveRun,
}

/// Checks a code that a person picked; `lengths` are the numbers of digits allowed.
///
/// A run counts across 9 and 0 as well: 8901 is as easy to guess as 1234.
pub fn check(code: &str, lengths: &[usize]) -> Result<(), PickedRefusal> {
    only_digits(code.as_bytes())?;
    if !lengths.contains(&code.len()) {
        return Err(PickedRefusal::WrongLength);
    }
    not_too_easy(code.as_bytes())
}

/// The same for what was typed on a keypad, with a range of lengths.
pub fn check_entry(entry: &[u8], lengths: RangeInclusive<usize>) -> Result<(), PickedRefusal> {
    only_digits(entry)?;
    if !lengths.contains(&entry.len()) {
        return Err(PickedRefusal::WrongLength);
    }
    not_too_easy(entry)
}

/// A resident's own code: 4 digits, or 6 as well where the community enables them. [RES-1, RES-2]
pub fn check_resident(code: &str, six_digits: bool) -> Result<(), PickedRefusal> {
    check(code, if six_digits { &[4, 6] } else { &[4] })
}

pub(super) fn only_digits(digits: &[u8]) -> Result<(), PickedRefusal> {
    if digits.iter().all(u8::is_ascii_digit) { Ok(()) } else { Err(PickedRefusal::NotDigits) }
}

/// The rule for any length: what generated codes keep to as well.
pub(super) fn not_too_easy(digits: &[u8]) -> Result<(), PickedRefusal> {
    let all_steps =
        |step: u8| digits.iter().zip(digits.iter().skip(1)).all(|(a, b)| (a - b'0' + step) % 10 == b - b'0');
    if all_steps(0) {
        return Err(PickedRefusal::OneDigitRepeated);
    }
    if all_steps(1) || all_steps(9) {
        return Err(PickedRefusal::ConsecutiveRun);
    }
    Ok(())
}

/// The rule for an account's PIN: four digits, not one repeated, not a run. [ACC-9]
pub fn check_pin(pin: &str) -> Result<(), PickedRefusal> {
    check(pin, &[4])
}
