//! Listings out of an MLS's feed, over the RESO Web API. [LST-1]
//!
//! A *pass* reads the feed page after page: what changed since the mark, or, once a day, the whole. Each page is one
//! transaction with the place where the pass goes on, so that a server that is killed takes at most one page again, and
//! that changes nothing. What is in a whole pass no more leaves the agents' listings. What the feed gets wrong is
//! counted, told to the log and left out; it stops nothing.

mod client;
mod pass;
mod record;
mod report;
mod schedule;
mod sources;
mod taking;

pub use client::{FeedError, FeedPage, FeedPort, HttpFeed, Wait};
pub use pass::{Wanted, import};
pub use report::{ListingsImported, SkippedListing};
pub use schedule::{import_due, run};
pub use sources::{Source, Sources};
