//! Sealed records by kind and id, within a read or a transaction.

use rusqlite::{Connection, OptionalExtension, params};
use sentri_wire::{
    Timestamp,
    account::Account,
    agent::{Grant, GrantState, Listing, Lockbox},
    codes::{CodeDelivery, IssuedCode, Keypad},
    credential::{Access, Credential, LockSettings, RevocationList},
    residence::{Door, DoorCode},
    sync::{Change, Message, Record, SyncPage},
};
use serde::{Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use super::{KnownBox, Revoked, StoreError, SyncMark, seal::Sealer};
use crate::json;

/// Kinds that begin so are the phone's own: no sync drops them.
pub(super) const LOCAL: &str = "local/";

/// A record's JSON.
type Plain = Zeroizing<Vec<u8>>;
/// Takes the next of many, or why it can't be read.
type Take<'a> = &'a mut dyn FnMut(Result<Plain, StoreError>) -> Result<(), StoreError>;

/// The rows of a store, to read or, within [`Store::write`](super::Store::write), to change.
pub struct Rows<'a> {
    pub(super) db: &'a Connection,
    pub(super) sealer: &'a Sealer,
}

impl<'a> Rows<'a> {
    pub(super) fn new(db: &'a Connection, sealer: &'a Sealer) -> Self {
        Self { db, sealer }
    }

    /// Stores a record over any former one with its id.
    pub fn put<R: Record>(&self, record: &R) -> Result<(), StoreError> {
        self.put_plain(R::KIND, &record.id(), &encode(record)?)
    }

    /// The record with that id.
    pub fn get<R: Record>(&self, id: &str) -> Result<Option<R>, StoreError> {
        self.plain(R::KIND, id)?.map(|plain| decode(&plain)).transpose()
    }

    /// All records of a kind, in no order that means anything.
    pub fn all<R: Record>(&self) -> Result<Vec<R>, StoreError> {
        let mut records = Vec::new();
        self.each_plain(R::KIND, &mut |plain| {
            records.push(decode(&plain?)?);
            Ok(())
        })?;
        Ok(records)
    }

    /// All records of a kind that can still be read, whatever is around them.
    pub(super) fn salvage<R: Record>(&self) -> Vec<R> {
        let mut records = Vec::new();
        // Where the file ends too soon, what came before is saved.
        let _ended = self.each_plain(R::KIND, &mut |plain| {
            records.extend(plain.and_then(|plain| decode(&plain)));
            Ok(())
        });
        records
    }

