//! Codes of every kind: an entry judged, written down, and only then opened for. [COD-1 to COD-3, PIN-3]
//!
//! An attempt is written down before it is looked at and its use before the motor moves, so that a battery pulled
//! in between costs the guesser, and opens nothing twice. To the person at the keypad every refusal looks the
//! same: that a code was right but came at the wrong time is for the log alone, and counts as wrong.

use alloc::{vec, vec::Vec};

use sentri_protocol::{
    codes::{
        Present, Refused, contractor,
        kind::Kind,
        one_day, smac,
        smart_pin::{Accepted, LockId, SmartPinKey},
    },
    hours::Weekly,
    open::Verdict,
};

use super::mode::Mode;
use crate::{
    journal::{state::Change, tables::HeldPin},
    lock::{Driven, Halt, Lock, Stored},
    lockout::CodeKind,
    ports::{Board, Indication},
    records::{self, NO_SLOT},
};

/// A code that may open now.
pub(super) struct Opens {
    /// Which of its kind, as the log names it.
    pub(super) which: [u8; 7],
    /// What its use leaves behind.
    pub(super) uses: Vec<Change>,
    /// Where it is a `SmartPIN`: a short PIN may be picked.
    smart_pin: Option<Accepted>,
}

/// Why an entry opens nothing, for the log.
#[derive(Clone, Copy)]
pub(super) struct No {
    pub(super) verdict: Verdict,
    /// Tells apart what the verdict doesn't.
    pub(super) why: Why,
}

/// What tells refusals with one verdict apart.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Why {
    /// The verdict says it; or the digits are no code.
    Plain = 0,
    /// The kind is switched off.
    Off = 1,
    /// Contractor mode is off.
    ContractorModeOff = 2,
    /// It came during a wait, and was not looked at.
    Waits = 3,
    /// It was used already.
    Used = 4,
    /// Another code is the same: choose another.
    Taken = 5,
}

impl No {
    pub(super) const SUCH_CODE: Self = Self { verdict: Verdict::NoRight, why: Why::Plain };

    pub(super) const fn because(why: Why) -> Self {
        Self { verdict: Verdict::NoRight, why }
    }

    pub(super) fn which(self) -> [u8; 7] {
        [NO_SLOT, self.why as u8, 0, 0, 0, 0, 0]
    }
}

impl From<Verdict> for No {
    fn from(verdict: Verdict) -> Self {
        Self { verdict, why: Why::Plain }
    }
}

impl From<Refused> for No {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Unknown => Self::SUCH_CODE,
            Refused::Off => Self::because(Why::Off),
            Refused::ContractorModeOff => Self::because(Why::ContractorModeOff),
            Refused::NotYet { .. } => Verdict::NotYet.into(),
            Refused::Expired { .. } => Verdict::Expired.into(),
            Refused::OutsideHours { .. } => Verdict::OutsideHours.into(),
            Refused::ClockLost => Verdict::ClockLost.into(),
        }
    }
}

impl Opens {
    pub(super) fn new(which: [u8; 7], uses: Vec<Change>) -> Self {
        Self { which, uses, smart_pin: None }
    }

    fn slot(slot: u8, uses: Vec<Change>) -> Self {
        Self::new([slot, 0, 0, 0, 0, 0, 0], uses)
    }
}

impl<B: Board> Lock<B> {
    /// An entry that is a code was taken.
    pub(super) fn enter(&mut self, entry: &[u8]) -> Result<(), Halt> {
        let kind = match self.journal.state().profile.kind_of(entry.len()) {
            Some(Kind::Contractor) => CodeKind::Contractor,
            Some(Kind::OneDay) => CodeKind::OneDay,
            Some(Kind::Smac) => CodeKind::Smac,
            Some(Kind::SmartPin) => CodeKind::SmartPin,
            Some(Kind::Stored) => {
                self.counters.codes_entered += 1;
                return self.enter_stored(entry);
            }
            None => {
                self.board.show(Indication::Refused);
                return Ok(());
            }
        };
        self.counters.codes_entered += 1;
        let Some(count) = self.begin_try(kind)? else { return Ok(()) };
        match self.judge_code(kind, entry) {
            Ok(opens) => self.open_by_code(kind, count, opens),
            Err(no) => self.refuse_code(kind, no),
        }
    }

    /// Counts a try before it is looked at; the count before it, or nothing where it is not looked at.
    pub(super) fn begin_try(&mut self, kind: CodeKind) -> Result<Option<u16>, Halt> {
        let tries = self.journal.state().wrong_tries;
        let seconds = self.lockout.wait(&tries, kind, self.board.uptime_ms());
        if seconds > 0 {
            return self.tell_wait(kind, seconds).map(|()| None);
        }
        self.keypad.waits_told &= !(1 << kind.number());
        let count = tries.of(kind);
        if self.store(&[Change::WrongTries(kind, count.saturating_add(1))])? == Stored::Worn {
            self.board.show(Indication::NeedsService);
            return Ok(None);
        }
        Ok(Some(count))
    }

    /// Shows how long to wait. The log tells of one such entry in each wait, so that no guesser wears out the flash.
    pub(super) fn tell_wait(&mut self, kind: CodeKind, seconds: u32) -> Result<(), Halt> {
        self.board.show(Indication::Wait { seconds });
        let bit = 1 << kind.number();
        if self.keypad.waits_told & bit != 0 {
            return Ok(());
        }
        self.keypad.waits_told |= bit;
        self.log_refusal(kind, No::because(Why::Waits))
    }

