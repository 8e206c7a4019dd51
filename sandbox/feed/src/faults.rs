//! What can go wrong with an answer.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A fault of one answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// None: the answer is right, and the fault after it comes with the next.
    None,
    /// 429, with this `Retry-After`: seconds, or a date.
    TooManyRequests(String),
    /// This status.
    Status(u16),
    /// The connection breaks in the middle of the page.
    BreaksOff,
    /// What comes is no JSON.
    NoJson,
    /// JSON, but no page.
    NoPage,
    /// The records of the page before come again, in front of this page's.
    Repeats,
    /// The page's first records are missing, this many.
    Skips(usize),
    /// The page's records come in the other order.
    Reorders,
    /// The next page is said to be there.
    NextLink(String),
    /// This record comes with the others.
    Adds(Value),
}
