//! Codes in the lock's own table: residents, guests, short PINs, the programming code. [RES-2, RES-3, PIN-5]

use alloc::{vec, vec::Vec};

use sentri_protocol::{
    codes::{Refused, kind::Profile, short_pin, smart_pin::Accepted, stored::StoredCode, validity::Validity},
    open::Verdict,
};
use thiserror::Error;

use super::{
    codes::{No, Opens, Why},
    mode::Mode,
};
use crate::{
    journal::{
        state::Change,
        tables::{DELIVERED_IDS, HeldCode, PROGRAMMING_ID, Role, SHORT_IDS, Tables},
    },
    lock::{Halt, Lock, Stored},
    lockout::CodeKind,
    ports::{Board, Indication},
    records,
};

/// Why a code was not put into the lock's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotHeld {
    /// Another code on this lock is the same. Whose is not said.
    #[error("choose another code")]
    ChooseAnother,
    /// This sort of lock takes no stored codes of so many digits.
    #[error("this lock takes no stored code of so many digits")]
    WrongLength,
    /// Its table has no such place for a code of this holder.
    #[error("this lock's table has no such place")]
    NoSuchPlace,
    /// Nothing can be written down any more.
    #[error("the lock's flash is worn")]
    Worn,
}

/// Whether a table takes a code, in place of the one with its id.
pub(crate) fn fits(tables: &Tables, profile: Profile, held: &HeldCode) -> Result<(), NotHeld> {
    let has_place = match held.role {
        Role::Programming => held.id == PROGRAMMING_ID,
        Role::Resident | Role::Guest => DELIVERED_IDS.contains(&held.id),
        Role::Short(_) => SHORT_IDS.contains(&held.id),
    };
    if !has_place {
        return Err(NotHeld::NoSuchPlace);
    }
    if !profile.stored_digits().contains(&held.code.as_ascii().len()) {
        return Err(NotHeld::WrongLength);
    }
    if tables.find(held.code.as_ascii()).is_some_and(|it| it.id != held.id) {
        return Err(NotHeld::ChooseAnother);
    }
    Ok(())
}

impl<B: Board> Lock<B> {
    /// Keeps a code in the lock's table, in place of the one with its id: until then the old one works. [RES-5]
    pub fn hold_code(&mut self, held: HeldCode) -> Result<Result<(), NotHeld>, Halt> {
        let state = self.journal.state();
        if let Err(refusal) = fits(&state.tables, state.profile, &held) {
            return Ok(Err(refusal));
        }
        Ok(match self.store(&[Change::Held(held)])? {
            Stored::Yes => Ok(()),
            Stored::Worn => Err(NotHeld::Worn),
        })
    }

    /// Takes a code out of the table; true where it is gone.
    pub fn drop_code(&mut self, id: u8) -> Result<bool, Halt> {
        Ok(self.store(&[Change::Dropped(id)])? == Stored::Yes)
    }

    /// An entry of a stored code's length. While stored codes wait, it may still be the programming code, which
    /// has a count of its own.
    pub(super) fn enter_stored(&mut self, entry: &[u8]) -> Result<(), Halt> {
        let tries = self.journal.state().wrong_tries;
        let seconds = self.lockout.wait(&tries, CodeKind::Stored, self.board.uptime_ms());
        if seconds > 0 {
            return self.enter_in_wait(entry, seconds);
        }
        let Some(count) = self.begin_try(CodeKind::Stored)? else { return Ok(()) };
        if self.is_programming_code(entry) && !self.programming_waits() {
            return self.begin_programming(CodeKind::Stored, count);
        }
        match self.judge_stored(entry) {
            Ok(opens) => self.open_by_code(CodeKind::Stored, count, opens),
            Err(no) => self.refuse_code(CodeKind::Stored, no),
        }
    }

    /// Shows the wait to all but who holds the programming code; only an entry of its length counts against it.
    fn enter_in_wait(&mut self, entry: &[u8], seconds: u32) -> Result<(), Halt> {
        let code = self.journal.state().tables.programming();
        let may_be = code.is_some_and(|held| held.code.as_ascii().len() == entry.len());
        if !may_be || self.programming_waits() {
            return self.tell_wait(CodeKind::Stored, seconds);
        }
        let Some(count) = self.begin_try(CodeKind::Programming)? else { return Ok(()) };
        if self.is_programming_code(entry) {
            return self.begin_programming(CodeKind::Programming, count);
        }
        self.lockout.wrong(CodeKind::Programming, self.board.uptime_ms());
        self.tell_wait(CodeKind::Stored, seconds)
    }

