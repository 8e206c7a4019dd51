//! Moments as the clock on a property's wall shows them, worked out with no network and no zone database.

use sentri_protocol::{Time, zone::Zone};
use sentri_wire::{Timestamp, credential};

const DAY: i64 = 86_400;
const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A zone as it came; nothing where it is none.
pub fn zone(zone: &credential::Zone) -> Option<Zone> {
    let transition = |at: u32, offset: i8| (at != 0).then_some((Time(at), offset));
    Zone::new(
        zone.offset,
        transition(zone.next_at, zone.next_offset),
        transition(zone.after_at, zone.after_offset),
    )
}

/// What the wall shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wall {
    /// The moment.
    pub at: Timestamp,
    /// Year.
    pub year: i64,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 is Monday, 6 is Sunday.
    pub weekday: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// Days from the property's today: 0 today, 1 tomorrow.
    pub days_ahead: i64,
}

impl Wall {
    /// At a moment, seen from now.
    pub fn at(at: Timestamp, now: Timestamp, zone: Zone) -> Self {
        let (reading, today) = (reading(at, zone), reading(now, zone).div_euclid(DAY));
        let (days, seconds) = (reading.div_euclid(DAY), reading.rem_euclid(DAY));
        let (year, month, day) = date(days);
        Self {
            at,
            year,
            month: small(month),
            day: small(day),
            weekday: small((days + 3).rem_euclid(7)),
            hour: small(seconds / 3600),
            minute: small(seconds % 3600 / 60),
            days_ahead: days - today,
        }
    }

    /// "today", "tomorrow", "on Mon, Nov 23".
    pub fn day_said(&self) -> String {
        match self.days_ahead {
            -1 => "yesterday".to_owned(),
            0 => "today".to_owned(),
            1 => "tomorrow".to_owned(),
            _ => format!(
                "on {}, {} {}",
                name(&WEEKDAYS, self.weekday),
                name(&MONTHS, self.month - 1),
                self.day
            ),
        }
    }

    /// "9:00 AM tomorrow".
    pub fn said(&self) -> String {
        let half = if self.hour < 12 { "AM" } else { "PM" };
        let hour = match self.hour % 12 {
            0 => 12,
            hour => hour,
        };
        format!("{hour}:{:02} {half} {}", self.minute, self.day_said())
    }
}

/// Seconds since 1970-01-01 00:00 as the wall shows them.
fn reading(at: Timestamp, zone: Zone) -> i64 {
    let instant = Time::from_unix(at.clamp(0, i64::from(u32::MAX))).unwrap_or_default();
    at.saturating_add(900 * i64::from(zone.offset_at(instant)))
}

/// Year, month and day of a day since 1970-01-01, in the Gregorian calendar, whose years are taken to begin in March, so
/// that the leap day is their last. They repeat every 146,097 days.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march_based = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_based + 2) / 5 + 1;
    let month = if march_based < 10 { march_based + 3 } else { march_based - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// Parts of a date or an hour.
fn small(value: i64) -> u8 {
    u8::try_from(value).unwrap_or_default()
}

fn name<'n>(names: &[&'n str], number: u8) -> &'n str {
    names.get(usize::from(number)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_their_dates() {
        for (days, told) in [
            (0, (1970, 1, 1)),
            (-1, (1969, 12, 31)),
            (11_016, (2000, 2, 29)),
            (11_017, (2000, 3, 1)),
            (20_777, (2026, 11, 20)),
            (49_673, (2106, 1, 1)),
        ] {
            assert_eq!(date(days), told);
        }
    }

    /// COD-2: "from 9:00 tomorrow", by the property's clock, whatever the phone's is, and across the change of the clock.
    #[test]
    fn the_wall_is_told_as_it_is_seen_from_now() {
        // Chicago: CDT until 2026-11-01 07:00 UTC.
        let zone = Zone::new(-20, Some((Time(1_793_516_400), -24)), None).unwrap();
        // Saturday, October 31, 2026, 10 PM at the property, when it is Sunday in UTC.
        let now = 1_793_502_000;
        let said = |at| Wall::at(at, now, zone).said();
        assert_eq!(said(now), "10:00 PM today");
        assert_eq!(said(now + 12 * 3600), "9:00 AM tomorrow", "an hour comes twice that night");
        assert_eq!(said(now + 3 * 3600 + 26 * 3600), "2:00 AM on Mon, Nov 2");
        assert_eq!(said(now - 22 * 3600 - 60), "11:59 PM yesterday");
    }
}
