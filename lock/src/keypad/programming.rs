//! Blocking a SmartPIN at the keypad: programming code, ENT, 128, ENT, SmartPIN, ENT. [PIN-6]

use sentri_protocol::{
    codes::smart_pin::{NotASmartPin, SmartPin, SmartPinKey},
    open::Verdict,
};

use crate::{
    journal::{
        state::Change,
        tables::{HeldPin, Tables},
    },
    lock::{Halt, Lock, Stored},
    lockout::CodeKind,
    ports::{Board, Indication},
    records,
};

/// What the log names by the programming code.
const BLOCKED: [u8; 7] = [1, 0, 0, 0, 0, 0, 0];

impl<B: Board> Lock<B> {
    /// Blocks a `SmartPIN` of this lock, used or not, begun or not, and the short PIN made from it.
    pub(super) fn block(&mut self, entry: &[u8]) -> Result<(), Halt> {
        let state = self.journal.state();
        let held = SmartPin::parse(entry).ok().and_then(|pin| self.to_block(pin, &state.tables));
        let Some(held) = held else {
            self.board.show(Indication::Error);
            return Ok(());
        };
        let mut draft = self.draft();
        draft.change(Change::Blocked(held));
        draft.event(&records::by_code(CodeKind::Programming, BLOCKED, Verdict::Served, self.now()));
        let changes = draft.into_changes();
        let shown = match self.store(&changes)? {
            Stored::Yes => Indication::Blocked,
            Stored::Worn => Indication::NeedsService,
        };
        self.board.show(shown);
        Ok(())
    }

    /// Nothing where it is no `SmartPIN` of this lock, or where a block that still matters would have to go for it.
    pub(crate) fn to_block(&self, pin: SmartPin, tables: &Tables) -> Option<HeldPin> {
        let state = self.journal.state();
        let read: Result<_, NotASmartPin> = SmartPinKey::of(&self.keys, state.id).decode(&pin);
        let (window, _) = read.ok()?;
        let instants = window.instants(state.settings.zone, state.settings.smart_pin_rules.daily).ok()?;
        (tables.is_blocked(&pin) || tables.has_room_to_block(self.clock.floor()))
            .then(|| HeldPin { pin, until: instants.not_after() })
    }
}
