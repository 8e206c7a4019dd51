//! The journal: the lock's state in flash, changed whole or not at all wherever the battery goes.
//!
//! Each write is one entry of the [`log`], made of the clock's stamp and some changes. When a page is full, the
//! state is written out anew on the other one, together with the changes, and then made to count.
//!
//! Where flash has decayed, whole entries past a broken one still count: what they say was used, blocked or counted
//! is known again, and `salvage` finds their records' numbers. Where not even the newest page's first entry can be
//! read, the page before is, and nothing is ever written again: an erase would destroy the only sign of the loss.

pub mod log;
pub mod ring;
mod salvage;
pub mod state;
pub mod tables;

use alloc::vec::Vec;

use sentri_protocol::{Malformed, Time, audit::Record, bytes::Reader, keys::KeyTree};

use self::{
    log::{AppendError, ENTRY_MOST, Found, Log, Page},
    ring::RING_LEN,
    state::{Change, Stamp, State},
    tables::{CARDS_MOST, CODES_MOST, PINS_MOST, SMACS_MOST},
};
use crate::ports::{AREA_LEN, Flash, FlashError};

/// Records in one entry of a snapshot.
const RECORDS_PER_ENTRY: usize = 24;

/// Codes and other short things in one entry of a snapshot.
const LISTED_PER_ENTRY: usize = 32;
/// Their bytes at most.
const LISTED_LEN: usize = CODES_MOST * 24 + PINS_MOST * 20 + SMACS_MOST * 7 + CARDS_MOST * 11;

// A snapshot at its largest and the longest entry fit in one area.
const _: () = assert!(
    RING_LEN * 33 + RING_LEN / RECORDS_PER_ENTRY * 32 + LISTED_LEN + 7 * 24 + 3 * ENTRY_MOST + 32 < AREA_LEN
);

/// Why the journal could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// The flash holds none.
    Blank,
    /// It is of a form that this firmware doesn't know, or decayed past reading.
    Unreadable(Malformed),
}

/// The state and the log that keeps it.
#[derive(Debug)]
pub struct Journal {
    log: Log,
    state: State,
    worn: bool,
    /// Flash lost something.
    gap: bool,
    /// Records found past a gap, whose numbers are not known yet.
    orphans: Vec<Record>,
}

impl Journal {
    /// Begins a journal with this state, over whatever was there.
    pub fn format(flash: &mut impl Flash, state: State) -> Result<Self, FlashError> {
        let mut snapshot = Snapshot::new();
        let log = Log::format(flash, |out| snapshot.next(&state, out))?;
        Ok(Self { log, state, worn: false, gap: false, orphans: Vec::new() })
    }

    /// Reads the journal in flash.
    pub fn open(flash: &impl Flash) -> Result<Self, OpenError> {
        let mut is_newest = true;
        for page in Log::pages(flash) {
            if let Some(journal) = Self::open_page(flash, page).map_err(OpenError::Unreadable)? {
                // An older page stays the only sign of what is lost: nothing is written any more.
                return Ok(Self { worn: !is_newest, gap: !is_newest || journal.gap, ..journal });
            }
            is_newest = false;
        }
        Err(if is_newest { OpenError::Blank } else { OpenError::Unreadable(Malformed { what: "journal" }) })
    }

    /// Nothing where the page's first entry, with the seed in it, is broken.
    fn open_page(flash: &impl Flash, page: Page) -> Result<Option<Self>, Malformed> {
        let mut state: Option<State> = None;
        let mut orphans = Vec::new();
        let log = Log::open(flash, page, |entry, found| replay(&mut state, entry, found, &mut orphans))?;
        let gap = log.has_gap();
        Ok(state.map(|state| Self { log, state, worn: false, gap, orphans }))
    }

    /// The state as it is in flash.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Whether the journal in flash was found with a gap, which no power cut leaves.
    pub fn has_gap(&self) -> bool {
        self.gap
    }

    /// After a gap: has the records that were found past it join the ring again, under their own numbers.
    pub fn salvage(&mut self, keys: &KeyTree) {
        if self.gap && !self.worn {
            salvage::join(&mut self.state.audit, keys, &core::mem::take(&mut self.orphans));
        }
    }

    /// Whether flash has ever refused a write since power-on.
    pub fn is_worn(&self) -> bool {
        self.worn
    }

    /// Writes changes: all are in flash on return, or, on worn flash, none.
    pub fn write(
        &mut self,
        flash: &mut impl Flash,
        stamp: Stamp,
        changes: &[Change],
    ) -> Result<(), FlashError> {
        if self.worn {
            return Err(FlashError::Worn);
        }
        let written = self.log.append(flash, |out| encode_entry(stamp, changes, out));
        let written = match written {
            Err(AppendError::PageOver | AppendError::Flash(FlashError::Worn)) => {
                self.turn(flash, stamp, changes)
            }
            Err(AppendError::Flash(FlashError::PowerLost)) => Err(FlashError::PowerLost),
            Ok(()) => Ok(()),
        };
        self.worn = written == Err(FlashError::Worn);
        written?;
        self.state.stamp = stamp;
        for change in changes {
            self.state.apply(change);
        }
        Ok(())
    }

