//! Codes for a lockbox's keypad: what its owner sees of them, has made and sets.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Binary, Secret, Timestamp, credential::Zone};

/// Something that is set at a lock: it is Pending as long as the two differ. [LST-6]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Switch {
    /// As the lock was last told.
    pub at_lock: bool,
    /// As its owner wants it.
    pub wanted: bool,
}

/// How many SmartPINs of one window a lock takes; Pending as long as the two differ. [PIN-7]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PinsPerWindow {
    /// As the lock was last told.
    pub at_lock: u8,
    /// As its owner wants it.
    pub wanted: u8,
}

/// One of a lockbox's three contractor codes. [COD-3, COD-5]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ContractorCode {
    /// 1 to 3.
    pub slot: u8,
    /// The one that works.
    pub code: Secret,
    /// The one that takes its place, once a phone has brought the lock its settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<Secret>,
}

/// The keypad of a lockbox, as its owner sees and sets it. [COD-3 to COD-6, PIN-4]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Keypad {
    /// The box.
    pub lockbox: String,
    /// IANA time zone of the property.
    pub time_zone: String,
    /// The same, for a phone without network.
    pub zone: Zone,
    /// Access hours that the lock keeps, 7 pairs of quarter hours from Monday on (14 bytes).
    pub access_hours: Binary,
    /// Whether contractor codes work.
    pub contractor_mode: Switch,
    /// The three, or none where the brokerage forbids them.
    pub contractor_codes: Vec<ContractorCode>,
    /// Whether SmartPINs work.
    pub smart_pins: Switch,
    /// How many guests of one window get SmartPINs that can be told apart, 1 to 3.
    pub pins_per_window: PinsPerWindow,
    /// The owner's brokerage forbids one day codes.
    pub forbids_one_day: bool,
    /// The owner's brokerage forbids contractor codes.
    pub forbids_contractor: bool,
}

/// `POST /v1/lockboxes/{serial}/keypad`: what is left out stays.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeypadChange {
    /// Contractor codes work. [COD-4]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contractor_mode: Option<bool>,
    /// SmartPINs work. [PIN-4]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smart_pins: Option<bool>,
    /// 1 to 3. Each more makes a random hit likelier by as much (`docs/codes.md`, section 9).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pins_per_window: Option<u8>,
}

/// `POST /v1/lockboxes/{serial}/contractor-codes`: a new code takes the place of one. [COD-5]
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RotateRequest {
    /// 1 to 3.
    pub slot: u8,
}

/// Kinds of codes that are made for somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CodeKind {
    /// Works for an hour from its first use on its day. [COD-2]
    OneDay,
    /// Carries its own window. [PIN-1]
    SmartPin,
}

/// A code that was made: on each phone of the lockbox's owner, also without network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IssuedCode {
    /// Its id.
    pub id: Uuid,
    /// The box.
    pub lockbox: String,
    /// Which kind.
    pub kind: CodeKind,
    /// The digits.
    pub code: Secret,
    /// For whom, where it is a SmartPIN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest: Option<String>,
    /// First second. A one day code is used first from here on.
    pub starts_at: Timestamp,
    /// First second after. A one day code that was used first before works on for its hour.
    pub ends_at: Timestamp,
    /// IANA time zone of the property.
    pub time_zone: String,
    /// The same, for a phone without network.
    pub zone: Zone,
    /// Which of the codes with one window it is, from 0.
    pub number: u8,
    /// Another guest has the same digits: two phones made them without network. The log can't tell the two apart.
    pub shared: bool,
    /// Phone support made it, for a verified owner. [COD-7]
    pub by_support: bool,
    /// Whether it is blocked.
    #[serde(default)]
    pub blocked: Blocked,
    /// When it was made.
    pub made_at: Timestamp,
}

/// Whether a SmartPIN is blocked. [PIN-7]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Blocked {
    /// It is not.
    #[default]
    No,
    /// It is to be, and opens until a phone has told the lock.
    Pending,
    /// The lock takes it no more.
    AtLock,
}

/// What a phone hands over to a lock, in turn: what changes in the lock's codes. It can read none of it. [PIN-7, RES-5]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CodeDelivery {
    /// Serial number of the lock.
    pub lock: String,
    /// What the lock's codes have once all of it is delivered.
    pub version: u32,
    /// Each as `docs/codes.md`, section 7, lays it out; the oldest first.
    pub deliveries: Vec<Binary>,
}

/// `POST /v1/lockboxes/{serial}/one-day-codes`. [COD-2]
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OneDayRequest {
    /// The day at the property, like `2026-11-23`: today to two weeks ahead.
    pub day: String,
}

/// Characters that a guest's name may have.
pub const LONGEST_GUEST: usize = 64;

/// `POST /v1/lockboxes/{serial}/smart-pins`. [PIN-0]
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SmartPinRequest {
    /// The id that the phone gave it: asked for again under the same one, the same PIN is answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// Name of the guest: the log names the PIN by it.
    pub guest: String,
    /// First second: on the hour at the property.
    pub starts_at: Timestamp,
    /// First second after: on the hour at the property.
    pub ends_at: Timestamp,
    /// Where the phone has made it already, without network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<MadeOffline>,
}

/// How a phone made a SmartPIN without network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MadeOffline {
    /// Which of the codes with one window it is, from 0.
    pub number: u8,
    /// When, by the phone's clock.
    pub at: Timestamp,
}

/// `POST /v1/lockboxes/{serial}/smart-pins/offline`: lets this phone make SmartPINs with no network, for a while.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OfflinePinsRequest {
    /// The owner's PIN, checked and counted by the backend.
    pub pin: Secret,
}

/// What makes SmartPINs of one lockbox. Whoever has it makes them for any time: a phone seals it, and forgets it when
/// its time is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SmartPinKey {
    /// The box.
    pub lockbox: String,
    /// The lock's id, 16 bytes.
    pub lock_id: Binary,
    /// K(smartpin), 32 bytes.
    pub key: Binary,
    /// IANA time zone of the property.
    pub time_zone: String,
    /// The same, for a phone without network.
    pub zone: Zone,
    /// The lock's rules for SmartPINs, 3 bytes, as `docs/codes.md` lays them out.
    pub rules: Binary,
    /// When the phone forgets it.
    pub until: Timestamp,
}

/// What an agent's phone makes its SMACs of one lockbox with, for the rest of the UTC day. [COD-1]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SmacKey {
    /// The box.
    pub lockbox: String,
    /// UTC days since 1970-01-01.
    pub day: u32,
    /// The agent's slot, 0 to 999: the log names the agent by it.
    pub slot: u16,
    /// The slot's key of this day, 32 bytes.
    pub key: Binary,
}
