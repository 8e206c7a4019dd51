//! The short lists that a lock keeps of keypad codes: its own table, blocked and used SmartPINs, used SMACs, cards.
//!
//! Each has a fixed most, so that a snapshot always fits a page of flash.

use alloc::vec::Vec;
use core::ops::RangeInclusive;

use sentri_protocol::{
    Malformed, Time,
    bytes::Reader,
    card::CardSerial,
    codes::{
        digits::Digits,
        smac::{DRIFT_STEPS, STEP, Use},
        smart_pin::SmartPin,
        stored::StoredCode,
        validity::Validity,
    },
};

use super::state::Change;

/// Codes that a lock's table holds.
pub const CODES_MOST: usize = 96;
/// The id of the programming code.
pub const PROGRAMMING_ID: u8 = 1;
/// Ids of residents' and guests' codes: the backend gives them out.
pub const DELIVERED_IDS: RangeInclusive<u8> = 2..=64;
/// Ids of short PINs: the lock gives them out.
pub const SHORT_IDS: RangeInclusive<u8> = 65..=96;
/// Blocked SmartPINs, and used ones, that a lock remembers.
pub const PINS_MOST: usize = 32;
/// SMACs that a lock remembers.
pub const SMACS_MOST: usize = 32;
/// Cards whose wrong PINs a lock counts.
pub const CARDS_MOST: usize = 16;

/// Whose a code in the table is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// It opens nothing, and blocks SmartPINs. [PIN-6]
    Programming,
    /// A resident's. [RES-1]
    Resident,
    /// A guest's. [RES-3]
    Guest,
    /// Picked at the door by the guest with this SmartPIN. [PIN-5]
    Short(SmartPin),
}

/// A code in the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldCode {
    /// Names it in this table and in the log; from 1.
    pub id: u8,
    /// Whose it is.
    pub role: Role,
    /// The digits.
    pub code: StoredCode,
    /// When it works.
    pub validity: Validity,
}

/// A SmartPIN, and until when it must be remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldPin {
    /// Which.
    pub pin: SmartPin,
    /// The first second at which it no longer works by itself.
    pub until: Time,
}

/// Wrong PINs of a card since its last right one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CardTries {
    /// Which card.
    pub serial: CardSerial,
    /// How many.
    pub wrong: u16,
}

/// All of the lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tables {
    /// The lock's own table.
    pub codes: Vec<HeldCode>,
    /// SmartPINs that were blocked.
    pub blocked: Vec<HeldPin>,
    /// SmartPINs that were used, where a first use must come soon.
    pub used: Vec<HeldPin>,
    /// SMACs that have opened.
    pub smacs: Vec<Use>,
    /// Cards with wrong PINs.
    pub cards: Vec<CardTries>,
}

impl Tables {
    /// All that makes them up.
    pub(super) fn as_changes(&self) -> Vec<Change> {
        let codes = self.codes.iter().cloned().map(Change::Held);
        let blocked = self.blocked.iter().cloned().map(Change::Blocked);
        let used = self.used.iter().cloned().map(Change::PinUsed);
        let smacs = self.smacs.iter().copied().map(Change::SmacUsed);
        let cards = self.cards.iter().copied().map(Change::CardTries);
        codes.chain(blocked).chain(used).chain(smacs).chain(cards).collect()
    }

    /// Makes those changes that are about these lists.
    pub fn change(&mut self, change: &Change, floor: Time) {
        match change {
            Change::Held(code) => self.hold(code.clone()),
            Change::Dropped(id) => self.drop_code(*id),
            Change::Blocked(pin) => self.block(pin.clone(), floor),
            Change::PinUsed(pin) => self.note_used(pin.clone(), floor),
            Change::SmacUsed(smac) => self.note_smac(*smac),
            Change::CardTries(tries) => self.count_card(*tries),
            _ => {}
        }
    }

    /// The programming code, where there is one.
    pub fn programming(&self) -> Option<&HeldCode> {
        self.codes.iter().find(|it| it.role == Role::Programming)
    }

    /// The code in the table that was entered; looks at every one, in constant time for each.
    pub fn find(&self, entry: &[u8]) -> Option<&HeldCode> {
        let place = sentri_protocol::codes::stored::find(self.codes.iter().map(|it| &it.code), entry)?;
        self.codes.get(place)
    }

    /// The short PIN that was picked with this SmartPIN.
    pub fn short_of(&self, pin: &SmartPin) -> Option<&HeldCode> {
        self.codes.iter().find(|it| matches!(&it.role, Role::Short(of) if of == pin))
    }

    /// An id for a new short PIN: a free one, or that of one whose time was over at `floor`.
    pub fn free_id(&self, floor: Time) -> Option<u8> {
        let free = SHORT_IDS.into_iter().find(|id| self.codes.iter().all(|it| it.id != *id));
        let over = |it: &&HeldCode| match (&it.role, it.validity) {
            (Role::Short(_), Validity::Temporary(window)) => {
                window.not_after().plus(sentri_protocol::time::DAY) < floor
            }
            _ => false,
        };
        free.or_else(|| self.codes.iter().find(over).map(|it| it.id))
    }

    /// Whether a SmartPIN was blocked.
    pub fn is_blocked(&self, pin: &SmartPin) -> bool {
        self.blocked.iter().any(|it| it.pin == *pin)
    }

    /// Whether a SmartPIN was used.
    pub fn was_used(&self, pin: &SmartPin) -> bool {
        self.used.iter().any(|it| it.pin == *pin)
    }

