//! What a community's hub tells the backend, and what it gets for the locks that it reaches. [RES-5]

use serde::{Deserialize, Serialize};

use crate::{codes::CodeDelivery, credential::Credential};

/// `POST /v1/hub/calls`: a hub calls, as often as the answer before asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HubReport {
    /// The locks that it has heard.
    #[serde(default)]
    pub heard: Vec<HeardLock>,
    /// What it brought to locks since the last call. It is only shown: the lock's records say what the lock has.
    #[serde(default)]
    pub brought: Vec<BroughtCodes>,
    /// Ids of the passes that it holds, which need not be sent again.
    #[serde(default)]
    pub passes: Vec<String>,
}

/// A lock that a hub hears.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HeardLock {
    /// Its serial number.
    pub lock: String,
    /// How long ago the hub heard it last: the backend goes by its own clock.
    pub seconds_ago: u32,
}

/// Codes that a lock has answered to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BroughtCodes {
    /// The lock's serial number.
    pub lock: String,
    /// The version of its codes that it said it has.
    pub version: u32,
}

/// What a hub is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HubOrders {
    /// All locks that the hub reaches; of others it forgets what it holds.
    pub locks: Vec<HubLock>,
    /// Call again after so many seconds.
    pub call_again: u32,
}

/// A lock that a hub reaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HubLock {
    /// Its serial number.
    pub lock: String,
    /// What the hub shows it; it opens nothing. Left out where the hub holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass: Option<Credential>,
    /// What is due for it, once for each time that it is given into the hub's hands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codes: Option<CodeDelivery>,
}
