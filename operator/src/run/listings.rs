//! Importing listings now.

use std::time::Duration;

use anyhow::bail;
use sentri_server::operator::{ListingsImported, Operator, Wanted};

use super::out::Out;
use crate::args::{ImportListings, Listings};

/// Listings.
pub async fn listings(operator: &Operator<'_>, command: Listings, out: &Out) -> anyhow::Result<()> {
    let Listings::Import(asked) = command;
    let report = import(operator, &asked).await?;
    out.print(&report)?;
    if report.withheld > 0 {
        eprintln!(
            "Most listings are missing in the feed: none was taken away. --whole --accept-removals does it."
        );
    }
    match report.stopped {
        Some(why) => bail!("{why}; run it again later, and it goes on where it stopped"),
        None => Ok(()),
    }
}

/// Reads to the feed's end. Waits where the feed says for how long, as long as was allowed.
async fn import(operator: &Operator<'_>, asked: &ImportListings) -> anyhow::Result<ListingsImported> {
    let wanted = Wanted { whole: asked.whole, accept_removals: asked.accept_removals, ..Wanted::default() };
    let mut report = operator.import_listings(&asked.association, wanted).await?;
    let mut left = asked.wait;
    while let Some(seconds) = report.retry_after.filter(|seconds| report.slowed && *seconds <= left) {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        left -= seconds;
        // It goes on with the pass in hand, whichever that is.
        report.add(operator.import_listings(&asked.association, Wanted { whole: false, ..wanted }).await?);
    }
    Ok(report)
}