    fn programming_waits(&self) -> bool {
        let tries = self.journal.state().wrong_tries;
        self.lockout.wait(&tries, CodeKind::Programming, self.board.uptime_ms()) > 0
    }

    fn is_programming_code(&self, entry: &[u8]) -> bool {
        self.journal.state().tables.programming().is_some_and(|held| held.code.matches(entry))
    }

    fn begin_programming(&mut self, kind: CodeKind, count: u16) -> Result<(), Halt> {
        let mut draft = self.draft();
        draft.change(Change::WrongTries(kind, count));
        let entry = records::by_code(CodeKind::Programming, [0; 7], Verdict::Served, self.now());
        draft.event(&entry);
        let changes = draft.into_changes();
        if self.store(&changes)? == Stored::Worn {
            self.board.show(Indication::NeedsService);
            return Ok(());
        }
        let now_ms = self.board.uptime_ms();
        self.keypad.go_to(Mode::Function, now_ms);
        self.board.show(Indication::Ready);
        Ok(())
    }

    fn judge_stored(&self, entry: &[u8]) -> Result<Opens, No> {
        let state = self.journal.state();
        let held = state.tables.find(entry).ok_or(No::SUCH_CODE)?;
        match held.role {
            Role::Programming => return Err(No::SUCH_CODE),
            Role::Short(_) if !state.settings.switches.smart_pins => return Err(Refused::Off.into()),
            _ => {}
        }
        if state.damaged && held.validity != Validity::Permanent {
            return Err(Verdict::FlashFailed.into());
        }
        held.validity.judge(state.settings.zone, self.present())?;
        Ok(Opens::new([held.id, 0, 0, 0, 0, 0, 0], Vec::new()))
    }

    /// The guest picks a short PIN. A collision tells that the code is somebody's, so that it counts as a wrong try; and
    /// so does every pick after the first with one `SmartPIN`, which could search for collisions else.
    pub(super) fn pick_short_pin(&mut self, accepted: &Accepted, entry: &[u8]) -> Result<(), Halt> {
        let Ok(code) = short_pin::pick(self.journal.state().profile, entry) else {
            self.board.show(Indication::Error);
            return Ok(());
        };
        let Some(count) = self.begin_try(CodeKind::Stored)? else { return Ok(()) };
        let tables = &self.journal.state().tables;
        let old = tables.short_of(&accepted.pin).map(|held| held.id);
        if tables.find(entry).is_some_and(|held| Some(held.id) != old) {
            return self.refuse_pick(No::because(Why::Taken));
        }
        let Some(id) = old.or_else(|| tables.free_id(self.clock.floor())) else {
            return self.refuse_pick(Verdict::FlashFailed.into());
        };
        self.keep_short_pin(accepted, code, id, old.is_none().then_some(count))
    }

    /// `count` is the count to go back to, where this pick is free.
    fn keep_short_pin(
        &mut self,
        accepted: &Accepted,
        code: StoredCode,
        id: u8,
        count: Option<u16>,
    ) -> Result<(), Halt> {
        let role = Role::Short(accepted.pin.clone());
        let validity = Validity::Temporary(accepted.instants);
        let mut changes = vec![Change::Held(HeldCode { id, role, code, validity })];
        match count {
            Some(count) => changes.push(Change::WrongTries(CodeKind::Stored, count)),
            None => self.lockout.wrong(CodeKind::Stored, self.board.uptime_ms()),
        }
        let shown = match self.store(&changes)? {
            Stored::Yes => Indication::Done,
            Stored::Worn => Indication::NeedsService,
        };
        self.keypad.leave();
        self.board.show(shown);
        Ok(())
    }

    fn refuse_pick(&mut self, no: No) -> Result<(), Halt> {
        self.lockout.wrong(CodeKind::Stored, self.board.uptime_ms());
        self.log_refusal(CodeKind::Stored, no)?;
        self.board.show(Indication::Error);
        Ok(())
    }
}
