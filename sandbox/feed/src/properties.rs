//! Records with the names of the RESO Data Dictionary.

use chrono::DateTime;
use serde_json::{Value, json};

/// A time in Unix seconds as feeds write it: `2026-11-20T17:00:00.000Z`.
pub fn timestamp(at: i64) -> String {
    DateTime::from_timestamp(at, 0).unwrap_or_default().to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// A house on the market, with the agent's member id, changed at this time in Unix seconds.
pub fn property(number: usize, agent: &str, at: i64) -> Value {
    json!({
        "ListingKey": format!("OR-{number:06}"),
        "ListingId": format!("{}", 24_000_000 + number),
        "ListAgentMlsId": agent,
        "ListAgentAOR": "Cascade Realtors",
        "UnparsedAddress": format!("{} Oak Street", 100 + number),
        "City": "Portland",
        "StateOrProvince": "OR",
        "PostalCode": "97201",
        "ListPrice": 400_000 + number,
        "StandardStatus": "Active",
        "PropertyType": "Residential",
        "ModificationTimestamp": timestamp(at),
    })
}
