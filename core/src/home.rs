//! What the home page shows: read from the store once, and kept until something changes. The page is drawn far more
//! often than its data change.

use std::sync::{Arc, Mutex, PoisonError};

use sentri_wire::{
    Timestamp,
    account::Account,
    credential::{Access, Credential},
};
use uuid::Uuid;

use crate::{
    CoreError,
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
        let home = Arc::new(self.read(move |rows| Home::read(rows, account)).await?);
        self.home.keep(stamp, home.clone());
        Ok(home)
    }
}