    /// Opens every row at its place. One whose kind, id or name was altered is missing where it is looked for, and
    /// only found out so.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        for rows in [
            "SELECT kind, id, sealed FROM record",
            "SELECT 'outbox', id, sealed FROM outbox",
            "SELECT 'meta', CAST(name AS BLOB), sealed FROM meta",
        ] {
            let mut statement = self.db.prepare(rows)?;
            let mut found = statement.query([])?;
            while let Some(row) = found.next()? {
                let (table, id, sealed): (String, Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
                self.sealer.open(&table, &id, &sealed)?;
            }
        }
        Ok(())
    }

    /// Removes a record; fine where there is none.
    pub fn remove<R: Record>(&self, id: &str) -> Result<(), StoreError> {
        self.remove_kind(R::KIND, id)
    }

    /// Removes all records of a kind.
    pub fn remove_all<R: Record>(&self) -> Result<(), StoreError> {
        self.db.execute("DELETE FROM record WHERE kind = $1", params![R::KIND])?;
        Ok(())
    }

    /// How many records there are of each kind.
    pub fn counts(&self) -> Result<Vec<(String, u32)>, StoreError> {
        let mut statement =
            self.db.prepare("SELECT kind, count(*) FROM record GROUP BY kind ORDER BY kind")?;
        let counts = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(counts.collect::<Result<_, _>>()?)
    }

    /// A single value by name.
    pub fn meta<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StoreError> {
        self.plain_meta(name)?.map(|plain| decode(&plain)).transpose()
    }

    /// Stores a single value by name.
    pub fn set_meta<T: Serialize>(&self, name: &str, value: &T) -> Result<(), StoreError> {
        let sealed = self.sealer.seal("meta", name.as_bytes(), &encode(value)?)?;
        self.db
            .execute("INSERT OR REPLACE INTO meta (name, sealed) VALUES ($1, $2)", params![name, sealed])?;
        Ok(())
    }

    /// Removes a single value.
    pub fn remove_meta(&self, name: &str) -> Result<(), StoreError> {
        self.db.execute("DELETE FROM meta WHERE name = $1", params![name])?;
        Ok(())
    }

    /// How far the sync has come.
    pub fn sync_mark(&self) -> Result<SyncMark, StoreError> {
        Ok(self.meta("sync")?.unwrap_or_default())
    }

    /// Stores a page of changes together with its cursor, where it answers the present cursor. [SYN-2]
    ///
    /// Gives the new high-water mark.
    pub fn apply_page(
        &self,
        asked: Option<&str>,
        page: &SyncPage,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut mark = self.sync_mark()?;
        if mark.cursor.as_deref() != asked {
            return Err(StoreError::OutOfTurn);
        }
        if page.restart {
            if mark.high_water > 0 {
                self.remember_revoked(page.server_time)?;
            }
            self.drop_synced()?;
        }
        for change in &page.changes {
            self.apply(change)?;
        }
        mark.cursor = Some(page.cursor.clone());
        mark.high_water += 1;
        mark.skew = page.server_time.saturating_sub(now);
        if !page.more {
            mark.finished_at = Some(page.server_time);
        }
        self.set_meta("sync", &mark)?;
        Ok(mark.high_water)
    }

    /// Forgets the cursor, so that the next sync is a full one. What is there stays until then.
    pub fn force_full_sync(&self, high_water: u64) -> Result<(), StoreError> {
        let mark = SyncMark { cursor: None, high_water, ..self.sync_mark()? };
        self.set_meta("sync", &mark)
    }

    /// Drops all that came by sync; the phone's own records stay, and so does whose phone it is.
    pub fn drop_synced(&self) -> Result<(), StoreError> {
        let dropped = "DELETE FROM record WHERE substr(kind, 1, 6) <> $1 AND kind <> $2";
        self.db.execute(dropped, params![LOCAL, Account::KIND])?;
        Ok(())
    }

    /// A phone that has synced before starts over: perhaps since the backend is an old copy of itself, which has
    /// forgotten what was revoked since. What is over needs no revocation any more.
    fn remember_revoked(&self, now: Timestamp) -> Result<(), StoreError> {
        let mut revoked: Revoked = self.meta(Revoked::NAME)?.unwrap_or_default();
        let grants: Vec<Grant> = self.all()?;
        let known = grants.iter().filter(|it| it.state == GrantState::Revoked && it.ends_at > now);
        revoked.grants.extend(known.map(|it| it.id));
        revoked.grants.sort_unstable();
        revoked.grants.dedup();
        self.set_meta(Revoked::NAME, &revoked)
    }

    fn apply(&self, change: &Change) -> Result<(), StoreError> {
        match change.kind.as_str() {
            Account::KIND => self.apply_as::<Account>(change),
            Listing::KIND => self.apply_as::<Listing>(change),
            Lockbox::KIND => self.apply_as::<Lockbox>(change),
            Grant::KIND => self.apply_as::<Grant>(change),
            Access::KIND => self.apply_as::<Access>(change),
            Message::KIND => self.apply_as::<Message>(change),
            RevocationList::KIND => self.apply_as::<RevocationList>(change),
            LockSettings::KIND => self.apply_as::<LockSettings>(change),
            Keypad::KIND => self.apply_as::<Keypad>(change),
            CodeDelivery::KIND => self.apply_as::<CodeDelivery>(change),
            IssuedCode::KIND => self.apply_as::<IssuedCode>(change),
            Door::KIND => self.apply_as::<Door>(change),
            DoorCode::KIND => self.apply_as::<DoorCode>(change),
            Credential::KIND => {
                self.apply_as::<Credential>(change)?;
                let kept = self.get::<Credential>(&change.id)?;
                kept.iter().try_for_each(|credential| self.put(&KnownBox::of(credential)))
            }
            // Something that a later app knows.
            _ => Ok(()),
        }
    }

    fn apply_as<R: Record>(&self, change: &Change) -> Result<(), StoreError> {
        let Some(record) = &change.record else { return self.remove_kind(R::KIND, &change.id) };
        let record = encode(record)?;
        match json::read::<R>(&record) {
            // As it came, with what only a later app knows.
            Ok(read) if read.id() == change.id => self.put_plain(R::KIND, &change.id, &record),
            _ => Err(StoreError::Unreadable),
        }
    }

    /// One copy of this, and of what follows, serves all kinds: the library stays small.
    fn plain(&self, kind: &str, id: &str) -> Result<Option<Plain>, StoreError> {
        let row = self.sealer.row_id(kind, id);
        let sealed: Option<Vec<u8>> = self
            .db
            .prepare_cached("SELECT sealed FROM record WHERE kind = $1 AND id = $2")?
            .query_row(params![kind, row], |found| found.get(0))
            .optional()?;
        sealed.map(|sealed| self.sealer.open(kind, &row, &sealed)).transpose()
    }

    fn each_plain(&self, kind: &str, take: Take<'_>) -> Result<(), StoreError> {
        let mut statement = self.db.prepare_cached("SELECT id, sealed FROM record WHERE kind = $1")?;
        let mut found = statement.query(params![kind])?;
        while let Some(row) = found.next()? {
            let (id, sealed): (Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?);
            take(self.sealer.open(kind, &id, &sealed))?;
        }
        Ok(())
    }

    fn plain_meta(&self, name: &str) -> Result<Option<Plain>, StoreError> {
        let sealed: Option<Vec<u8>> = self
            .db
            .query_row("SELECT sealed FROM meta WHERE name = $1", params![name], |row| row.get(0))
            .optional()?;
        sealed.map(|sealed| self.sealer.open("meta", name.as_bytes(), &sealed)).transpose()
    }

    fn put_plain(&self, kind: &str, id: &str, plain: &[u8]) -> Result<(), StoreError> {
        let row = self.sealer.row_id(kind, id);
        let sealed = self.sealer.seal(kind, &row, plain)?;
        self.db
            .prepare_cached("INSERT OR REPLACE INTO record (kind, id, sealed) VALUES ($1, $2, $3)")?
            .execute(params![kind, row, sealed])?;
        Ok(())
    }

    fn remove_kind(&self, kind: &str, id: &str) -> Result<(), StoreError> {
        let row = self.sealer.row_id(kind, id);
        self.db.execute("DELETE FROM record WHERE kind = $1 AND id = $2", params![kind, row])?;
        Ok(())
    }
}

pub(super) fn encode<T: Serialize>(value: &T) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    serde_json::to_vec(value).map(Zeroizing::new).map_err(|_| StoreError::Unreadable)
}

pub(super) fn decode<T: DeserializeOwned>(plain: &[u8]) -> Result<T, StoreError> {
    json::read(plain).map_err(|_| StoreError::Damaged)
}
