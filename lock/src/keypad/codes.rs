//! Codes that the lock computes from its seed: contractor and one day codes. [COD-2, COD-3]
//!
//! An attempt is written down before it is looked at and its use before the motor moves, so that a battery pulled
//! in between costs the guesser, and opens nothing twice. To the person at the keypad every refusal looks the
//! same: that a code was right but came at the wrong time is for the log alone, and counts as wrong.

use sentri_protocol::{
    codes::{
        Present, Refused, contractor,
        kind::Kind,
        one_day::{self, FirstUse},
    },
    open::Verdict,
};

use crate::{
    journal::state::Change,
    lock::{Driven, Halt, Lock, Stored},
    lockout::CodeKind,
    ports::{Board, Indication},
    records::{self, NO_SLOT},
};

/// What an entry turned out to be.
#[derive(Clone, Copy, Debug)]
struct Verified {
    verdict: Verdict,
    /// The contractor's slot or the one day code's index.
    slot: u8,
    first_use: Option<FirstUse>,
}

impl Verified {
    const WRONG: Self = Self { verdict: Verdict::NoRight, slot: NO_SLOT, first_use: None };
}

/// What the log says of a refusal.
fn verdict_of(refused: Refused) -> Verdict {
    match refused {
        Refused::Unknown | Refused::Off | Refused::ContractorModeOff => Verdict::NoRight,
        Refused::NotYet { .. } => Verdict::NotYet,
        Refused::Expired { .. } => Verdict::Expired,
        Refused::OutsideHours { .. } => Verdict::OutsideHours,
        Refused::ClockLost => Verdict::ClockLost,
    }
}

impl<B: Board> Lock<B> {
    /// An entry was taken.
    pub(super) fn enter(&mut self, entry: &[u8]) -> Result<(), Halt> {
        let kind = match self.journal.state().profile.kind_of(entry.len()) {
            Some(Kind::Contractor) => CodeKind::Contractor,
            Some(Kind::OneDay) => CodeKind::OneDay,
            _ => {
                self.board.show(Indication::Refused);
                return Ok(());
            }
        };
        self.counters.codes_entered += 1;
        let tries = self.journal.state().wrong_tries;
        let seconds = self.lockout.wait(&tries, kind, self.board.uptime_ms());
        if seconds > 0 {
            self.board.show(Indication::Wait { seconds });
            return Ok(());
        }
        let count = tries.of(kind);
        if self.store(&[Change::WrongTries(kind, count.saturating_add(1))])? == Stored::Worn {
            self.board.show(Indication::NeedsService);
            return Ok(());
        }
        let verified = match kind {
            CodeKind::Contractor => self.verify_contractor(entry),
            _ => self.verify_one_day(entry),
        };
        if verified.verdict == Verdict::Opened {
            self.open_by_code(kind, count, verified)
        } else {
            self.refuse_code(kind, verified)
        }
    }

    fn present(&self) -> Present {
        let now = self.now();
        if now.is_lost() { Present::LOST } else { Present::at(now.time, now.tolerance()) }
    }

    fn verify_contractor(&self, entry: &[u8]) -> Verified {
        let settings = &self.journal.state().settings;
        match contractor::verify(&self.keys, settings, self.present(), entry) {
            Ok(slot) => Verified { verdict: Verdict::Opened, slot, first_use: None },
            Err(refused) => Verified { verdict: verdict_of(refused), ..Verified::WRONG },
        }
    }

    fn verify_one_day(&self, entry: &[u8]) -> Verified {
        let state = self.journal.state();
        match one_day::verify(&self.keys, &state.settings, self.present(), &state.first_uses, entry) {
            Ok(used) => Verified {
                verdict: Verdict::Opened,
                slot: used.first.index,
                first_use: used.is_first.then_some(used.first),
            },
            Err(refused) => Verified { verdict: verdict_of(refused), ..Verified::WRONG },
        }
    }

    /// Takes the attempt back, writes the use, then drives the motor.
    fn open_by_code(&mut self, kind: CodeKind, count: u16, verified: Verified) -> Result<(), Halt> {
        let mut draft = self.draft();
        draft.change(Change::WrongTries(kind, count));
        if let Some(first_use) = verified.first_use {
            draft.change(Change::FirstUse(first_use));
        }
        draft.event(&records::by_code(kind, verified.slot, Verdict::Opened, self.now()));
        let changes = draft.into_changes();
        if self.store(&changes)? == Stored::Worn {
            self.board.show(Indication::NeedsService);
            return Ok(());
        }
        if self.drive()? == Driven::Stuck {
            let mut entry = records::by_code(kind, verified.slot, Verdict::MotorFailed, self.now());
            entry.kind = sentri_protocol::audit::Kind::MotorFailed;
            // The lights tell of the motor, whether or not the log could.
            let (Stored::Yes | Stored::Worn) = self.store_event(&entry, None)?;
        }
        Ok(())
    }

    fn refuse_code(&mut self, kind: CodeKind, verified: Verified) -> Result<(), Halt> {
        self.lockout.wrong(kind, self.board.uptime_ms());
        let mut draft = self.draft();
        draft.failure(&records::by_code(kind, verified.slot, verified.verdict, self.now()));
        let changes = draft.into_changes();
        // The attempt itself is written; worn flash shows at the next one.
        let (Stored::Yes | Stored::Worn) = self.store(&changes)?;
        self.board.show(Indication::Refused);
        Ok(())
    }
}
