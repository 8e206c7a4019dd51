//! A proved request: judged, written down, and only then done.

use sentri_protocol::{
    audit::Kind,
    open::{Request, Verdict},
};

use super::wake::{Outcome, RetryKey};
use crate::{
    clock::LowerBoundTaken,
    journal::state::{Change, LastOpen},
    judge::{Case, Judgement, judge},
    lock::{Driven, Halt, Lock, Stored},
    ports::{Board, Indication},
    records,
};

impl<B: Board> Lock<B> {
    /// Does what is asked, once: a retry in the same wake gets the same answer.
    pub(super) fn perform(&mut self, request: &Request) -> Result<Outcome, Halt> {
        if let Some(outcome) = self.answered(request) {
            return Ok(outcome);
        }
        let time_ignored = self.take_lower_bounds(request);
        self.attempt(request, time_ignored)
    }

    /// Judges an operation again, after the clock was set; unless time made no difference to it.
    pub(super) fn perform_again(&mut self, request: &Request) -> Result<Outcome, Halt> {
        match self.answered(request) {
            Some(outcome) if !is_about_time(outcome.verdict) => Ok(outcome),
            _ => self.attempt(request, false),
        }
    }

    pub(super) fn answered(&self, request: &Request) -> Option<Outcome> {
        self.session.wake.as_ref()?.answer_to(&RetryKey::of(request))
    }

    /// A proved ticket's issue is a true time, and so is a token's; true if one was too far ahead.
    fn take_lower_bounds(&mut self, request: &Request) -> bool {
        let now_ms = self.board.uptime_ms();
        let token = request.lower_bound.filter(|token| token.verify(&self.keys)).map(|token| token.time);
        let mut ignored = false;
        for bound in [Some(request.ticket.issued_at), token].into_iter().flatten() {
            ignored |= self.clock.take_lower_bound(bound, now_ms) == LowerBoundTaken::TooFarAhead;
        }
        ignored
    }

    fn attempt(&mut self, request: &Request, time_ignored: bool) -> Result<Outcome, Halt> {
        let judgement = self.judge(request);
        let stored = if judgement.verdict == Verdict::FlashFailed {
            Stored::Worn
        } else {
            self.write_attempt(request, judgement)?
        };
        let mut outcome = Outcome {
            verdict: if stored == Stored::Yes { judgement.verdict } else { Verdict::FlashFailed },
            retry_after: judgement.retry_after,
            motor_driven: false,
            time_ignored,
        };
        if matches!(outcome.verdict, Verdict::Opened | Verdict::Served) && request.ticket.rights.is_owner() {
            self.end_waits()?;
        }
        if outcome.verdict == Verdict::Opened {
            outcome.motor_driven = true;
            outcome.verdict = self.open_for(request)?;
        } else {
            self.show_refusal(outcome.verdict);
        }
        if let Some(wake) = &mut self.session.wake {
            wake.remember(RetryKey::of(request), outcome);
        }
        Ok(outcome)
    }

    fn judge(&self, request: &Request) -> Judgement {
        let state = self.journal.state();
        judge(&Case {
            request,
            now: self.now(),
            settings: &state.settings,
            revocations: &state.revocations,
            last_open: state.last_open,
            opened_in_wake: self.session.wake.as_ref().is_none_or(|wake| wake.opened),
            flash_worn: self.journal.is_worn(),
        })
    }

    /// Everything that an attempt leaves behind, in one write.
    fn write_attempt(&mut self, request: &Request, judgement: Judgement) -> Result<Stored, Halt> {
        let state = self.journal.state();
        let floor_rose = self.clock.floor() > state.stamp.floor;
        let mut draft = self.draft();
        if request.ticket.epoch > state.revocations.epoch_floor {
            draft.change(Change::EpochFloor(request.ticket.epoch));
        }
        let entry = records::by_phone(Kind::Ble, request, judgement.verdict, self.now());
        match judgement.verdict {
            Verdict::Opened => {
                let credential = request.ticket.credential;
                draft.change(Change::LastOpen(LastOpen { credential, returned: judgement.returns }));
                draft.event(&entry);
            }
            // A visit for service is neither an open nor a refusal; what it brings has records of its own.
            Verdict::Served => {}
            _ => draft.failure(&entry),
        }
        let changes = draft.into_changes();
        if changes.is_empty() && !floor_rose { Ok(Stored::Yes) } else { self.store(&changes) }
    }

    /// Drives the motor for a request whose open is written down.
    fn open_for(&mut self, request: &Request) -> Result<Verdict, Halt> {
        if let Some(wake) = &mut self.session.wake {
            wake.opened = true;
        }
        match self.drive()? {
            Driven::Opened => Ok(Verdict::Opened),
            Driven::Stuck => {
                let verdict = Verdict::MotorFailed;
                let entry = records::by_phone(Kind::MotorFailed, request, verdict, self.now());
                // The answer tells of the motor, whether or not the log could.
                let (Stored::Yes | Stored::Worn) = self.store_event(&entry, None)?;
                Ok(verdict)
            }
        }
    }

    fn show_refusal(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Served => {}
            Verdict::FlashFailed => self.board.show(Indication::NeedsService),
            _ => self.board.show(Indication::Refused),
        }
    }
}

fn is_about_time(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::NotYet | Verdict::Expired | Verdict::OutsideHours | Verdict::ClockLost)
}