    /// Whether another SmartPIN can be blocked without forgetting one that still matters.
    pub fn has_room_to_block(&self, floor: Time) -> bool {
        self.blocked.len() < PINS_MOST || self.blocked.iter().any(|it| it.until < floor)
    }

    /// Whether a SMAC may open: it hasn't yet, and its use can be remembered for as long as it would be taken.
    pub fn takes(&self, smac: Use, now: Time) -> bool {
        let oldest = self.smacs.iter().map(|it| it.step).min();
        let room = self.smacs.len() < SMACS_MOST
            || oldest.is_some_and(|step| step.saturating_add(2 * DRIFT_STEPS) < now.0 / STEP);
        room && !self.smacs.contains(&smac)
    }

    /// Wrong PINs of a card.
    pub fn wrong_pins(&self, serial: CardSerial) -> u16 {
        self.cards.iter().find(|it| it.serial == serial).map_or(0, |it| it.wrong)
    }

    /// Puts a code in, in place of the one with its id.
    fn hold(&mut self, code: HeldCode) {
        self.codes.retain(|it| it.id != code.id);
        if self.codes.len() < CODES_MOST {
            self.codes.push(code);
        }
    }

    /// Takes a code out.
    fn drop_code(&mut self, id: u8) {
        self.codes.retain(|it| it.id != id);
    }

    /// Blocks a SmartPIN and the short PIN that was made from it.
    fn block(&mut self, pin: HeldPin, floor: Time) {
        self.codes.retain(|it| !matches!(&it.role, Role::Short(of) if *of == pin.pin));
        remember(&mut self.blocked, pin, floor);
    }

    /// Notes a first use.
    fn note_used(&mut self, pin: HeldPin, floor: Time) {
        remember(&mut self.used, pin, floor);
    }

    /// Notes a SMAC that opens.
    fn note_smac(&mut self, smac: Use) {
        if self.smacs.len() >= SMACS_MOST {
            let oldest = self.smacs.iter().enumerate().min_by_key(|(_, it)| it.step).map(|(place, _)| place);
            if let Some(place) = oldest {
                self.smacs.remove(place);
            }
        }
        self.smacs.push(smac);
    }

    /// Counts wrong PINs of a card. Where there is no room, the card with the fewest makes some.
    fn count_card(&mut self, tries: CardTries) {
        self.cards.retain(|it| it.serial != tries.serial);
        if tries.wrong == 0 {
            return;
        }
        if self.cards.len() >= CARDS_MOST {
            let least = self.cards.iter().enumerate().min_by_key(|(_, it)| it.wrong).map(|(place, _)| place);
            if let Some(place) = least {
                self.cards.remove(place);
            }
        }
        self.cards.push(tries);
    }

    /// A new generation has other SmartPINs and SMACs: nothing of the old ones opens, or needs to be kept.
    pub fn forget_derived(&mut self) {
        self.codes.retain(|it| !matches!(it.role, Role::Short(_)));
        self.blocked.clear();
        self.used.clear();
        self.smacs.clear();
    }
}

/// Where there is no room, one that is over makes some, else the one that ends first.
fn remember(list: &mut Vec<HeldPin>, pin: HeldPin, floor: Time) {
    list.retain(|it| it.pin != pin.pin);
    if list.len() >= PINS_MOST {
        list.retain(|it| it.until >= floor);
    }
    if list.len() >= PINS_MOST {
        let first = list.iter().enumerate().min_by_key(|(_, it)| it.until).map(|(place, _)| place);
        if let Some(place) = first {
            list.remove(place);
        }
    }
    list.push(pin);
}

impl HeldPin {
    /// Appends the bytes in flash.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        encode_pin(&self.pin, out);
        out.extend_from_slice(&self.until.to_bytes());
    }

    /// Takes one off the front.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self { pin: read_pin(reader)?, until: Time(reader.u32()?) })
    }
}

impl HeldCode {
    /// Appends the bytes in flash.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.id);
        out.extend_from_slice(&self.code.encode());
        out.extend_from_slice(&self.validity.encode());
        match &self.role {
            Role::Programming => out.push(0),
            Role::Resident => out.push(1),
            Role::Guest => out.push(2),
            Role::Short(pin) => {
                out.push(3);
                encode_pin(pin, out);
            }
        }
    }

    /// Takes one off the front.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let id = reader.u8()?;
        let code = StoredCode::decode(reader.array()?)?;
        let validity = Validity::decode(&reader.array()?)?;
        let role = match reader.u8()? {
            0 => Role::Programming,
            1 => Role::Resident,
            2 => Role::Guest,
            3 => Role::Short(read_pin(reader)?),
            _ => return Err(reader.malformed()),
        };
        Ok(Self { id, role, code, validity })
    }
}

/// Ten digits are below 2^34: five bytes.
fn encode_pin(pin: &SmartPin, out: &mut Vec<u8>) {
    let [_, _, _, number @ ..] = pin.digits().number().to_be_bytes();
    out.extend_from_slice(&number);
}

fn read_pin(reader: &mut Reader<'_>) -> Result<SmartPin, Malformed> {
    let number = reader.array::<5>()?.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let digits = Digits::<10>::from_number(number);
    if digits.number() == number {
        SmartPin::parse(digits.as_ascii()).map_err(|_| reader.malformed())
    } else {
        Err(reader.malformed())
    }
}
