//! How long a keypad makes a guesser wait; counted for each kind of code apart. [PIN-7]
//!
//! A right code never lowers the count, so that the holder of one code can't use it to guess another.

use crate::time::DAY;

/// Seconds without a wrong try after which the count falls: a quiet day, counted from the last wrong try.
pub const QUIET_DAY: u32 = DAY;
/// By how much it falls.
pub const QUIET_DAY_FALL: u16 = 2;

/// Seconds until the next try after so many wrong ones: four are free, then 1, 5, 15 and 60 minutes, 4 hours each
/// after 12 and 24 hours each after 40.
pub const fn wait_after(wrong: u16) -> u32 {
    const MINUTE: u32 = 60;
    match wrong {
        0..=3 => 0,
        4 => MINUTE,
        5 => 5 * MINUTE,
        6 => 15 * MINUTE,
        7..=11 => 60 * MINUTE,
        12..=39 => 4 * 60 * MINUTE,
        40.. => 24 * 60 * MINUTE,
    }
}

/// The count after so many seconds without a wrong try.
pub const fn after_quiet(wrong: u16, seconds: u32) -> u16 {
    // Days of a 32-bit second count fit 16 bits: below 49,711.
    #[allow(clippy::cast_possible_truncation, reason = "see above")]
    let days = (seconds / QUIET_DAY) as u16;
    wrong.saturating_sub(days.saturating_mul(QUIET_DAY_FALL))
}
