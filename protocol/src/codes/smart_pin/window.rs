//! The windows that a SmartPIN can carry, on the clock on the property's wall. [PIN-2]

use core::fmt;

use thiserror::Error;

use crate::{
    bytes::Malformed,
    time::{DAY, Time, Window},
    zone::Zone,
};

/// Longest window in hours: 32 days.
pub const MAX_HOURS: u16 = 768;
/// Shortest window in days.
pub const MIN_DAYS: u16 = 33;
/// Longest window in days.
pub const MAX_DAYS: u16 = 365;
/// The day on which no window may lie any more, 2106-01-01: the last whole year that the protocol's times hold
/// is 2105.
pub const HORIZON_DAY: u32 = 49_673;
/// The same in hours.
pub(super) const HORIZON_HOUR: u32 = HORIZON_DAY * 24;

/// An hour as the wall shows it, counted from 1970-01-01 00:00, up to the horizon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalHour(u32);

impl LocalHour {
    /// By day since 1970-01-01 and hour, 0 to 24. Nothing past the horizon.
    pub fn new(day: u32, hour: u8) -> Option<Self> {
        let count = day.checked_mul(24)?.checked_add(u32::from(hour))?;
        (hour <= 24 && count <= HORIZON_HOUR).then_some(Self(count))
    }

    /// Hours since 1970-01-01 00:00.
    pub fn count(self) -> u32 {
        self.0
    }

    pub(super) fn from_count(count: u32) -> Option<Self> {
        (count <= HORIZON_HOUR).then_some(Self(count))
    }

    /// The first instant at which the wall shows this hour or a later one.
    pub fn first_instant(self, zone: Zone) -> Time {
        zone.first_instant(i64::from(self.0) * 3600)
    }

    /// The hour that begins at `time` on this wall, where one does.
    fn beginning_at(time: Time, zone: Zone, edge: Edge) -> Result<Self, WindowRefusal> {
        let wall = time.unix() + 900 * i64::from(zone.offset_at(time));
        if wall.rem_euclid(3600) != 0 {
            return Err(WindowRefusal::OffTheHour(edge));
        }
        let hour = u32::try_from(wall / 3600).ok().and_then(Self::from_count);
        let hour = hour.ok_or(WindowRefusal::PastHorizon)?;
        if hour.first_instant(zone) == time { Ok(hour) } else { Err(WindowRefusal::HourComesTwice(edge)) }
    }
}

/// The hours at which windows in days begin and end: a setting of the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DailyHours {
    from: u8,
    to: u8,
}

impl DailyHours {
    /// From this hour (0 to 23) on the first day to this hour (1 to 24) on the last.
    pub fn new(from: u8, to: u8) -> Option<Self> {
        (from < 24 && (1..=24).contains(&to)).then_some(Self { from, to })
    }

    /// Hour of the first day.
    pub fn from(self) -> u8 {
        self.from
    }

    /// Hour of the last day.
    pub fn to(self) -> u8 {
        self.to
    }

    pub(super) fn decode(from: u8, to: u8) -> Result<Self, Malformed> {
        Self::new(from, to).ok_or(Malformed { what: "SmartPIN rules" })
    }
}

impl Default for DailyHours {
    /// 8 AM to 8 PM.
    fn default() -> Self {
        Self { from: 8, to: 20 }
    }
}

/// Which end of a window a refusal speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// Its start.
    Start,
    /// Its end.
    End,
}

impl fmt::Display for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start => "start",
            Self::End => "end",
        })
    }
}

/// Why no SmartPIN can carry a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WindowRefusal {
    /// Nothing between start and end.
    #[error("start and end are the same")]
    Zero,
    /// The wrong way round.
    #[error("the end is before the start")]
    Reversed,
    /// More than 365 days.
    #[error("a SmartPIN lasts at most 365 days")]
    TooLong,
    /// More than 32 days, asked for in hours.
    #[error("for more than 32 days choose whole days")]
    TooLongForHours,
    /// Fewer than 33 days, asked for in days.
    #[error("for less than 33 days choose start and end by the hour")]
    TooShortForDays,
    /// Not at a whole hour by the property's clock.
    #[error("the {0} must be on the hour")]
    OffTheHour(Edge),
    /// Longer than 32 days, and not at the hour at which such windows begin or end.
    #[error("for more than 32 days the {0} can't be at this hour, only at the one set for long SmartPINs")]
    OffTheDay(Edge),
    /// The second time that the wall shows this hour, at the change back from summer time.
    #[error("at the {0} the clock shows the same hour a second time; choose an hour more or less")]
    HourComesTwice(Edge),
    /// All of it falls into the hour that is skipped at the change to summer time.
    #[error("this hour is skipped by the change to summer time")]
    HourSkipped,
    /// After 2105.
    #[error("SmartPINs end with the year 2105")]
    PastHorizon,
}

impl WindowRefusal {
    /// What of the two is wrong, as the records call it: `starts_at` or `ends_at`.
    pub fn field(self) -> &'static str {
        match self {
            Self::OffTheHour(Edge::Start)
            | Self::OffTheDay(Edge::Start)
            | Self::HourComesTwice(Edge::Start)
            | Self::HourSkipped => "starts_at",
            _ => "ends_at",
        }
    }
}

