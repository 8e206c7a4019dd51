//! Waits at the keypad: the counts and clocks behind the rule of [`sentri_protocol::codes::lockout`].
//!
//! A count for each kind of code, that only quiet days bring down. Only the count is stored: after a pulled battery
//! its wait begins anew, in full.

use sentri_protocol::codes::lockout::{QUIET_DAY, QUIET_DAY_FALL, wait_after};

/// Kinds of codes that are counted apart: a wrong eight-digit entry never blocks a seven-digit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum CodeKind {
    /// One of the three contractor codes.
    Contractor = 1,
    /// A one day code.
    OneDay = 2,
    /// An agent's SMAC.
    Smac = 3,
    /// A SmartPIN.
    SmartPin = 4,
    /// A code in the lock's table.
    Stored = 5,
    /// The programming code.
    Programming = 6,
}

/// How many kinds there are.
const KINDS: usize = CodeKind::ALL.len();

impl CodeKind {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Contractor, Self::OneDay, Self::Smac, Self::SmartPin, Self::Stored, Self::Programming];

    /// The number that journal and audit know it by.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// By its number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    fn index(self) -> usize {
        usize::from(self.number() - 1)
    }
}

const QUIET_DAY_MS: u64 = QUIET_DAY as u64 * 1000;

/// Wrong tries of each kind, as stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WrongTries([u16; KINDS]);

impl WrongTries {
    /// How many of this kind count now.
    pub fn of(&self, kind: CodeKind) -> u16 {
        self.0.get(kind.index()).copied().unwrap_or(u16::MAX)
    }

    /// Stores a new count.
    pub fn set(&mut self, kind: CodeKind, count: u16) {
        if let Some(slot) = self.0.get_mut(kind.index()) {
            *slot = count;
        }
    }
}

/// When each kind's wait and quiet day began, on the uptime counter; gone with the power.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lockout {
    waits_from: [Option<u64>; KINDS],
    quiet_from: [u64; KINDS],
}

impl Lockout {
    /// After power-on: every wait begins now.
    pub fn new(uptime_ms: u64) -> Self {
        Self { waits_from: [Some(uptime_ms); KINDS], quiet_from: [uptime_ms; KINDS] }
    }

    /// Notes a wrong try that has just been counted.
    pub fn wrong(&mut self, kind: CodeKind, uptime_ms: u64) {
        if let Some(from) = self.waits_from.get_mut(kind.index()) {
            *from = Some(uptime_ms);
        }
        if let Some(from) = self.quiet_from.get_mut(kind.index()) {
            *from = uptime_ms;
        }
    }

    /// Seconds until codes of this kind are looked at again, rounded up; 0 now.
    pub fn wait(&self, tries: &WrongTries, kind: CodeKind, uptime_ms: u64) -> u32 {
        let from = self.waits_from.get(kind.index()).copied().unwrap_or(Some(uptime_ms));
        let Some(from) = from else { return 0 };
        let until = from.saturating_add(u64::from(wait_after(tries.of(kind))) * 1000);
        u32::try_from(until.saturating_sub(uptime_ms).div_ceil(1000)).unwrap_or(u32::MAX)
    }

    /// Whether codes of any kind wait.
    pub fn is_waiting(&self, tries: &WrongTries, uptime_ms: u64) -> bool {
        CodeKind::ALL.into_iter().any(|kind| self.wait(tries, kind, uptime_ms) > 0)
    }

    /// Ends all waits; each count stays.
    pub fn end_waits(&mut self) {
        self.waits_from = [None; KINDS];
    }

    /// The lower count of a kind whose quiet day is over, to be stored, then told by [`Lockout::fell`].
    pub fn due_to_fall(&self, tries: &WrongTries, uptime_ms: u64) -> Option<(CodeKind, u16)> {
        CodeKind::ALL.into_iter().find_map(|kind| {
            let quiet = uptime_ms.saturating_sub(self.quiet_from.get(kind.index()).copied()?);
            let count = tries.of(kind);
            (count > 0 && quiet >= QUIET_DAY_MS).then(|| (kind, count.saturating_sub(QUIET_DAY_FALL)))
        })
    }

    /// Begins the next quiet day.
    pub fn fell(&mut self, kind: CodeKind) {
        if let Some(from) = self.quiet_from.get_mut(kind.index()) {
            *from = from.saturating_add(QUIET_DAY_MS);
        }
    }

    /// When the next count falls, on the uptime counter.
    pub fn next_fall(&self, tries: &WrongTries) -> Option<u64> {
        CodeKind::ALL
            .into_iter()
            .filter(|kind| tries.of(*kind) > 0)
            .filter_map(|kind| self.quiet_from.get(kind.index()))
            .map(|from| from.saturating_add(QUIET_DAY_MS))
            .min()
    }
}
