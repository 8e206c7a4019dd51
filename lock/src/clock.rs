//! The lock's clock: it drifts, it is lost at each reset, and it believes only what the backend has signed.

use sentri_protocol::{
    Time,
    clock::{AHEAD_OF_GOOD, AHEAD_OF_LOST, FreshTime, tolerance},
    status::ClockQuality,
    time::DAY,
};

use crate::journal::state::Stamp;

/// The moment by the lock's clock, and how far to trust it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// The clock; a lower bound where it is lost.
    pub time: Time,
    /// How good it is.
    pub quality: ClockQuality,
}

impl Now {
    /// Whether the clock was reset since it was last set.
    pub fn is_lost(self) -> bool {
        self.quality == ClockQuality::Lost
    }

    /// Seconds by which a window's ends are widened.
    pub fn tolerance(self) -> u32 {
        match self.quality {
            ClockQuality::Lost => tolerance(u32::MAX),
            ClockQuality::Good { days } => tolerance(u32::from(days)),
        }
    }
}

/// What became of a lower bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LowerBoundTaken {
    /// The clock is now at it, or was past it.
    Yes,
    /// It is too far ahead to be believed.
    TooFarAhead,
}

/// The running clock.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    at: Time,
    at_uptime_ms: u64,
    /// On the uptime counter, when a fresh token set it; nothing while it is lost.
    set_at_ms: Option<u64>,
    floor: Time,
}

impl Clock {
    /// After a reset: lost, at the last stored time.
    pub fn lost(stored: Stamp, uptime_ms: u64) -> Self {
        Self { at: stored.time, at_uptime_ms: uptime_ms, set_at_ms: None, floor: stored.floor }
    }

    /// The moment.
    pub fn now(&self, uptime_ms: u64) -> Now {
        let passed = uptime_ms.saturating_sub(self.at_uptime_ms) / 1000;
        let quality = self.set_at_ms.map_or(ClockQuality::Lost, |set_at| {
            let days = uptime_ms.saturating_sub(set_at) / (u64::from(DAY) * 1000);
            ClockQuality::Good { days: u8::try_from(days.min(254)).unwrap_or(254) }
        });
        Now { time: self.at.plus(u32::try_from(passed).unwrap_or(u32::MAX)), quality }
    }

    /// What is stored with each write.
    pub fn stamp(&self, uptime_ms: u64) -> Stamp {
        Stamp { time: self.now(uptime_ms).time, floor: self.floor }
    }

    /// The highest time proved so far.
    pub fn floor(&self) -> Time {
        self.floor
    }

    /// Takes a time that is known to be past. Never moves the clock back.
    pub fn take_lower_bound(&mut self, bound: Time, uptime_ms: u64) -> LowerBoundTaken {
        let now = self.now(uptime_ms);
        let most = if now.is_lost() { AHEAD_OF_LOST } else { AHEAD_OF_GOOD };
        if bound.since(now.time) > most {
            return LowerBoundTaken::TooFarAhead;
        }
        if bound > now.time {
            (self.at, self.at_uptime_ms) = (bound, uptime_ms);
        }
        self.floor = self.floor.max(bound);
        LowerBoundTaken::Yes
    }

    /// Sets the clock by a verified fresh token; refused below the floor, unless it repairs.
    pub fn set(&mut self, token: &FreshTime, uptime_ms: u64) -> bool {
        if token.time < self.floor && !token.repair {
            return false;
        }
        self.set_to(token.time, uptime_ms);
        true
    }

    /// Sets clock and floor: the factory's word, or that of a token that has been looked at.
    pub fn set_to(&mut self, time: Time, uptime_ms: u64) {
        *self = Self { at: time, at_uptime_ms: uptime_ms, set_at_ms: Some(uptime_ms), floor: time };
    }
}
