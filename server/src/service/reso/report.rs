//! What became of an import.

use std::collections::BTreeMap;

use serde::Serialize;

/// Records named in a report; all others are counted only.
const MOST_NAMED: usize = 20;

/// What an import came to. Run again, it goes on where it stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ListingsImported {
    /// Name of the association.
    pub association: String,
    /// Whether the feed was read as a whole, and not only what changed.
    pub whole: bool,
    /// Whether it was read to its end.
    pub finished: bool,
    /// Pages that were taken.
    pub pages: u64,
    /// Listings that are new.
    pub added: u64,
    /// Listings that changed.
    pub changed: u64,
    /// Records that told nothing new.
    pub unchanged: u64,
    /// Listings that are gone: off the market, or not in the feed any more.
    pub gone: u64,
    /// Records of listings off the market that were never here.
    pub off_market: u64,
    /// Listings that a whole pass did not see, too many to be believed: nothing was done about them.
    pub withheld: u64,
    /// Records that were left out, by reason.
    pub skipped: BTreeMap<&'static str, u64>,
    /// The first of them.
    pub examples: Vec<SkippedListing>,
    /// In how many seconds the server asks again, where the feed was not read to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// Whether that is the feed's own wish, and nothing is broken.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub slowed: bool,
    /// Why it was not read to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
}

/// A record that was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SkippedListing {
    /// Its `ListingKey`, where that can be read.
    pub listing: String,
    /// The field that is wrong.
    pub field: &'static str,
    /// Why, in a word.
    pub reason: &'static str,
    /// Why, in a sentence. Quotes nothing of the record.
    pub why: String,
}

impl ListingsImported {
    /// Counts a record that is left out, and tells the log.
    pub fn skip(&mut self, skipped: SkippedListing) {
        *self.skipped.entry(skipped.reason).or_default() += 1;
        // Debug form: a key may hold what a terminal takes for a command.
        let SkippedListing { listing, field, reason, why } = &skipped;
        if self.examples.len() < MOST_NAMED {
            tracing::warn!(?listing, field, reason, why, "a listing of the feed is left out");
            self.examples.push(skipped);
        } else {
            tracing::debug!(?listing, field, reason, why, "a listing of the feed is left out");
        }
    }

    /// Adds what the same import came to when it went on.
    pub fn add(&mut self, further: Self) {
        self.whole |= further.whole;
        self.finished = further.finished;
        self.pages += further.pages;
        self.added += further.added;
        self.changed += further.changed;
        self.unchanged += further.unchanged;
        self.gone += further.gone;
        self.off_market += further.off_market;
        self.withheld += further.withheld;
        for (reason, count) in further.skipped {
            *self.skipped.entry(reason).or_default() += count;
        }
        let room = MOST_NAMED.saturating_sub(self.examples.len());
        self.examples.extend(further.examples.into_iter().take(room));
        (self.retry_after, self.stopped) = (further.retry_after, further.stopped);
        self.slowed = further.slowed;
    }
}
