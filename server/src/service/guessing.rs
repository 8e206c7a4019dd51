//! Limits on guessing: a try is counted before it is looked at, so that racing tries can't pass the limit.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use sentri_wire::problem::ProblemCode;
use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

use super::App;
use crate::{
    refusal::{Answer, Refusal},
    store::{Connection, tries},
};

/// Wrong tries are forgotten a day after the last one.
const FORGOTTEN: i64 = 86_400;

/// How many wrong tries are free, and how long the next ones have to wait, in seconds.
pub struct Limit {
    pub purpose: &'static str,
    pub free: i64,
    pub first_wait: i64,
    pub longest_wait: i64,
}

impl Limit {
    /// Counts a try as wrong until [`Self::clear`] says otherwise. Refused, and not counted, while the subject
    /// has to wait.
    pub async fn count(&self, app: &App, subject: &str) -> Answer<()> {
        let now = app.now();
        let mut conn = app.store.read().await?;
        // A flood of tries that have to wait keeps no other writer waiting.
        self.refuse_while_waiting(&mut conn, subject, now).await?;
        drop(conn);

        let mut tx = app.store.write().await?;
        let failures = tries::count(tx.conn(), self.purpose, subject, now, now - FORGOTTEN).await?;
        // Asked again now that the count holds the row: of two that race, the second sees the first one's wait.
        self.refuse_while_waiting(tx.conn(), subject, now).await?;
        if failures >= self.free {
            let wait = growing_wait(failures - self.free, self.first_wait, self.longest_wait);
            tries::wait(tx.conn(), self.purpose, subject, now + wait).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Forgets the tries after a right one.
    pub async fn clear(&self, app: &App, subject: &str) -> Answer<()> {
        let mut tx = app.store.write().await?;
        tries::clear(tx.conn(), self.purpose, subject).await?;
        Ok(tx.commit().await?)
    }

    async fn refuse_while_waiting(&self, conn: &mut Connection, subject: &str, now: i64) -> Answer<()> {
        let wait = tries::waits_until(conn, self.purpose, subject).await? - now;
        if wait > 0 {
            return Err(Refusal::new(ProblemCode::TooManyTries).retry_after(wait));
        }
        Ok(())
    }
}

/// Tries at one subject, one after the other: of many right ones at once none sees the others' counts, and of many
/// wrong ones none gets further than in a row. The counts in the database hold across servers; the turns are this
/// process's.
#[derive(Default)]
pub struct Turns(Mutex<HashMap<String, Weak<Turn<()>>>>);

impl Turns {
    /// Waits for the subject's turn, which lasts until the guard is dropped.
    pub async fn take(&self, subject: &str) -> OwnedMutexGuard<()> {
        self.of(subject).lock_owned().await
    }

    fn of(&self, subject: &str) -> Arc<Turn<()>> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = turns.get(subject).and_then(Weak::upgrade) {
            return turn;
        }
        turns.retain(|_, turn| turn.strong_count() > 0);
        let turn = Arc::new(Turn::new(()));
        turns.insert(subject.to_owned(), Arc::downgrade(&turn));
        turn
    }
}

/// `first` seconds, doubled with each further failure, up to `longest`.
pub fn growing_wait(further: i64, first: i64, longest: i64) -> i64 {
    let doublings = u32::try_from(further.clamp(0, 20)).unwrap_or(20);
    first.saturating_mul(1 << doublings).min(longest)
}
