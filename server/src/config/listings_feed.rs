//! Where the listings of an association come from: a feed of its MLS, over the RESO Web API. [LST-1]

use std::{collections::BTreeMap, path::PathBuf};

use sentri_wire::Secret;
use serde::Deserialize;

use super::delivery::secret;

/// An association's feed.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListingsFeed {
    /// Name of the association.
    pub association: String,
    /// The feed's `Property` resource: `https://…/Property`.
    pub url: String,
    /// Sent as `Authorization: Bearer …`.
    #[serde(default)]
    pub bearer: Option<Secret>,
    /// File that holds the bearer token, in place of `bearer`.
    #[serde(default)]
    pub bearer_file: Option<PathBuf>,
    /// The association as the feed calls it (`ListAgentAOR`), where the feed carries those of others too.
    #[serde(default)]
    pub aor: Option<String>,
    /// IANA zone of the properties, since the Data Dictionary has none.
    pub time_zone: String,
    /// Another one for some states, by `StateOrProvince`.
    #[serde(default)]
    pub state_time_zones: BTreeMap<String, String>,
    /// How often it is asked for what changed, in minutes.
    #[serde(default = "every_minutes")]
    pub every_minutes: u32,
    /// How often it is read as a whole, in hours: what is in it no more leaves the agents' listings then.
    #[serde(default = "whole_hours")]
    pub whole_hours: u32,
    /// Listings that are asked for at once.
    #[serde(default = "page")]
    pub page: u32,
}

fn every_minutes() -> u32 {
    15
}

fn whole_hours() -> u32 {
    24
}

fn page() -> u32 {
    500
}

impl ListingsFeed {
    /// The bearer token, from wherever it is kept.
    pub fn bearer(&self) -> Result<Option<Secret>, String> {
        secret("listings_feed.bearer", self.bearer.as_ref(), self.bearer_file.as_deref())
    }
}

// The URL can hold a token of its own.
impl std::fmt::Debug for ListingsFeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ListingsFeed({:?}, …)", self.association)
    }
}