    /// The moment for codes that are bound to one: none while the clock is lost.
    pub(super) fn present(&self) -> Present {
        let now = self.now();
        if now.is_lost() { Present::LOST } else { Present::at(now.time, now.tolerance()) }
    }

    fn judge_code(&self, kind: CodeKind, entry: &[u8]) -> Result<Opens, No> {
        let state = self.journal.state();
        let present = self.present();
        if kind == CodeKind::Contractor {
            let slot = contractor::verify(&self.keys, &state.settings, present, entry)?;
            return Ok(Opens::slot(slot, Vec::new()));
        }
        // What was used or blocked may be forgotten.
        if state.damaged {
            return Err(Verdict::FlashFailed.into());
        }
        match kind {
            CodeKind::OneDay => {
                let used = one_day::verify(&self.keys, &state.settings, present, &state.first_uses, entry)?;
                let first = used.is_first.then_some(Change::FirstUse(used.first));
                Ok(Opens::slot(used.first.index, first.into_iter().collect()))
            }
            CodeKind::Smac => self.judge_smac(present, entry),
            _ => self.judge_smart_pin(present, entry),
        }
    }

    fn judge_smac(&self, present: Present, entry: &[u8]) -> Result<Opens, No> {
        let smac = smac::verify(&self.keys, present, entry)?;
        let settings = &self.journal.state().settings;
        // It stands for a card, which opens within hours too. The lock can't know which slot is its owner's.
        if !settings.access_hours.allows(settings.zone.local(self.now().time)) {
            return Err(Verdict::OutsideHours.into());
        }
        if !self.journal.state().tables.takes(smac, self.now().time) {
            return Err(No::because(Why::Used));
        }
        // The slot names the agent to the backend, which raises an alarm at one that it never gave out.
        let [a, b] = smac.slot.number().to_be_bytes();
        Ok(Opens::new([0, 0, a, b, 0, 0, 0], vec![Change::SmacUsed(smac)]))
    }

    fn judge_smart_pin(&self, present: Present, entry: &[u8]) -> Result<Opens, No> {
        let state = self.journal.state();
        if state.id == LockId([0; 16]) {
            return Err(No::because(Why::Off));
        }
        let (settings, tables) = (&state.settings, &state.tables);
        let rules = settings.smart_pin_rules;
        let accepted =
            SmartPinKey::of(&self.keys, state.id)
                .verify(settings, rules, present, entry, |pin| tables.was_used(pin))?;
        if tables.is_blocked(&accepted.pin) {
            return Err(Verdict::Revoked.into());
        }
        let note = rules.first_use_within_a_day && !tables.was_used(&accepted.pin);
        let held = HeldPin { pin: accepted.pin.clone(), until: accepted.until() };
        // The window names the PIN, so that the log holds none that works.
        let (from, to) = accepted.window.wall(rules.daily);
        let mut which = [accepted.variant.number(), 0, 0, 0, 0, 0, 0];
        which[2..5].copy_from_slice(&from.count().to_be_bytes()[1..]);
        let hours = u16::try_from(to.count().saturating_sub(from.count())).unwrap_or(u16::MAX);
        which[5..].copy_from_slice(&hours.to_be_bytes());
        Ok(Opens {
            which,
            uses: note.then_some(Change::PinUsed(held)).into_iter().collect(),
            smart_pin: Some(accepted),
        })
    }

    /// Takes the attempt back, writes the use, then drives the motor.
    pub(super) fn open_by_code(&mut self, kind: CodeKind, count: u16, opens: Opens) -> Result<(), Halt> {
        let mut draft = self.draft();
        draft.change(Change::WrongTries(kind, count));
        opens.uses.into_iter().for_each(|change| draft.change(change));
        draft.event(&records::by_code(kind, opens.which, Verdict::Opened, self.now()));
        let changes = draft.into_changes();
        if self.store(&changes)? == Stored::Worn {
            self.board.show(Indication::NeedsService);
            return Ok(());
        }
        if self.drive()? == Driven::Stuck {
            let mut entry = records::by_code(kind, opens.which, Verdict::MotorFailed, self.now());
            entry.kind = sentri_protocol::audit::Kind::MotorFailed;
            // The lights tell of the motor, whether or not the log could.
            let (Stored::Yes | Stored::Worn) = self.store_event(&entry, None)?;
        } else if let Some(accepted) = opens.smart_pin {
            let now_ms = self.board.uptime_ms();
            self.keypad.go_to(Mode::MayPick(accepted), now_ms);
        }
        Ok(())
    }

    pub(super) fn refuse_code(&mut self, kind: CodeKind, no: No) -> Result<(), Halt> {
        self.lockout.wrong(kind, self.board.uptime_ms());
        self.log_refusal(kind, no)?;
        self.tell_refused();
        Ok(())
    }

    /// Alike for all refusals, also where flash lost something: else a right code would be told from a wrong one.
    pub(super) fn tell_refused(&mut self) {
        let damaged = self.journal.state().damaged;
        self.board.show(if damaged { Indication::NeedsService } else { Indication::Refused });
    }

    /// The attempt itself is written; worn flash shows at the next one.
    pub(super) fn log_refusal(&mut self, kind: CodeKind, no: No) -> Result<(), Halt> {
        let mut draft = self.draft();
        draft.failure(&records::by_code(kind, no.which(), no.verdict, self.now()));
        let changes = draft.into_changes();
        let (Stored::Yes | Stored::Worn) = self.store(&changes)?;
        Ok(())
    }
}
