//! One pass over a feed: page after page, from where the last one stopped.

use reqwest::Url;
use sentri_wire::problem::ProblemCode;

use super::{
    FeedError, FeedPage, ListingsImported, Source, Wait,
    taking::{LEASE, Taking},
};
use crate::{
    refusal::{Answer, Refusal},
    service::{App, fault, guessing::growing_wait},
    store::{
        Named, associations,
        feeds::{self, FeedRow, Stage},
    },
};

const FIRST_RETRY: i64 = 60;
const LONGEST_RETRY: i64 = 3600;
/// The longest that a feed may want to be left alone.
const LONGEST_WAIT: i64 = 6 * 3600;
/// Pages of one run: more is no feed, but a circle that was not noticed.
const MOST_PAGES: u64 = 100_000;
/// Longest link to a next page that is kept.
const LONGEST_LINK: usize = 8_000;

/// What an import is to do.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// Leaves the feed alone before it is due.
    pub only_if_due: bool,
    /// Reads the whole feed, and not only what changed.
    pub whole: bool,
    /// Believes the feed where most listings are in it no more.
    pub accept_removals: bool,
}

/// Reads a feed from where the last pass stopped to its end, or until the feed can't be read further. `holder` names
/// who is at it: one at a time.
pub async fn import(app: &App, source: &Source, holder: &str, wanted: Wanted) -> Answer<ListingsImported> {
    let mut tx = app.store.write().await?;
    let association = associations::by_name(tx.conn(), &source.association).await?.ok_or_else(|| {
        Refusal::new(ProblemCode::NotFound)
            .field("association")
            .detail("There is no association of this name.")
    })?;
    feeds::keep(tx.conn(), association.id).await?;
    let now = app.now();
    let due_by = if wanted.only_if_due { now } else { i64::MAX };
    if !feeds::lease(tx.conn(), association.id, holder, (now, now + LEASE), due_by).await? {
        return Err(Refusal::conflict("An import of these listings is running. It ends by itself."));
    }
    let state = feeds::of(tx.conn(), association.id).await?;
    let state = begin(app, source, state.ok_or_else(|| fault("a feed that vanished"))?, wanted);
    feeds::set(tx.conn(), &state).await?;
    tx.commit().await?;

    let report =
        ListingsImported { association: association.name, whole: state.is_whole != 0, ..Default::default() };
    let taking = Taking { app, source, association: association.id, holder };
    let run = Run {
        taking,
        wanted,
        state,
        report,
        links: Circle::default(),
        first_key: None,
        has_restarted: false,
    };
    run.go().await
}

/// Begins a pass, or goes on with the one in hand.
fn begin(app: &App, source: &Source, mut state: FeedRow, wanted: Wanted) -> FeedRow {
    let is_in_hand = state.stage.0 != Stage::Idle;
    if is_in_hand && (state.is_whole != 0 || !wanted.whole) {
        return state;
    }
    let now = app.now();
    let is_due = state.whole_at.is_none_or(|at| !(at..at + source.whole_seconds).contains(&now));
    state.is_whole = i64::from(wanted.whole || is_due);
    state.begun_at = now;
    from_the_start(&mut state);
    state
}

fn from_the_start(state: &mut FeedRow) {
    state.stage = Named(Stage::Reading);
    state.pass += 1;
    (state.query, state.next_link) = (None, None);
    (state.taken, state.highest, state.in_order) = (0, 0, 1);
}

/// An import that runs.
struct Run<'a> {
    taking: Taking<'a>,
    wanted: Wanted,
    state: FeedRow,
    report: ListingsImported,
    links: Circle,
    /// Of the pass's first record, where this run saw it.
    first_key: Option<String>,
    has_restarted: bool,
}

