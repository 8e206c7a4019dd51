//! Taking one page into the database, as one transaction with the place where the pass goes on.

use std::collections::{BTreeMap, BTreeSet};

use sentri_wire::agent::Listing;
use serde_json::Value;

use super::{
    FeedPage, ListingsImported, Source,
    record::{self, Details, Heading, left_out},
};
use crate::{
    refusal::{Answer, Refusal},
    service::App,
    store::{
        Id, Named, Writing,
        feed_listings::{self, FeedListingRow},
        feeds::{self, FeedRow, Stage},
        listings,
    },
};

/// For how long a feed is left to who is at it, in seconds: longer than a page takes.
pub const LEASE: i64 = 120;
/// Listings that are taken away in one transaction.
const SWEEP: i64 = 500;
/// So few of several may be gone from one day to the next.
const FEW: i64 = 20;

/// Who takes what.
pub struct Taking<'a> {
    pub app: &'a App,
    pub source: &'a Source,
    pub association: Id,
    pub holder: &'a str,
}

impl Taking<'_> {
    /// Takes a page. Says where the pass stands then.
    pub async fn take(
        &self,
        mut state: FeedRow,
        page: FeedPage,
        next: Option<String>,
        report: &mut ListingsImported,
    ) -> Answer<FeedRow> {
        let mut tx = self.begin().await?;
        let now = self.app.now();
        let mut headings = Vec::with_capacity(page.records.len());
        for record in &page.records {
            match record::heading(record, now) {
                Ok(heading) => headings.push((heading, record)),
                Err(skipped) => report.skip(skipped),
            }
        }
        let read: Vec<_> = headings
            .iter()
            .map(|(heading, record)| {
                (heading, heading.is_on_market.then(|| record::details(record, self.source)))
            })
            .collect();
        let known = self.known(&mut tx, &headings).await?;
        let members =
            self.members(&mut tx, read.iter().filter_map(|(_, it)| it.as_ref()?.as_ref().ok())).await?;
        let mut applying = Applying {
            taking: self,
            tx: &mut tx,
            known,
            members,
            pass: state.pass,
            now,
            fresh: Vec::new(),
            report,
        };
        for (heading, details) in read {
            match details {
                None => applying.off_market(heading).await?,
                Some(Ok(details)) => applying.on_market(heading, &details).await?,
                Some(Err(skipped)) if skipped.reason == record::OTHER_ASSOCIATION => {
                    applying.lost(heading, skipped).await?;
                }
                Some(Err(skipped)) => applying.report.skip(skipped),
            }
        }
        applying.flush().await?;
        report.pages += 1;
        if state.is_whole != 0 {
            let seen = seen(&page.records, &headings);
            feed_listings::seen(tx.conn(), self.association, &seen, state.pass).await?;
        }
        advance(&mut state, &headings, page.records.len(), next);
        feeds::set(tx.conn(), &state).await?;
        tx.commit().await?;
        Ok(state)
    }

    /// Takes some of the listings away that a whole pass did not see. An answer that would take most of them is not
    /// believed, unless an operator says so.
    pub async fn sweep(
        &self,
        mut state: FeedRow,
        accept: bool,
        report: &mut ListingsImported,
    ) -> Answer<FeedRow> {
        let mut tx = self.begin().await?;
        let (unseen, all) = feed_listings::unseen_of_all(tx.conn(), self.association, state.pass).await?;
        let is_most = (unseen > FEW && unseen > all / 2) || (unseen == all && all > 1);
        let is_incredible = unseen > 0 && (state.taken == 0 || is_most);
        let mut gone = Vec::new();
        if is_incredible && !accept {
            tracing::error!(unseen, all, "most listings are missing in a feed: none is taken away");
            report.withheld = u64::try_from(unseen).unwrap_or(u64::MAX);
        } else {
            let now = self.app.now();
            gone = feed_listings::sweep(tx.conn(), self.association, state.pass, now, SWEEP).await?;
        }
        for (owner, id) in &gone {
            tx.touch::<Listing>(*owner, *id);
        }
        report.gone += gone.len() as u64;
        if i64::try_from(gone.len()).unwrap_or(i64::MAX) < SWEEP {
            (state.stage, state.whole_at) = (Named(Stage::Idle), Some(state.begun_at));
        }
        feeds::set(tx.conn(), &state).await?;
        tx.commit().await?;
        Ok(state)
    }

    /// A transaction of whoever holds the feed.
    async fn begin(&self) -> Answer<Writing> {
        let mut tx = self.app.store.write().await?;
        if feeds::hold(tx.conn(), self.association, self.holder, self.app.now() + LEASE).await? {
            Ok(tx)
        } else {
            Err(Refusal::conflict("Another server has taken over this import."))
        }
    }

    async fn known(
        &self,
        tx: &mut Writing,
        headings: &[(Heading, &Value)],
    ) -> Answer<BTreeMap<String, FeedListingRow>> {
        let keys: BTreeSet<&str> = headings.iter().map(|(heading, _)| heading.key.as_str()).collect();
        let keys: Vec<&str> = keys.into_iter().collect();
        let rows = feed_listings::by_keys(tx.conn(), self.association, &keys).await?;
        Ok(rows.into_iter().map(|row| (row.listing_key.clone(), row)).collect())
    }

    async fn members<'d>(
        &self,
        tx: &mut Writing,
        details: impl Iterator<Item = &'d Details>,
    ) -> Answer<BTreeMap<String, Id>> {
        let ids: BTreeSet<&str> = details.map(|it| it.agent.as_str()).collect();
        let ids: Vec<&str> = ids.into_iter().collect();
        let rows = feed_listings::members(tx.conn(), self.association, &ids).await?;
        Ok(rows.into_iter().map(|row| (row.member_id, row.account_id)).collect())
    }
}

