//! Settings of lockboxes.

use sentri_wire::settings as wire;

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Weekday {
    /// The first.
    Monday,
    /// The second.
    Tuesday,
    /// The third.
    Wednesday,
    /// The fourth.
    Thursday,
    /// The fifth.
    Friday,
    /// The sixth.
    Saturday,
    /// The seventh.
    Sunday,
}

impl From<wire::Weekday> for Weekday {
    fn from(day: wire::Weekday) -> Self {
        match day {
            wire::Weekday::Monday => Self::Monday,
            wire::Weekday::Tuesday => Self::Tuesday,
            wire::Weekday::Wednesday => Self::Wednesday,
            wire::Weekday::Thursday => Self::Thursday,
            wire::Weekday::Friday => Self::Friday,
            wire::Weekday::Saturday => Self::Saturday,
            wire::Weekday::Sunday => Self::Sunday,
        }
    }
}

impl From<Weekday> for wire::Weekday {
    fn from(day: Weekday) -> Self {
        match day {
            Weekday::Monday => Self::Monday,
            Weekday::Tuesday => Self::Tuesday,
            Weekday::Wednesday => Self::Wednesday,
            Weekday::Thursday => Self::Thursday,
            Weekday::Friday => Self::Friday,
            Weekday::Saturday => Self::Saturday,
            Weekday::Sunday => Self::Sunday,
        }
    }
}

/// The hours of a day in which a box may be opened, by the property's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct DayHours {
    /// The day on which they begin.
    pub weekday: Weekday,
    /// Minutes after midnight, on a quarter of an hour: 0 to 1425.
    pub from: u16,
    /// The first minute after, 15 to 1440; on the next day where it is not past `from`.
    pub to: u16,
}

/// What an owner sets of a box. [LST-4]
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct BoxSettings {
    /// When anybody but the owner may open it. A day that is not there has no hours.
    pub access_hours: Vec<DayHours>,
    /// Whether the contractor codes work.
    pub contractor_mode: bool,
    /// IANA zone. Where it is not told, that of the listing at which the box hangs, else the one that the box has.
    pub time_zone: Option<String>,
}

impl From<wire::BoxSettings> for BoxSettings {
    fn from(it: wire::BoxSettings) -> Self {
        let hours =
            |day: wire::DayHours| DayHours { weekday: day.weekday.into(), from: day.from, to: day.to };
        Self {
            access_hours: it.access_hours.into_iter().map(hours).collect(),
            contractor_mode: it.contractor_mode,
            time_zone: it.time_zone,
        }
    }
}

impl From<BoxSettings> for wire::BoxSettings {
    fn from(it: BoxSettings) -> Self {
        let hours =
            |day: DayHours| wire::DayHours { weekday: day.weekday.into(), from: day.from, to: day.to };
        Self {
            access_hours: it.access_hours.into_iter().map(hours).collect(),
            contractor_mode: it.contractor_mode,
            time_zone: it.time_zone,
        }
    }
}

/// The settings page of a box. [LST-4, LST-6]
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct LockboxSettings {
    /// Serial number of the box.
    pub lockbox: String,
    /// Whether it follows the agent's default settings.
    pub follows_default: bool,
    /// What was set last.
    pub set: BoxSettings,
    /// Whether the box may not have that yet: show Pending.
    pub pending: bool,
    /// What the box goes by now, as far as is known.
    pub working: BoxSettings,
}

impl From<wire::LockboxSettings> for LockboxSettings {
    fn from(it: wire::LockboxSettings) -> Self {
        Self {
            lockbox: it.lockbox,
            follows_default: it.follows_default,
            set: it.set.into(),
            pending: it.pending,
            working: it.working.into(),
        }
    }
}
