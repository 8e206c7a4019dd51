//! Codes that the lock computes from its seed: contractor and one day codes. [COD-2, COD-3]
//!
//! An attempt is written down before it is looked at and its use before the motor moves, so that a battery pulled
//! in between costs the guesser, and opens nothing twice. To the person at the keypad every refusal looks the
//! same: that a code was right but came at the wrong time is for the log alone, and counts as wrong.

use sentri_protocol::{
    codes::derived::{CONTRACTOR_DIGITS, ONE_DAY_DIGITS, ONE_DAY_INDICES, contractor, one_day},
    hours::Weekly,
    open::Verdict,
};

use crate::{
    journal::state::{Change, FirstUse},
    lock::{Driven, Halt, Lock, Stored},
    lockout::CodeKind,
    ports::{Board, Indication},
    records::{self, NO_SLOT},
};

/// Seconds for which a one day code works from its first use.
const ONE_DAY_WORKS_FOR: u32 = 3600;

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

/// Each kind of derived code has a length of its own.
fn kind_of(entry: &[u8]) -> Option<CodeKind> {
    match entry.len() {
        CONTRACTOR_DIGITS => Some(CodeKind::Contractor),
        ONE_DAY_DIGITS => Some(CodeKind::OneDay),
        _ => None,
    }
}

impl<B: Board> Lock<B> {
    /// An entry was taken.
    pub(super) fn enter(&mut self, entry: &[u8]) -> Result<(), Halt> {
        let Some(kind) = kind_of(entry) else {
            self.board.show(Indication::Refused);
            return Ok(());
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
            CodeKind::OneDay => self.verify_one_day(entry),
        };
        if verified.verdict == Verdict::Opened {
            self.open_by_code(kind, count, verified)
        } else {
            self.refuse_code(kind, verified)
        }
    }

    fn verify_contractor(&self, entry: &[u8]) -> Verified {
        let (settings, now) = (&self.journal.state().settings, self.now());
        let found = (0_u8..).zip(settings.contractor_generations).fold(None, |found, (slot, generation)| {
            if contractor(&self.keys, slot, generation).matches(entry) { Some(slot) } else { found }
        });
        let Some(slot) = found else { return Verified::WRONG };
        let verdict = if !settings.switches.contractor_mode {
            Verdict::NoRight
        } else if now.is_lost() || settings.access_hours.allows(settings.zone.local(now.time)) {
            Verdict::Opened
        } else {
            Verdict::OutsideHours
        };
        Verified { verdict, slot, first_use: None }
    }

    /// A code of today, or one whose hour from its first use is still running past midnight.
    fn verify_one_day(&self, entry: &[u8]) -> Verified {
        let (state, now) = (self.journal.state(), self.now());
        if now.is_lost() {
            return Verified { verdict: Verdict::ClockLost, ..Verified::WRONG };
        }
        let today = state.settings.zone.local(now.time).day;
        let unused = (0..ONE_DAY_INDICES).map(|index| (today, index, None));
        let used = state.first_uses.iter().map(|it| (it.day, it.index, Some(*it)));
        // The used come last, so that they are what a code of today is found as.
        let found = unused.chain(used).fold(None, |found, candidate| {
            let (day, index, _) = candidate;
            if one_day(&self.keys, day, index).matches(entry) { Some(candidate) } else { found }
        });
        let Some((day, index, first_use)) = found else { return Verified::WRONG };
        let works = if state.settings.switches.one_day_ends_with_day {
            day == today
        } else {
            first_use.is_none_or(|it| now.time.since(it.at) < ONE_DAY_WORKS_FOR)
        };
        Verified {
            verdict: if works { Verdict::Opened } else { Verdict::Expired },
            slot: index,
            first_use: first_use.is_none().then_some(FirstUse { day, index, at: now.time }),
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
