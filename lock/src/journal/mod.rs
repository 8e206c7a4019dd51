//! The journal: the lock's state in flash, changed whole or not at all wherever the battery goes.
//!
//! Each write is one entry of the [`log`], made of the clock's stamp and some changes. When a page is full, the
//! state is written out anew on the other one, together with the changes, and then made to count.

pub mod log;
pub mod ring;
pub mod state;
pub mod tables;

use alloc::vec::Vec;

use sentri_protocol::{Malformed, Time, bytes::Reader};

use self::{
    log::{AppendError, ENTRY_MOST, Log},
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
    RING_LEN * 33 + RING_LEN / RECORDS_PER_ENTRY * 32 + LISTED_LEN + 7 * 24 + 3 * ENTRY_MOST < AREA_LEN
);

/// Why the journal could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// The flash holds none.
    Blank,
    /// It is of a form that this firmware doesn't know.
    Unreadable(Malformed),
}

/// The state and the log that keeps it.
#[derive(Debug)]
pub struct Journal {
    log: Log,
    state: State,
    worn: bool,
}

impl Journal {
    /// Begins a journal with this state, over whatever was there.
    pub fn format(flash: &mut impl Flash, state: State) -> Result<Self, FlashError> {
        let mut snapshot = Snapshot::new();
        let log = Log::format(flash, |out| snapshot.next(&state, out))?;
        Ok(Self { log, state, worn: false })
    }

    /// Reads the journal in flash.
    pub fn open(flash: &impl Flash) -> Result<Self, OpenError> {
        let mut state: Option<State> = None;
        let log = Log::open(flash, |entry| replay(&mut state, entry)).map_err(OpenError::Unreadable)?;
        let (Some(log), Some(state)) = (log, state) else { return Err(OpenError::Blank) };
        Ok(Self { log, state, worn: false })
    }

    /// The state as it is in flash.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Whether the journal in flash was found with a gap, which no power cut leaves: what follows it is lost.
    pub fn has_gap(&self) -> bool {
        self.log.has_gap()
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

fn replay(state: &mut Option<State>, entry: &[u8]) -> Result<(), Malformed> {
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
        state.as_mut().ok_or(reader.malformed())?.apply(&change);
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
        if state.damaged {
            Change::Damaged.encode(out);
        }
        for first_use in &state.first_uses {
            Change::FirstUse(*first_use).encode(out);
        }
    }
}
