//! Members' cards, as a card reader at a desk renews them. [AGT-1, LST-6]

use serde::{Deserialize, Serialize};

use crate::{Binary, Secret, Timestamp};

/// `GET /v1/card`: what waits for the agent's card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CardErrands {
    /// Serial numbers of the agent's lockboxes without Bluetooth that have not what they were told. Renew the card, put it
    /// into each of them, then renew it again: what they say comes back with it.
    pub lockboxes: Vec<String>,
}

/// `POST /v1/card`: the card is in a reader.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CardRenewal {
    /// The agent's PIN, checked and counted by the backend; it is the card's PIN too.
    pub pin: Secret,
    /// All that is on the card, where it is not a blank one: lockboxes have written onto it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Binary>,
}

/// A card that is good for three days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RenewedCard {
    /// The card's number, 16 hex digits, by which locks know it.
    pub serial: String,
    /// First second in which it opens nothing any more.
    pub good_until: Timestamp,
    /// What the reader writes onto the card, as `docs/keypad.md` lays it out.
    pub memory: Binary,
    /// Serial numbers of the lockboxes that it carries something to: put it into each of them.
    pub carries_to: Vec<String>,
}