/// The listings that the feed still has: all but those that it says are off the market.
fn seen<'a>(records: &'a [Value], headings: &[(Heading, &Value)]) -> Vec<&'a str> {
    let off: BTreeSet<&str> =
        headings.iter().filter(|(it, _)| !it.is_on_market).map(|(it, _)| it.key.as_str()).collect();
    let keys: BTreeSet<&str> =
        records.iter().filter_map(record::key).filter(|key| !off.contains(key)).collect();
    keys.into_iter().collect()
}

/// Where the pass stands after a page. The mark moves as long as changes come in their order: then nothing older can
/// follow. Where they do not, it moves at the end.
fn advance(state: &mut FeedRow, headings: &[(Heading, &Value)], records: usize, next: Option<String>) {
    for (heading, _) in headings {
        if heading.modified_at < state.highest {
            state.in_order = 0;
        }
        state.highest = state.highest.max(heading.modified_at);
    }
    state.taken = state.taken.saturating_add(i64::try_from(records).unwrap_or(i64::MAX));
    if state.in_order != 0 || next.is_none() {
        state.mark = state.mark.max(state.highest);
    }
    if next.is_none() {
        state.stage = Named(if state.is_whole != 0 { Stage::Sweeping } else { Stage::Idle });
    }
    state.next_link = next;
    state.failures = 0;
}

/// A page on its way into the database.
struct Applying<'a, 'b> {
    taking: &'b Taking<'a>,
    tx: &'b mut Writing,
    known: BTreeMap<String, FeedListingRow>,
    members: BTreeMap<String, Id>,
    pass: i64,
    now: i64,
    /// New listings, to be written together.
    fresh: Vec<FeedListingRow>,
    report: &'b mut ListingsImported,
}

impl Applying<'_, '_> {
    /// Something newer is known: the feed repeats or reorders.
    fn is_older(&mut self, heading: &Heading) -> bool {
        let known = self.known.get(&heading.key).and_then(|row| row.modified_at);
        let is_older = known.is_some_and(|known| known > heading.modified_at);
        if is_older {
            let why = "Something newer came before.";
            self.report.skip(left_out(&heading.key, "ModificationTimestamp", "older", why));
        }
        is_older
    }

    async fn off_market(&mut self, heading: &Heading) -> Answer<()> {
        if self.is_older(heading) {
            return Ok(());
        }
        match self.known.get(&heading.key).cloned() {
            None => self.report.off_market += 1,
            Some(known) => self.take_away(heading, known).await?,
        }
        Ok(())
    }

