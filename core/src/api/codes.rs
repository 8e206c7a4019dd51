//! Codes that people pick: told while they type, by the rule that the lock and the backend keep. [PIN-5, ACC-9]

use sentri_protocol::codes::picked::{self, PickedRefusal};

use super::shielded;

/// Why a picked code is refused; each names its rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum PickedCodeRefusal {
    /// Something other than the digits 0 to 9.
    NotDigits,
    /// Too short or too long.
    WrongLength,
    /// One digit repeated, like 1111.
    OneDigitRepeated,
    /// A run up or down, like 1234, 6543 or 8901.
    ConsecutiveRun,
}

impl From<PickedRefusal> for PickedCodeRefusal {
    fn from(refusal: PickedRefusal) -> Self {
        match refusal {
            PickedRefusal::NotDigits => Self::NotDigits,
            PickedRefusal::WrongLength => Self::WrongLength,
            PickedRefusal::OneDigitRepeated => Self::OneDigitRepeated,
            PickedRefusal::ConsecutiveRun => Self::ConsecutiveRun,
        }
    }
}

/// Checks a code that a person picked for a lockbox; `lengths` are the numbers of digits allowed. Nothing where
/// it may be used. Returns at once, from any thread.
#[uniffi::export]
pub fn check_picked_code(code: &str, lengths: Vec<u32>) -> Option<PickedCodeRefusal> {
    let lengths: Vec<usize> = lengths.into_iter().filter_map(|it| it.try_into().ok()).collect();
    refused(|| picked::check(code, &lengths))
}

/// Checks an account's PIN: four digits, not one repeated, not a run. Nothing where it may be used. Returns at
/// once, from any thread. [ACC-9]
#[uniffi::export]
pub fn check_pin(pin: &str) -> Option<PickedCodeRefusal> {
    refused(|| picked::check_pin(pin))
}

/// Where the rule itself fails, no code is good.
fn refused(rule: impl FnOnce() -> Result<(), PickedRefusal>) -> Option<PickedCodeRefusal> {
    shielded(Some(PickedCodeRefusal::NotDigits), || rule().err().map(Into::into))
}
