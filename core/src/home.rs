//! What the home page shows: read from the store once, and kept until something changes. The page is drawn far more
//! often than its data change.

use std::{
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use sentri_wire::{
    Timestamp,
    account::Account,
    credential::{Access, Credential},
};
use uuid::Uuid;

use crate::{
    CoreError,
    api::types,
    open::Usable,
    order::ordered,
    session::Session,
    store::{Rows, StoreError, SyncMark},
};

/// What the home page shows. No secret is in it.
#[derive(Debug, Default)]
pub struct Home {
    /// Whose it is; absent after a log-out.
    pub account: Option<Account>,
    /// The accesses, by their start.
    pub accesses: Vec<Access>,
    /// When the credentials that the phone can use open something, by access.
    opens: Vec<Opens>,
    /// When anything opens, by the first second.
    windows: Vec<Opens>,
    /// When each credential wants to be renewed.
    pub renewals: Vec<Timestamp>,
    /// How far the sync has come.
    pub mark: SyncMark,
    /// Access events that wait to be uploaded.
    pub events_queued: u32,
    /// The accesses as they are shown.
    pub(crate) shown: Timed<Vec<types::Access>>,
}

/// When a credential opens its box.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Opens {
    /// The access that it serves.
    pub access_id: Uuid,
    /// First second.
    pub from: Timestamp,
    /// First second that is too late.
    pub until: Timestamp,
}

impl Home {
    fn read(rows: &Rows<'_>, account: Uuid) -> Result<Self, StoreError> {
        let credentials: Vec<Credential> = rows.all()?;
        let opens: Vec<Opens> = credentials.iter().filter_map(Opens::of).collect();
        let by_start =
            |one: &Access, other: &Access| (one.starts_at, one.id).cmp(&(other.starts_at, other.id));
        Ok(Self {
            account: rows.get(&account.to_string())?,
            accesses: ordered(rows.all()?, by_start),
            windows: ordered(opens.clone(), |one, other| one.from.cmp(&other.from)),
            opens: ordered(opens, Ord::cmp),
            renewals: credentials.iter().map(|credential| credential.renew_at).collect(),
            mark: rows.sync_mark()?,
            events_queued: rows.queue_length()?,
            shown: Timed::default(),
        })
    }

    /// When anything opens, by the first second.
    pub fn windows(&self) -> &[Opens] {
        &self.windows
    }

    /// When this access opens its box.
    pub fn opens_for(&self, access: Uuid) -> &[Opens] {
        let first = self.opens.partition_point(|it| it.access_id < access);
        let after = self.opens.partition_point(|it| it.access_id <= access);
        self.opens.get(first..after).unwrap_or_default()
    }
}

impl Opens {
    fn of(credential: &Credential) -> Option<Self> {
        let usable = Usable::parse(credential)?;
        let window = usable.ticket.window;
        Some(Self {
            access_id: usable.access_id,
            from: window.not_before().unix(),
            until: window.not_after().unix(),
        })
    }
}

/// What follows from the records and the time: good until a moment comes that changes it.
#[derive(Debug)]
pub(crate) struct Timed<T>(Mutex<Option<(Range<Timestamp>, T)>>);

impl<T> Default for Timed<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Timed<T> {
    /// As of now; worked out where it never was, where such a moment has come, and where the clock was set back.
    /// `work_out` tells the next such moment as well.
    pub fn at(&self, now: Timestamp, work_out: impl FnOnce() -> (T, Timestamp)) -> T {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, value)) = kept.as_ref().filter(|(good, _)| good.contains(&now)) {
            return value.clone();
        }
        let (value, until) = work_out();
        *kept = Some((now..until, value.clone()));
        value
    }
}

/// As of which ring of the session's bell something was read.
type Stamp = u64;

/// Something that was read, good until the next change.
#[derive(Debug)]
pub(crate) struct Kept<T>(Mutex<Option<(Stamp, Arc<T>)>>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Kept<T> {
    fn get(&self, stamp: Stamp) -> Option<Arc<T>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().filter(|(of, _)| *of == stamp).map(|(_, value)| value.clone())
    }

    fn keep(&self, stamp: Stamp, value: Arc<T>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((stamp, value));
    }
}

impl Session {
    /// What the home page shows, as of the last change.
    pub async fn home(&self) -> Result<Arc<Home>, CoreError> {
        // Taken before reading: what changes meanwhile makes the next call read anew.
        let stamp = self.changes.count();
        if let Some(home) = self.home.get(stamp) {
            return Ok(home);
        }
        let account = self.account;
        // Boxed, as it happens seldom: the calls that draw the page would else make room for it each time.
        let read = Box::pin(self.read(move |rows| Home::read(rows, account)));
        let home = Arc::new(read.await?);
        self.home.keep(stamp, home.clone());
        Ok(home)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_depends_on_the_time_is_worked_out_anew_when_its_time_is_over_and_when_the_clock_was_set_back() {
        let timed = Timed::default();
        let at = |now: Timestamp| timed.at(now, || (now, now + 10));
        assert_eq!([10, 10, 19, 20, 25].map(at), [10, 10, 10, 20, 20]);
        assert_eq!([19, 20, 29].map(at), [19, 19, 29]);
    }
}