    /// On the market, and no longer an agent's of ours.
    async fn lost(&mut self, heading: &Heading, skipped: super::SkippedListing) -> Answer<()> {
        if self.is_older(heading) {
            return Ok(());
        }
        match self.known.get(&heading.key).cloned() {
            Some(known) if known.gone_at.is_none() => self.take_away(heading, known).await?,
            _ => self.report.skip(skipped),
        }
        Ok(())
    }

    async fn take_away(&mut self, heading: &Heading, known: FeedListingRow) -> Answer<()> {
        let row = FeedListingRow {
            standard_status: heading.status.to_owned(),
            gone_at: known.gone_at.or(Some(self.now)),
            ..known.clone()
        };
        if known.gone_at.is_none() {
            self.report.gone += 1;
        } else {
            self.report.unchanged += 1;
        }
        self.write(heading, row, &known).await.map(drop)
    }

    async fn on_market(&mut self, heading: &Heading, details: &Details) -> Answer<()> {
        let Some(owner) = self.members.get(&details.agent).copied() else {
            let why = "No agent of the association is called so.";
            let skipped = left_out(&heading.key, "ListAgentMlsId", "unknown_agent", why);
            return self.lost(heading, skipped).await;
        };
        if self.is_older(heading) {
            return Ok(());
        }
        let Some(known) = self.known.get(&heading.key).cloned() else {
            self.add(heading, details, owner);
            return Ok(());
        };
        if known.owner_id != owner && !self.may_change_hands(heading, &known).await? {
            return Ok(());
        }
        let row = row(known.id, owner, heading, details);
        if self.write(heading, row, &known).await? {
            self.report.changed += 1;
        } else {
            self.report.unchanged += 1;
        }
        Ok(())
    }

    fn add(&mut self, heading: &Heading, details: &Details, owner: Id) {
        let row = row(self.taking.app.new_id(), owner, heading, details);
        self.tx.touch::<Listing>(owner, row.id);
        self.known.insert(heading.key.clone(), row.clone());
        self.fresh.push(row);
        self.report.added += 1;
    }

    /// Writes the new ones.
    async fn flush(&mut self) -> Answer<()> {
        let fresh = std::mem::take(&mut self.fresh);
        let association = self.taking.association;
        Ok(feed_listings::insert(self.tx.conn(), association, &fresh, self.pass, self.now).await?)
    }

    /// Another agent has it now. Its former agent's box comes off first, and who was let in there comes to the end of
    /// their time: a feed must not cut off somebody who stands before the door.
    async fn may_change_hands(&mut self, heading: &Heading, known: &FeedListingRow) -> Answer<bool> {
        listings::hold(self.tx.conn(), known.id).await?;
        let is_in_use = feed_listings::is_in_use(self.tx.conn(), known.id, self.now).await?;
        if is_in_use {
            let why = "Its former agent's lockbox hangs there, or somebody has access to it still.";
            self.report.skip(left_out(&heading.key, "ListAgentMlsId", "in_use", why));
        }
        Ok(!is_in_use)
    }

    /// Writes what differs. Says whether phones have to hear of it.
    async fn write(
        &mut self,
        heading: &Heading,
        row: FeedListingRow,
        known: &FeedListingRow,
    ) -> Answer<bool> {
        let row = FeedListingRow { modified_at: Some(heading.modified_at), ..row };
        let is_news = FeedListingRow { modified_at: known.modified_at, ..row.clone() } != *known;
        if row != *known {
            // It may be one of them, where a feed repeats itself within a page.
            self.flush().await?;
            feed_listings::update(self.tx.conn(), &row).await?;
        }
        if is_news {
            self.tx.touch::<Listing>(known.owner_id, row.id);
            self.tx.touch::<Listing>(row.owner_id, row.id);
        }
        self.known.insert(heading.key.clone(), row);
        Ok(is_news)
    }
}

fn row(id: Id, owner: Id, heading: &Heading, details: &Details) -> FeedListingRow {
    FeedListingRow {
        id,
        owner_id: owner,
        listing_key: heading.key.clone(),
        address: details.address.clone(),
        city: details.city.clone(),
        state: details.state.clone(),
        postal_code: details.postal_code.clone(),
        list_price: details.list_price,
        standard_status: heading.status.to_owned(),
        time_zone: details.time_zone.to_owned(),
        modified_at: Some(heading.modified_at),
        gone_at: None,
    }
}
