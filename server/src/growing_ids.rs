//! Ids that grow with time (RFC 9562, version 7): rows of one moment lie side by side in every index that has their id, and
//! storing many of them touches few pages.

use std::sync::atomic::{AtomicU32, Ordering};

use sentri_wire::Timestamp;
use uuid::Builder;

use crate::store::Id;

/// Where they come from. Those of one process grow; those of two are told apart by chance.
#[derive(Default)]
pub struct GrowingIds(AtomicU32);

impl GrowingIds {
    /// The next one, with chance from outside.
    pub fn next(&self, now: Timestamp, chance: [u8; 6]) -> Id {
        let millis = u64::try_from(now).unwrap_or(0).saturating_mul(1_000);
        // The clock tells seconds: within one, a count of 26 bits goes into the bits after the time that are free.
        let count = self.0.fetch_add(1, Ordering::Relaxed);
        let [high, middle, low] = [count >> 22, count >> 14, count >> 8].map(|bits| bits.to_be_bytes()[3]);
        let mut rest = [0; 10];
        rest[..4].copy_from_slice(&[high & 0x0F, middle, low & 0x3F, count.to_be_bytes()[3]]);
        rest[4..].copy_from_slice(&chance);
        Id(Builder::from_unix_timestamp_millis(millis, &rest).into_uuid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = 1_795_194_000;

    #[test]
    fn they_grow_with_each_one_made_and_with_time() {
        let ids = GrowingIds::default();
        let mut all: Vec<_> = (0..70_000u32).map(|n| ids.next(NOW, [(n % 251) as u8; 6])).collect();
        all.push(ids.next(NOW + 1, [0; 6]));
        assert!(all.is_sorted_by(|one, next| one < next && one.0.to_string() < next.0.to_string()));
        let known = all.first().map(|id| id.0.to_string());
        assert_eq!(known.as_deref(), Some("01a1f9e6-9280-7000-8000-000000000000"), "RFC 9562, 5.7");
    }

    #[test]
    fn the_count_uses_all_of_its_bits_and_begins_again() {
        let ids = GrowingIds(AtomicU32::new((1 << 26) - 1));
        let [last, first] = [ids.next(NOW, [9; 6]), ids.next(NOW, [9; 6])];
        assert!(last.0.to_string().ends_with("-7fff-bfff-090909090909"), "{last}");
        assert!(first.0.to_string().ends_with("-7000-8000-090909090909"), "{first}");
    }
}
