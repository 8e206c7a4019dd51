//! The town's MLS: a feed of listings, which the backend imports when it is told to.

use std::{collections::BTreeMap, io};

use sentri_feed::{Feed, property};
use sentri_server::config::ListingsFeed;
use sentri_wire::{Secret, Timestamp};
use serde_json::{Map, Value, json};

use crate::story::{cast, times};

/// What the backend shows to the feed. No secret: the feed is on this machine.
pub const TOKEN: &str = "sandbox";
/// How often a backend asks that imports by itself, which this one does not, in minutes.
const EVERY_MINUTES: u32 = 15;
/// How often it reads the whole then, in hours.
const WHOLE_HOURS: u32 = 24;
/// Listings of a page.
const PAGE: u32 = 500;

/// Starts the feed, with some of the agent's houses.
pub async fn open(now: Timestamp) -> io::Result<Feed> {
    let feed = Feed::start(TOKEN).await?;
    feed.put_all((1..=3).map(|number| house(number, now)));
    Ok(feed)
}

/// Where the backend finds it.
pub fn configured(feed: &Feed) -> ListingsFeed {
    ListingsFeed {
        association: cast::ASSOCIATION.into(),
        url: feed.url(),
        bearer: Some(Secret::new(TOKEN)),
        bearer_file: None,
        aor: None,
        time_zone: times::ZONE.name().into(),
        state_time_zones: BTreeMap::new(),
        every_minutes: EVERY_MINUTES,
        whole_hours: WHOLE_HOURS,
        page: PAGE,
    }
}

/// A house of the agent's, changed now.
fn house(number: usize, now: Timestamp) -> Value {
    let (city, us_state, zip) = cast::CITY;
    let ours = json!({
        "ListAgentAOR": cast::ASSOCIATION,
        "City": city,
        "StateOrProvince": us_state,
        "PostalCode": zip,
    });
    let mut house = property(number, cast::SENTRIKEY_ID, now);
    if let (Value::Object(house), Value::Object(ours)) = (&mut house, ours) {
        house.extend(ours);
    }
    house
}

/// A record of these fields, right or wrong, and a house's of the agent for all that is left out.
pub fn record(fields: Map<String, Value>, now: Timestamp) -> Value {
    let mut record = house(0, now);
    if let Value::Object(record) = &mut record {
        record.extend(fields);
    }
    record
}
