//! The changes of one write, with the audit records among them numbered, chained and, where the ring is full,
//! merged.

use alloc::vec::Vec;

use sentri_protocol::{
    Time,
    audit::{ChainTag, Entry, Kind, Record},
    card::Card,
    keys::KeyTree,
    open::{Request, Verdict},
};

use crate::{
    clock::Now,
    journal::{
        ring::{AuditRing, RING_LEN},
        state::Change,
    },
    lockout::CodeKind,
};

/// `uncertainty` of a phone that doesn't know its clock's error, and `skew` of an entry without a phone.
const UNKNOWN_UNCERTAINTY: u8 = 255;
const UNKNOWN_SKEW: i16 = i16::MIN;
/// Where a code fits no slot.
pub(crate) const NO_SLOT: u8 = 0xff;

/// Changes that will be written together.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    keys: &'a KeyTree,
    number: u32,
    tag: ChainTag,
    room: usize,
    merged: u32,
    changes: Vec<Change>,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(keys: &'a KeyTree, ring: &AuditRing) -> Self {
        Self {
            keys,
            number: ring.head(),
            tag: ring.head_tag(),
            room: RING_LEN.saturating_sub(usize::try_from(ring.held()).unwrap_or(RING_LEN)),
            merged: ring.start().merged,
            changes: Vec::with_capacity(6),
        }
    }

    pub(crate) fn change(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// Adds a record of something that happened: it is written whatever it overwrites.
    pub(crate) fn event(&mut self, entry: &Entry) {
        self.flush_merged(entry.time, entry.clock_lost);
        self.seal(entry);
    }

    /// Adds a record of a refusal: it overwrites nothing.
    pub(crate) fn failure(&mut self, entry: &Entry) {
        let needed = if self.merged == 0 { 1 } else { 2 };
        if self.room >= needed {
            self.event(entry);
        } else {
            self.merged = self.merged.saturating_add(1);
            self.changes.push(Change::Merged(self.merged));
        }
    }

    pub(crate) fn into_changes(self) -> Vec<Change> {
        self.changes
    }

    fn flush_merged(&mut self, time: Time, clock_lost: bool) {
        if self.merged == 0 {
            return;
        }
        let mut who = [0; 8];
        who[..4].copy_from_slice(&self.merged.to_be_bytes());
        let entry = Entry {
            time,
            kind: Kind::MergedFailures,
            clock_lost,
            result: 0,
            who,
            operation: [0; 4],
            skew: UNKNOWN_SKEW,
        };
        self.merged = 0;
        self.changes.push(Change::Merged(0));
        self.seal(&entry);
    }

    fn seal(&mut self, entry: &Entry) {
        self.number = self.number.saturating_add(1);
        let record = Record::seal(self.keys, self.number, &self.tag, entry);
        self.tag = record.tag();
        self.room = self.room.saturating_sub(1);
        self.changes.push(Change::Record(record));
    }
}

/// Something that the lock did by itself.
pub(crate) fn own(kind: Kind, now: Now) -> Entry {
    Entry {
        time: now.time,
        kind,
        clock_lost: now.is_lost(),
        result: 0,
        who: [0; 8],
        operation: [0; 4],
        skew: UNKNOWN_SKEW,
    }
}

/// A delivery of codes; bit n of `not_done`: order n was not carried out.
pub(crate) fn codes(version: u32, not_done: u16, now: Now) -> Entry {
    let mut who = [0; 8];
    who[..4].copy_from_slice(&version.to_be_bytes());
    who[4..6].copy_from_slice(&not_done.to_be_bytes());
    Entry { result: Verdict::Served.code(), who, ..own(Kind::Codes, now) }
}

/// Who brings a lock what the backend signed for it.
#[derive(Clone, Copy)]
pub(crate) enum Carrier<'a> {
    Phone(&'a Request),
    Card(&'a Card),
}

/// Settings, or a revocation list; their version stands where the operation does else.
pub(crate) fn brought(kind: Kind, version: u32, by: Carrier<'_>, now: Now) -> Entry {
    let entry = match by {
        Carrier::Phone(request) => by_phone(kind, request, Verdict::Served, now),
        Carrier::Card(card) => by_card(kind, card, Verdict::Served, now),
    };
    Entry { operation: version.to_be_bytes(), ..entry }
}

/// Something that a phone asked for, or brought.
pub(crate) fn by_phone(kind: Kind, request: &Request, verdict: Verdict, now: Now) -> Entry {
    let skew = if request.clock.uncertainty == UNKNOWN_UNCERTAINTY {
        UNKNOWN_SKEW
    } else {
        Entry::skew_between(request.clock.time, now.time)
    };
    Entry {
        result: verdict.code(),
        who: request.ticket.credential.0,
        operation: request.operation_id.first_half(),
        skew,
        ..own(kind, now)
    }
}

/// A card, or what was done with one.
pub(crate) fn by_card(kind: Kind, card: &Card, verdict: Verdict, now: Now) -> Entry {
    let operation = card.holder.number().to_be_bytes();
    Entry { result: verdict.code(), who: card.serial.0, operation, ..own(kind, now) }
}

/// A code on the keypad; `which` names it within its kind, and begins with [`NO_SLOT`] where it is none.
pub(crate) fn by_code(code: CodeKind, which: [u8; 7], verdict: Verdict, now: Now) -> Entry {
    let mut who = [code.number(); 8];
    who[1..].copy_from_slice(&which);
    Entry { result: verdict.code(), who, ..own(Kind::Code, now) }
}
