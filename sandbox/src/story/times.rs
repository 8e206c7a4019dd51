//! Times as the people of the story say them: by the clock on the property's wall.

use chrono::{DateTime, Duration, NaiveDateTime, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use sentri_core::api::types::Weekday;
use sentri_wire::Timestamp;

/// Where the story's properties are.
pub const ZONE: Tz = chrono_tz::America::Chicago;
/// The hours of the story's lockboxes, local: first hour, and first hour after them.
pub const HOURS: (u32, u32) = (7, 21);
/// The same, as the operator enters them.
pub const HOURS_ENTERED: &str = "07:00-21:00";

/// From Monday on.
pub const EVERY_DAY: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

/// Seconds of a minute.
pub const MINUTE: i64 = 60;
/// Seconds of an hour.
pub const HOUR: i64 = 3600;

/// The property's wall clock at that instant.
fn local(at: Timestamp) -> DateTime<Tz> {
    let utc = Utc.timestamp_opt(at, 0).single().unwrap_or_default();
    utc.with_timezone(&ZONE)
}

/// "10:05 AM".
pub fn clock(at: Timestamp) -> String {
    local(at).format("%-I:%M %p").to_string()
}

/// "2026-11-23".
pub fn date(at: Timestamp) -> String {
    local(at).format("%Y-%m-%d").to_string()
}

/// "Mon, Nov 23, 10:05 AM".
pub fn day_and_clock(at: Timestamp) -> String {
    local(at).format("%a, %b %-d, %Y, %-I:%M %p").to_string()
}

/// "Mon, Nov 23, 10:00 AM to 12:00 PM", with both days where they differ.
pub fn window(from: Timestamp, to: Timestamp) -> String {
    let same_day = local(from).date_naive() == local(to).date_naive();
    format!("{} to {}", day_and_clock(from), if same_day { clock(to) } else { day_and_clock(to) })
}

/// What somebody typed, as an instant; nothing where the clocks were put past it.
pub fn typed(at: NaiveDateTime) -> Option<Timestamp> {
    ZONE.from_local_datetime(&at).earliest().map(|time| time.timestamp())
}

/// The first instant from `at` on whose hour lies in `hours` (first, and first after).
pub fn next_within(at: Timestamp, hours: (u32, u32)) -> Timestamp {
    if (hours.0..hours.1).contains(&local(at).hour()) {
        return at;
    }
    let today = next_at_hour(at, hours.0);
    today.max(at)
}

/// The next time after `at` that the clock shows that full hour.
pub fn next_at_hour(at: Timestamp, hour: u32) -> Timestamp {
    let today = local(at).date_naive();
    let days = (0..=2).filter_map(|days| today.checked_add_signed(Duration::days(days)));
    let times = days.filter_map(|day| typed(day.and_hms_opt(hour, 0, 0)?));
    times.into_iter().find(|time| *time > at).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        typed(NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap()).unwrap()
    }

    #[test]
    fn hours_are_found_across_midnight_and_clock_changes() {
        assert_eq!(next_within(at("2026-11-20 10:30"), HOURS), at("2026-11-20 10:30"));
        assert_eq!(next_within(at("2026-11-20 21:00"), HOURS), at("2026-11-21 07:00"));
        assert_eq!(next_within(at("2026-11-20 03:00"), HOURS), at("2026-11-20 07:00"));
        // Clocks go back in the night to November 1, 2026.
        assert_eq!(next_within(at("2026-10-31 23:00"), HOURS), at("2026-11-01 07:00"));
    }

    #[test]
    fn a_time_that_the_clocks_skip_is_none() {
        let skipped = NaiveDateTime::parse_from_str("2026-03-08 02:30", "%Y-%m-%d %H:%M").unwrap();
        assert_eq!(typed(skipped), None);
    }

    #[test]
    fn windows_name_both_days_only_where_they_differ() {
        let (from, to) = (at("2026-11-20 10:00"), at("2026-11-20 12:00"));
        assert_eq!(window(from, to), "Fri, Nov 20, 2026, 10:00 AM to 12:00 PM");
        assert_eq!(
            window(from, to + 24 * HOUR),
            "Fri, Nov 20, 2026, 10:00 AM to Sat, Nov 21, 2026, 12:00 PM"
        );
    }
}
