//! SmartPINs: ten digits that carry their own window, made and read with the lock's key and no network. [PIN-1]
//!
//! A window and a variant are numbered; the number, as ten digits, is enciphered by [`ff1`] under the lock's key. The
//! lock deciphers what is typed and finds a window, or nothing that anybody could have meant.

pub mod ff1;
pub mod window;

use core::fmt;

use ff1::Ff1;
use thiserror::Error;
use window::{
    DailyHours, HORIZON_DAY, HORIZON_HOUR, LocalHour, MAX_DAYS, MAX_HOURS, MIN_DAYS, PinWindow, Span,
};

use super::{
    digits::{Digits, NotTheseDigits},
    present::{Present, Refused},
};
use crate::{
    bytes::Malformed,
    keys::{Key, KeyTree},
    settings::Settings,
    time::{DAY, Time, Window},
};

/// Digits of a SmartPIN.
pub const DIGITS: usize = ff1::DIGITS;

/// Numbers of windows by the hour, and by the day, for each variant.
const HOURLY: u64 = HORIZON_HOUR as u64 * MAX_HOURS as u64;
const DAILY: u64 = HORIZON_DAY as u64 * LENGTHS_IN_DAYS;
const LENGTHS_IN_DAYS: u64 = (MAX_DAYS - MIN_DAYS + 1) as u64;

/// A lock's id, 16 bytes: the tweak of the cipher, so that even locks with one key had different PINs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LockId(pub [u8; 16]);

/// Tells PINs with one window apart, so that two guests can be blocked apart: 0 to 2. [PIN-7]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Variant(u8);

impl Variant {
    /// How many there are.
    pub const COUNT: u8 = 3;
    /// The one that every lock takes.
    pub const FIRST: Self = Self(0);

    /// By its number.
    pub fn new(number: u8) -> Option<Self> {
        (number < Self::COUNT).then_some(Self(number))
    }

    /// Its number.
    pub fn number(self) -> u8 {
        self.0
    }
}

/// A SmartPIN.
#[derive(Clone, PartialEq, Eq)]
pub struct SmartPin(Digits<DIGITS>);

impl SmartPin {
    /// From what was typed, as ASCII.
    pub fn parse(entry: &[u8]) -> Result<Self, NotTheseDigits> {
        Digits::parse(entry).map(Self)
    }

    /// Its digits, to be shown to its owner.
    pub fn digits(&self) -> &Digits<DIGITS> {
        &self.0
    }
}

impl fmt::Debug for SmartPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SmartPin(…)")
    }
}

/// Ten digits that this lock's key could not have made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a SmartPIN of this lock")]
pub struct NotASmartPin;

/// What makes and reads the SmartPINs of one lock. Who holds it can open the lock at any time.
#[derive(Debug)]
pub struct SmartPinKey {
    ff1: Ff1,
    lock: LockId,
}

impl SmartPinKey {
    /// Of a lock's present generation.
    pub fn of(keys: &KeyTree, lock: LockId) -> Self {
        Self::from_parts(&Self::derive(keys), lock)
    }

    /// From the key as it came to the owner's phone.
    pub fn from_parts(key: &Key, lock: LockId) -> Self {
        Self { ff1: Ff1::new(key), lock }
    }

    /// The key itself, for an owner's phone that shall make SmartPINs with no network.
    pub fn derive(keys: &KeyTree) -> Key {
        keys.expand("smartpin", b"")
    }

    /// The SmartPIN of a window.
    pub fn generate(&self, window: PinWindow, variant: Variant) -> SmartPin {
        let number = match window.span() {
            Span::Hours { start, hours } => u64::from(start) * u64::from(MAX_HOURS) + u64::from(hours - 1),
            Span::Days { first, days } => {
                HOURLY + u64::from(first) * LENGTHS_IN_DAYS + u64::from(days - MIN_DAYS)
            }
        };
        let text = Digits::from_number(number * u64::from(Variant::COUNT) + u64::from(variant.0));
        SmartPin(self.ff1.encrypt(&self.lock.0, &text))
    }

