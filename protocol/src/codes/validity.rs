//! When a stored code works: a resident's always, a guest's by its kind. [RES-3]

use super::present::{Present, Refused};
use crate::{
    bytes::{Malformed, Reader},
    hours::{Schedule, Weekly, next_allowed},
    time::{Time, Window},
    zone::Zone,
};

/// Seconds for which a delivery code works, where its maker says nothing else.
pub const DELIVERY: u32 = 2 * 3600;

/// When a stored code works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// Until it is taken away: residents, and permanent guests.
    Permanent,
    /// Once, from a start to an end.
    Temporary(Window),
    /// On weekdays and hours, over and over; within a window where one is given.
    Recurring(Schedule, Option<Window>),
    /// For one delivery.
    Delivery(Window),
}

impl Validity {
    /// Bytes on the wire and in a lock's table.
    pub const LEN: usize = 12;

    /// For a delivery from `start` on, in the usual two hours; nothing at the end of time.
    pub fn delivery(start: Time) -> Option<Self> {
        Window::new(start, start.plus(DELIVERY)).map(Self::Delivery)
    }

    /// Whether a code of this validity opens now. What is bound to time waits while the clock is lost.
    pub fn judge(self, zone: Zone, present: Present) -> Result<(), Refused> {
        match self {
            Self::Permanent => Ok(()),
            Self::Temporary(window) | Self::Delivery(window) => present.within(window),
            Self::Recurring(schedule, window) => {
                let now = present.known()?;
                window.map_or(Ok(()), |window| present.within(window))?;
                if schedule.allows(zone.local(now)) {
                    Ok(())
                } else {
                    Err(Refused::OutsideHours { next: next_allowed(&[&schedule], zone, now) })
                }
            }
        }
    }

    /// The bytes on the wire.
    pub fn encode(self) -> [u8; Self::LEN] {
        let (kind, window, schedule) = match self {
            Self::Permanent => (0, None, None),
            Self::Temporary(window) => (1, Some(window), None),
            Self::Recurring(schedule, window) => (2, window, Some(schedule)),
            Self::Delivery(window) => (3, Some(window), None),
        };
        let mut out = [0; Self::LEN];
        out[0] = kind;
        if let Some(window) = window {
            out[1..5].copy_from_slice(&window.not_before().to_bytes());
            out[5..9].copy_from_slice(&window.not_after().to_bytes());
        }
        if let Some(schedule) = schedule {
            out[9..].copy_from_slice(&schedule.encode());
        }
        out
    }

    /// From the bytes on the wire.
    pub fn decode(bytes: &[u8; Self::LEN]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes, "validity");
        let malformed = reader.malformed();
        let kind = reader.u8()?;
        let (from, to, schedule) = (reader.u32()?, reader.u32()?, reader.array::<3>()?);
        let window = Window::new(Time(from), Time(to));
        let validity = match (kind, window) {
            (0, None) => Self::Permanent,
            (1, Some(window)) => Self::Temporary(window),
            (2, window) => Self::Recurring(Schedule::decode(schedule)?, window),
            (3, Some(window)) => Self::Delivery(window),
            _ => return Err(malformed),
        };
        // Fields that a kind doesn't use are zero, so that each validity has one form.
        if validity.encode() == *bytes { Ok(validity) } else { Err(malformed) }
    }
}
