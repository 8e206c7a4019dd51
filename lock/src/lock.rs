//! The lock as a whole: how it starts, what time does to it, and the one way in which it writes things down.

use alloc::vec::Vec;
use core::fmt;

use sentri_protocol::{
    Malformed, Seed, Time,
    audit::Kind,
    codes::{kind::Profile, smart_pin::LockId, stored::StoredCode, validity::Validity},
    keys::KeyTree,
    open::Verdict,
    settings::Settings,
    status::{BATTERY_LOW, Status, StatusFlags},
    time::DAY,
};
use thiserror::Error;

use crate::{
    clock::{Clock, Now},
    journal::{
        Journal, OpenError,
        state::{Change, Stamp, State},
        tables::{HeldCode, PROGRAMMING_ID, Role},
    },
    keypad::Keypad,
    lockout::Lockout,
    ports::{Board, FlashError, Indication, MotorError},
    records::{self, Draft},
    session::Session,
};

/// This firmware's version, as a status tells it.
pub const FIRMWARE: u16 = 1;

/// Milliseconds after which the time is stored, though nothing else was.
const STORE_TIME_EVERY_MS: u64 = 3_600_000;
/// More than a lock can have booted between two writes of a page.
const BOOTS_IN_A_GAP: u32 = 1 << 16;

/// The power is gone. Drop the lock; boot another from the same flash when it is back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the power is gone")]
pub struct Halt;

/// Why a lock did not boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BootError {
    /// The power went; boot again.
    #[error(transparent)]
    Halt(#[from] Halt),
    /// The flash holds no journal: provision it first.
    #[error("the lock was never provisioned")]
    NotProvisioned,
    /// The journal is of a newer firmware, or damaged past what a power cut can do.
    #[error("the journal can't be read: {0}")]
    Unreadable(Malformed),
}

/// Why a lock could not be provisioned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ProvisionError {
    /// The power went; provision again.
    #[error(transparent)]
    Halt(#[from] Halt),
    /// It holds a seed already, which is never overwritten.
    #[error("the lock is provisioned already")]
    AlreadyProvisioned,
    /// The flash does not take what is written.
    #[error("the flash is worn")]
    Worn,
}

/// What the factory gives a lock.
#[derive(Clone, Debug)]
pub struct Provisioning {
    /// What all its keys come from; the backend keeps it too.
    pub seed: Seed,
    /// Its id, which SmartPINs are bound to.
    pub id: LockId,
    /// What sort of lock it is.
    pub profile: Profile,
    /// Whose cards it takes: the association's P-256 key, compressed SEC 1.
    pub association: Option<[u8; 33]>,
    /// What the owner types to block a `SmartPIN`. [PIN-6]
    pub programming_code: Option<StoredCode>,
    /// Its first settings.
    pub settings: Settings,
    /// The true time: its clock starts good.
    pub time: Time,
}

/// What happened since power-on, for a test or a control panel to look at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// How often the lock has ever booted.
    pub boots: u32,
    /// Presses of ENT that woke the radio.
    pub wakes: u32,
    /// Connections taken.
    pub connections: u32,
    /// Frames from phones.
    pub frames_in: u32,
    /// Frames to phones.
    pub frames_out: u32,
    /// Whole first messages of connections.
    pub m1_seen: u32,
    /// Those of them that proved nothing.
    pub m1_unproved: u32,
    /// Codes entered on the keypad, of a length that some kind of code has.
    pub codes_entered: u32,
    /// How often the motor was driven.
    pub motor_drives: u32,
    /// How often the key bin opened.
    pub opens: u32,
}

/// Whether changes are in flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Stored {
    Yes,
    Worn,
}

/// Whether the key bin opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Driven {
    Opened,
    Stuck,
}

/// A running lock.
pub struct Lock<B> {
    pub(crate) board: B,
    pub(crate) journal: Journal,
    pub(crate) keys: KeyTree,
    pub(crate) clock: Clock,
    pub(crate) lockout: Lockout,
    pub(crate) session: Session,
    pub(crate) keypad: Keypad,
    pub(crate) counters: Counters,
    stored_at_ms: u64,
}

impl<B> fmt::Debug for Lock<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock").field("counters", &self.counters).finish_non_exhaustive()
    }
}

