//! A person's own data, all in one document.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Timestamp,
    account::{Account, Platform},
    agent::Grant,
    credential::Access,
    event::LogEntry,
    residence::DoorCode,
    sync::Message,
};

/// `GET /v1/me/export`: what is stored about an account. Passwords, PINs, tokens and keys are never in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PersonalData {
    /// When this was put together.
    pub exported_at: Timestamp,
    /// The profile.
    pub account: Account,
    /// What the association's MLS calls the account, where that is not the SentriKey ID; agents only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mls_id: Option<String>,
    /// When the account was made.
    pub created_at: Timestamp,
    /// Its registered devices.
    pub devices: Vec<Device>,
    /// Accesses that it gave.
    pub grants_given: Vec<Grant>,
    /// Accesses that it got.
    pub grants_received: Vec<Access>,
    /// What it did at lockboxes, as the access log has it.
    pub events: Vec<LogEntry>,
    /// Its Message Center.
    pub messages: Vec<Message>,
    /// A resident's codes and their guests', without digits.
    #[serde(default)]
    pub door_codes: Vec<DoorCode>,
}

/// A registered device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Device {
    /// The registration's id.
    pub id: Uuid,
    /// As it named itself.
    pub name: String,
    /// Which system it runs.
    pub platform: Platform,
    /// When it was registered.
    pub registered_at: Timestamp,
}
