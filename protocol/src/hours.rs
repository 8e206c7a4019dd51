//! Hours of the day in which something is allowed, lock-local.

use crate::{
    bytes::Malformed,
    time::Time,
    zone::{Local, QUARTERS, Zone},
};

/// A span of a day in quarter hours; one that ends before it begins runs into the next day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    from: u8,
    to: u8,
}

impl Span {
    /// Midnight to midnight.
    pub const WHOLE_DAY: Self = Self { from: 0, to: QUARTERS };

    /// A span from quarter hour `from` (0 to 95) to `to` (1 to 96), not empty.
    pub fn new(from: u8, to: u8) -> Option<Self> {
        (from < QUARTERS && (1..=QUARTERS).contains(&to) && from != to).then_some(Self { from, to })
    }

    /// First quarter hour.
    pub fn from(self) -> u8 {
        self.from
    }

    /// First quarter hour after it, on the next day where it is not past `from`.
    pub fn to(self) -> u8 {
        self.to
    }

    fn holds_today(self, quarter: u8) -> bool {
        quarter >= self.from && (self.from > self.to || quarter < self.to)
    }

    fn holds_from_yesterday(self, quarter: u8) -> bool {
        self.from > self.to && quarter < self.to
    }
}

/// Something that names one span for each weekday.
pub trait Weekly {
    /// The span that begins on `weekday` (0 is Monday), if any does.
    fn span(&self, weekday: u8) -> Option<Span>;

    /// Whether this moment is inside.
    fn allows(&self, local: Local) -> bool {
        let yesterday = (local.weekday + 6) % 7;
        self.span(local.weekday).is_some_and(|span| span.holds_today(local.quarter))
            || self.span(yesterday).is_some_and(|span| span.holds_from_yesterday(local.quarter))
    }
}

/// The first moment from `now` on that all of `rules` allow; nothing where none comes within nine days.
pub fn next_allowed(rules: &[&dyn Weekly], zone: Zone, now: Time) -> Option<Time> {
    let first_edge = Time(now.0 - now.0 % 900);
    let edges = (1..9 * u32::from(QUARTERS)).map(|quarter| first_edge.plus(900 * quarter));
    core::iter::once(now).chain(edges).find(|time| rules.iter().all(|rule| rule.allows(zone.local(*time))))
}

/// Weekdays and hours in a ticket: one span for all of its weekdays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    weekdays: u8,
    span: Span,
}

impl Schedule {
    /// Every day, all day.
    pub const ALWAYS: Self = Self { weekdays: 0x7f, span: Span::WHOLE_DAY };

    /// `weekdays` has bit 0 for Monday to bit 6 for Sunday, at least one.
    pub fn new(weekdays: u8, span: Span) -> Option<Self> {
        (weekdays != 0 && weekdays < 0x80).then_some(Self { weekdays, span })
    }

    /// The bytes on the wire.
    pub fn encode(self) -> [u8; 3] {
        [self.weekdays, self.span.from, self.span.to]
    }

    /// From the bytes on the wire.
    pub fn decode([weekdays, from, to]: [u8; 3]) -> Result<Self, Malformed> {
        Span::new(from, to).and_then(|span| Self::new(weekdays, span)).ok_or(Malformed { what: "schedule" })
    }
}

impl Weekly for Schedule {
    fn span(&self, weekday: u8) -> Option<Span> {
        (self.weekdays >> weekday & 1 == 1).then_some(self.span)
    }
}

/// A lockbox's access hours: a span or nothing for each weekday from Monday on. [LST-4]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessHours(pub [Option<Span>; 7]);

impl AccessHours {
    /// Open all week.
    pub const ALWAYS: Self = Self([Some(Span::WHOLE_DAY); 7]);
    /// Bytes on the wire.
    pub const LEN: usize = 14;

    /// The same span every day.
    pub fn daily(span: Span) -> Self {
        Self([Some(span); 7])
    }

    /// The bytes on the wire.
    pub fn encode(self) -> [u8; Self::LEN] {
        let mut out = [0; Self::LEN];
        for (pair, span) in out.chunks_exact_mut(2).zip(self.0) {
            pair.copy_from_slice(&span.map_or([0, 0], |span| [span.from, span.to]));
        }
        out
    }

    /// From the bytes on the wire.
    pub fn decode(bytes: &[u8; Self::LEN]) -> Result<Self, Malformed> {
        let mut days = [None; 7];
        for (day, pair) in days.iter_mut().zip(bytes.chunks_exact(2)) {
            *day = match *pair {
                [0, 0] => None,
                [from, to] => Some(Span::new(from, to).ok_or(Malformed { what: "access hours" })?),
                _ => return Err(Malformed { what: "access hours" }),
            };
        }
        Ok(Self(days))
    }
}

impl Weekly for AccessHours {
    fn span(&self, weekday: u8) -> Option<Span> {
        self.0.get(usize::from(weekday)).copied().flatten()
    }
}
