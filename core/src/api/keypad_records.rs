//! What is shown of a lockbox's keypad, and of the codes for it.

use sentri_wire::{self as wire, Secret, codes::CodeKind as WireKind};

use crate::codes::{
    times::{State, Times},
    wall::Wall,
};

/// A moment as the clock on the property's wall shows it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PropertyTime {
    /// The moment.
    pub at: i64,
    /// Year.
    pub year: i64,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 is Monday, 6 is Sunday.
    pub weekday: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// Days from the property's today: 0 today, 1 tomorrow.
    pub days_ahead: i64,
}

impl From<Wall> for PropertyTime {
    fn from(it: Wall) -> Self {
        let Wall { at, year, month, day, weekday, hour, minute, days_ahead } = it;
        Self { at, year, month, day, weekday, hour, minute, days_ahead }
    }
}

/// Whether a code works, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum CodeState {
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
    ForbiddenByBrokerage,
    /// It is blocked. [PIN-7]
    Blocked,
}

impl From<State> for CodeState {
    fn from(state: State) -> Self {
        match state {
            State::NotYet => Self::NotYet,
            State::Works => Self::Works,
            State::Over => Self::Over,
            State::Pending => Self::Pending,
            State::SwitchedOff => Self::SwitchedOff,
            State::Forbidden => Self::ForbiddenByBrokerage,
            State::Blocked => Self::Blocked,
        }
    }
}

/// When a code works, as the phone knows it, with or without network. [COD-2]
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CodeTimes {
    /// Whether it works now.
    pub state: CodeState,
    /// First moment at which it does.
    pub from: Option<PropertyTime>,
    /// First moment at which it does no more.
    pub until: Option<PropertyTime>,
    /// The same in an English sentence: "Works from 9:00 AM tomorrow, property time."
    pub says: String,
}

impl From<Times> for CodeTimes {
    fn from(it: Times) -> Self {
        Self {
            state: it.state.into(),
            from: it.from.map(Into::into),
            until: it.until.map(Into::into),
            says: it.says,
        }
    }
}

/// Something that is set at a lock, Pending as long as the two differ. [LST-6]
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct KeypadSwitch {
    /// As the lock was last told.
    pub at_lock: bool,
    /// As its owner wants it.
    pub wanted: bool,
}

impl From<wire::codes::Switch> for KeypadSwitch {
    fn from(it: wire::codes::Switch) -> Self {
        Self { at_lock: it.at_lock, wanted: it.wanted }
    }
}

/// One of a lockbox's three contractor codes. [COD-3, COD-5]
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ContractorCode {
    /// 1 to 3.
    pub slot: u8,
    /// The one that works.
    pub code: Secret,
    /// The one that takes its place, once a phone has brought the lock its settings.
    pub pending: Option<Secret>,
}

/// The keypad of a lockbox, as its owner sees and sets it. [COD-3 to COD-6, PIN-4]
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Keypad {
    /// Serial number of the box.
    pub lockbox: String,
    /// IANA time zone of the property.
    pub time_zone: String,
    /// Whether contractor codes work.
    pub contractor_mode: KeypadSwitch,
    /// The three; none where the brokerage forbids them.
    pub contractor_codes: Vec<ContractorCode>,
    /// When they work.
    pub contractor_times: CodeTimes,
    /// Whether SmartPINs work.
    pub smart_pins: KeypadSwitch,
    /// How many guests of one window the lock tells apart.
    pub pins_per_window: u8,
    /// How many it shall, once it has heard of it.
    pub pins_per_window_wanted: u8,
    /// Until when this phone makes SmartPINs with no network; absent where its owner has not chosen so.
    pub smart_pins_offline_until: Option<i64>,
    /// The brokerage forbids one day codes: say so in place of the button.
    pub one_day_codes_forbidden: bool,
    /// The brokerage forbids contractor codes: say so in place of them.
    pub contractor_codes_forbidden: bool,
}