/// A window that a SmartPIN can carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PinWindow(Span);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Span {
    /// From an hour on, for 1 to 768 hours.
    Hours { start: u32, hours: u16 },
    /// From a day on, for 33 to 365 days, the first and the last counted.
    Days { first: u32, days: u16 },
}

impl PinWindow {
    /// From one hour on the wall to another, at most 32 days later.
    pub fn hourly(start: LocalHour, end: LocalHour) -> Result<Self, WindowRefusal> {
        let hours = match end.0.checked_sub(start.0) {
            None => return Err(WindowRefusal::Reversed),
            Some(0) => return Err(WindowRefusal::Zero),
            Some(hours) => u16::try_from(hours).unwrap_or(u16::MAX),
        };
        if hours > MAX_HOURS {
            return Err(WindowRefusal::TooLongForHours);
        }
        Ok(Self(Span::Hours { start: start.0, hours }))
    }

    /// From one day to another, 33 to 365 days, both counted. Days are since 1970-01-01.
    pub fn daily(first: u32, last: u32) -> Result<Self, WindowRefusal> {
        let days = match last.checked_sub(first) {
            None => return Err(WindowRefusal::Reversed),
            Some(more) => u16::try_from(more.saturating_add(1)).unwrap_or(u16::MAX),
        };
        match days {
            ..MIN_DAYS => Err(WindowRefusal::TooShortForDays),
            MIN_DAYS..=MAX_DAYS if last < HORIZON_DAY => Ok(Self(Span::Days { first, days })),
            MIN_DAYS..=MAX_DAYS => Err(WindowRefusal::PastHorizon),
            _ => Err(WindowRefusal::TooLong),
        }
    }

    /// The window between two instants at a property: by the hour up to 32 days, by the day from there on.
    ///
    /// What is made can be taken back by [`Self::instants`] to exactly these instants.
    pub fn between(start: Time, end: Time, zone: Zone, daily: DailyHours) -> Result<Self, WindowRefusal> {
        match end.cmp(&start) {
            core::cmp::Ordering::Less => return Err(WindowRefusal::Reversed),
            core::cmp::Ordering::Equal => return Err(WindowRefusal::Zero),
            core::cmp::Ordering::Greater => {}
        }
        if end.since(start) > (u32::from(MAX_DAYS) + 1) * DAY {
            return Err(WindowRefusal::TooLong);
        }
        let from = LocalHour::beginning_at(start, zone, Edge::Start)?;
        let to = LocalHour::beginning_at(end, zone, Edge::End)?;
        match to.0.saturating_sub(from.0) {
            0..=768 => Self::hourly(from, to),
            hours if hours > u32::from(MAX_DAYS) * 24 => Err(WindowRefusal::TooLong),
            _ => Self::between_days(from, to, daily),
        }
    }

    fn between_days(from: LocalHour, to: LocalHour, daily: DailyHours) -> Result<Self, WindowRefusal> {
        if from.0 % 24 != u32::from(daily.from) {
            return Err(WindowRefusal::OffTheDay(Edge::Start));
        }
        match to.0.checked_sub(u32::from(daily.to)) {
            Some(last) if last % 24 == 0 => Self::daily(from.0 / 24, last / 24),
            _ => Err(WindowRefusal::OffTheDay(Edge::End)),
        }
    }

    /// The window with this first hour and so many hours to the first one that is too late, as [`Self::wall`] gives them.
    pub fn from_wall(first: LocalHour, hours: u16) -> Result<Self, WindowRefusal> {
        let end = first.0.saturating_add(u32::from(hours));
        if hours > MAX_HOURS {
            // The last hour of a window in days may be the last day's midnight.
            return Self::daily(first.0 / 24, end.saturating_sub(1) / 24);
        }
        Self::hourly(first, LocalHour::from_count(end).ok_or(WindowRefusal::PastHorizon)?)
    }

    /// First hour and the first one that is too late, on the wall.
    pub fn wall(self, daily: DailyHours) -> (LocalHour, LocalHour) {
        match self.0 {
            Span::Hours { start, hours } => (LocalHour(start), LocalHour(start + u32::from(hours))),
            Span::Days { first, days } => {
                let last = first + u32::from(days) - 1;
                (LocalHour(first * 24 + u32::from(daily.from)), LocalHour(last * 24 + u32::from(daily.to)))
            }
        }
    }

    /// From the first instant at which the wall shows the window's start or a later hour to the first at which it
    /// shows its end or a later one. Refused where the change to summer time skips all of it.
    pub fn instants(self, zone: Zone, daily: DailyHours) -> Result<Window, WindowRefusal> {
        let (start, end) = self.wall(daily);
        Window::new(start.first_instant(zone), end.first_instant(zone)).ok_or(WindowRefusal::HourSkipped)
    }

    pub(super) fn span(self) -> Span {
        self.0
    }
}
