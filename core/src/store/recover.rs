//! Opens a store whatever state its file is in: new, old, damaged, or half recovered before a kill.
//!
//! A damaged file is moved aside; queued events, audit records and the session are read out of it, as far as
//! they still can be; all else comes by a full sync.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rusqlite::Connection;
use sentri_wire::{account::Account, sync::Record};

use super::{
    AuditBatch, BackedUp, LastUse, PinMade, Queued, Revoked, Rows, SavedTokens, Store, StoreError,
    StoreSettings, ThisDevice, schema, seal::Sealer, settle_drafts,
};

/// Opens, and recovers where that is needed.
pub(super) fn open(settings: &StoreSettings) -> Result<Store, StoreError> {
    let damaged = beside(&settings.path, "damaged");
    if !damaged.exists() {
        match attach(settings, None) {
            Err(StoreError::Damaged) => move_aside(&settings.path, &damaged)?,
            opened => return opened,
        }
    } else if !settings.path.exists() {
        // A kill may have come between the database's move and its log's.
        move_companions(&settings.path, &damaged)?;
    }
    // What stands in the store's place now is at most the half of a recovery that a kill cut short.
    remove_database(&settings.path)?;
    let saved = salvage(settings, &damaged);
    let store = attach(settings, Some(saved))?;
    move_aside(&damaged, &beside(&settings.path, "aside"))?;
    Ok(store)
}

/// Moves an open store's file aside, for the next [`open`] to recover from.
pub(super) fn give_up(path: &Path) -> Result<(), StoreError> {
    move_aside(path, &beside(path, "damaged"))
}

pub(super) fn remove_all(path: &Path) -> Result<(), StoreError> {
    for file in [path.to_owned(), beside(path, "damaged"), beside(path, "aside")] {
        remove_database(&file)?;
    }
    Ok(())
}

/// What could be read from a damaged file.
#[derive(Default)]
struct Saved {
    events: Vec<Queued>,
    tokens: Option<SavedTokens>,
    device: Option<ThisDevice>,
    revoked: Option<Revoked>,
    accounts: Vec<Account>,
    batches: Vec<AuditBatch>,
    acknowledgements: Vec<BackedUp>,
    uses: Vec<LastUse>,
    pins: Vec<PinMade>,
}

fn attach(settings: &StoreSettings, saved: Option<Saved>) -> Result<Store, StoreError> {
    if let Some(folder) = settings.path.parent() {
        fs::create_dir_all(folder).map_err(|_| StoreError::Unavailable)?;
    }
    let db = Connection::open(&settings.path)?;
    schema::configure(&db)?;
    schema::version(&db)?;
    let healthy: String = db.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if healthy != "ok" {
        return Err(StoreError::Damaged);
    }
    let sealer = Sealer::new(&settings.key, settings.random.clone());
    let mut store = Store { db, sealer, gate: settings.gate.clone() };
    store.write("open", |rows| {
        schema::migrate(rows.db)?;
        // A file sealed under another key is as good as damaged; its queue is lost with the key.
        rows.check()?;
        saved.map_or(Ok(()), |saved| saved.restore(rows))?;
        settle_drafts(rows)
    })?;
    Ok(store)
}

fn salvage(settings: &StoreSettings, damaged: &Path) -> Saved {
    let Ok(db) = Connection::open(damaged) else { return Saved::default() };
    let sealer = Sealer::new(&settings.key, settings.random.clone());
    let rows = Rows::new(&db, &sealer);
    Saved {
        events: rows.salvage_queue(),
        tokens: rows.meta(SavedTokens::NAME).unwrap_or_default(),
        device: rows.meta(ThisDevice::NAME).unwrap_or_default(),
        revoked: rows.meta(Revoked::NAME).unwrap_or_default(),
        accounts: rows.salvage(),
        batches: rows.salvage(),
        acknowledgements: rows.salvage(),
        uses: rows.salvage(),
        pins: rows.salvage(),
    }
}

impl Saved {
    fn restore(self, rows: &Rows<'_>) -> Result<(), StoreError> {
        for Queued { event, draft } in &self.events {
            rows.queue(event, *draft)?;
        }
        if let Some(tokens) = &self.tokens {
            rows.set_meta(SavedTokens::NAME, tokens)?;
        }
        if let Some(device) = &self.device {
            rows.set_meta(ThisDevice::NAME, device)?;
        }
        if let Some(revoked) = &self.revoked {
            rows.set_meta(Revoked::NAME, revoked)?;
        }
        put_all(rows, &self.accounts)?;
        put_all(rows, &self.batches)?;
        put_all(rows, &self.acknowledgements)?;
        put_all(rows, &self.uses)?;
        put_all(rows, &self.pins)
    }
}

fn put_all<R: Record>(rows: &Rows<'_>, records: &[R]) -> Result<(), StoreError> {
    records.iter().try_for_each(|record| rows.put(record))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}

/// The log and its index, which belong to a database file.
fn companions(path: &Path) -> [PathBuf; 2] {
    ["-wal", "-shm"].map(|suffix| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        name.into()
    })
}

/// Moves the database, then its companions: in this order a kill in between can be told and finished.
fn move_aside(from: &Path, to: &Path) -> Result<(), StoreError> {
    remove_database(to)?;
    rename(from, to)?;
    move_companions(from, to)
}

fn move_companions(from: &Path, to: &Path) -> Result<(), StoreError> {
    companions(from).iter().zip(companions(to)).try_for_each(|(from, to)| rename(from, &to))
}

fn rename(from: &Path, to: &Path) -> Result<(), StoreError> {
    unless_missing(fs::rename(from, to))
}

/// Removes the companions first: a database must never meet another one's log.
fn remove_database(path: &Path) -> Result<(), StoreError> {
    companions(path).iter().try_for_each(|file| unless_missing(fs::remove_file(file)))?;
    unless_missing(fs::remove_file(path))
}

fn unless_missing(done: std::io::Result<()>) -> Result<(), StoreError> {
    match done {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(StoreError::Unavailable),
        _ => Ok(()),
    }
}
