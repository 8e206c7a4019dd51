//! The queue of access events: written before the user is told, removed once the backend has answered. [SYN-3]
//!
//! An attempt at a lock is first written as a *draft* that says "unanswered"; the lock's answer settles it. A
//! draft that a kill left behind is settled as it stands when the store is opened next.

use rusqlite::params;
use sentri_wire::event::AccessEvent;
use uuid::Uuid;

use super::{
    Rows, StoreError,
    rows::{decode, encode},
};

/// A queued event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    /// The event.
    pub event: AccessEvent,
    /// The attempt is still going on.
    pub draft: bool,
}

/// Settles drafts as they stand. Only where no attempt goes on.
pub fn settle_drafts(rows: &Rows<'_>) -> Result<(), StoreError> {
    rows.db.execute("UPDATE outbox SET draft = 0 WHERE draft = 1", [])?;
    Ok(())
}

impl Rows<'_> {
    /// How many drafts there are.
    pub fn drafts(&self) -> Result<u32, StoreError> {
        Ok(self.db.query_row("SELECT count(*) FROM outbox WHERE draft = 1", [], |row| row.get(0))?)
    }

    /// Queues an event, or replaces the draft with its id. A settled event is never changed.
    pub fn queue(&self, event: &AccessEvent, draft: bool) -> Result<(), StoreError> {
        let row = self.sealer.row_id("outbox", &event.id.to_string());
        let sealed = self.sealer.seal("outbox", &row, &encode(event)?)?;
        self.db.execute(
            "INSERT INTO outbox (id, draft, sealed) VALUES ($1, $2, $3)
             ON CONFLICT (id) DO UPDATE SET draft = excluded.draft, sealed = excluded.sealed WHERE outbox.draft = 1",
            params![row, draft, sealed],
        )?;
        Ok(())
    }

    /// The oldest settled events.
    pub fn queued(&self, at_most: u32) -> Result<Vec<AccessEvent>, StoreError> {
        let mut statement =
            self.db.prepare_cached("SELECT id, sealed FROM outbox WHERE draft = 0 ORDER BY seq LIMIT $1")?;
        let mut found = statement.query(params![at_most])?;
        let mut events = Vec::new();
        while let Some(row) = found.next()? {
            let (id, sealed): (Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?);
            events.push(decode(&self.sealer.open("outbox", &id, &sealed)?)?);
        }
        Ok(events)
    }

    /// How many events wait, drafts included.
    pub fn queue_length(&self) -> Result<u32, StoreError> {
        Ok(self.db.query_row("SELECT count(*) FROM outbox", [], |row| row.get(0))?)
    }

    /// Removes events that the backend has answered for.
    pub fn dequeue(&self, ids: &[Uuid]) -> Result<(), StoreError> {
        let mut statement = self.db.prepare_cached("DELETE FROM outbox WHERE id = $1")?;
        for id in ids {
            statement.execute(params![self.sealer.row_id("outbox", &id.to_string())])?;
        }
        Ok(())
    }

    /// Every event that can still be read, whatever is around it.
    pub(super) fn salvage_queue(&self) -> Vec<Queued> {
        let Ok(mut statement) = self.db.prepare("SELECT id, draft, sealed FROM outbox ORDER BY seq") else {
            return Vec::new();
        };
        let Ok(mut found) = statement.query([]) else { return Vec::new() };
        let mut events = Vec::new();
        while let Ok(Some(row)) = found.next() {
            let read = || -> Result<Queued, StoreError> {
                let (id, draft, sealed): (Vec<u8>, bool, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
                Ok(Queued { event: decode(&self.sealer.open("outbox", &id, &sealed)?)?, draft })
            };
            events.extend(read());
        }
        events
    }
}
