//! What a phone fetches for, or brings from, a lock that it talks to: time, audit records.

use sentri_protocol::{
    KeyTree,
    audit::{Acknowledgement, Batch, Entry, Kind},
    clock::FreshTime,
};
use sentri_wire::{
    Binary,
    credential::{TimeRequest, TimeResponse},
    event::{AuditReceipt, AuditUpload},
};

use super::{App, Caller, access_log, fault, lock_settings, residence, revocations};
use crate::{
    refusal::{Answer, Refusal},
    store::{
        Writing,
        columns::number,
        credentials, doors,
        events::{self, AuditRow},
        lockboxes::{self, AuditMark, LockboxRow},
    },
};

/// A fresh time token for a session that the caller's phone has with a lock.
pub async fn time(app: &App, caller: &Caller, serial: &str, request: &TimeRequest) -> Answer<TimeResponse> {
    let mut tx = app.store.write().await?;
    let keys = match doors::met_by(tx.conn(), caller.account, serial).await? {
        Some(door) => app.door_keys(&door)?,
        None => app.keys(&reachable(&mut tx, caller, serial).await?)?,
    };
    fresh_time(app, tx, &keys, request).await
}

/// The same for a lock whose keys are found, by whoever may ask for it.
pub async fn fresh_time(
    app: &App,
    mut tx: Writing,
    keys: &KeyTree,
    request: &TimeRequest,
) -> Answer<TimeResponse> {
    let hash: [u8; 32] = request
        .handshake_hash
        .array()
        .ok_or_else(|| Refusal::invalid("handshake_hash", "The handshake hash has 32 bytes."))?;
    let now = app.signing_time(&mut tx).await?;
    tx.commit().await?;
    let token = FreshTime::sign(keys, &hash, now, false);
    Ok(TimeResponse { token: Binary::from(token.encode()) })
}

/// Takes audit records that a phone carries, lays them beside the access log, and answers with what lets the lock
/// free them.
pub async fn audit(app: &App, caller: &Caller, serial: &str, upload: &AuditUpload) -> Answer<AuditReceipt> {
    let mut tx = app.store.write().await?;
    if doors::met_by(tx.conn(), caller.account, serial).await?.is_some() {
        return residence::records::take(app, tx, serial, upload).await;
    }
    lockboxes::hold(tx.conn(), serial).await?;
    let lockbox = reachable(&mut tx, caller, serial).await?;
    let keys = app.keys(&lockbox)?;
    let (batch, entries) = Batch::open(&keys, upload.batch.as_ref())
        .map_err(|_| Refusal::invalid("batch", "These are no records of this lock."))?;
    let mark = keep(app, &mut tx, &lockbox, &batch, &entries).await?;
    tx.commit().await?;
    receipt(&keys, &mark)
}

/// Keeps a lock's records, whoever carried them, and lays them beside the access log.
pub async fn keep(
    app: &App,
    tx: &mut Writing,
    lockbox: &LockboxRow,
    batch: &Batch,
    entries: &[Entry],
) -> Answer<Mark> {
    for (number, entry) in (i64::from(batch.first)..).zip(entries) {
        if events::insert_audit(tx.conn(), lockbox.id, &row(number, entry)).await? {
            access_log::record(app, tx, lockbox, number, entry).await?;
            lock_settings::recorded(app, tx, lockbox, entry).await?;
            if entry.kind == Kind::Revocations {
                revocations::came(app, tx, lockbox, u32::from_be_bytes(entry.operation)).await?;
            }
        }
    }
    let kept = Kept { number: lockbox.audit_number, tag: &lockbox.audit_tag, lost: lockbox.audit_lost };
    let mark = next_mark(&kept, batch)?;
    if mark.number > lockbox.audit_number {
        let tag = hex::encode(mark.tag);
        let to = AuditMark { number: mark.number, tag: &tag, lost: i64::from(batch.lost) };
        if !lockboxes::move_audit_mark(tx.conn(), lockbox.id, lockbox.audit_number, &to).await? {
            return Err(Refusal::conflict("Another phone brought records at the same time. Try again."));
        }
    }
    Ok(mark)
}

/// What lets a lock free its records.
pub fn receipt(keys: &KeyTree, mark: &Mark) -> Answer<AuditReceipt> {
    Ok(AuditReceipt { acknowledgement: Binary::from(acknowledgement(keys, mark)?.encode()) })
}

/// The same, as the lock reads it.
pub fn acknowledgement(keys: &KeyTree, mark: &Mark) -> Answer<Acknowledgement> {
    Ok(Acknowledgement::sign(keys, number(mark.number, "audit number")?, mark.tag))
}

/// Up to where a lock's records were here so far.
pub struct Kept<'a> {
    pub number: i64,
    /// In hex.
    pub tag: &'a str,
    pub lost: i64,
}

/// Up to where records are here without a gap. A phone can withhold records: past a gap nothing is
/// acknowledged, unless the lock itself says that it overwrote what is missing.
pub struct Mark {
    pub number: i64,
    pub tag: [u8; 12],
}

/// The mark once a batch is here as well.
pub fn next_mark(kept: &Kept<'_>, batch: &Batch) -> Answer<Mark> {
    let missing = i64::from(batch.first) - kept.number - 1;
    let overwritten = i64::from(batch.lost) - kept.lost;
    let is_news = |last: u32| i64::from(last) > kept.number && missing <= overwritten.max(0);
    if let Some((last, tag)) = batch.last().filter(|(last, _)| is_news(*last)) {
        return Ok(Mark { number: last.into(), tag });
    }
    let mut tag = [0; 12];
    hex::decode_to_slice(kept.tag, &mut tag).map_err(|_| fault("an audit tag that is no hex"))?;
    Ok(Mark { number: kept.number, tag })
}

/// A record as it is stored.
pub fn row(number: i64, entry: &Entry) -> AuditRow {
    AuditRow {
        number,
        at: entry.time.unix(),
        kind: i64::from(entry.kind as u8),
        result: entry.result.into(),
        who: hex::encode(entry.who),
        operation: hex::encode(entry.operation),
        skew: entry.skew.into(),
    }
}

/// The lock, where the caller holds or held a credential for it, or owns it.
async fn reachable(tx: &mut Writing, caller: &Caller, serial: &str) -> Answer<LockboxRow> {
    let lockbox = lockboxes::by_serial(tx.conn(), serial).await?.ok_or_else(Refusal::not_found)?;
    let allowed = lockbox.owner_id == caller.account
        || credentials::ever_held(tx.conn(), caller.account, lockbox.id).await?;
    if allowed { Ok(lockbox) } else { Err(Refusal::not_found()) }
}
