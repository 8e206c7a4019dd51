//! What a lock is told of its property's time zone: the offset now and the next two transitions.

use chrono::{Offset, TimeZone, Utc};
use chrono_tz::Tz;
use sentri_protocol::{Time, zone::Zone};
use sentri_wire::credential;

/// Two transitions lie within two years in every zone that has them regularly.
const LOOK_AHEAD_DAYS: i64 = 2 * 366;
const DAY: i64 = 86_400;

/// The zone around `now`.
pub fn around(zone: Tz, now: Time) -> Zone {
    let first = offset(zone, now.unix());
    let next = transition(zone, now.unix());
    let after = next.and_then(|(at, _)| transition(zone, at.unix()));
    // Offsets of today's zones are whole quarter hours within ±14 hours, so this is always a zone.
    Zone::new(first, next, after).unwrap_or(Zone::UTC)
}

/// First moment after `from` at which the offset differs, and the offset from then on.
fn transition(zone: Tz, from: i64) -> Option<(Time, i8)> {
    let before = offset(zone, from);
    let day = (1..=LOOK_AHEAD_DAYS).map(|day| from + day * DAY).find(|at| offset(zone, *at) != before)?;
    let (mut same, mut changed) = (day - DAY, day);
    while changed - same > 1 {
        let middle = same + (changed - same) / 2;
        if offset(zone, middle) == before { same = middle } else { changed = middle }
    }
    Some((Time::from_unix(changed)?, offset(zone, changed)))
}

/// Offset in quarter hours east of UTC.
fn offset(zone: Tz, at: i64) -> i8 {
    let seconds = Utc
        .timestamp_opt(at, 0)
        .single()
        .map_or(0, |time| zone.offset_from_utc_datetime(&time.naive_utc()).fix().local_minus_utc());
    i8::try_from(seconds.div_euclid(900)).unwrap_or(0)
}

/// As JSON carries it.
pub fn to_wire(zone: Zone) -> credential::Zone {
    let [offset, n0, n1, n2, n3, next_offset, a0, a1, a2, a3, after_offset] = zone.encode();
    let signed = |byte: u8| i8::from_be_bytes([byte]);
    credential::Zone {
        offset: signed(offset),
        next_at: u32::from_be_bytes([n0, n1, n2, n3]),
        next_offset: signed(next_offset),
        after_at: u32::from_be_bytes([a0, a1, a2, a3]),
        after_offset: signed(after_offset),
    }
}

/// Whether a lock's zone has come to its first transition, so that the lock knows only one more.
pub fn is_stale(zone: Zone, now: Time) -> bool {
    let next_at = to_wire(zone).next_at;
    next_at != 0 && now.0 >= next_at
}

#[cfg(test)]
mod tests {
    use super::*;

    /// COD-3, LST-4: hours follow the property's clock through summer time.
    #[test]
    fn transitions_are_found_to_the_second() {
        // 2026-11-20 12:00 UTC in Portland: PST; PDT from 2027-03-14 10:00 UTC; PST from 2027-11-07 09:00 UTC.
        let zone = to_wire(around(chrono_tz::America::Los_Angeles, Time(1_795_176_000)));
        assert_eq!((zone.offset, zone.next_offset, zone.after_offset), (-32, -28, -32));
        assert_eq!((zone.next_at, zone.after_at), (1_805_018_400, 1_825_578_000));
        let phoenix = to_wire(around(chrono_tz::America::Phoenix, Time(1_795_176_000)));
        assert_eq!((phoenix.offset, phoenix.next_at, phoenix.after_at), (-28, 0, 0));
        let kathmandu = to_wire(around(chrono_tz::Asia::Kathmandu, Time(1_795_176_000)));
        assert_eq!(kathmandu.offset, 23);
    }
}
