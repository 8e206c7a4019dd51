//! Taking credentials back: on the phone by sync, at the lock by a list that any passing phone carries.
//! [GRT-6]

use std::collections::{BTreeMap, BTreeSet};

use sentri_protocol::{
    clock::RETURN_WITHIN,
    revocation::{self, MAX_ENTRIES, Revoked},
    ticket::{CredentialId, Epoch},
};
use sentri_wire::{
    Binary,
    agent::Grant,
    credential::{Credential, RevocationList},
};

use super::{App, fault, protocol_time};
use crate::{
    refusal::Answer,
    store::{
        Id, Writing,
        columns::number,
        credentials::{self, CredentialRow},
        grants::{self, GrantRow},
        lockboxes::{self, LockboxRow},
    },
};

/// The widest tolerance of a lock at a window's end, in seconds.
const TOLERANCE: i64 = 1800;

/// Takes back everything that phones hold under a grant for good, and notes what its granter is told of that.
pub async fn take_back(app: &App, tx: &mut Writing, grant: &GrantRow) -> Answer<()> {
    let taken = withdraw(app, tx, grant).await?;
    let Some(last) = taken.iter().map(|row| row.not_after).max() else { return Ok(()) };
    let lockbox = lockboxes::by_id(tx.conn(), grant.lockbox_id)
        .await?
        .ok_or_else(|| fault("a grant without its box"))?;
    Ok(grants::set_listed(tx.conn(), grant.id, lockbox.revocation_version, last + TOLERANCE).await?)
}

/// Takes what phones hold under a grant, and tells the lock and the phones that pass it. Says what that was.
pub async fn withdraw(app: &App, tx: &mut Writing, grant: &GrantRow) -> Answer<Vec<CredentialRow>> {
    let taken = credentials::take_back(tx.conn(), grant.id, app.now()).await?;
    credentials::clear_due(tx.conn(), grant.id).await?;
    for row in &taken {
        tx.touch_device::<Credential>(row.account_id, row.device_id, &row.id);
    }
    put_on_lists(app, tx, &taken).await?;
    Ok(taken)
}

/// Puts credentials that were taken from phones on the lists of their locks.
pub async fn put_on_lists(app: &App, tx: &mut Writing, rows: &[CredentialRow]) -> Answer<()> {
    for grant in rows.iter().map(|row| row.grant_id).collect::<BTreeSet<_>>() {
        if let Some(granter) = grants::forget_phone_ready(tx.conn(), grant).await? {
            tx.touch::<Grant>(granter, grant);
        }
    }
    // In the order of the lockboxes, so that two that touch the same ones never wait for each other crosswise.
    let mut by_lock: BTreeMap<Id, Vec<CredentialRow>> = BTreeMap::new();
    for row in rows {
        by_lock.entry(row.lockbox_id).or_default().push(row.clone());
    }
    for (lockbox, rows) in by_lock {
        put_on_list(app, tx, lockbox, &rows).await?;
    }
    Ok(())
}

/// The list has a new version, strictly above the last. One that would overflow raises the epoch instead:
/// all tickets of the former epoch are dead, and those that stand are issued anew.
async fn put_on_list(app: &App, tx: &mut Writing, lockbox: Id, rows: &[CredentialRow]) -> Answer<()> {
    // First, since it locks the lockbox's row: two revocations of one box follow each other.
    lockboxes::raise_revocation_version(tx.conn(), lockbox, false).await?;
    credentials::forget_revoked(tx.conn(), lockbox, app.now()).await?;
    for row in rows {
        // Until the last second at which the lock could have taken it, for a return too.
        let until = row.not_after + i64::from(RETURN_WITHIN) + TOLERANCE;
        credentials::revoke(tx.conn(), lockbox, &row.id, until).await?;
    }
    if credentials::revoked_at(tx.conn(), lockbox).await?.len() > MAX_ENTRIES {
        lockboxes::raise_revocation_version(tx.conn(), lockbox, true).await?;
        credentials::forget_revoked(tx.conn(), lockbox, i64::MAX).await?;
        credentials::set_lock_due(tx.conn(), lockbox, app.now()).await?;
    }
    let serial =
        lockboxes::by_id(tx.conn(), lockbox).await?.ok_or_else(|| fault("a grant without its box"))?.serial;
    for holder in credentials::carriers(tx.conn(), lockbox, app.now()).await? {
        tx.touch::<RevocationList>(holder, &serial);
    }
    Ok(())
}

/// Notes what a lock has by now, where that is news: phones need not carry a list any more, and the granters of what is
/// on it see that it has arrived. [GRT-6]
pub async fn heard(app: &App, tx: &mut Writing, former: &LockboxRow, now: &LockboxRow) -> Answer<()> {
    let (above, up_to) = (former.heard_revocation_version, now.heard_revocation_version);
    if above >= up_to {
        return Ok(());
    }
    for (grant, granter) in grants::listed_between(tx.conn(), now.id, above, up_to).await? {
        tx.touch::<Grant>(granter, grant);
    }
    if is_pending(former) && !is_pending(now) {
        for holder in credentials::carriers(tx.conn(), now.id, app.now()).await? {
            tx.touch::<RevocationList>(holder, &now.serial);
        }
    }
    Ok(())
}

/// A lock wrote down that a list came: so it has that one, at least.
pub async fn came(app: &App, tx: &mut Writing, lockbox: &LockboxRow, version: u32) -> Answer<()> {
    let version = i64::from(version);
    if version > lockbox.revocation_version {
        return Ok(());
    }
    lockboxes::hear_revocations(tx.conn(), lockbox.id, version).await?;
    let now = lockboxes::by_id(tx.conn(), lockbox.id).await?.ok_or_else(|| fault("a box that vanished"))?;
    heard(app, tx, lockbox, &now).await
}

/// Whether the lock may not know the current list yet.
pub fn is_pending(lockbox: &LockboxRow) -> bool {
    lockbox.revocation_version > lockbox.heard_revocation_version
}

/// The current list of a lock, as phones carry it.
pub async fn signed(
    app: &App,
    conn: &mut crate::store::Connection,
    lockbox: &LockboxRow,
) -> Answer<RevocationList> {
    let entries = credentials::revoked_at(conn, lockbox.id)
        .await?
        .into_iter()
        .map(|(id, until)| entry(&id, until))
        .collect::<Answer<Vec<_>>>()?;
    let version = number(lockbox.revocation_version, "revocation version")?;
    let epoch = Epoch(number(lockbox.epoch, "epoch")?);
    let list = revocation::RevocationList::new(version, epoch, entries)
        .map_err(|_| fault("a revocation list past its limit"))?;
    let keys = app.keys(lockbox)?;
    Ok(RevocationList { lockbox: lockbox.serial.clone(), version, list: Binary::from(list.sign(&keys)) })
}

fn entry(id: &str, until: i64) -> Answer<revocation::Entry> {
    let mut bytes = [0; 8];
    hex::decode_to_slice(id, &mut bytes).map_err(|_| fault("a credential id that is none"))?;
    Ok(revocation::Entry { what: Revoked::Credential(CredentialId(bytes)), until: protocol_time(until)? })
}