impl<B: Board> Lock<B> {
    /// Provisions a blank board, as the factory does, and starts it.
    pub fn provision(mut board: B, provisioning: Provisioning) -> Result<Self, ProvisionError> {
        match Journal::open(&board) {
            Err(OpenError::Blank) => {}
            Ok(_) | Err(OpenError::Unreadable(_)) => return Err(ProvisionError::AlreadyProvisioned),
        }
        let Provisioning { seed, id, profile, association, programming_code, settings, time } = provisioning;
        let stamp = Stamp { time, floor: time };
        let mut state = State { id, profile, stamp, settings, association, ..State::new(seed) };
        if let Some(code) = programming_code {
            let (id, role, validity) = (PROGRAMMING_ID, Role::Programming, Validity::Permanent);
            state.tables.change(&Change::Held(HeldCode { id, role, code, validity }), time);
        }
        let journal = Journal::format(&mut board, state).map_err(|error| match error {
            FlashError::PowerLost => ProvisionError::Halt(Halt),
            FlashError::Worn => ProvisionError::Worn,
        })?;
        let mut lock = Self::with_journal(board, journal);
        lock.clock.set_to(time, lock.board.uptime_ms());
        lock.record_boot()?;
        Ok(lock)
    }

    /// Starts a provisioned board after power-on. Its clock is lost.
    pub fn boot(board: B) -> Result<Self, BootError> {
        let journal = Journal::open(&board).map_err(|error| match error {
            OpenError::Blank => BootError::NotProvisioned,
            OpenError::Unreadable(malformed) => BootError::Unreadable(malformed),
        })?;
        let mut lock = Self::with_journal(board, journal);
        lock.journal.salvage(&lock.keys);
        lock.record_boot()?;
        Ok(lock)
    }

    fn with_journal(board: B, journal: Journal) -> Self {
        let uptime_ms = board.uptime_ms();
        let state = journal.state();
        Self {
            keys: KeyTree::new(&state.seed, state.settings.generation),
            clock: Clock::lost(state.stamp, uptime_ms),
            lockout: Lockout::new(uptime_ms),
            session: Session::new(),
            keypad: Keypad::new(uptime_ms),
            counters: Counters { boots: state.boots, ..Counters::default() },
            stored_at_ms: uptime_ms,
            board,
            journal,
        }
    }

    /// Stores the boot counter, on which the freshness of nonces and random numbers rests, before any radio. A
    /// lock whose flash is worn starts all the same, to say so: it opens nothing.
    fn record_boot(&mut self) -> Result<(), Halt> {
        let gap = self.journal.has_gap();
        // Boots that are forgotten with the rest must not be counted again.
        let boots = self.journal.state().boots.wrapping_add(if gap { BOOTS_IN_A_GAP } else { 1 });
        let mut draft = self.draft();
        if gap {
            draft.change(Change::Damaged);
            draft.event(&records::own(Kind::FlashFailed, self.now()));
        }
        draft.change(Change::Booted(boots));
        draft.event(&records::own(Kind::Boot, self.now()));
        let changes = draft.into_changes();
        if self.store(&changes)? == Stored::Worn || self.journal.state().damaged {
            self.board.show(Indication::NeedsService);
        }
        self.counters.boots = boots;
        Ok(())
    }

    /// Does what is due by now: call it at [`Lock::next_deadline`], or more often.
    pub fn tick(&mut self) -> Result<(), Halt> {
        let now_ms = self.board.uptime_ms();
        self.session_tick(now_ms);
        self.keypad.tick(now_ms);
        while let Some((kind, count)) = self.lockout.due_to_fall(&self.journal.state().wrong_tries, now_ms) {
            // On worn flash the count stays where it is, and no code is looked at anyway.
            let (Stored::Yes | Stored::Worn) = self.store(&[Change::WrongTries(kind, count)])?;
            self.lockout.fell(kind);
        }
        if now_ms >= self.stored_at_ms.saturating_add(STORE_TIME_EVERY_MS) {
            // Worn flash is told by the next status; there is nothing to do about it here.
            let (Stored::Yes | Stored::Worn) = self.store(&[])?;
        }
        if self.has_room_to_make() {
            self.stored_at_ms = now_ms;
            let made = self.journal.make_room(&mut self.board, self.clock.stamp(now_ms));
            if made == Err(FlashError::PowerLost) {
                return Err(Halt);
            }
        }
        Ok(())
    }

    /// Whether flash is nearly full, and nobody is at the lock who would wait for its page to turn.
    fn has_room_to_make(&self) -> bool {
        let is_alone = self.session.is_alone() && self.keypad.next_deadline().is_none();
        is_alone && self.journal.wants_room()
    }

