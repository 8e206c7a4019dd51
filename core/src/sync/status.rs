//! How fresh the phone's data are, and until when it opens what without network. [SYN-1]

use std::sync::PoisonError;

use sentri_wire::Timestamp;

use crate::{CoreError, home::Opens, session::Session};

/// Data older than this are stale, whatever they say of themselves, in seconds.
pub const STALE_AFTER: i64 = 24 * 3600;

/// How the last sync went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LastSync {
    /// None since the app was started.
    #[default]
    None,
    /// It is going on.
    Running,
    /// Well.
    Good,
    /// There was no connection.
    Offline,
    /// It was refused, or the phone could not store what came.
    Blocked(CoreError),
}

impl LastSync {
    pub(super) fn of(done: &Result<(), CoreError>) -> Self {
        match done {
            Ok(()) => Self::Good,
            Err(CoreError::Offline) => Self::Offline,
            Err(error) => Self::Blocked(error.clone()),
        }
    }
}

/// How fresh the data are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// The green check mark; with the time of the last sync.
    Current(Timestamp),
    /// A sync is going on.
    Syncing,
    /// Older than they should be.
    Stale(Option<Timestamp>),
    /// The last try found no connection.
    Offline(Option<Timestamp>),
    /// A sync can't succeed as things stand.
    Blocked(CoreError),
}

/// The home page's status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// How fresh the data are.
    pub freshness: Freshness,
    /// First second of the span in which the phone opens something without network: the one that goes on, else the
    /// next one.
    pub opens_from: Option<Timestamp>,
    /// First second after that span.
    pub opens_until: Option<Timestamp>,
    /// Events that wait to be uploaded.
    pub events_queued: u32,
    /// When this changes just because time passes; absent where it does not.
    pub changes_at: Option<Timestamp>,
}

/// A sync that is going on. Where its caller gives up on it, the status is again what it was before.
pub(super) struct GoingOn<'s> {
    session: &'s Session,
    after: LastSync,
}

impl<'s> GoingOn<'s> {
    pub(super) fn begin(session: &'s Session) -> Self {
        let after = session.last_sync();
        session.note_sync(LastSync::Running);
        Self { session, after }
    }

    pub(super) fn end(mut self, how: LastSync) {
        self.after = how;
    }
}

impl Drop for GoingOn<'_> {
    fn drop(&mut self) {
        self.session.note_sync(std::mem::take(&mut self.after));
    }
}

impl Session {
    fn note_sync(&self, last: LastSync) {
        *self.last_sync.lock().unwrap_or_else(PoisonError::into_inner) = last;
        self.changes.note();
    }

    pub(super) fn last_sync(&self) -> LastSync {
        self.last_sync.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The home page's status.
pub async fn status(session: &Session) -> Result<Status, CoreError> {
    let now = session.now();
    let home = session.home().await?;
    // What the last sync did not bring although it was due, no sync will.
    let last = home.mark.finished_at;
    let renewal_due = home.renewals.iter().any(|at| *at <= now && last.is_none_or(|finished| *at > finished));
    let span = opens(home.windows(), now);
    let windows = home.windows().iter().flat_map(|opens| [opens.from, opens.until]);
    let stale = last.map(|at| at.saturating_add(STALE_AFTER));
    let moments = windows.chain(home.renewals.iter().copied()).chain(stale);
    Ok(Status {
        freshness: freshness(session.last_sync(), last, renewal_due, now),
        opens_from: span.map(|(from, _)| from),
        opens_until: span.map(|(_, until)| until),
        events_queued: home.events_queued,
        changes_at: moments.filter(|at| *at > now).min(),
    })
}

/// The span in which the phone opens something without network: the one that goes on, else the next one. Windows
/// that meet are one span. They come by their first second.
fn opens(windows: &[Opens], now: Timestamp) -> Option<(Timestamp, Timestamp)> {
    let mut left = windows.iter().filter(|window| window.until > now);
    let first = left.next()?;
    let until =
        left.fold(first.until, |until, next| if next.from <= until { until.max(next.until) } else { until });
    Some((first.from, until))
}

/// What the home page shows, from how the last sync went and when the last good one ended.
pub fn freshness(
    last: LastSync,
    finished: Option<Timestamp>,
    renewal_due: bool,
    now: Timestamp,
) -> Freshness {
    match (last, finished) {
        (LastSync::Running, _) => Freshness::Syncing,
        (LastSync::Blocked(why), _) => Freshness::Blocked(why),
        (LastSync::Offline, at) => Freshness::Offline(at),
        (LastSync::Good | LastSync::None, Some(at)) if !renewal_due && now - at < STALE_AFTER => {
            Freshness::Current(at)
        }
        (LastSync::Good | LastSync::None, at) => Freshness::Stale(at),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    /// SYN-3: "opens offline from … until …" promises no hour that no credential covers.
    #[test]
    fn only_windows_that_meet_are_one_span() {
        let windows = [(0, 5), (10, 20), (15, 30), (30, 40), (50, 60)].map(|(from, until)| Opens {
            access_id: Uuid::nil(),
            from,
            until,
        });
        assert_eq!(opens(&windows, 7), Some((10, 40)));
        assert_eq!(opens(&windows, 35), Some((30, 40)));
        assert_eq!(opens(&windows, 40), Some((50, 60)));
        assert_eq!(opens(&windows, 60), None);
    }
}
