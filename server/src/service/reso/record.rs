//! Reading one record of a feed, whose fields have the names of the RESO Data Dictionary. Nothing in it is believed
//! before it is looked at.

use chrono::DateTime;
use serde_json::Value;

use super::{Source, report::SkippedListing};
use crate::{
    refusal::{Answer, Refusal},
    rules,
    service::listings,
};

/// Longest `ListingKey`, as the Data Dictionary has it, and longest member id.
const LONGEST_KEY: usize = 255;
/// How far a feed's clock may be ahead of ours, in milliseconds.
const AHEAD: i64 = 86_400_000;
/// Statuses of the Data Dictionary, and whether the listing is an agent's business: on the market, or about to be, or
/// under contract.
const STATUSES: [(&str, bool); 11] = [
    ("Active", true),
    ("Active Under Contract", true),
    ("Coming Soon", true),
    ("Hold", true),
    ("Pending", true),
    ("Canceled", false),
    ("Closed", false),
    ("Delete", false),
    ("Expired", false),
    ("Incomplete", false),
    ("Withdrawn", false),
];

/// What is known of a record whose listing is off the market as well: many feeds send nothing else then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// `ListingKey`.
    pub key: String,
    /// `ModificationTimestamp`, in milliseconds.
    pub modified_at: i64,
    /// `StandardStatus`, as the Data Dictionary writes it.
    pub status: &'static str,
    /// Whether it is an agent's business.
    pub is_on_market: bool,
}

/// The rest of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    /// `ListAgentMlsId`.
    pub agent: String,
    /// `UnparsedAddress`.
    pub address: String,
    /// `City`.
    pub city: String,
    /// `StateOrProvince`.
    pub state: String,
    /// `PostalCode`.
    pub postal_code: String,
    /// `ListPrice`, in whole dollars.
    pub list_price: Option<i64>,
    /// IANA zone of the property.
    pub time_zone: &'static str,
}

/// The fields that are asked for.
pub const FIELDS: &str = "ListingKey,ModificationTimestamp,StandardStatus,ListAgentMlsId,ListAgentAOR,UnparsedAddress,City,\
     StateOrProvince,PostalCode,ListPrice";

/// Reason of a record whose listing another association has.
pub const OTHER_ASSOCIATION: &str = "other_association";

/// Why a record can't be taken.
type Read<T> = Result<T, SkippedListing>;

/// The `ListingKey`, where it can be read.
pub fn key(record: &Value) -> Option<&str> {
    let key = record.get("ListingKey")?.as_str()?;
    let is_good = !key.is_empty() && key.len() <= LONGEST_KEY && !key.chars().any(char::is_control);
    is_good.then_some(key)
}

/// Reads what every record has.
pub fn heading(record: &Value, now: i64) -> Read<Heading> {
    let fields = Fields::of(record)?;
    let key = key(record).ok_or_else(|| fields.wrong("ListingKey", "A text of 1 to 255 characters."))?;
    let modified_at = DateTime::parse_from_rfc3339(fields.text("ModificationTimestamp")?)
        .map_err(|_| {
            fields.wrong("ModificationTimestamp", "A time with its zone, like 2026-11-20T17:00:00Z.")
        })?
        .timestamp_millis();
    if modified_at > now.saturating_mul(1000).saturating_add(AHEAD) {
        return Err(fields.left_out("ModificationTimestamp", "in_the_future", "It has yet to happen."));
    }
    let status = fields.text("StandardStatus")?;
    let (status, is_on_market) = STATUSES
        .into_iter()
        .find(|(name, _)| is_same(name, status))
        .ok_or_else(|| fields.wrong("StandardStatus", "The Data Dictionary has no such status."))?;
    Ok(Heading { key: key.to_owned(), modified_at, status, is_on_market })
}

/// Reads the rest of a record on the market.
pub fn details(record: &Value, source: &Source) -> Read<Details> {
    let fields = Fields::of(record)?;
    if let Some(ours) = &source.aor
        && fields.text("ListAgentAOR")? != ours
    {
        return Err(fields.left_out("ListAgentAOR", OTHER_ASSOCIATION, "It is another association's."));
    }
    let agent = fields.checked("ListAgentMlsId", |text| rules::text(text, LONGEST_KEY, "ListAgentMlsId"))?;
    let address = fields.checked("UnparsedAddress", |text| rules::street_address(text, "UnparsedAddress"))?;
    let city = fields.checked("City", |text| rules::text(text, 100, "City"))?;
    let state = fields.checked("StateOrProvince", listings::state)?;
    let postal_code = fields.checked("PostalCode", listings::postal_code)?;
    let list_price = price(&fields)?;
    let time_zone = source.zone(&state).name();
    Ok(Details { agent, address, city, state, postal_code, list_price, time_zone })
}

/// Feeds write a status as the name of the lookup or, without its spaces, of the enumeration's member.
fn is_same(name: &str, text: &str) -> bool {
    let letters = |text: &str| text.chars().filter(|c| *c != ' ').collect::<String>().to_ascii_lowercase();
    letters(name) == letters(text)
}

