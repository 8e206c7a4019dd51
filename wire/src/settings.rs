//! Settings of lockboxes, as their owner sees and sets them. [LST-4, LST-6]

use serde::{Deserialize, Serialize};

use crate::Binary;

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
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

impl Weekday {
    /// All of them, in their order.
    pub const ALL: [Self; 7] = [
        Self::Monday,
        Self::Tuesday,
        Self::Wednesday,
        Self::Thursday,
        Self::Friday,
        Self::Saturday,
        Self::Sunday,
    ];
}

/// The hours of a day in which a box may be opened, by the property's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DayHours {
    /// The day on which they begin.
    pub weekday: Weekday,
    /// Minutes after midnight, on a quarter of an hour: 0 to 1425.
    pub from: u16,
    /// The first minute after, 15 to 1440; on the next day where it is not past `from`.
    pub to: u16,
}

/// What an owner sets of a box.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BoxSettings {
    /// When anybody but the owner may open it. A day that is not there has no hours.
    pub access_hours: Vec<DayHours>,
    /// Whether the contractor codes work. [COD-3]
    pub contractor_mode: bool,
    /// IANA zone. Where it is not told, that of the listing at which the box hangs, else the one that the box has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}

/// `POST /v1/lockboxes/{serial}/settings`: custom settings, or the owner's default ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SettingsChoice {
    /// Custom settings; the default ones where it is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom: Option<BoxSettings>,
}

/// The settings page of a box.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LockboxSettings {
    /// The box.
    pub lockbox: String,
    /// Whether it follows the owner's default settings.
    pub follows_default: bool,
    /// What was set last.
    pub set: BoxSettings,
    /// Whether the box may not have that yet.
    pub pending: bool,
    /// What the box goes by now, as far as is known.
    pub working: BoxSettings,
}

/// `POST /v1/lockbox-search`: which of the agent's own boxes sent this after a press of ENT. [LST-3]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LockboxSearch {
    /// The 18 bytes of manufacturer data of its advert.
    pub advert: Binary,
}