    /// When [`Lock::tick`] has something to do next, in milliseconds of uptime.
    pub fn next_deadline(&self) -> u64 {
        let falls = self.lockout.next_fall(&self.journal.state().wrong_tries);
        let room = self.has_room_to_make().then_some(self.stored_at_ms);
        let beacon = self.beacon_is_due().then_some(self.stored_at_ms);
        [room, beacon, self.session.next_deadline(), self.keypad.next_deadline(), falls]
            .into_iter()
            .flatten()
            .fold(self.stored_at_ms.saturating_add(STORE_TIME_EVERY_MS), u64::min)
    }

    /// What happened since power-on.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// The moment by the lock's clock.
    pub fn now(&self) -> Now {
        self.clock.now(self.board.uptime_ms())
    }

    /// The state that is in flash.
    pub fn state(&self) -> &State {
        self.journal.state()
    }

    /// The device.
    pub fn board(&self) -> &B {
        &self.board
    }

    pub(crate) fn draft(&self) -> Draft<'_> {
        Draft::new(&self.keys, &self.journal.state().audit)
    }

    /// Writes changes down, all or, on worn flash, none.
    pub(crate) fn store(&mut self, changes: &[Change]) -> Result<Stored, Halt> {
        let now_ms = self.board.uptime_ms();
        self.stored_at_ms = now_ms;
        match self.journal.write(&mut self.board, self.clock.stamp(now_ms), changes) {
            Ok(()) => Ok(Stored::Yes),
            Err(FlashError::Worn) => Ok(Stored::Worn),
            Err(FlashError::PowerLost) => Err(Halt),
        }
    }

    /// Drives the motor, for an open that is written down.
    pub(crate) fn drive(&mut self) -> Result<Driven, Halt> {
        self.counters.motor_drives += 1;
        match self.board.open_key_bin() {
            Ok(()) => {
                self.counters.opens += 1;
                self.board.show(Indication::Opened);
                Ok(Driven::Opened)
            }
            Err(MotorError::PowerLost) => Err(Halt),
            Err(MotorError::Stuck) => {
                self.board.show(Indication::NeedsService);
                Ok(Driven::Stuck)
            }
        }
    }

    /// The owner is here, proved: ends the waits at the keypad, once a day; the counts stay. [PIN-7]
    pub(crate) fn end_waits(&mut self) -> Result<(), Halt> {
        let (now, now_ms) = (self.now().time, self.board.uptime_ms());
        let state = self.journal.state();
        let waits = self.lockout.is_waiting(&state.wrong_tries, now_ms);
        if !waits || state.waits_ended.is_some_and(|at| now.since(at) < DAY) {
            return Ok(());
        }
        if self.store(&[Change::WaitsEnded(now)])? == Stored::Yes {
            self.lockout.end_waits();
        }
        Ok(())
    }

    pub(crate) fn battery_low(&self) -> bool {
        self.board.battery_percent() <= BATTERY_LOW
    }

    /// What the lock tells of itself, to be completed with what it tells of an operation.
    pub(crate) fn status(&self) -> Status {
        let (state, now) = (self.journal.state(), self.now());
        Status {
            verdict: Verdict::Served,
            operation_id: sentri_protocol::open::OperationId::default(),
            clock: now.time,
            quality: now.quality,
            epoch: state.revocations.epoch_floor,
            revocation_version: state.revocations.version,
            settings_version: state.settings.version,
            log_head: state.audit.head(),
            unacknowledged: u16::try_from(state.audit.held()).unwrap_or(u16::MAX),
            battery: self.board.battery_percent(),
            firmware: FIRMWARE,
            retry_after: 0,
            flags: StatusFlags {
                records_lost: state.audit.start().lost > 0,
                flash_worn: self.journal.is_worn() || state.damaged,
                ..StatusFlags::default()
            },
        }
    }

    /// Writes down a record of something that happened.
    pub(crate) fn store_event(
        &mut self,
        entry: &sentri_protocol::audit::Entry,
        change: Option<Change>,
    ) -> Result<Stored, Halt> {
        let changes: Vec<Change> = {
            let mut draft = self.draft();
            if let Some(change) = change {
                draft.change(change);
            }
            draft.event(entry);
            draft.into_changes()
        };
        self.store(&changes)
    }
}
