//! What a phone keeps of one account: an embedded database whose every record is sealed. [SYN-4]
//!
//! A record is sealed with XChaCha20-Poly1305 under a data key that only the platform's key store holds; its
//! table, row, schema and the key's epoch are authenticated with it, so that rows can be neither read, altered
//! nor swapped. Even ids are hashed with the key. Each change is one transaction on a write-ahead log with
//! `synchronous = FULL`: a kill at any write leaves the old state or the new one.

mod local;
mod outbox;
mod recover;
mod rows;
mod schema;
mod seal;
mod vault;

use std::{path::PathBuf, sync::Arc};

use rusqlite::{Connection, TransactionBehavior};

pub use local::{
    AuditBatch, BackedUp, KnownBox, LastUse, PinMade, Revoked, SavedTokens, SyncMark, ThisDevice,
};
pub use outbox::{Queued, settle_drafts};
pub use rows::Rows;
pub use schema::SCHEMA;
pub use vault::Vault;

use crate::{
    keys::DataKey,
    ports::{Random, Workers},
};
use seal::Sealer;

/// Why the store refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A row or the file is not as it was written: the store recovers by itself and syncs anew.
    #[error("the phone's data is damaged")]
    Damaged,
    /// No room left on the device.
    #[error("the device is full")]
    Full,
    /// The folder can't be read or written.
    #[error("the app's folder can't be used")]
    Unavailable,
    /// A newer app wrote the file.
    #[error("the phone's data was written by a newer app")]
    Newer,
    /// The page answers an older question: nothing was changed.
    #[error("an outdated page")]
    OutOfTurn,
    /// A record in the page is not as the contract says: nothing was changed.
    #[error("an unreadable page")]
    Unreadable,
    /// No random bytes for a nonce.
    #[error("the device gives no random numbers")]
    NoRandomness,
    /// The write gate was shut, as a test does it.
    #[error("interrupted")]
    Interrupted,
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::{ErrorCode, ffi::SQLITE_IOERR_SHORT_READ};
        if error.sqlite_error().is_some_and(|it| it.extended_code == SQLITE_IOERR_SHORT_READ) {
            return Self::Damaged;
        }
        match error.sqlite_error_code() {
            // Without a code: the row has another shape than was written. Our own statements are right, and the file is
            // ours to write: where the database has it otherwise, its schema or its header is damaged.
            None
            | Some(
                ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::Unknown
                | ErrorCode::ReadOnly
                | ErrorCode::SchemaChanged
                | ErrorCode::TypeMismatch
                | ErrorCode::ConstraintViolation,
            ) => Self::Damaged,
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(_) => Self::Unavailable,
        }
    }
}

/// Where in a write the gate is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteMoment {
    /// Nothing has happened.
    Before,
    /// Everything is written, nothing is committed.
    Uncommitted,
    /// Everything is durable.
    Committed,
}

/// Asked at each moment of each write; a refusal is as if the app were killed there.
pub trait WriteGate: Send + Sync + 'static {
    /// Whether the app lives on.
    fn pass(&self, write: &'static str, moment: WriteMoment) -> bool;

    /// How many pages the store may have, as if the disk were full then; absent for the disk's own limit.
    fn most_pages(&self) -> Option<u32> {
        None
    }
}

/// The gate of a phone: never shut.
#[derive(Clone, Copy, Debug, Default)]
pub struct AlwaysOpen;

impl WriteGate for AlwaysOpen {
    fn pass(&self, _: &'static str, _: WriteMoment) -> bool {
        true
    }
}

/// What a store is opened with.
#[derive(Clone)]
pub struct StoreSettings {
    /// The database file.
    pub path: PathBuf,
    /// The key of its records.
    pub key: DataKey,
    /// For nonces.
    pub random: Arc<dyn Random>,
    /// For work that waits for the disk.
    pub workers: Arc<dyn Workers>,
    /// For tests.
    pub gate: Arc<dyn WriteGate>,
}

/// One account's data on this phone.
pub struct Store {
    db: Connection,
    sealer: Sealer,
    gate: Arc<dyn WriteGate>,
}

impl Store {
    /// Opens the store, makes it where it is new, migrates it where it is old, and recovers it where it is
    /// damaged. Attempts at a lock that a kill cut short become reports of their own.
    pub fn open(settings: &StoreSettings) -> Result<Self, StoreError> {
        recover::open(settings)
    }

    /// Reads.
    pub fn read(&self) -> Rows<'_> {
        Rows::new(&self.db, &self.sealer)
    }

    /// Changes: all of it, or nothing.
    pub fn write<T>(
        &mut self,
        name: &'static str,
        change: impl FnOnce(&Rows<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let (mut change, mut result) = (Some(change), None);
        self.transact(name, &mut |rows| {
            result = change.take().map(|change| change(rows)).transpose()?;
            Ok(())
        })?;
        result.ok_or(StoreError::Unavailable)
    }

    /// One copy of this serves all changes: the library stays small.
    fn transact(
        &mut self,
        name: &'static str,
        change: &mut dyn FnMut(&Rows<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        ask(&*self.gate, name, WriteMoment::Before)?;
        if let Some(pages) = self.gate.most_pages() {
            self.db.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
        }
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        change(&Rows::new(&transaction, &self.sealer))?;
        ask(&*self.gate, name, WriteMoment::Uncommitted)?;
        transaction.commit()?;
        ask(&*self.gate, name, WriteMoment::Committed)
    }
}

fn ask(gate: &dyn WriteGate, name: &'static str, moment: WriteMoment) -> Result<(), StoreError> {
    if gate.pass(name, moment) { Ok(()) } else { Err(StoreError::Interrupted) }
}

/// How many access events wait in a store whose key is lost: they can't be read, but they can be told. [SYN-4]
pub fn count_lost_events(path: &std::path::Path) -> u32 {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE;
    Connection::open_with_flags(path, flags)
        .and_then(|db| db.query_row("SELECT count(*) FROM outbox", [], |row| row.get(0)))
        .unwrap_or(0)
}

/// Removes a store's files, the set-aside ones too.
pub fn destroy(path: &std::path::Path) -> Result<(), StoreError> {
    recover::remove_all(path)
}
