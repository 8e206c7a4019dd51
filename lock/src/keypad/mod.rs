//! The keypad: keys become entries, each taken whole at ENT or #, and entries become sequences.
//!
//! What an entry means depends on the `mode`: by itself it is a code (`codes`, `table`), after a card is put in a PIN
//! or a command (`card`), after the programming code a function, after a SmartPIN maybe a short PIN
//! (`programming`).

mod card;
mod codes;
mod letters;
mod mode;
mod programming;
mod table;

use core::fmt;

use sentri_protocol::codes::kind::Profile;
use zeroize::Zeroize;

use self::mode::Mode;
pub use self::table::NotHeld;
pub(crate) use self::table::fits;
use crate::{
    lock::{Halt, Lock},
    ports::{Board, Indication},
};

/// The longest entry that any kind of code has, with room to tell a longer one.
const ENTRY_MOST: usize = 16;
/// Milliseconds without a key after which an entry that was begun is forgotten.
const FORGOTTEN_AFTER_MS: u64 = 10_000;

/// What a lock of some sort has, and so which sequences exist on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// A bin with the key in it; else a bolt.
    pub key_bin: bool,
    /// A shackle.
    pub shackle: bool,
    /// A slot for cards, and with it commands by FUNC.
    pub card_slot: bool,
}

impl Capabilities {
    /// Of a sort of lock.
    pub const fn of(profile: Profile) -> Self {
        let lockbox = matches!(profile, Profile::Lockbox);
        Self { key_bin: lockbox, shackle: lockbox, card_slot: lockbox }
    }
}

/// A digit key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digit(u8);

impl Digit {
    /// 0 to 9.
    pub fn new(digit: u8) -> Option<Self> {
        (digit < 10).then_some(Self(digit))
    }
}

impl fmt::Debug for Digit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digit(…)")
    }
}

/// A key of the keypad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A digit.
    Digit(Digit),
    /// ENT, or # on keypads that have that instead: takes the entry; with nothing entered, wakes the radio.
    Enter,
    /// FUNC: begins a command.
    Func,
    /// CLR: forgets the entry; with nothing entered, the sequence that was begun.
    Clear,
}

impl Key {
    /// By the character on the key: `0` to `9`, `#`, or `E` for ENT, `F` for FUNC, `C` for CLR.
    pub fn from_char(key: char) -> Option<Self> {
        match key {
            '#' | 'E' => Some(Self::Enter),
            'F' => Some(Self::Func),
            'C' => Some(Self::Clear),
            _ => key
                .to_digit(10)
                .and_then(|digit| u8::try_from(digit).ok())
                .and_then(Digit::new)
                .map(Self::Digit),
        }
    }
}

/// Digits typed so far, as ASCII; wiped when they are taken or forgotten.
#[derive(Default)]
struct Entry {
    digits: [u8; ENTRY_MOST],
    length: usize,
    /// FUNC came first.
    is_command: bool,
}

impl Entry {
    fn push(&mut self, Digit(digit): Digit) {
        if let Some(place) = self.digits.get_mut(self.length) {
            *place = b'0' + digit;
        }
        // Past the end only the length grows, so that no prefix of a long entry is ever taken for a code.
        self.length = self.length.saturating_add(1);
    }

    fn is_empty(&self) -> bool {
        self.length == 0 && !self.is_command
    }

    /// All of it; nothing where it is longer than anything that is taken.
    fn whole(&self) -> Option<&[u8]> {
        self.digits.get(..self.length)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.digits.zeroize();
    }
}

/// The keypad's own memory; gone with the power.
pub(crate) struct Keypad {
    entry: Entry,
    forgotten_at: Option<u64>,
    mode: Mode,
    ends_at: Option<u64>,
    cards: card::Waits,
    waits_told: u8,
}

impl fmt::Debug for Keypad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keypad(…)")
    }
}

impl Keypad {
    pub(crate) fn new(uptime_ms: u64) -> Self {
        Self {
            entry: Entry::default(),
            forgotten_at: None,
            mode: Mode::Codes,
            ends_at: None,
            cards: card::Waits::new(uptime_ms),
            waits_told: 0,
        }
    }

    fn clear_entry(&mut self) {
        self.entry = Entry::default();
        self.forgotten_at = None;
    }

    pub(crate) fn tick(&mut self, now_ms: u64) {
        if self.forgotten_at.is_some_and(|at| now_ms >= at) {
            self.clear_entry();
        }
        if self.ends_at.is_some_and(|at| now_ms >= at) {
            self.leave();
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<u64> {
        [self.forgotten_at, self.ends_at].into_iter().flatten().min()
    }

    /// Enters a mode, for as long as it lasts.
    fn go_to(&mut self, mode: Mode, now_ms: u64) {
        self.ends_at = mode.lasts_ms().map(|ms| now_ms.saturating_add(ms));
        self.mode = mode;
    }

    /// Back to where entries are codes.
    fn leave(&mut self) {
        self.mode = Mode::Codes;
        self.ends_at = None;
    }
}

impl<B: Board> Lock<B> {
    /// A key was pressed.
    pub fn press(&mut self, key: Key) -> Result<(), Halt> {
        let now_ms = self.board.uptime_ms();
        self.keypad.tick(now_ms);
        match key {
            Key::Digit(digit) => {
                self.keypad.entry.push(digit);
                self.key_taken(now_ms);
            }
            Key::Func if self.keypad.entry.is_empty() => {
                self.keypad.entry.is_command = true;
                self.key_taken(now_ms);
            }
            // In the middle of digits it makes the whole entry void.
            Key::Func => {
                self.keypad.clear_entry();
                self.board.show(Indication::Error);
            }
            Key::Clear => {
                if self.keypad.entry.is_empty() {
                    self.keypad.leave();
                }
                self.keypad.clear_entry();
                self.board.show(Indication::KeyTaken);
            }
            Key::Enter => {
                let entry = core::mem::take(&mut self.keypad.entry);
                self.keypad.forgotten_at = None;
                return self.take_entry(&entry);
            }
        }
        Ok(())
    }

    fn key_taken(&mut self, now_ms: u64) {
        self.keypad.forgotten_at = Some(now_ms.saturating_add(FORGOTTEN_AFTER_MS));
        self.board.show(Indication::KeyTaken);
    }
}
