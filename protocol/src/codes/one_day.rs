//! One day codes: four for each day of a lockbox, each good for an hour from its first use. [COD-2]

use super::{
    digits::Digits,
    otp,
    present::{Present, Refused},
};
use crate::{
    keys::{KeyTree, PreparedKey},
    settings::Settings,
    time::{DAY, Time},
};

/// Digits of a one day code.
pub const DIGITS: usize = 8;
/// How many exist for one day.
pub const INDICES: u8 = 4;
/// Seconds for which one works, from its first use on.
pub const WORKS_FOR: u32 = 3600;

/// A code: `day` counts lock-local days since 1970-01-01, `index` is 0 to 3.
pub fn code(keys: &KeyTree, day: u32, index: u8) -> Digits<DIGITS> {
    code_under(&keys.expand("oneday", b"").prepared(), day, index)
}

fn code_under(key: &PreparedKey, day: u32, index: u8) -> Digits<DIGITS> {
    otp::code(key, &[&day.to_be_bytes(), &[index]])
}

/// When a code was used first: what a lock writes down before it drives the motor, and keeps for as long as the
/// code's hour runs or its day may not be over, clock's error included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstUse {
    /// The code's day.
    pub day: u32,
    /// Which of the day's codes.
    pub index: u8,
    /// The lock's time then.
    pub at: Time,
}

/// A one day code that may open now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Use {
    /// When it was used first: now, where it is new.
    pub first: FirstUse,
    /// Whether this is the first use, to be written down.
    pub is_first: bool,
    /// The first second at which it will no longer work.
    pub until: Time,
}

/// The code that was entered, where it may open now: one of the lock's present day (of either day, while the
/// clock's error allows both), or one of `used` whose hour runs still, past midnight too.
pub fn verify(
    keys: &KeyTree,
    settings: &Settings,
    present: Present,
    used: &[FirstUse],
    entry: &[u8],
) -> Result<Use, Refused> {
    if settings.switches.forbids_one_day {
        return Err(Refused::Off);
    }
    let (now, (earliest, latest)) = (present.known()?, present.range()?);
    let days = settings.zone.local(earliest).day..=settings.zone.local(latest).day;
    let fresh = days.clone().flat_map(|day| (0..INDICES).map(move |index| (day, index)));
    // Those whose hour runs; for a day longer they are told as expired, and then no more than codes of that day are.
    let matters = |it: &&FirstUse| !days.contains(&it.day) && now < it.at.plus(WORKS_FOR + DAY);
    let running = used.iter().filter(matters).map(|it| (it.day, it.index));
    let key = keys.expand("oneday", b"").prepared();
    let mut found = None;
    for (day, index) in fresh.chain(running) {
        if code_under(&key, day, index).matches(entry) {
            found = Some((day, index));
        }
    }
    let (day, index) = found.ok_or(Refused::Unknown)?;
    let known = used.iter().copied().find(|it| (it.day, it.index) == (day, index));
    let first = known.unwrap_or(FirstUse { day, index, at: now });
    let (until, works) = if settings.switches.one_day_ends_with_day {
        let midnight = (i64::from(day) + 1) * i64::from(DAY);
        (settings.zone.first_instant(midnight), days.contains(&day))
    } else {
        let until = first.at.plus(WORKS_FOR);
        (until, now < until)
    };
    if works {
        Ok(Use { first, is_first: known.is_none(), until })
    } else {
        Err(Refused::Expired { at: until })
    }
}
