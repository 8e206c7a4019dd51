//! Doors and codes, as a resident's app shows them.

use sentri_wire::{Secret, residence as wire};

use super::types::Weekday;

/// A residential lock that the account goes through. [RES-0]
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Door {
    /// Serial number of its lock.
    pub lock: String,
    /// "Unit 12", "Garage", "Pool".
    pub name: String,
    /// What is behind it.
    pub kind: DoorKind,
    /// How its lock gets new codes.
    pub reach: DoorReach,
    /// IANA zone of the building.
    pub time_zone: String,
    /// Whether codes of six digits are offered.
    pub six_digits: bool,
    /// Whether a code may be picked here: offer it only then.
    pub may_pick: bool,
    /// Whether this phone carries something that the lock does not have yet.
    pub has_delivery: bool,
}

/// What is behind a door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum DoorKind {
    /// A home.
    Unit,
    /// A way in that all residents share.
    AccessPoint,
    /// A pool, a gym, a laundry.
    Amenity,
}

/// How a lock gets new codes. [RES-5]
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum DoorReach {
    /// By a phone in range: about 30 feet.
    Bluetooth,
    /// By its hub, which may take minutes.
    Hub,
}

/// A code of the account's at a door: the resident's own, or a guest's. [RES-1, RES-3]
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct DoorCode {
    /// Names it as long as it is there, whatever its digits.
    pub id: String,
    /// Serial number of the lock.
    pub lock: String,
    /// The guest's name; absent for the resident's own.
    pub guest: Option<String>,
    /// When it works.
    pub validity: CodeValidity,
    /// Where it is on its way into the lock.
    pub state: DoorCodeState,
    /// How far the change has come that waits, where a hub carries it; say that it may take minutes.
    pub progress: Option<HubProgress>,
    /// The digits that work at the lock now.
    pub working: Option<Secret>,
    /// The digits that take their place once they are delivered.
    pub next: Option<Secret>,
}

/// Where a code is on its way into its lock. [RES-5]
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum DoorCodeState {
    /// The new one waits for a delivery; the old one, where there is one, works until then.
    Pending,
    /// The lock has it.
    Works,
    /// The lock holds the same digits for somebody else: choose another. The old one works on.
    NotTaken,
    /// Deleted; it works until the lock has heard of that.
    Leaving,
}

/// How far a change has come on its way by a hub. [RES-5]
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum HubProgress {
    /// The hub has not fetched it yet.
    WaitingForHub,
    /// The hub has it.
    OnItsWay,
    /// The hub says that the lock has it; the lock's own word is on its way back.
    AtLock,
}

/// When a code works. [RES-3]
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum CodeValidity {
    /// Until it is deleted.
    Permanent,
    /// Once, from a start to an end.
    Temporary {
        /// First second.
        starts_at: i64,
        /// First second after.
        ends_at: i64,
    },
    /// On weekdays and hours of the door's zone, over and over.
    Recurring {
        /// On which days.
        weekdays: Vec<Weekday>,
        /// From which minute of the day, on a quarter hour.
        from_minute: u16,
        /// To which minute of the day; one that is not later is meant on the next day.
        to_minute: u16,
    },
    /// For one delivery: two hours.
    Delivery {
        /// First second.
        starts_at: i64,
    },
}

impl Door {
    pub(crate) fn of(door: wire::Door, has_delivery: bool) -> Self {
        Self {
            lock: door.lock,
            name: door.name,
            kind: match door.kind {
                wire::DoorKind::Unit => DoorKind::Unit,
                wire::DoorKind::AccessPoint => DoorKind::AccessPoint,
                wire::DoorKind::Amenity => DoorKind::Amenity,
            },
            reach: match door.reach {
                wire::DoorReach::Bluetooth => DoorReach::Bluetooth,
                wire::DoorReach::Hub => DoorReach::Hub,
            },
            time_zone: door.time_zone,
            six_digits: door.six_digits,
            may_pick: door.may_pick,
            has_delivery,
        }
    }
}

impl From<wire::DoorCode> for DoorCode {
    fn from(it: wire::DoorCode) -> Self {
        Self {
            id: it.id,
            lock: it.lock,
            guest: it.guest,
            validity: it.validity.into(),
            state: match it.state {
                wire::CodeState::Pending => DoorCodeState::Pending,
                wire::CodeState::Works => DoorCodeState::Works,
                wire::CodeState::NotTaken => DoorCodeState::NotTaken,
                wire::CodeState::Leaving => DoorCodeState::Leaving,
            },
            progress: it.progress.map(|progress| match progress {
                wire::HubProgress::WaitingForHub => HubProgress::WaitingForHub,
                wire::HubProgress::OnItsWay => HubProgress::OnItsWay,
                wire::HubProgress::AtLock => HubProgress::AtLock,
            }),
            working: it.working,
            next: it.next,
        }
    }
}

impl From<wire::CodeValidity> for CodeValidity {
    fn from(it: wire::CodeValidity) -> Self {
        match it {
            wire::CodeValidity::Permanent => Self::Permanent,
            wire::CodeValidity::Temporary { starts_at, ends_at } => Self::Temporary { starts_at, ends_at },
            wire::CodeValidity::Recurring { weekdays, from_minute, to_minute } => {
                let weekdays = weekdays.into_iter().map(Into::into).collect();
                Self::Recurring { weekdays, from_minute, to_minute }
            }
            wire::CodeValidity::Delivery { starts_at } => Self::Delivery { starts_at },
        }
    }
}

impl From<CodeValidity> for wire::CodeValidity {
    fn from(it: CodeValidity) -> Self {
        match it {
            CodeValidity::Permanent => Self::Permanent,
            CodeValidity::Temporary { starts_at, ends_at } => Self::Temporary { starts_at, ends_at },
            CodeValidity::Recurring { weekdays, from_minute, to_minute } => {
                let weekdays = weekdays.into_iter().map(Into::into).collect();
                Self::Recurring { weekdays, from_minute, to_minute }
            }
            CodeValidity::Delivery { starts_at } => Self::Delivery { starts_at },
        }
    }
}
