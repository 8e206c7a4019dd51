//! A database that came back from an old backup: noticed, and made safe before anything else is answered. [OPS-3]
//!
//! Noticed by a cursor that this database gave out and has not reached, or by a lock that knows a newer list or
//! newer settings than this database has made; or told by the operator. Then every number jumps past what was given
//! out, everybody logs in again, all tickets are dead, and a ticket under a grant from before is issued only once the
//! granter's phone has told which of its grants it knows as revoked.

use sentri_protocol::status::Status;
use sentri_wire::{
    agent::{GrantState, Reassertion},
    credential::RevocationList,
};

use super::{App, Caller, credentials, fault, grants as granting, lock_settings, residence::restored};
use crate::{
    refusal::{Answer, Refusal},
    store::{
        self, Connection, Writing, accounts, grants,
        grants::GrantRow,
        lockboxes::{self, LockboxRow},
        meta, restore, sessions,
    },
};

const RESTORED_AT: &str = "restored_at";
const MOST: usize = 1000;

/// Whether a lock has seen more than this database knows of. Its word is MACed, so it did.
pub fn is_ahead(lockbox: &LockboxRow, status: &Status) -> Answer<bool> {
    Ok(i64::from(status.revocation_version) > lockbox.revocation_version
        || i64::from(status.epoch.0) > lockbox.epoch
        || status.settings_version > credentials::settings(lockbox)?.version)
}

/// Makes the database safe, where nobody has done so since it had this incarnation.
pub async fn noticed(app: &App, incarnation: &str) -> Answer<()> {
    let mut tx = app.store.write().await?;
    if current_incarnation(tx.conn()).await? != incarnation {
        return Ok(());
    }
    tracing::error!("the database is older than what phones or locks have seen: a backup was restored");
    make_safe(app, &mut tx).await?;
    Ok(tx.commit().await?)
}

/// The same, by the operator's word.
pub async fn told(app: &App) -> Answer<()> {
    let mut tx = app.store.write().await?;
    make_safe(app, &mut tx).await?;
    Ok(tx.commit().await?)
}

/// Names this database, within cursors.
pub async fn current_incarnation(conn: &mut Connection) -> Answer<String> {
    meta::get(conn, meta::INCARNATION).await?.ok_or_else(|| fault("a database without a name"))
}

async fn make_safe(app: &App, tx: &mut Writing) -> Answer<()> {
    let now = app.now();
    meta::set(tx.conn(), meta::INCARNATION, &hex::encode(app.random::<8>())).await?;
    meta::set(tx.conn(), RESTORED_AT, &now.to_string()).await?;
    for (id, encoded) in restore::settings(tx.conn()).await? {
        let mut settings = lock_settings::decode(&encoded)?;
        settings.version = settings.version.saturating_add(restore::VERSIONS);
        lockboxes::set_settings(tx.conn(), id, &hex::encode(settings.encode())).await?;
        let serial = lockboxes::by_id(tx.conn(), id).await?.map(|row| row.serial).unwrap_or_default();
        for holder in store::credentials::carriers(tx.conn(), id, now).await? {
            tx.touch::<RevocationList>(holder, &serial);
        }
    }
    restore::raise_numbers(tx.conn()).await?;
    restored::order_anew(app, tx).await?;
    restore::take_back(tx.conn(), now).await?;
    Ok(sessions::end_everybodys(tx.conn(), now).await?)
}

/// When the database was last restored.
async fn restored_at(conn: &mut Connection) -> Answer<Option<i64>> {
    Ok(meta::get(conn, RESTORED_AT).await?.and_then(|text| text.parse().ok()))
}

/// Whether a grant from before a restore waits for its granter's phone.
pub async fn holds_back(conn: &mut Connection, grant: &GrantRow) -> Answer<bool> {
    let Some(restored_at) = restored_at(conn).await?.filter(|at| grant.created_at <= *at) else {
        return Ok(false);
    };
    Ok(accounts::reasserted_at(conn, grant.granter_id).await? < restored_at)
}

/// A granter's phone tells, once after a restore, which grants it knows as revoked.
pub async fn reassert(app: &App, caller: &Caller, told: &Reassertion) -> Answer<()> {
    caller.agent()?;
    if told.revoked.len() > MOST {
        return Err(Refusal::invalid("revoked", "At most 1,000 grants.").limit(1000));
    }
    let mut tx = app.store.write().await?;
    let Some(restored_at) = restored_at(tx.conn()).await? else { return Ok(()) };
    if accounts::reasserted_at(tx.conn(), caller.account).await? >= restored_at {
        return Ok(());
    }
    for id in &told.revoked {
        let id = store::Id(*id);
        let Some(grant) = grants::given(tx.conn(), caller.account, id).await? else { continue };
        if grant.state.0 != GrantState::Revoked && grant.created_at <= restored_at {
            grants::set_revoked(tx.conn(), id, app.now()).await?;
            granting::take_back(app, &mut tx, &grant).await?;
        }
    }
    accounts::set_reasserted(tx.conn(), caller.account, app.now()).await?;
    restore::release(tx.conn(), caller.account, app.now()).await?;
    Ok(tx.commit().await?)
}
