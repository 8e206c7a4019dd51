//! The feeds that a deployment has, ready to be asked.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, SecondsFormat};
use chrono_tz::Tz;
use reqwest::Url;
use sentri_wire::Secret;

use super::{FeedPort, HttpFeed, record::FIELDS};
use crate::config::ListingsFeed;

/// What a delta asks for again: changes that a feed's database let in late, under an earlier time; in milliseconds.
const OVERLAP: i64 = 300_000;

/// The feeds of a deployment, and the way to them.
pub struct Sources {
    all: Vec<Source>,
    pub(super) port: Arc<dyn FeedPort>,
}

/// The feed of an association.
pub struct Source {
    /// Name of the association.
    pub association: String,
    url: Url,
    pub(super) bearer: Option<Secret>,
    pub(super) aor: Option<String>,
    zone: Tz,
    state_zones: BTreeMap<String, Tz>,
    pub(super) every_seconds: i64,
    pub(super) whole_seconds: i64,
    pub(super) page: u32,
}

impl Sources {
    /// As configured. Refused where something in the configuration can't be used.
    pub fn new(feeds: &[ListingsFeed], port: Option<Arc<dyn FeedPort>>) -> Result<Self, String> {
        let all = feeds.iter().map(Source::new).collect::<Result<Vec<_>, _>>()?;
        for (place, source) in all.iter().enumerate() {
            if all.iter().skip(place + 1).any(|other| other.association == source.association) {
                return Err(format!("listings_feed: {:?} is there twice", source.association));
            }
        }
        let port = match port {
            Some(port) => port,
            None => Arc::new(HttpFeed::new()?),
        };
        Ok(Self { all, port })
    }

    /// All of them.
    pub fn all(&self) -> &[Source] {
        &self.all
    }

    /// The one of an association.
    pub fn of(&self, association: &str) -> Option<&Source> {
        self.all.iter().find(|source| source.association == association.trim())
    }
}

impl Source {
    fn new(feed: &ListingsFeed) -> Result<Self, String> {
        let of = &feed.association;
        let url = Url::parse(&feed.url).ok().filter(is_safe).ok_or_else(|| {
            format!("listings_feed.url of {of:?} is no https:// URL (http:// only to this machine)")
        })?;
        let zone = |name: &str, key: &str| {
            name.parse::<Tz>().map_err(|_| format!("listings_feed.{key} of {of:?} is no time zone: {name:?}"))
        };
        let state_zones = feed.state_time_zones.iter();
        let state_zones =
            state_zones.map(|(state, name)| Ok((state.clone(), zone(name, "state_time_zones")?)));
        if feed.page == 0 || feed.page > 5_000 {
            return Err(format!("listings_feed.page of {of:?} is not from 1 to 5000"));
        }
        Ok(Self {
            association: of.trim().to_owned(),
            url,
            bearer: feed.bearer()?,
            aor: feed.aor.clone(),
            zone: zone(&feed.time_zone, "time_zone")?,
            state_zones: state_zones.collect::<Result<_, String>>()?,
            every_seconds: i64::from(feed.every_minutes.max(1)) * 60,
            whole_seconds: i64::from(feed.whole_hours.max(1)) * 3600,
            page: feed.page,
        })
    }

    /// The zone of a property.
    pub fn zone(&self, state: &str) -> Tz {
        self.state_zones.get(state).copied().unwrap_or(self.zone)
    }

    /// The first page of what changed after a time, in milliseconds; of everything where none is given.
    pub fn question(&self, after: Option<i64>) -> Url {
        let mut query = format!("$select={FIELDS}&$orderby=ModificationTimestamp%20asc&$top={}", self.page);
        if let Some(at) = after.and_then(|at| DateTime::from_timestamp_millis(at.saturating_sub(OVERLAP))) {
            let time = at.to_rfc3339_opts(SecondsFormat::Millis, true);
            query = format!("{query}&$filter=ModificationTimestamp%20gt%20{time}");
        }
        // Its own parameters stay: some feeds want a dataset named there.
        if let Some(own) = self.url.query() {
            query = format!("{own}&{query}");
        }
        let mut url = self.url.clone();
        url.set_query(Some(&query));
        url
    }

    /// A page that a feed names: nothing where it leads to another host, which would get the token.
    pub fn link(&self, text: &str) -> Option<Url> {
        let link = self.url.join(text).ok()?;
        let is_ours =
            link.origin() == self.url.origin() && link.username().is_empty() && link.password().is_none();
        is_ours.then_some(link)
    }
}

/// A token goes nowhere in the clear.
fn is_safe(url: &Url) -> bool {
    let is_here = matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
    url.scheme() == "https" || (url.scheme() == "http" && is_here)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(url: &str) -> Result<Source, String> {
        let feed = format!("association = \"Cascade\"\nurl = {url:?}\ntime_zone = \"America/Los_Angeles\"");
        Source::new(&toml::from_str(&feed).unwrap())
    }

    /// The bearer token goes to the configured host alone, and not in the clear.
    #[test]
    fn a_token_stays_with_its_host() {
        let source = source("https://feed.example/odata/Property").unwrap();
        let link = |text: &str| source.link(text).map(String::from);
        assert_eq!(link("?$skip=2").unwrap(), "https://feed.example/odata/Property?$skip=2");
        assert_eq!(link("/odata/Property?$skip=2").unwrap(), "https://feed.example/odata/Property?$skip=2");
        assert_eq!(link("https://feed.example/x").unwrap(), "https://feed.example/x");
        for elsewhere in [
            "https://feed.example.evil.example/",
            "http://feed.example/",
            "//evil.example/",
            "https://feed.example:444/",
            "https://a:b@feed.example/",
            "ftp://feed.example/",
            "https://",
        ] {
            assert_eq!(link(elsewhere), None, "{elsewhere}");
        }
        assert!(self::source("http://feed.example/odata/Property").is_err());
        assert!(self::source("http://127.0.0.1:1/odata/Property").is_ok());
    }

    #[test]
    fn a_question_keeps_what_the_address_has() {
        let source = source("https://feed.example/odata/Property?class=res").unwrap();
        let asked = source.question(Some(1_795_194_300_000));
        let query = asked.query().unwrap();
        assert!(query.starts_with("class=res&$select=ListingKey,"), "{query}");
        assert!(query.ends_with("&$filter=ModificationTimestamp%20gt%202026-11-20T17:00:00.000Z"), "{query}");
        assert!(!source.question(None).query().unwrap().contains("$filter"));
    }
}
