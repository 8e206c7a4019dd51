//! The access log: one line for each try at a box, out of what phones report and what the lock's own records say.
//! [CON-3, CON-4]
//!
//! Both tell of one try by its operation, and either may come first. The phone's word may be no more than
//! "unanswered", or missing; where the lock's word is there, it counts. A phone chooses its operations: lines are
//! laid together only where they can be the same visit, so that none is hidden behind another.

use std::collections::BTreeSet;

use sentri_protocol::{
    audit::{Entry, Kind},
    open::{OperationId, Verdict},
};
use sentri_wire::{
    agent::Grant,
    event::{Method, Outcome},
    sync::MessageTopic,
};

use super::{
    App, blocks, code_log, fault,
    grants::visit,
    messages::{self, About},
};
use crate::{
    catalog,
    refusal::Answer,
    store::{
        Id, Writing, accounts, credentials,
        events::{self, LoggedTry, NewLogEntry, Settled},
        grants::{self, GrantKind, GrantRow},
        listings,
        lockboxes::{self, LockboxRow},
    },
};

/// Seconds within which a lock is done with one operation, judged again or not: a wake, and a channel after it.
const ONE_VISIT: u64 = 120;

/// Somebody's try at a box.
pub struct Try<'a> {
    /// What it is about; its box, and whose that is now.
    pub grant: &'a GrantRow,
    pub account: Id,
    /// As [`short`] writes it; absent where no lock was asked.
    pub operation: Option<String>,
}

/// What the lock says of a try, in a status or in a record.
#[derive(Clone, Copy)]
pub struct Word {
    /// The lock's clock; absent where that was lost.
    pub at: Option<i64>,
    pub outcome: Outcome,
    /// The lock's newest record at that time.
    pub record: i64,
}

/// What a phone says of a try.
pub struct Report {
    pub event: Id,
    pub at: i64,
    pub outcome: Outcome,
    /// The lock's word, where the phone brought it.
    pub word: Option<Word>,
}

/// An operation as the lock's records name it.
pub fn short(operation: OperationId) -> String {
    hex::encode(operation.first_half())
}

/// Lets others who have word of these locks wait until this transaction is over: what two say at one moment of one
/// try must find each other's line. In one order, so that nobody waits crosswise.
pub async fn hold(tx: &mut Writing, serials: BTreeSet<&str>) -> Answer<()> {
    for serial in serials {
        lockboxes::hold(tx.conn(), serial).await?;
    }
    Ok(())
}

/// Puts a phone's report into the log, once.
pub async fn report(app: &App, tx: &mut Writing, tried: &Try<'_>, report: &Report) -> Answer<()> {
    let lines = lines(tx, tried).await?;
    let waits = |line: &&LoggedTry| {
        line.has_event == 0 && report.word.is_none_or(|word| word.at.is_none_or(|at| is_near(line.at, at)))
    };
    if let Some(line) = lines.iter().find(waits) {
        // Its record came first, with another phone. The lock has said more since then, perhaps.
        events::adopt(tx.conn(), line.id, report.event).await?;
        return match report.word.filter(|word| line.record.is_none_or(|known| known < word.record)) {
            Some(word) => settle(app, tx, tried, line, word).await,
            None => Ok(()),
        };
    }
    add(app, tx, tried, Some(report.event), report.at, report.outcome, report.word).await
}

/// Lays a lock's own record beside the log.
pub async fn record(
    app: &App,
    tx: &mut Writing,
    lockbox: &LockboxRow,
    number: i64,
    entry: &Entry,
) -> Answer<()> {
    match entry.kind {
        Kind::Code | Kind::Card => return code_log::record(app, tx, lockbox, number, entry).await,
        Kind::Codes => return blocks::recorded(app, tx, lockbox, entry).await,
        _ => {}
    }
    let (Kind::Ble | Kind::MotorFailed, Some(verdict)) = (entry.kind, Verdict::from_code(entry.result))
    else {
        return Ok(());
    };
    let at = entry.time.unix().min(app.now());
    let word = Word { at: (!entry.clock_lost).then_some(at), outcome: verdict.into(), record: number };
    let operation = hex::encode(entry.operation);
    let Some((grant, account)) = holder(tx, lockbox, entry).await? else {
        return nameless(app, tx, lockbox, &operation, entry.kind, &word).await;
    };
    let tried = Try { grant: &grant, account, operation: Some(operation) };
    let lines = lines(tx, &tried).await?;
    if lines.iter().any(|line| speaks_for(line, &word)) {
        return Ok(());
    }
    match lines.iter().find(|line| is_open_to(line, &word, entry.kind)) {
        Some(line) => settle(app, tx, &tried, line, word).await,
        None => add(app, tx, &tried, None, at, word.outcome, Some(word)).await,
    }
}

async fn holder(tx: &mut Writing, lockbox: &LockboxRow, entry: &Entry) -> Answer<Option<(GrantRow, Id)>> {
    let id = hex::encode(entry.who);
    let Some(credential) = credentials::issued(tx.conn(), lockbox.id, &id).await? else { return Ok(None) };
    let grant = grants::by_id(tx.conn(), credential.grant_id).await?;
    Ok(grant.map(|grant| (grant, credential.account_id)))
}

async fn lines(tx: &mut Writing, tried: &Try<'_>) -> Answer<Vec<LoggedTry>> {
    let Some(operation) = &tried.operation else { return Ok(Vec::new()) };
    Ok(events::tries_of(tx.conn(), tried.grant.lockbox_id, Some(tried.grant.id), operation).await?)
}