    /// The window and the variant that a SmartPIN was made of.
    pub fn decode(&self, pin: &SmartPin) -> Result<(PinWindow, Variant), NotASmartPin> {
        let number = self.ff1.decrypt(&self.lock.0, &pin.0).number();
        let variants = u64::from(Variant::COUNT);
        let window = window_of(number / variants).ok_or(NotASmartPin)?;
        // A remainder of three fits any integer.
        Ok((window, Variant(u8::try_from(number % variants).unwrap_or(0))))
    }

    /// The SmartPIN that was entered, where it may open now. `used_before` is asked where the lock's rules want a first use
    /// soon after the start.
    pub fn verify(
        &self,
        settings: &Settings,
        rules: Rules,
        present: Present,
        entry: &[u8],
        used_before: impl FnOnce(&SmartPin) -> bool,
    ) -> Result<Accepted, Refused> {
        if !settings.switches.smart_pins {
            return Err(Refused::Off);
        }
        let now = present.known()?;
        let pin = SmartPin::parse(entry).map_err(|NotTheseDigits { .. }| Refused::Unknown)?;
        let (window, variant) = self.decode(&pin).map_err(|NotASmartPin| Refused::Unknown)?;
        if variant > rules.variants {
            return Err(Refused::Off);
        }
        let instants = window.instants(settings.zone, rules.daily).map_err(|_| Refused::Unknown)?;
        present.within(instants)?;
        let first_use_by = instants.not_before().plus(DAY);
        if rules.first_use_within_a_day && now >= first_use_by && !used_before(&pin) {
            return Err(Refused::Expired { at: first_use_by });
        }
        Ok(Accepted { pin, window, variant, instants })
    }
}

/// The window with this number, where it has one and ends by the horizon.
fn window_of(number: u64) -> Option<PinWindow> {
    if let Some(number) = number.checked_sub(HOURLY) {
        if number >= DAILY {
            return None;
        }
        let first = u32::try_from(number / LENGTHS_IN_DAYS).ok()?;
        let more = u32::try_from(number % LENGTHS_IN_DAYS).ok()?;
        return PinWindow::daily(first, first + u32::from(MIN_DAYS) - 1 + more).ok();
    }
    let start = u32::try_from(number / u64::from(MAX_HOURS)).ok()?;
    let hours = u32::try_from(number % u64::from(MAX_HOURS)).ok()? + 1;
    PinWindow::hourly(LocalHour::from_count(start)?, LocalHour::from_count(start + hours)?).ok()
}

/// A SmartPIN that may open now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The PIN: what blocks and short PINs are stored with.
    pub pin: SmartPin,
    /// What it carries.
    pub window: PinWindow,
    /// Which of those with this window.
    pub variant: Variant,
    /// When it works, without tolerance; a short PIN made from it as well.
    pub instants: Window,
}

impl Accepted {
    /// The first second at which it no longer works.
    pub fn until(&self) -> Time {
        self.instants.not_after()
    }
}

/// What a lock's settings say of SmartPINs, besides `SmartPINEnabled`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// When windows in days begin and end. [PIN-2]
    pub daily: DailyHours,
    /// The highest variant that is taken; each more makes a random hit likelier by as much.
    pub variants: Variant,
    /// A PIN that was not used within 24 hours of its start is refused from then on.
    pub first_use_within_a_day: bool,
}

impl Rules {
    /// Bytes on the wire.
    pub const LEN: usize = 3;

    /// The bytes on the wire.
    pub fn encode(self) -> [u8; Self::LEN] {
        let flags = self.variants.0 | u8::from(self.first_use_within_a_day) << 2;
        [self.daily.from(), self.daily.to(), flags]
    }

    /// From the bytes on the wire.
    pub fn decode([from, to, flags]: [u8; Self::LEN]) -> Result<Self, Malformed> {
        let variants = Variant::new(flags & 3).filter(|_| flags < 8);
        Ok(Self {
            daily: DailyHours::decode(from, to)?,
            variants: variants.ok_or(Malformed { what: "SmartPIN rules" })?,
            first_use_within_a_day: flags & 4 != 0,
        })
    }
}
