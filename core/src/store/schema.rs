//! Tables of the phone's store, and how an older file becomes the present one.

use rusqlite::Connection;

use super::StoreError;

/// Version of the store's format. Sealed records name it: whoever raises it re-seals them in the migration.
pub const SCHEMA: u32 = 1;

const V1: &str = "
    CREATE TABLE meta (name TEXT PRIMARY KEY, sealed BLOB NOT NULL) WITHOUT ROWID, STRICT;
    CREATE TABLE record (
        kind TEXT NOT NULL, id BLOB NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (kind, id)
    ) WITHOUT ROWID, STRICT;
    CREATE TABLE outbox (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL UNIQUE, draft INTEGER NOT NULL, sealed BLOB NOT NULL
    ) STRICT;
    PRAGMA user_version = 1;
";

/// Sets up the connection: durable at each commit, nothing left readable in freed pages.
pub(crate) fn configure(db: &Connection) -> Result<(), StoreError> {
    db.busy_timeout(std::time::Duration::from_secs(5))?;
    db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update_and_check(None, "secure_delete", "ON", |_| Ok(()))?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(())
}

/// Version of the file: 0 where it is new.
pub(crate) fn version(db: &Connection) -> Result<u32, StoreError> {
    let version: u32 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version > SCHEMA { Err(StoreError::Newer) } else { Ok(version) }
}

/// Brings the tables to [`SCHEMA`]; called within a transaction.
pub(crate) fn migrate(db: &Connection) -> Result<(), StoreError> {
    if version(db)? < 1 {
        db.execute_batch(V1)?;
    }
    Ok(())
}
