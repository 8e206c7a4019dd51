//! Codes that can be typed by their names, and those that a door's table holds.

use sentri_lock::journal::tables::{HeldCode, Role};
use sentri_protocol::{
    Time,
    codes::{
        contractor,
        kind::Profile,
        one_day,
        smac::{DayKey, Slot},
        smart_pin::{
            SmartPin, SmartPinKey, Variant,
            window::{LocalHour, PinWindow},
        },
        stored::{GeneratedLength, StoredCode, generate},
        validity::Validity,
    },
    hours::{Schedule, Span},
    time::{DAY, Window},
    zone::Zone,
};

use super::{CARD_PIN, PROGRAMMING_CODE, Scene};

/// Random enough for a sandbox, and the same each time, so that examples stay true.
const RANDOM: [u32; 5] = [2_971_774_071, 1_402_335_293, 893_106_382, 3_120_447_415, 604_518_264];
/// The resident's place in the table.
pub(super) const RESIDENT: u8 = 2;
/// Monday to Friday.
const WORKDAYS: u8 = 0x1f;

/// A name, and what to say of the code.
type Named = (&'static str, &'static str);

const LOCKBOX: [Named; 6] = [
    ("contractor", "in contractor mode"),
    ("oneday", "today's first, for an hour"),
    ("smac", "an agent's, once"),
    ("smartpin", "from midnight, for three days"),
    ("program", "blocks SmartPINs"),
    ("pin", "of both cards"),
];
const DOOR: [Named; 7] = [
    ("resident", "always"),
    ("guest", "always"),
    ("temporary", "two days from the start"),
    ("recurring", "Monday to Friday, 9 AM to 5 PM"),
    ("delivery", "two hours from the start"),
    ("smartpin", "from midnight, for three days"),
    ("program", "blocks SmartPINs"),
];

/// What a door's table holds besides the programming code, by the names above.
pub(super) struct DoorCodes {
    held: Vec<(&'static str, HeldCode)>,
    /// Picked by the resident, and not at the lock yet. [RES-5]
    pub(super) pending: Option<StoredCode>,
    /// Of the codes that were delivered.
    pub(super) version: u32,
}

impl DoorCodes {
    pub(super) fn new(now: Time) -> Self {
        let two_days = Window::new(now, now.plus(2 * DAY)).map(Validity::Temporary);
        let office_hours = Span::new(36, 68).and_then(|span| Schedule::new(WORKDAYS, span));
        let validities = [
            Some(Validity::Permanent),
            Some(Validity::Permanent),
            two_days,
            office_hours.map(|schedule| Validity::Recurring(schedule, None)),
            Validity::delivery(now),
        ];
        let held = (RESIDENT..).zip(DOOR).zip(RANDOM.into_iter().zip(validities)).filter_map(
            |((id, (name, _)), (random, validity))| {
                let role = if id == RESIDENT { Role::Resident } else { Role::Guest };
                let code = generate(GeneratedLength::Four, [random], |_| false).ok()?;
                Some((name, HeldCode { id, role, code, validity: validity? }))
            },
        );
        Self { held: held.collect(), pending: None, version: 0 }
    }

    /// The resident's new code is at the lock.
    pub(super) fn replace_resident(&mut self, code: &StoredCode) {
        for (_, held) in self.held.iter_mut().filter(|(_, held)| held.id == RESIDENT) {
            held.code = code.clone();
        }
    }
}

impl Scene {
    /// Puts a door's codes into its table.
    pub(super) fn move_in(&mut self) {
        for (_, held) in &self.door.held {
            // The codes differ, and have places of their own.
            let _ = self.rig.hold_code(held.clone());
        }
    }

    /// The code with this name that would open now, where its time has come.
    pub(super) fn code(&self, name: &str) -> Option<String> {
        let (now, keys) = (self.rig.time(), &self.backend.keys);
        let text = match (self.profile, name) {
            (_, "program") => PROGRAMMING_CODE.to_owned(),
            (_, "smartpin") => self.smart_pin()?.digits().as_str().to_owned(),
            (Profile::Lockbox, "pin") => CARD_PIN.to_owned(),
            (Profile::Lockbox, "contractor") => contractor::code(keys, 0, 1).as_str().to_owned(),
            (Profile::Lockbox, "oneday") => {
                one_day::code(keys, Zone::UTC.local(now).day, 0).as_str().to_owned()
            }
            (Profile::Lockbox, "smac") => {
                DayKey::derive(keys, now.0 / DAY, Slot::new(42)?).code(now).ok()?.as_str().to_owned()
            }
            (Profile::Residential, name) => {
                let held = self.door.held.iter().find(|(it, _)| *it == name);
                held.map(|(_, held)| held.code.as_str().to_owned())?
            }
            _ => return None,
        };
        Some(text)
    }

    /// From midnight, for three days: the same all day long.
    pub(super) fn smart_pin(&self) -> Option<SmartPin> {
        let today = self.rig.time().0 / DAY;
        let hour = |day| LocalHour::new(day, 0);
        let window = PinWindow::hourly(hour(today)?, hour(today + 3)?).ok()?;
        let key = SmartPinKey::of(&self.backend.keys, self.backend.lock);
        Some(key.generate(window, Variant::FIRST))
    }

    pub(super) fn codes(&self) -> Vec<String> {
        let names: &[Named] = match self.profile {
            Profile::Lockbox => &LOCKBOX,
            Profile::Residential => &DOOR,
        };
        let line = |(name, when): &Named| Some(format!("  {name:<10} {:<10} {when}", self.code(name)?));
        names.iter().filter_map(line).collect()
    }
}
