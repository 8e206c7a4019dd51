//! Records found past a gap in flash: the chain of their tags tells their numbers.
//!
//! A record opens only under its own number and after the tag of the one before it. So the first one past a gap
//! can't be opened any more, but its tag proves the number of the second, and with it its own. Numbers of records that
//! are gone stay taken, by blanks, so that the backend never sees two records under one number.

use sentri_protocol::{audit::Record, keys::KeyTree};

use super::ring::{AuditRing, RING_LEN};

/// Numbers left free for records of a broken entry that nothing follows: a write has no more.
const MAY_BE_MISSING: u32 = 3;

/// Appends to the ring what was found past its gaps, oldest first.
pub(super) fn join(ring: &mut AuditRing, keys: &KeyTree, orphans: &[Record]) {
    let mut dropped = 0;
    for (place, orphan) in orphans.iter().enumerate() {
        let missing = missing_before(ring, keys, orphan, orphans.get(place + 1));
        match missing {
            Some(missing) => {
                ring.lose(missing);
                ring.push(*orphan);
                // After a gap it can't be opened.
                ring.count_lost(u32::from(missing > 0));
                dropped = 0;
            }
            None => dropped += 1,
        }
    }
    ring.lose(dropped + MAY_BE_MISSING);
}

/// How many records are gone between the ring's newest and this one; nothing where that can't be told.
fn missing_before(ring: &AuditRing, keys: &KeyTree, orphan: &Record, next: Option<&Record>) -> Option<u32> {
    let number = ring.head().wrapping_add(1);
    if orphan.open(keys, number, &ring.head_tag()).is_some() {
        return Some(0);
    }
    let most = u32::try_from(RING_LEN).unwrap_or(u32::MAX);
    let proves =
        |missing: &u32| next?.open(keys, number.wrapping_add(missing + 1), &orphan.tag()).map(|_| ());
    (1..=most).find(|missing| proves(missing).is_some())
}