impl Run<'_> {
    async fn go(mut self) -> Answer<ListingsImported> {
        loop {
            match self.state.stage.0 {
                Stage::Reading => match self.read().await? {
                    None => {}
                    Some(error) => return self.stopped(&error).await,
                },
                Stage::Sweeping => {
                    let accept = self.wanted.accept_removals;
                    self.state = self.taking.sweep(self.state, accept, &mut self.report).await?;
                }
                Stage::Idle => return self.finished().await,
            }
        }
    }

    /// Reads and takes the next page. Says why the pass can't go on now.
    async fn read(&mut self) -> Answer<Option<FeedError>> {
        let app = self.taking.app;
        let url = self.url();
        let port = &app.sources.port;
        let source = self.taking.source;
        let page = port.page(&url, source.bearer.as_ref(), source.page).await;
        match page.and_then(|page| self.next(&page).map(|next| (page, next))) {
            Ok((page, next)) => {
                let taken = self.taking.take(self.state.clone(), page, next, &mut self.report).await?;
                self.state = taken;
                Ok(None)
            }
            // A link that the feed has forgotten: once from the mark, or from the beginning.
            Err(FeedError::Unknown(_)) if self.state.next_link.is_some() && !self.has_restarted => {
                self.has_restarted = true;
                from_the_start(&mut self.state);
                Ok(None)
            }
            Err(error) => Ok(Some(error)),
        }
    }

    /// Where the pass goes on; a link that leads elsewhere by now, since the configuration changed, is not followed.
    fn url(&mut self) -> Url {
        let source = self.taking.source;
        if let Some(link) = self.state.next_link.as_deref().and_then(|link| source.link(link)) {
            return link;
        }
        let mark = Some(self.state.mark).filter(|mark| self.state.is_whole == 0 && *mark > 0);
        let question = source.question(mark);
        self.state.query = Some(question.to_string());
        question
    }

    /// The link to the page after this one. Feeds that take `$top` for the whole answer give none: those are asked
    /// for what follows.
    fn next(&mut self, page: &FeedPage) -> Result<Option<String>, FeedError> {
        let source = self.taking.source;
        let key = page.records.first().and_then(super::record::key);
        let is_first_again = key.is_some() && self.first_key.as_deref() == key && self.state.taken > 0;
        if self.state.taken == 0 {
            self.first_key = key.map(str::to_owned);
        }
        if self.report.pages >= MOST_PAGES {
            return Err(failed("the feed has no end"));
        }
        let taken = self.state.taken + i64::try_from(page.records.len()).unwrap_or(i64::MAX);
        let next = match (&page.next, &self.state.query) {
            (Some(link), _) if link.len() > LONGEST_LINK => {
                return Err(failed("the feed's link to the next page is too long"));
            }
            (Some(link), _) => {
                let link =
                    source.link(link).ok_or_else(|| failed("the feed's link leads to another host"))?;
                Some(link.to_string())
            }
            (None, Some(query))
                if !page.records.is_empty() && !is_first_again && is_full(taken, source.page) =>
            {
                Some(format!("{query}&$skip={taken}"))
            }
            (None, _) => None,
        };
        if next.as_deref().is_some_and(|link| self.links.closes(link)) {
            return Err(failed("the feed's links lead in a circle"));
        }
        Ok(next)
    }

    /// The pass has come to its end.
    async fn finished(mut self) -> Answer<ListingsImported> {
        self.state.failures = 0;
        self.state.due_at = self.taking.app.now() + self.taking.source.every_seconds;
        self.report.finished = true;
        self.give_back().await
    }

    /// The pass goes on later.
    async fn stopped(mut self, error: &FeedError) -> Answer<ListingsImported> {
        let now = self.taking.app.now();
        let wait = match error {
            FeedError::SlowDown(Wait::Seconds(seconds)) => (*seconds).clamp(1, LONGEST_WAIT),
            FeedError::SlowDown(Wait::Until(at)) => (at - now).clamp(1, LONGEST_WAIT),
            FeedError::Unknown(_) | FeedError::Failed(_) => {
                let wait = growing_wait(self.state.failures, FIRST_RETRY, LONGEST_RETRY);
                self.state.failures += 1;
                wait
            }
        };
        tracing::warn!(association = self.report.association, %error, wait, "a listings feed is asked again later");
        self.state.due_at = now + wait;
        self.report.retry_after = u64::try_from(wait).ok();
        self.report.slowed = matches!(error, FeedError::SlowDown(_));
        self.report.stopped = Some(error.to_string());
        self.give_back().await
    }

    async fn give_back(self) -> Answer<ListingsImported> {
        let Taking { app, association, holder, .. } = self.taking;
        let mut tx = app.store.write().await?;
        if feeds::hold(tx.conn(), association, holder, app.now()).await? {
            feeds::set(tx.conn(), &self.state).await?;
            feeds::release(tx.conn(), association, holder).await?;
            tx.commit().await?;
        }
        let ListingsImported { association, pages, added, changed, gone, withheld, skipped, .. } =
            &self.report;
        let skipped: u64 = skipped.values().sum();
        tracing::info!(association, pages, added, changed, gone, withheld, skipped, "listings were imported");
        Ok(self.report)
    }
}

fn is_full(taken: i64, page: u32) -> bool {
    taken.checked_rem(i64::from(page)) == Some(0)
}

fn failed(what: &str) -> FeedError {
    FeedError::Failed(what.to_owned())
}

/// Notices links that lead in a circle, of any length, by keeping one of them (Brent's way).
#[derive(Default)]
struct Circle {
    kept: Option<String>,
    steps: u64,
    power: u64,
}

impl Circle {
    /// Whether the walk was at this link before.
    fn closes(&mut self, link: &str) -> bool {
        if self.kept.as_deref() == Some(link) {
            return true;
        }
        self.steps += 1;
        if self.steps > self.power {
            (self.kept, self.power, self.steps) = (Some(link.to_owned()), (self.power * 2).max(1), 0);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::Circle;

    #[test]
    fn a_circle_of_links_is_noticed_and_a_line_is_none() {
        for (lead, length) in [(0, 1), (0, 3), (5, 7), (40, 1)] {
            let mut circle = Circle::default();
            let walk = (0..lead).chain((lead..lead + length).cycle());
            let seen = walk.take(500).position(|link| circle.closes(&link.to_string()));
            assert!(seen.is_some_and(|steps| steps < 3 * (lead + length) + 5), "{lead} {length} {seen:?}");
        }
        let mut circle = Circle::default();
        assert!(!(0..5_000).any(|link| circle.closes(&link.to_string())));
    }
}
