//! Sequences: what the next entry means.

use sentri_protocol::{
    card::Card,
    codes::{kind::Kind, short_pin::PICK_WITHIN, smart_pin::Accepted},
};

use super::Entry;
use crate::{
    lock::{Halt, Lock},
    ports::{Board, Indication},
};

/// Milliseconds for which a sequence that was begun waits for its next entry.
const SEQUENCE_MS: u64 = 30_000;
/// The function that blocks a `SmartPIN`. [PIN-6]
const BLOCK: &[u8] = b"128";

/// What the next entry means.
pub(super) enum Mode {
    /// A code.
    Codes,
    /// A short PIN, or a code: this `SmartPIN` has just opened.
    MayPick(Accepted),
    /// A function: the programming code was right.
    Function,
    /// The `SmartPIN` to be blocked.
    Block,
    /// A card's PIN.
    CardPin(Card),
    /// A command, or nothing to open: card and PIN were right.
    CardReady(Card),
}

impl Mode {
    pub(super) fn lasts_ms(&self) -> Option<u64> {
        match self {
            Self::Codes => None,
            Self::MayPick(_) => Some(u64::from(PICK_WITHIN) * 1000),
            _ => Some(SEQUENCE_MS),
        }
    }
}

impl<B: Board> Lock<B> {
    /// ENT: gives the entry its meaning.
    pub(super) fn take_entry(&mut self, entry: &Entry) -> Result<(), Halt> {
        let mode = core::mem::replace(&mut self.keypad.mode, Mode::Codes);
        let ends_at = self.keypad.ends_at.take();
        match (mode, entry.whole()) {
            (Mode::CardReady(card), _) if entry.is_empty() => self.open_by_card(&card),
            (Mode::CardReady(card), Some(digits)) if entry.is_command => self.command(card, digits),
            (Mode::CardPin(card), _) if entry.is_empty() => {
                self.keypad.mode = Mode::CardPin(card);
                self.keypad.ends_at = ends_at;
                self.board.show(Indication::Code);
                Ok(())
            }
            (Mode::CardPin(card), Some(digits)) if !entry.is_command => self.enter_card_pin(card, digits),
            (Mode::Function, Some(BLOCK)) if !entry.is_command => {
                let now_ms = self.board.uptime_ms();
                self.keypad.go_to(Mode::Block, now_ms);
                self.board.show(Indication::Code);
                Ok(())
            }
            (Mode::Block, Some(digits)) if !entry.is_command => self.block(digits),
            (Mode::Codes | Mode::MayPick(_), _) if entry.is_empty() => {
                self.wake();
                Ok(())
            }
            (Mode::MayPick(accepted), Some(digits)) if !entry.is_command && self.is_stored(digits) => {
                // A pick that is refused may be tried again, as long as its ten seconds last.
                self.keypad.mode = Mode::MayPick(accepted.clone());
                self.keypad.ends_at = ends_at;
                self.pick_short_pin(&accepted, digits)
            }
            (Mode::Codes | Mode::MayPick(_), Some(digits)) if !entry.is_command => self.enter(digits),
            (Mode::Codes | Mode::MayPick(_), None) => {
                self.board.show(Indication::Refused);
                Ok(())
            }
            _ => {
                self.board.show(Indication::Error);
                Ok(())
            }
        }
    }

    fn is_stored(&self, digits: &[u8]) -> bool {
        self.journal.state().profile.kind_of(digits.len()) == Some(Kind::Stored)
    }
}