    /// Whether [`Journal::write`] will soon take long, since it has to turn the page.
    pub fn wants_room(&self) -> bool {
        !self.worn && self.log.is_nearly_full()
    }

    /// Turns the page while nobody waits for it.
    pub fn make_room(&mut self, flash: &mut impl Flash, stamp: Stamp) -> Result<(), FlashError> {
        let turned = self.turn(flash, stamp, &[]);
        self.worn = turned == Err(FlashError::Worn);
        turned?;
        self.state.stamp = stamp;
        Ok(())
    }

    fn turn(&mut self, flash: &mut impl Flash, stamp: Stamp, changes: &[Change]) -> Result<(), FlashError> {
        self.state.revocations.forget_before(self.state.stamp.floor);
        let (mut snapshot, mut all_written) = (Snapshot::new(), false);
        let state = &self.state;
        self.log.turn(flash, |out| {
            if snapshot.next(state, out) {
                return true;
            }
            encode_entry(stamp, changes, out);
            !core::mem::replace(&mut all_written, true)
        })
    }
}

fn encode_entry(stamp: Stamp, changes: &[Change], out: &mut Vec<u8>) {
    encode_stamp(stamp, out);
    for change in changes {
        change.encode(out);
    }
}

fn encode_stamp(stamp: Stamp, out: &mut Vec<u8>) {
    out.extend_from_slice(&stamp.time.to_bytes());
    out.extend_from_slice(&stamp.floor.to_bytes());
}

fn replay(
    state: &mut Option<State>,
    entry: &[u8],
    found: Found,
    orphans: &mut Vec<Record>,
) -> Result<(), Malformed> {
    let mut reader = Reader::new(entry, "journal");
    let stamp = Stamp { time: Time(reader.u32()?), floor: Time(reader.u32()?) };
    let mut rest = reader.rest();
    if let Some(state) = state {
        state.stamp = stamp;
    }
    while !rest.is_empty() {
        let mut reader = Reader::new(rest, "journal");
        let change = Change::read(&mut reader)?;
        rest = reader.rest();
        if let (None, Change::Provisioned(seed)) = (state.as_ref(), &change) {
            *state = Some(State { stamp, ..State::new(seed.clone()) });
        }
        match (state.as_mut(), change) {
            // How many records are missing before it, the chain alone tells.
            (Some(_), Change::Record(record)) if found == Found::PastGap => orphans.push(record),
            (Some(state), change) => state.apply(&change),
            // The seed was in the entry that is broken.
            (None, _) if found == Found::PastGap => {}
            (None, _) => return Err(reader.malformed()),
        }
    }
    Ok(())
}

/// Writes a state out, entry by entry.
struct Snapshot {
    next: usize,
    /// What is still to be listed, the last first.
    listed: Option<Vec<Change>>,
}

impl Snapshot {
    fn new() -> Self {
        Self { next: 0, listed: None }
    }

    /// Puts the next entry together; false once there is none.
    fn next(&mut self, state: &State, out: &mut Vec<u8>) -> bool {
        let part = self.next;
        self.next += 1;
        match part {
            0 => Self::basics(state, out),
            1 => {
                encode_stamp(state.stamp, out);
                Change::Revocations(state.revocations.clone()).encode(out);
            }
            _ if self.list(state, out) => self.next = 2,
            _ => {
                let skip = (part - 2) * RECORDS_PER_ENTRY;
                let mut records = state.audit.records().skip(skip).take(RECORDS_PER_ENTRY).peekable();
                if records.peek().is_none() {
                    return false;
                }
                encode_stamp(state.stamp, out);
                records.for_each(|record| Change::Record(*record).encode(out));
            }
        }
        true
    }

    /// Puts codes and other short lists together; false once all are listed.
    fn list(&mut self, state: &State, out: &mut Vec<u8>) -> bool {
        let listed = self.listed.get_or_insert_with(|| {
            let mut all = state.tables.as_changes();
            all.reverse();
            all
        });
        if listed.is_empty() {
            return false;
        }
        encode_stamp(state.stamp, out);
        let rest = listed.len().saturating_sub(LISTED_PER_ENTRY);
        listed.drain(rest..).rev().for_each(|change| change.encode(out));
        true
    }

    fn basics(state: &State, out: &mut Vec<u8>) {
        encode_stamp(state.stamp, out);
        Change::Provisioned(state.seed.clone()).encode(out);
        Change::Made(state.id, state.profile).encode(out);
        Change::Booted(state.boots).encode(out);
        Change::Settings(state.settings).encode(out);
        Change::RingStart(state.audit.start()).encode(out);
        for kind in crate::lockout::CodeKind::ALL {
            Change::WrongTries(kind, state.wrong_tries.of(kind)).encode(out);
        }
        if let Some(last) = state.last_open {
            Change::LastOpen(last).encode(out);
        }
        if let Some(key) = state.association {
            Change::Association(key).encode(out);
        }
        if let Some(time) = state.waits_ended {
            Change::WaitsEnded(time).encode(out);
        }
        if state.codes_version > 0 {
            Change::CodesVersion(state.codes_version).encode(out);
        }
        if state.damaged {
            Change::Damaged.encode(out);
        }
        for first_use in &state.first_uses {
            Change::FirstUse(*first_use).encode(out);
        }
    }
}
