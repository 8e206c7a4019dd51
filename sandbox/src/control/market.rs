//! What an MLS does: lists houses, changes and drops them, answers wrongly; and what an operator does about it.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use sentri_feed::Fault;
use sentri_server::operator::{ListingsImported, Wanted};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    answers::Trouble,
    handlers::{Answer, Body, read},
    operator::refused,
};
use crate::{
    story::cast,
    town::{Town, market},
};

/// Faults that wait at once.
const MOST_FAULTS: usize = 100;

/// The feed, as it now is.
#[derive(Serialize)]
pub struct FeedSeen {
    /// Its `Property` resource.
    url: String,
    /// What it wants to be shown, as `Authorization: Bearer …`.
    bearer: &'static str,
    /// What it offers.
    listings: Vec<Value>,
}

fn seen(town: &Town) -> Json<FeedSeen> {
    let feed = &town.feed;
    Json(FeedSeen { url: feed.url(), bearer: market::TOKEN, listings: feed.records() })
}

pub async fn feed(State(town): State<Arc<Town>>) -> Json<FeedSeen> {
    seen(&town)
}

pub async fn list(State(town): State<Arc<Town>>, body: Body<Map<String, Value>>) -> Answer<FeedSeen> {
    let fields = read(body)?;
    if !fields.get("ListingKey").is_some_and(Value::is_string) {
        return Err(Trouble::bad("ListingKey: a text that names the listing."));
    }
    town.feed.put(market::record(fields, town.clock.now()));
    Ok(seen(&town))
}

pub async fn drop_listing(State(town): State<Arc<Town>>, Path(key): Path<String>) -> Answer<FeedSeen> {
    if !town.feed.remove(&key) {
        return Err(Trouble::not_found("The feed has no listing of this ListingKey."));
    }
    Ok(seen(&town))
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Faults {
    faults: Vec<Fault>,
}

pub async fn set_faults(State(town): State<Arc<Town>>, body: Body<Faults>) -> Answer<Faults> {
    let faults = read(body)?;
    if faults.faults.len() > MOST_FAULTS {
        return Err(Trouble::bad("faults: at most 100 at once."));
    }
    town.feed.fail(faults.faults.clone());
    Ok(Json(faults))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Import {
    /// Reads the whole feed, and not only what changed.
    whole: bool,
    /// Believes the feed where most listings are in it no more.
    accept_removals: bool,
}

pub async fn import(State(town): State<Arc<Town>>, body: Body<Import>) -> Answer<ListingsImported> {
    let Import { whole, accept_removals } = read(body)?;
    let wanted = Wanted { whole, accept_removals, ..Wanted::default() };
    town.operate(async |operator| operator.import_listings(cast::ASSOCIATION, wanted).await)
        .await
        .map(Json)
        .map_err(refused)
}
