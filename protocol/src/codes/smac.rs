//! SMACs: an agent's code of the moment, typed in place of the card; its first digits name the agent's slot. [COD-1]

use thiserror::Error;
use zeroize::ZeroizeOnDrop;

use super::{
    digits::{Digits, NotTheseDigits},
    otp,
    present::{Present, Refused},
};
use crate::{
    keys::{Key, KeyTree},
    time::{DAY, Time},
};

/// Digits of a SMAC.
pub const DIGITS: usize = SLOT_DIGITS + TOTP_DIGITS;
/// The first ones: the slot.
const SLOT_DIGITS: usize = 3;
/// The others: RFC 6238, section 4, with HMAC-SHA256.
const TOTP_DIGITS: usize = 6;
/// Seconds of a time step.
pub const STEP: u32 = 300;
/// Steps before and after the lock's own that it takes as well.
pub const DRIFT_STEPS: u32 = 1;

/// Whose SMAC it is: the backend gives an agent a slot of one lock for one UTC day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(u16);

impl Slot {
    /// How many there are.
    pub const COUNT: u16 = 1000;

    /// By its number, 0 to 999.
    pub fn new(number: u16) -> Option<Self> {
        (number < Self::COUNT).then_some(Self(number))
    }

    /// Its number.
    pub fn number(self) -> u16 {
        self.0
    }
}

/// What an agent's phone holds to make its SMACs of one lock and one UTC day. The lock's own key never leaves
/// lock and backend.
#[derive(Clone, Debug, ZeroizeOnDrop)]
pub struct DayKey {
    key: Key,
    #[zeroize(skip)]
    slot: Slot,
    #[zeroize(skip)]
    day: u32,
}

/// The phone's day key is for another day: sync to get today's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("this key is not for today: connect once to renew it")]
pub struct WrongDay {
    /// The UTC day of the key, since 1970-01-01.
    pub day: u32,
}

impl DayKey {
    /// Derived by the backend and by the lock; `day` counts UTC days since 1970-01-01.
    pub fn derive(keys: &KeyTree, day: u32, slot: Slot) -> Self {
        let mut ctx = [0; 6];
        ctx[..4].copy_from_slice(&day.to_be_bytes());
        ctx[4..].copy_from_slice(&slot.0.to_be_bytes());
        Self { key: keys.expand("smac", &ctx), slot, day }
    }

    /// From its parts, as they came to a phone.
    pub fn from_parts(key: Key, day: u32, slot: Slot) -> Self {
        Self { key, slot, day }
    }

    /// The key's bytes, to be sent to the agent's phone and sealed there.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// The SMAC of this moment.
    pub fn code(&self, now: Time) -> Result<Digits<DIGITS>, WrongDay> {
        if now.0 / DAY == self.day { Ok(self.at_step(now.0 / STEP)) } else { Err(WrongDay { day: self.day }) }
    }

    fn at_step(&self, step: u32) -> Digits<DIGITS> {
        let totp: Digits<TOTP_DIGITS> = otp::hotp(&self.key, u64::from(step));
        Digits::from_number(u64::from(self.slot.0) * 10_u64.pow(6) + totp.number())
    }
}

/// A right SMAC. Each (slot, step) opens once: the lock remembers those of the last steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Use {
    /// Whose: the backend knows to whom it gave the slot that day.
    pub slot: Slot,
    /// Time step, in UTC seconds divided by [`STEP`].
    pub step: u32,
}

/// The slot and step of the SMAC that was entered, where it is one of the lock's present step or its neighbours.
pub fn verify(keys: &KeyTree, present: Present, entry: &[u8]) -> Result<Use, Refused> {
    let now = present.known()?;
    let entered = Digits::<DIGITS>::parse(entry).map_err(|NotTheseDigits { .. }| Refused::Unknown)?;
    let slot = u16::try_from(entered.number() / 10_u64.pow(6)).ok().and_then(Slot::new);
    let slot = slot.ok_or(Refused::Unknown)?;
    let step = now.0 / STEP;
    let mut key = DayKey::derive(keys, now.0 / DAY, slot);
    let mut found = None;
    for step in step.saturating_sub(DRIFT_STEPS)..=step + DRIFT_STEPS {
        let day = step / (DAY / STEP);
        if day != key.day {
            key = DayKey::derive(keys, day, slot);
        }
        if key.at_step(step) == entered {
            found = Some(Use { slot, step });
        }
    }
    found.ok_or(Refused::Unknown)
}
