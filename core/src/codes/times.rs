//! When a code works, by the property's clock: told on any phone that holds it, with no network. [COD-2]

use sentri_protocol::{
    Time,
    codes::one_day::WORKS_FOR,
    hours::{AccessHours, next_allowed},
};
use sentri_wire::{
    Timestamp,
    codes::{Blocked, CodeKind, IssuedCode, Keypad},
};

use super::wall::{Wall, zone};

/// Whether a code works, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Its time has not come.
    NotYet,
    /// It works.
    Works,
    /// Its time is over.
    Over,
    /// The lock has yet to hear of settings that it needs: any phone that opens it brings them.
    Pending,
    /// Its kind is switched off at the lock.
    SwitchedOff,
    /// The brokerage forbids its kind. [COD-6]
    Forbidden,
    /// It is blocked. [PIN-7]
    Blocked,
}

/// When a code works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Times {
    /// Whether it does now.
    pub state: State,
    /// First moment at which it does.
    pub from: Option<Wall>,
    /// First moment at which it does no more.
    pub until: Option<Wall>,
    /// The same in a sentence.
    pub says: String,
}

const PENDING: &str = "Pending: it works once a phone has brought the lockbox its new settings.";
const SWITCHED_OFF: &str = "This kind of code is switched off at the lockbox.";
const BLOCKED: &str = "Blocked.";
const BLOCKED_SOON: &str = "Works until a phone has told the lockbox that it is blocked.";
const FORBIDDEN: &str = "Your brokerage forbids this kind of code.";

impl Times {
    /// Of a code that was made. The keypad is what the phone knows of it.
    pub fn of(code: &IssuedCode, keypad: Option<&Keypad>, now: Timestamp) -> Self {
        let zone = zone(&code.zone).unwrap_or(sentri_protocol::zone::Zone::UTC);
        let (from, until) = (Wall::at(code.starts_at, now, zone), Wall::at(code.ends_at, now, zone));
        let state = keypad.and_then(|keypad| hindered(code, keypad)).unwrap_or(if now < code.starts_at {
            State::NotYet
        } else if now < code.ends_at {
            State::Works
        } else {
            State::Over
        });
        let says = match (state, code.kind) {
            (State::Pending, _) => PENDING.to_owned(),
            (State::SwitchedOff, _) => SWITCHED_OFF.to_owned(),
            (State::Forbidden, _) => FORBIDDEN.to_owned(),
            (State::Blocked, _) => BLOCKED.to_owned(),
            (State::Works, _) if code.blocked == Blocked::Pending => BLOCKED_SOON.to_owned(),
            (State::NotYet | State::Works, CodeKind::OneDay) => {
                let minutes = WORKS_FOR / 60;
                format!("Works {}, property time, for {minutes} minutes from its first use.", from.day_said())
            }
            (State::NotYet, CodeKind::SmartPin) => {
                format!("Works from {} until {}, property time.", from.said(), until.said())
            }
            (State::Works, CodeKind::SmartPin) => format!("Works until {}, property time.", until.said()),
            (State::Over, _) => format!("Ended at {}, property time.", until.said()),
        };
        Self { state, from: Some(from), until: Some(until), says }
    }

    /// Of contractor codes, which work any day within the access hours. [COD-3]
    pub fn of_contractor_codes(keypad: &Keypad, now: Timestamp) -> Self {
        let plain = |state, says: &str| Self { state, from: None, until: None, says: says.to_owned() };
        if keypad.forbids_contractor {
            return plain(State::Forbidden, FORBIDDEN);
        }
        match (keypad.contractor_mode.at_lock, keypad.contractor_mode.wanted) {
            (false, false) => return plain(State::SwitchedOff, "Contractor mode is off."),
            (false, true) => return plain(State::Pending, PENDING),
            (true, _) => {}
        }
        let hours = keypad.access_hours.array().and_then(|bytes| AccessHours::decode(&bytes).ok());
        let (Some(zone), Some(hours), Some(time)) = (zone(&keypad.zone), hours, Time::from_unix(now)) else {
            return plain(State::Works, "Works within the access hours.");
        };
        match next_allowed(&[&hours], zone, time) {
            Some(next) if next == time => {
                plain(State::Works, "Works now, and any day within the access hours.")
            }
            Some(next) => {
                let from = Wall::at(next.unix(), now, zone);
                let says = format!("Works from {}, property time.", from.said());
                Self { state: State::NotYet, from: Some(from), until: None, says }
            }
            None => plain(State::NotYet, "Never works: the lockbox has no access hours."),
        }
    }
}

/// What keeps a code from working, whatever the time is.
fn hindered(code: &IssuedCode, keypad: &Keypad) -> Option<State> {
    match code.kind {
        _ if code.blocked == Blocked::AtLock => Some(State::Blocked),
        CodeKind::OneDay => keypad.forbids_one_day.then_some(State::Forbidden),
        CodeKind::SmartPin => {
            let (on, count) = (keypad.smart_pins, keypad.pins_per_window);
            if on.at_lock && code.number < count.at_lock {
                None
            } else if on.wanted && code.number < count.wanted {
                Some(State::Pending)
            } else {
                Some(State::SwitchedOff)
            }
        }
    }
}
