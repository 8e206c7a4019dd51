//! The audit ring: records that wait for the backend's acknowledgement.
//!
//! A full ring never refuses an open. Failures are then merged into a count; anything else overwrites the oldest
//! record, and how many were lost so is told with every batch.

use alloc::{collections::VecDeque, vec::Vec};

use sentri_protocol::{
    audit::{Batch, CHAIN_START, ChainTag, MAX_BATCH, Record},
    keys::KeyTree,
};

/// Records that the lock holds at most.
pub const RING_LEN: usize = 256;

/// Where a ring begins: what a snapshot stores beside the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingStart {
    /// Number of the oldest record held, or of the next where none is.
    pub first: u32,
    /// Tag of the record before it.
    pub previous: ChainTag,
    /// Records ever overwritten, or lost with decayed flash, before they were acknowledged.
    pub lost: u32,
    /// Failures that are counted and not yet written.
    pub merged: u32,
}

/// What an acknowledgement means to the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledges {
    /// It frees records.
    Records,
    /// Those records are gone already.
    Nothing,
    /// It names a record that this ring never held.
    Unknown,
}

/// The records held, oldest first.
#[derive(Clone, Debug)]
pub struct AuditRing {
    start: RingStart,
    records: VecDeque<Record>,
}

impl Default for AuditRing {
    fn default() -> Self {
        let start = RingStart { first: 1, previous: CHAIN_START, lost: 0, merged: 0 };
        Self { start, records: VecDeque::with_capacity(RING_LEN) }
    }
}

impl AuditRing {
    /// Where it begins.
    pub fn start(&self) -> RingStart {
        self.start
    }

    /// Number of the newest record, 0 before the first.
    pub fn head(&self) -> u32 {
        self.start.first.wrapping_add(self.held()).wrapping_sub(1)
    }

    /// Tag of the newest record.
    pub fn head_tag(&self) -> ChainTag {
        self.records.back().map_or(self.start.previous, Record::tag)
    }

    /// How many records wait.
    pub fn held(&self) -> u32 {
        u32::try_from(self.records.len()).unwrap_or(u32::MAX)
    }

    /// Whether another record would overwrite one.
    pub fn is_full(&self) -> bool {
        self.records.len() >= RING_LEN
    }

    /// The records, oldest first.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.iter()
    }

    /// Replaces all of it by an empty ring that begins here.
    pub fn restart(&mut self, start: RingStart) {
        self.start = start;
        self.records.clear();
    }

    /// Adds a record, over the oldest where there is no room.
    pub fn push(&mut self, record: Record) {
        if self.is_full() {
            self.free_oldest();
            self.start.lost = self.start.lost.saturating_add(1);
        }
        self.records.push_back(record);
    }

    /// Leaves so many numbers to records that are gone.
    pub(super) fn lose(&mut self, missing: u32) {
        (0..missing).for_each(|_| self.push(Record::from_bytes([0; Record::LEN])));
        self.count_lost(missing);
    }

    /// Counts records that can't be had any more.
    pub(super) fn count_lost(&mut self, records: u32) {
        self.start.lost = self.start.lost.saturating_add(records);
    }

    /// Counts failures that have no record of their own.
    pub fn set_merged(&mut self, merged: u32) {
        self.start.merged = merged;
    }

    /// What an authentic acknowledgement of record `up_to`, with this tag, means.
    pub fn acknowledges(&self, up_to: u32, tag: &ChainTag) -> Acknowledges {
        let Some(index) = up_to.checked_sub(self.start.first) else { return Acknowledges::Nothing };
        let held = usize::try_from(index).ok().and_then(|index| self.records.get(index));
        match held {
            Some(record) if record.tag() == *tag => Acknowledges::Records,
            _ => Acknowledges::Unknown,
        }
    }

    /// Frees all records up to this one.
    pub fn free_up_to(&mut self, up_to: u32) {
        while self.start.first <= up_to && !self.records.is_empty() {
            self.free_oldest();
        }
    }

    /// At most `most` records from number `from` on, or from the oldest held, signed. Where flash lost records a batch
    /// begins after them, or ends before them.
    pub fn batch(&self, keys: &KeyTree, from: u32, most: u8) -> Vec<u8> {
        let skip = usize::try_from(from.saturating_sub(self.start.first)).unwrap_or(usize::MAX);
        let held = self.records.len();
        let first = (skip.min(held)..held).find(|place| self.is_readable(keys, *place)).unwrap_or(held);
        let most = usize::from(most.min(MAX_BATCH));
        let records = self.records.iter().enumerate().skip(first).take(most);
        let records = records.take_while(|(place, _)| self.is_readable(keys, *place));
        Batch {
            first: self.start.first.saturating_add(u32::try_from(first).unwrap_or(u32::MAX)),
            lost: self.start.lost,
            previous: self.tag_before(first),
            records: records.map(|(_, record)| *record).collect(),
        }
        .sign(keys)
    }

    fn tag_before(&self, place: usize) -> ChainTag {
        let before = place.checked_sub(1).and_then(|before| self.records.get(before));
        before.map_or(self.start.previous, Record::tag)
    }

    fn is_readable(&self, keys: &KeyTree, place: usize) -> bool {
        let number = self.start.first.wrapping_add(u32::try_from(place).unwrap_or(u32::MAX));
        let record = self.records.get(place);
        record.is_some_and(|record| record.open(keys, number, &self.tag_before(place)).is_some())
    }

    fn free_oldest(&mut self) {
        if let Some(oldest) = self.records.pop_front() {
            self.start.previous = oldest.tag();
            self.start.first = self.start.first.wrapping_add(1);
        }
    }
}