/// Whether the line was written knowing this record.
fn speaks_for(line: &LoggedTry, word: &Word) -> bool {
    line.record.is_some_and(|known| word.record <= known)
        && (is_about_time(word.outcome) || word.at.is_none_or(|at| is_near(line.at, at)))
}

/// Whether the line is still to be settled, or is one that the lock itself changed its word on: it judges again
/// with the right time, and a motor may fail after the open was written down.
fn is_open_to(line: &LoggedTry, word: &Word, kind: Kind) -> bool {
    if line.confirmed == 0 {
        return true;
    }
    let later = line.record.is_none_or(|known| known < word.record);
    let failed = kind == Kind::MotorFailed
        && line.outcome.0 == Outcome::Opened
        && word.at.is_none_or(|at| is_near(line.at, at));
    later && (is_about_time(line.outcome.0) || failed)
}

fn is_near(one: i64, other: i64) -> bool {
    one.abs_diff(other) <= ONE_VISIT
}

fn is_about_time(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::TooEarly | Outcome::TooLate | Outcome::OutsideHours | Outcome::ClockLost)
}

/// Writes the lock's word into a line.
async fn settle(app: &App, tx: &mut Writing, tried: &Try<'_>, line: &LoggedTry, word: Word) -> Answer<()> {
    let at = word.at.unwrap_or(line.at);
    let settled = Settled { at, outcome: word.outcome, record: word.record };
    events::settle(tx.conn(), line.id, &settled).await?;
    let was_told = line.confirmed != 0 && line.outcome.0 == Outcome::Opened;
    if word.outcome == Outcome::Opened && !was_told {
        tell_granter(app, tx, tried, at).await?;
    }
    Ok(())
}

/// Adds a line.
async fn add(
    app: &App,
    tx: &mut Writing,
    tried: &Try<'_>,
    event: Option<Id>,
    at: i64,
    outcome: Outcome,
    word: Option<Word>,
) -> Answer<()> {
    let (at, outcome) = word.map_or((at, outcome), |word| (word.at.unwrap_or(at), word.outcome));
    let entry = NewLogEntry {
        confirmed: word.is_some(),
        record: word.map(|word| word.record),
        ..unconfirmed(app, tried, event, at, outcome)
    };
    events::log(tx.conn(), &[entry]).await?;
    if word.is_some() && outcome == Outcome::Opened {
        tell_granter(app, tx, tried, at).await?;
    }
    Ok(())
}

/// The line of a try that no lock has spoken of. Where none was asked, nothing is ever laid beside it.
pub fn unconfirmed(app: &App, tried: &Try<'_>, event: Option<Id>, at: i64, outcome: Outcome) -> NewLogEntry {
    NewLogEntry {
        id: app.next_id(),
        event,
        owner: tried.grant.owner_id,
        at,
        lockbox: tried.grant.lockbox_id,
        listing: Some(tried.grant.listing_id),
        account: Some(tried.account),
        grant: Some(tried.grant.id),
        method: Method::Ble,
        outcome,
        confirmed: false,
        operation: tried.operation.clone(),
        record: None,
        label: None,
    }
}

/// A try of somebody whose account is gone: what the lock saw stays, without a name. [ACC-11]
async fn nameless(
    app: &App,
    tx: &mut Writing,
    lockbox: &LockboxRow,
    operation: &str,
    kind: Kind,
    word: &Word,
) -> Answer<()> {
    let lines = events::tries_of(tx.conn(), lockbox.id, None, operation).await?;
    // A motor may have failed for a code as well: that is no try by phone.
    if kind != Kind::Ble || lines.iter().any(|line| speaks_for(line, word)) {
        return Ok(());
    }
    let entry = NewLogEntry {
        id: app.next_id(),
        event: None,
        owner: lockbox.owner_id,
        at: word.at.unwrap_or_else(|| app.now()),
        lockbox: lockbox.id,
        listing: lockbox.listing_id,
        account: None,
        grant: None,
        method: Method::Ble,
        outcome: word.outcome,
        confirmed: true,
        operation: Some(operation.to_owned()),
        record: Some(word.record),
        label: None,
    };
    Ok(events::log(tx.conn(), &[entry]).await?)
}

async fn tell_granter(app: &App, tx: &mut Writing, tried: &Try<'_>, at: i64) -> Answer<()> {
    let grant = tried.grant;
    let revoked_at = grants::set_last_used(tx.conn(), grant.id, at).await?;
    let is_visit = grant.kind.0 == GrantKind::Visit;
    if is_visit && grant.granter_id == tried.account {
        return Ok(());
    }
    if !is_visit {
        tx.touch::<Grant>(grant.granter_id, grant.id);
    }
    let listing = listings::by_id(tx.conn(), grant.listing_id)
        .await?
        .ok_or_else(|| fault("a grant without its listing"))?;
    let user =
        accounts::by_id(tx.conn(), tried.account).await?.ok_or_else(|| fault("a try without its account"))?;
    let (visit, who) = (visit(&listing, grant)?, user.full_name());
    let text = if is_visit {
        catalog::visited(&visit, &who, at)
    } else {
        catalog::used(&visit, &who, at, revoked_at)
    };
    let about = About { access: grant.id, topic: MessageTopic::AccessUsed };
    messages::add_with_push(app, tx, grant.granter_id, &about, &text).await
}
