//! Reading the part of OData's query language that a replication needs. Everything else is refused, so that nobody
//! believes that it was done.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;

/// What is asked for.
pub(crate) struct Query {
    pub after: Option<DateTime<Utc>>,
    pub is_ordered: bool,
    pub top: usize,
    pub skip: usize,
    pub select: Vec<String>,
}

impl Query {
    /// Reads the parameters; says what can't be done.
    pub fn read(params: &BTreeMap<String, String>) -> Result<Self, String> {
        let mut query = Self { after: None, is_ordered: false, top: usize::MAX, skip: 0, select: Vec::new() };
        for (name, value) in params {
            match name.as_str() {
                "$filter" => query.after = Some(after(value)?),
                "$orderby" => query.is_ordered = ordered(value)?,
                "$top" => query.top = number(value)?,
                "$skip" => query.skip = number(value)?,
                "$select" => query.select = value.split(',').map(|it| it.trim().to_owned()).collect(),
                other => return Err(format!("{other} is not supported")),
            }
        }
        Ok(query)
    }

    /// The records that fit, in their order, from the first one on that was not skipped.
    pub fn find<'a>(&self, records: impl Iterator<Item = &'a Value>) -> Vec<&'a Value> {
        let fits = |record: &&Value| match (self.after, modified(record)) {
            (Some(after), Some(at)) => at > after,
            // Without a time that can be read it is never old.
            _ => true,
        };
        let mut found: Vec<&Value> = records.filter(fits).collect();
        if self.is_ordered {
            found.sort_by_cached_key(|record| modified(record));
        }
        found.into_iter().skip(self.skip).collect()
    }

    /// A record with the fields that were asked for.
    pub fn selected(&self, record: &Value) -> Value {
        match record {
            Value::Object(fields) if !self.select.is_empty() => fields
                .iter()
                .filter(|(name, _)| self.select.contains(name))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            other => other.clone(),
        }
    }
}

fn modified(record: &Value) -> Option<DateTime<Utc>> {
    let text = record.get("ModificationTimestamp")?.as_str()?;
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc())
}

fn after(filter: &str) -> Result<DateTime<Utc>, String> {
    let time = filter.strip_prefix("ModificationTimestamp gt ");
    let time = time.and_then(|time| DateTime::parse_from_rfc3339(time.trim()).ok());
    time.map(|time| time.to_utc()).ok_or_else(|| format!("$filter {filter:?} is not supported"))
}

fn ordered(by: &str) -> Result<bool, String> {
    match by {
        "ModificationTimestamp" | "ModificationTimestamp asc" => Ok(true),
        other => Err(format!("$orderby {other:?} is not supported")),
    }
}

fn number(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| format!("{text:?} is no number"))
}