impl Keypad {
    pub(crate) fn seen(it: wire::codes::Keypad, offline_until: Option<i64>, now: i64) -> Self {
        Self {
            contractor_times: Times::of_contractor_codes(&it, now).into(),
            lockbox: it.lockbox,
            time_zone: it.time_zone,
            contractor_mode: it.contractor_mode.into(),
            contractor_codes: it
                .contractor_codes
                .into_iter()
                .map(|it| ContractorCode { slot: it.slot, code: it.code, pending: it.pending })
                .collect(),
            smart_pins: it.smart_pins.into(),
            pins_per_window: it.pins_per_window.at_lock,
            pins_per_window_wanted: it.pins_per_window.wanted,
            smart_pins_offline_until: offline_until,
            one_day_codes_forbidden: it.forbids_one_day,
            contractor_codes_forbidden: it.forbids_contractor,
        }
    }
}

/// Kinds of codes that are made for somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum CodeKind {
    /// Works for an hour from its first use on its day. [COD-2]
    OneDay,
    /// Carries its own window. [PIN-1]
    SmartPin,
}

/// A code that was made for somebody.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct IssuedCode {
    /// Its id.
    pub id: String,
    /// Serial number of the box.
    pub lockbox: String,
    /// Which kind.
    pub kind: CodeKind,
    /// The digits, to be shown.
    pub code: Secret,
    /// For whom, where it is a SmartPIN.
    pub guest: Option<String>,
    /// IANA time zone of the property.
    pub time_zone: String,
    /// When it works.
    pub times: CodeTimes,
    /// Another guest has the same digits, since two phones made them without network: give one of them another window.
    pub shared: bool,
    /// Phone support made it. [COD-7]
    pub by_support: bool,
    /// It is blocked, or will be once a phone has told the lock; `times` tells which. [PIN-7]
    pub blocked: bool,
    /// An English text with the code, to be sent by email or text. [PIN-0]
    pub text_to_send: Secret,
}

impl IssuedCode {
    pub(crate) fn seen(it: wire::codes::IssuedCode, keypad: Option<&wire::codes::Keypad>, now: i64) -> Self {
        let times = Times::of(&it, keypad, now);
        Self {
            id: it.id.to_string(),
            text_to_send: text_to_send(&it),
            lockbox: it.lockbox,
            kind: match it.kind {
                WireKind::OneDay => CodeKind::OneDay,
                WireKind::SmartPin => CodeKind::SmartPin,
            },
            code: it.code,
            guest: it.guest,
            time_zone: it.time_zone,
            times: times.into(),
            shared: it.shared,
            by_support: it.by_support,
            blocked: it.blocked != wire::codes::Blocked::No,
        }
    }
}

/// Dates and no "tomorrow": nobody knows when it is read.
fn text_to_send(it: &wire::codes::IssuedCode) -> Secret {
    let zone = crate::codes::wall::zone(&it.zone).unwrap_or(sentri_protocol::zone::Zone::UTC);
    let wall = |at: i64| Wall { days_ahead: i64::MAX, ..Wall::at(at, at, zone) };
    let code = it.code.expose();
    Secret::new(match it.kind {
        WireKind::OneDay => format!(
            "Your code for lockbox {}: {code}. It works {}, property time, for an hour from its first use. Press ENT after \
             it.",
            it.lockbox,
            wall(it.starts_at).day_said()
        ),
        WireKind::SmartPin => format!(
            "Your SmartPIN for lockbox {}: {code}. It works from {} until {}, property time. Press ENT or # after it.",
            it.lockbox,
            wall(it.starts_at).said(),
            wall(it.ends_at).said()
        ),
    })
}

/// A mobile access code, typed in place of the card. [COD-1]
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct MobileAccessCode {
    /// Serial number of the only box that takes it.
    pub lockbox: String,
    /// The digits, to be shown.
    pub code: Secret,
    /// When it ends. The lock takes it once.
    pub until: i64,
    /// What to show beside it: it is never given to anyone.
    pub warning: String,
}
