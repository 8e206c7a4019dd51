//! A property's offset from UTC, now and after the next two transitions.

use crate::{
    bytes::{Malformed, Reader},
    time::{DAY, Time},
};

/// Quarter hours in a day.
pub const QUARTERS: u8 = 96;

/// The offsets of one time zone around now. The backend makes it from the zone database; a lock holds none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone {
    offset: i8,
    next: Option<(Time, i8)>,
    after: Option<(Time, i8)>,
}

/// A moment as the clock on the property's wall shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Local {
    /// Days since 1970-01-01, lock-local.
    pub day: u32,
    /// 0 is Monday, 6 is Sunday.
    pub weekday: u8,
    /// Whole quarter hours since midnight, 0 to 95.
    pub quarter: u8,
}

impl Zone {
    /// UTC, without transitions.
    pub const UTC: Self = Self { offset: 0, next: None, after: None };
    /// Bytes on the wire.
    pub const LEN: usize = 11;

    /// A zone by its offset in quarter hours east of UTC (−56 to +56) and its next two transitions.
    pub fn new(offset: i8, next: Option<(Time, i8)>, after: Option<(Time, i8)>) -> Option<Self> {
        let sane = |offset: i8| (-56..=56).contains(&offset);
        let transition = |it: Option<(Time, i8)>| it.is_none_or(|(at, offset)| at.0 != 0 && sane(offset));
        (sane(offset) && transition(next) && transition(after)).then_some(Self { offset, next, after })
    }

    /// The offset at `time`, in quarter hours east of UTC.
    pub fn offset_at(self, time: Time) -> i8 {
        [self.after, self.next]
            .into_iter()
            .flatten()
            .find(|(at, _)| time >= *at)
            .map_or(self.offset, |(_, offset)| offset)
    }

    /// The clock on the property's wall at `time`.
    pub fn local(self, time: Time) -> Local {
        let seconds = (time.unix() + 900 * i64::from(self.offset_at(time))).max(0);
        let day = seconds / i64::from(DAY);
        // Both are small by construction: a day number below 2^17, a weekday below 7, a quarter below 96.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "see above")]
        Local {
            day: day as u32,
            weekday: ((day + 3) % 7) as u8,
            quarter: (seconds % i64::from(DAY) / 900) as u8,
        }
    }

    /// The first instant at which the wall shows this reading or a later one: `wall` in seconds since 1970-01-01
    /// 00:00 as the wall shows it. A reading that comes twice is taken the first time; one that is skipped gives
    /// the instant of the skip.
    pub fn first_instant(self, wall: i64) -> Time {
        const NEVER: i64 = 1 << 32;
        let begins = |it: Option<(Time, i8)>| it.map_or(NEVER, |(at, _)| at.unix());
        let offset = |it: Option<(Time, i8)>| it.map_or(0, |(_, offset)| offset);
        let (next, after) = (begins(self.next), begins(self.after));
        let spells = [
            (0, next.min(after), self.offset),
            (next, after, offset(self.next)),
            (after, NEVER, offset(self.after)),
        ];
        spells
            .into_iter()
            .map(|(from, to, offset)| ((wall - 900 * i64::from(offset)).max(from), to))
            .find(|(at, to)| at < to)
            .and_then(|(at, _)| Time::from_unix(at))
            .unwrap_or(Time(u32::MAX))
    }

    /// The bytes on the wire.
    pub fn encode(self) -> [u8; Self::LEN] {
        let mut out = [0; Self::LEN];
        let (next_at, next_offset) = self.next.unwrap_or_default();
        let (after_at, after_offset) = self.after.unwrap_or_default();
        out[0] = self.offset.to_be_bytes()[0];
        out[1..5].copy_from_slice(&next_at.to_bytes());
        out[5] = next_offset.to_be_bytes()[0];
        out[6..10].copy_from_slice(&after_at.to_bytes());
        out[10] = after_offset.to_be_bytes()[0];
        out
    }

    /// From the bytes on the wire.
    pub fn decode(bytes: &[u8; Self::LEN]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes, "zone");
        let offset = reader.i8()?;
        let mut transition = || Ok((Time(reader.u32()?), reader.i8()?));
        let (next, after) = (transition()?, transition()?);
        let present = |it: (Time, i8)| (it.0.0 != 0).then_some(it);
        Self::new(offset, present(next), present(after)).ok_or(Malformed { what: "zone" })
    }
}
