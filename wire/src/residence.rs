//! Doors of a community, and the codes that its residents and their guests type there.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Secret, Timestamp, credential::Credential, settings::Weekday};

/// A residential lock, as those see it who may go through. [RES-0]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Door {
    /// The door's id.
    pub id: Uuid,
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
    /// Whether codes of six digits are offered. [RES-1]
    pub six_digits: bool,
    /// Whether a resident may pick their code here. [RES-1, RES-4]
    pub may_pick: bool,
    /// What a phone shows the lock to hand over codes; it opens nothing. Its `access_id` is the door's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass: Option<Credential>,
}

/// What is behind a door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DoorKind {
    /// A home.
    Unit,
    /// A way in that all residents share.
    AccessPoint,
    /// A pool, a gym, a laundry.
    Amenity,
}

/// How a lock gets new codes. [RES-5]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DoorReach {
    /// By a phone in range.
    Bluetooth,
    /// By its hub.
    Hub,
}

/// `GET /v1/doors`: the doors that the caller goes through.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Doors {
    /// By name.
    pub doors: Vec<Door>,
}

/// A code of the caller's at one door: their own, or one that they made for a guest. [RES-1, RES-3]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DoorCode {
    /// Names it as long as it is there, whatever its digits.
    pub id: String,
    /// Serial number of the lock.
    pub lock: String,
    /// Whose it is.
    pub holder: CodeHolder,
    /// The guest's name, as the resident typed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest: Option<String>,
    /// When it works.
    pub validity: CodeValidity,
    /// Where it is on its way into the lock.
    pub state: CodeState,
    /// How far the change has come that waits, where a hub carries it; it may take minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<HubProgress>,
    /// The digits that work at the lock now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working: Option<Secret>,
    /// The digits that take their place; the lock does not have them yet, or did not take them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Secret>,
}

/// Whose a code is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CodeHolder {
    /// The resident's own.
    Resident,
    /// A guest's.
    Guest,
}

/// Where a code is on its way into its lock. [RES-5]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CodeState {
    /// The new one waits for a delivery; the old one, where there is one, works until then.
    Pending,
    /// The lock has it, and says so.
    Works,
    /// The lock holds the same digits for somebody else: choose another. The old one works on.
    NotTaken,
    /// Deleted; it works until the lock has heard of that.
    Leaving,
}

/// How far a change has come on its way by a hub. [RES-5]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum HubProgress {
    /// The hub has not fetched it yet.
    WaitingForHub,
    /// The hub has it.
    OnItsWay,
    /// The hub says that the lock has it; the lock's own word is on its way back.
    AtLock,
}

/// When a code works. [RES-3]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case", try_from = "ValidityFields")]
pub enum CodeValidity {
    /// Until it is deleted.
    Permanent,
    /// Once, from a start to an end.
    Temporary {
        /// First second.
        starts_at: Timestamp,
        /// First second after.
        ends_at: Timestamp,
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
        starts_at: Timestamp,
    },
}

/// A validity as it is written. Serde's own reader of tagged forms keeps each field until it knows the tag: four times the
/// code on a phone.
#[derive(Deserialize)]
struct ValidityFields {
    kind: ValidityKind,
    starts_at: Option<Timestamp>,
    ends_at: Option<Timestamp>,
    weekdays: Option<Vec<Weekday>>,
    from_minute: Option<u16>,
    to_minute: Option<u16>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum ValidityKind {
    Permanent,
    Temporary,
    Recurring,
    Delivery,
}

impl TryFrom<ValidityFields> for CodeValidity {
    type Error = String;

    fn try_from(mut it: ValidityFields) -> Result<Self, String> {
        let validity = match it.kind {
            ValidityKind::Permanent => Self::Permanent,
            ValidityKind::Temporary => Self::Temporary {
                starts_at: due(&mut it.starts_at, "starts_at")?,
                ends_at: due(&mut it.ends_at, "ends_at")?,
            },
            ValidityKind::Recurring => Self::Recurring {
                weekdays: due(&mut it.weekdays, "weekdays")?,
                from_minute: due(&mut it.from_minute, "from_minute")?,
                to_minute: due(&mut it.to_minute, "to_minute")?,
            },
            ValidityKind::Delivery => Self::Delivery { starts_at: due(&mut it.starts_at, "starts_at")? },
        };
        let left = [
            (it.starts_at.is_some(), "starts_at"),
            (it.ends_at.is_some(), "ends_at"),
            (it.weekdays.is_some(), "weekdays"),
            (it.from_minute.is_some(), "from_minute"),
            (it.to_minute.is_some(), "to_minute"),
        ];
        match left.iter().find(|(is_there, _)| *is_there) {
            Some((_, name)) => Err(format!("unknown field `{name}`")),
            None => Ok(validity),
        }
    }
}

/// In Serde's own words, as of any field.
fn due<T>(field: &mut Option<T>, name: &str) -> Result<T, String> {
    field.take().ok_or_else(|| format!("missing field `{name}`"))
}

/// `GET /v1/doors/{serial}/codes`: the caller's codes at a door.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DoorCodes {
    /// The caller's own first, then those of their guests.
    pub codes: Vec<DoorCode>,
}

/// `POST /v1/doors/{serial}/codes/generate`: a new code for the caller. [RES-1]
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GenerateCode {
    /// 4, or 6 where the community enables it; left out: as many as it enables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digits: Option<u8>,
}

/// `POST /v1/doors/{serial}/codes/pick`: a code that the caller picked. [RES-2]
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PickCode {
    /// The digits.
    pub code: Secret,
}

/// `POST /v1/doors/{serial}/codes/guests`: a generated code for a guest. [RES-3]
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GuestCode {
    /// The guest's name, for the resident's own list.
    pub guest: String,
    /// When it works.
    pub validity: CodeValidity,
    /// 4, or 6 where the community enables it; left out: as many as it enables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digits: Option<u8>,
}
