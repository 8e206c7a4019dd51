//! Instants and weeks, as the protocol counts them.

use core::fmt;

/// Seconds of a day.
pub const DAY: u32 = 86_400;

/// An instant: whole seconds since 1970-01-01 00:00:00 UTC, until 2106.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub u32);

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}s", self.0)
    }
}

/// Weeks since 1970-01-01 00:00:00 UTC: how often a lock's advert key changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Week(pub u32);

impl Time {
    /// The week that holds this instant.
    pub fn week(self) -> Week {
        Week(self.0 / (7 * DAY))
    }

    /// This instant and `seconds` more, held at the end of time.
    #[must_use]
    pub fn plus(self, seconds: u32) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// This instant less `seconds`, held at 1970.
    #[must_use]
    pub fn minus(self, seconds: u32) -> Self {
        Self(self.0.saturating_sub(seconds))
    }

    /// Seconds from `earlier` to this instant; 0 where it is not earlier.
    pub fn since(self, earlier: Self) -> u32 {
        self.0.saturating_sub(earlier.0)
    }

    /// From seconds of another width; nothing outside of 1970 to 2106.
    pub fn from_unix(seconds: i64) -> Option<Self> {
        u32::try_from(seconds).ok().map(Self)
    }

    /// As the wider number that JSON and databases use.
    pub fn unix(self) -> i64 {
        i64::from(self.0)
    }

    /// The bytes on the wire.
    pub fn to_bytes(self) -> [u8; 4] {
        self.0.to_be_bytes()
    }
}

impl Week {
    /// The bytes that key derivation takes.
    pub fn to_bytes(self) -> [u8; 4] {
        self.0.to_be_bytes()
    }
}

/// A span with a first second and a first second that is too late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    not_before: Time,
    not_after: Time,
}

/// Where an instant lies against a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before it; begins at the given instant.
    Early(Time),
    /// Within.
    Within,
    /// Past it; ended at the given instant.
    Late(Time),
}

impl Window {
    /// A window that is not empty.
    pub fn new(not_before: Time, not_after: Time) -> Option<Self> {
        (not_before < not_after).then_some(Self { not_before, not_after })
    }

    /// Its first second.
    pub fn not_before(self) -> Time {
        self.not_before
    }

    /// The first second after it.
    pub fn not_after(self) -> Time {
        self.not_after
    }

    /// Where `now` lies, with both ends widened by `tolerance` seconds.
    pub fn judge(self, now: Time, tolerance: u32) -> Moment {
        if now < self.not_before.minus(tolerance) {
            Moment::Early(self.not_before)
        } else if now >= self.not_after.plus(tolerance) {
            Moment::Late(self.not_after)
        } else {
            Moment::Within
        }
    }

    /// What both windows hold; nothing where they don't meet.
    pub fn and(self, other: Self) -> Option<Self> {
        Self::new(self.not_before.max(other.not_before), self.not_after.min(other.not_after))
    }
}
