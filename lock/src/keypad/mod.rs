//! The keypad: keys become entries, and each entry is taken whole at ENT or #, leading zeros included.

mod codes;

use core::fmt;

use zeroize::Zeroize;

use crate::{
    lock::{Halt, Lock},
    ports::{Board, Indication},
};

/// The longest entry that any kind of code has, with room to tell a longer one.
const ENTRY_MOST: usize = 16;
/// Milliseconds without a key after which an entry that was begun is forgotten.
const FORGOTTEN_AFTER_MS: u64 = 10_000;

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
}

impl Key {
    /// By the character on the key: `0` to `9`, `#`, or `E` for ENT.
    pub fn from_char(key: char) -> Option<Self> {
        match key {
            '#' | 'E' => Some(Self::Enter),
            _ => key
                .to_digit(10)
                .and_then(|digit| u8::try_from(digit).ok())
                .and_then(Digit::new)
                .map(Self::Digit),
        }
    }
}

/// An entry, as ASCII digits; wiped when it is taken or forgotten.
#[derive(Default)]
pub(crate) struct Keypad {
    digits: [u8; ENTRY_MOST],
    length: usize,
    forgotten_at: Option<u64>,
}

impl fmt::Debug for Keypad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keypad(…)")
    }
}

impl Keypad {
    fn push(&mut self, Digit(digit): Digit, now_ms: u64) {
        if let Some(place) = self.digits.get_mut(self.length) {
            *place = b'0' + digit;
        }
        // Past the end only the length grows, so that no prefix of a long entry is ever taken for a code.
        self.length = self.length.saturating_add(1);
        self.forgotten_at = Some(now_ms.saturating_add(FORGOTTEN_AFTER_MS));
    }

    fn entry(&self) -> Option<&[u8]> {
        self.digits.get(..self.length)
    }

    fn clear(&mut self) {
        self.digits.zeroize();
        self.length = 0;
        self.forgotten_at = None;
    }

    pub(crate) fn tick(&mut self, now_ms: u64) {
        if self.forgotten_at.is_some_and(|at| now_ms >= at) {
            self.clear();
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<u64> {
        self.forgotten_at
    }
}

impl Drop for Keypad {
    fn drop(&mut self) {
        self.clear();
    }
}

impl<B: Board> Lock<B> {
    /// A key was pressed.
    pub fn press(&mut self, key: Key) -> Result<(), Halt> {
        let now_ms = self.board.uptime_ms();
        self.keypad.tick(now_ms);
        match key {
            Key::Digit(digit) => {
                self.keypad.push(digit, now_ms);
                self.board.show(Indication::KeyTaken);
                Ok(())
            }
            Key::Enter if self.keypad.length == 0 => {
                self.wake();
                Ok(())
            }
            Key::Enter => {
                let entry = core::mem::take(&mut self.keypad);
                if let Some(digits) = entry.entry() {
                    self.enter(digits)
                } else {
                    self.board.show(Indication::Refused);
                    Ok(())
                }
            }
        }
    }
}
