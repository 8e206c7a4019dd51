//! A transaction that writes, and remembers whose phones must hear of it.

use std::{collections::BTreeSet, sync::Arc};

use sentri_wire::sync::Record;
use sqlx::{Any, Transaction};
use tokio::sync::Notify;

use super::{Connection, Id, changes, group::Turn};
use crate::ports::{Clock, Crashes, Fate};

/// A transaction that writes. Changes of synced objects are noted with [`Self::touch`] and numbered at
/// [`Self::commit`], account after account in the order of their ids, so that two transactions that touch
/// the same accounts never wait for each other crosswise.
pub struct Writing {
    held: Held,
    touched: BTreeSet<changes::Touched>,
    posted: Arc<Notify>,
    has_post: bool,
    clock: Arc<dyn Clock>,
    crashes: Arc<dyn Crashes>,
}

/// Where it writes.
pub(super) enum Held {
    /// In SQLite's one transaction, with others.
    Together(Turn),
    /// In one of its own.
    Alone(Transaction<'static, Any>),
}

impl Writing {
    pub(super) fn new(
        held: Held,
        posted: Arc<Notify>,
        clock: Arc<dyn Clock>,
        crashes: Arc<dyn Crashes>,
    ) -> Self {
        Self { held, touched: BTreeSet::new(), posted, has_post: false, clock, crashes }
    }

    /// The connection to write with.
    pub fn conn(&mut self) -> &mut Connection {
        match &mut self.held {
            Held::Together(turn) => turn.conn(),
            Held::Alone(transaction) => transaction,
        }
    }

    /// Notes that an object changed or went away, for all devices of an account.
    pub fn touch<R: Record>(&mut self, account: Id, object: impl Into<String>) {
        self.note(account, None, R::KIND, object.into());
    }

    /// The same, for one device.
    pub fn touch_device<R: Record>(&mut self, account: Id, device: Id, object: impl Into<String>) {
        self.note(account, Some(device), R::KIND, object.into());
    }

    fn note(&mut self, account: Id, device: Option<Id>, kind: &'static str, object: String) {
        self.touched.insert(changes::Touched { account, device, kind, object });
    }

    /// Notes that the outbox has something to deliver.
    pub fn note_post(&mut self) {
        self.has_post = true;
    }

    /// Numbers the changes and makes all of it durable.
    pub async fn commit(mut self) -> sqlx::Result<()> {
        let fate = self.crashes.at_commit();
        if fate == Fate::DiesBefore {
            return Err(sqlx::Error::PoolClosed);
        }
        let (touched, now) = (std::mem::take(&mut self.touched), self.clock.now());
        changes::number(self.conn(), &touched, now).await?;
        match self.held {
            Held::Together(turn) => turn.commit().await?,
            Held::Alone(transaction) => transaction.commit().await?,
        }
        if fate == Fate::DiesAfter {
            return Err(sqlx::Error::PoolClosed);
        }
        if self.has_post {
            self.posted.notify_one();
        }
        Ok(())
    }
}
