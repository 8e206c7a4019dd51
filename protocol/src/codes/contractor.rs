//! Contractor codes: three for a lockbox, good any day within its access hours while contractor mode is on. [COD-3]

use super::{digits::Digits, otp, present::Present, present::Refused};
use crate::{
    hours::{Weekly, next_allowed},
    keys::{KeyTree, PreparedKey},
    settings::Settings,
};

/// Digits of a contractor code.
pub const DIGITS: usize = 7;
/// How many a lockbox has.
pub const SLOTS: u8 = 3;

/// The code of a slot (0 to 2) at its generation.
pub fn code(keys: &KeyTree, slot: u8, generation: u16) -> Digits<DIGITS> {
    code_under(&keys.expand("contractor", b"").prepared(), slot, generation)
}

fn code_under(key: &PreparedKey, slot: u8, generation: u16) -> Digits<DIGITS> {
    otp::code(key, &[&[slot], &generation.to_be_bytes()])
}

/// The slot whose code was entered, where it may open now. A lost clock knows no hours, and asks for none.
pub fn verify(keys: &KeyTree, settings: &Settings, present: Present, entry: &[u8]) -> Result<u8, Refused> {
    if settings.switches.forbids_contractor {
        return Err(Refused::Off);
    }
    let key = keys.expand("contractor", b"").prepared();
    let mut found = None;
    for (slot, generation) in (0..SLOTS).zip(settings.contractor_generations) {
        if code_under(&key, slot, generation).matches(entry) {
            found = Some(slot);
        }
    }
    let slot = found.ok_or(Refused::Unknown)?;
    if !settings.switches.contractor_mode {
        return Err(Refused::ContractorModeOff);
    }
    match present.time() {
        Some(now) if !settings.access_hours.allows(settings.zone.local(now)) => {
            Err(Refused::OutsideHours { next: next_allowed(&[&settings.access_hours], settings.zone, now) })
        }
        _ => Ok(slot),
    }
}
