//! The moment at which a lock judges a code, and why it refuses one.

use thiserror::Error;

use crate::time::{Moment, Time, Window};

/// The moment by the lock's own clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Present {
    time: Option<Time>,
    tolerance: u32,
}

impl Present {
    /// The clock is lost: whatever is bound to time waits.
    pub const LOST: Self = Self { time: None, tolerance: 0 };

    /// The clock shows `time` and may be off by `tolerance` seconds (see [`crate::clock::tolerance`]).
    pub fn at(time: Time, tolerance: u32) -> Self {
        Self { time: Some(time), tolerance }
    }

    /// The clock's time, where it has one.
    pub fn time(self) -> Option<Time> {
        self.time
    }

    pub(super) fn known(self) -> Result<Time, Refused> {
        self.time.ok_or(Refused::ClockLost)
    }

    /// The earliest and the latest that it may truly be.
    pub(super) fn range(self) -> Result<(Time, Time), Refused> {
        let now = self.known()?;
        Ok((now.minus(self.tolerance), now.plus(self.tolerance)))
    }

    /// Whether the moment lies within the window, both ends widened by the tolerance.
    pub(super) fn within(self, window: Window) -> Result<(), Refused> {
        match window.judge(self.known()?, self.tolerance) {
            Moment::Within => Ok(()),
            Moment::Early(from) => Err(Refused::NotYet { from }),
            Moment::Late(at) => Err(Refused::Expired { at }),
        }
    }
}

/// Why a lock refuses an entry. This is for its log: to the person at the keypad every refusal but a wait looks
/// the same and counts as a wrong try, since anything else would tell a guesser what was nearly right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// No code of this kind is these digits.
    #[error("no such code")]
    Unknown,
    /// Codes of this kind are switched off at this lock.
    #[error("this kind of code is switched off")]
    Off,
    /// A right contractor code, but contractor mode is off.
    #[error("contractor mode is off")]
    ContractorModeOff,
    /// Its window has not begun.
    #[error("not yet")]
    NotYet {
        /// When it begins.
        from: Time,
    },
    /// Its window has ended.
    #[error("expired")]
    Expired {
        /// When it ended.
        at: Time,
    },
    /// Not at this hour.
    #[error("outside the hours")]
    OutsideHours {
        /// The next moment that is inside, if one comes within nine days.
        next: Option<Time>,
    },
    /// The code is bound to time, and the lock has lost its own.
    #[error("the lock's clock is lost")]
    ClockLost,
}