/// Whole dollars: cents are dropped. A price in quotes is no price.
fn price(fields: &Fields<'_>) -> Read<Option<i64>> {
    let value = match fields.record.get("ListPrice") {
        None | Some(Value::Null) => return Ok(None),
        Some(value) => value,
    };
    let Some(number) = value.as_f64() else {
        return Err(fields.left_out("ListPrice", "wrong_type", "This is no number."));
    };
    let whole = value.as_i64().or_else(|| whole(number));
    let whole = whole.ok_or_else(|| fields.left_out("ListPrice", "not_allowed", "Whole dollars."))?;
    listings::price(Some(whole)).map_err(|refusal| fields.refused("ListPrice", &refusal))
}

/// The whole part of a number that is far from the type's ends.
#[allow(clippy::cast_possible_truncation, reason = "bounded just before")]
fn whole(number: f64) -> Option<i64> {
    (number.abs() < 1e15).then(|| number.trunc() as i64)
}

/// A record's fields.
struct Fields<'a> {
    record: &'a Value,
}

impl<'a> Fields<'a> {
    fn of(record: &'a Value) -> Read<Self> {
        let fields = Self { record };
        if record.is_object() { Ok(fields) } else { Err(fields.wrong("record", "This is no record.")) }
    }

    fn text(&self, field: &'static str) -> Read<&'a str> {
        match self.record.get(field) {
            None | Some(Value::Null) => Err(self.left_out(field, "missing", "This is missing.")),
            Some(Value::String(text)) => Ok(text.as_str()),
            Some(_) => Err(self.left_out(field, "wrong_type", "This is no text.")),
        }
    }

    fn checked(&self, field: &'static str, rule: impl Fn(&str) -> Answer<String>) -> Read<String> {
        rule(self.text(field)?).map_err(|refusal| self.refused(field, &refusal))
    }

    fn refused(&self, field: &'static str, refusal: &Refusal) -> SkippedListing {
        let why = match refusal {
            Refusal::Problem(problem) => problem.detail.clone(),
            Refusal::Fault(_) => None,
        };
        self.left_out(field, "not_allowed", &why.unwrap_or_default())
    }

    fn wrong(&self, field: &'static str, why: &str) -> SkippedListing {
        let is_there = self.record.get(field).is_some_and(|value| !value.is_null());
        let is_text = self.record.get(field).is_some_and(Value::is_string);
        let reason = match (is_there, is_text) {
            (false, _) if self.record.is_object() => "missing",
            (true, true) => "not_allowed",
            _ => "wrong_type",
        };
        self.left_out(field, reason, why)
    }

    fn left_out(&self, field: &'static str, reason: &'static str, why: &str) -> SkippedListing {
        left_out(key(self.record).unwrap_or_default(), field, reason, why)
    }
}

/// A record that is left out.
pub fn left_out(listing: &str, field: &'static str, reason: &'static str, why: &str) -> SkippedListing {
    SkippedListing { listing: listing.to_owned(), field, reason, why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// LST-1: statuses as either of the two ways of writing them.
    #[test]
    fn statuses_are_those_of_the_data_dictionary() {
        for (text, expected) in [
            ("Active", Some(("Active", true))),
            ("ActiveUnderContract", Some(("Active Under Contract", true))),
            ("Active Under Contract", Some(("Active Under Contract", true))),
            ("closed", Some(("Closed", false))),
            ("Sold", None),
            ("", None),
        ] {
            let record = json!({ "ListingKey": "1", "ModificationTimestamp": "2026-11-20T17:00:00Z",
                "StandardStatus": text });
            let read = heading(&record, 1_795_194_000).map(|it| (it.status, it.is_on_market));
            assert_eq!(read.ok(), expected, "{text:?}");
        }
    }

    /// Each thing that a feed may get wrong about a heading has its field and its reason.
    #[test]
    fn what_is_wrong_is_named() {
        let good = json!({ "ListingKey": "1", "ModificationTimestamp": "2026-11-20T17:00:00Z",
            "StandardStatus": "Active" });
        let with = |field: &str, value: Value| {
            let mut record = good.clone();
            record[field] = value;
            record
        };
        let time = "ModificationTimestamp";
        for (record, field, reason) in [
            (json!("text"), "record", "wrong_type"),
            (json!(null), "record", "wrong_type"),
            (with("ListingKey", json!(7)), "ListingKey", "wrong_type"),
            (with("ListingKey", json!(null)), "ListingKey", "missing"),
            (with("ListingKey", json!("a\u{1b}[2J")), "ListingKey", "not_allowed"),
            (with("ListingKey", json!("k".repeat(256))), "ListingKey", "not_allowed"),
            (with(time, json!("yesterday")), time, "not_allowed"),
            (with(time, json!("2026-11-20T17:00:00")), time, "not_allowed"),
            (with(time, json!(1_795_194_000)), time, "wrong_type"),
            (with(time, json!("2099-01-01T00:00:00Z")), time, "in_the_future"),
            (with("StandardStatus", json!(["Active"])), "StandardStatus", "wrong_type"),
        ] {
            let skipped = heading(&record, 1_795_194_000).unwrap_err();
            assert_eq!((skipped.field, skipped.reason), (field, reason), "{record}");
        }
    }
}
