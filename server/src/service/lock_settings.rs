//! Telling a lock other settings: a new version, Pending until the lock itself was heard to have it. [LST-6]

use chrono_tz::Tz;
use sentri_protocol::{
    audit::{Entry, Kind},
    settings::Settings,
};
use sentri_wire::{
    agent::Lockbox,
    codes::Keypad,
    credential::{Credential, LockSettings},
};

use super::{App, credentials, fault};
use crate::{
    refusal::Answer,
    rules,
    store::{
        Connection, Writing, box_settings, credentials as stored,
        lockboxes::{self, LockboxRow},
    },
};

/// Changes something of what is set at a lock, which nobody else writes to until the transaction is over.
pub async fn change(
    app: &App,
    tx: &mut Writing,
    lockbox: LockboxRow,
    change: impl FnOnce(&mut Settings),
) -> Answer<LockboxRow> {
    let mut settings = credentials::settings(&lockbox)?;
    change(&mut settings);
    let zone = rules::time_zone(&lockbox.time_zone, "time_zone")?;
    tell(app, tx, &lockbox, settings, zone).await?;
    lockboxes::by_id(tx.conn(), lockbox.id).await?.ok_or_else(|| fault("a lockbox that vanished"))
}

/// Has the lock told of other settings, under the next version, and remembers what it has until then. Nothing happens
/// where they are the same.
pub async fn tell(
    app: &App,
    tx: &mut Writing,
    lockbox: &LockboxRow,
    settings: Settings,
    zone: Tz,
) -> Answer<()> {
    let known = credentials::settings(lockbox)?;
    let is_known = known == Settings { version: known.version, ..settings };
    if is_known && zone.name() == lockbox.time_zone {
        return Ok(());
    }
    box_settings::remember(tx.conn(), lockbox, known.version).await?;
    let settings = Settings { version: known.version + 1, ..settings };
    let encoded = hex::encode(settings.encode());
    lockboxes::set_settings(tx.conn(), lockbox.id, &encoded).await?;
    lockboxes::set_time_zone(tx.conn(), lockbox.id, zone.name()).await?;
    tell_owner(tx, lockbox);
    // Phones carry them there, and say beforehand what will be refused.
    for held in stored::live_at(tx.conn(), lockbox.id, app.now()).await? {
        tx.touch::<LockSettings>(held.account_id, &lockbox.serial);
        tx.touch_device::<Credential>(held.account_id, held.device_id, held.id);
    }
    Ok(())
}

/// The lock wrote down that a phone brought settings, and which.
pub async fn recorded(app: &App, tx: &mut Writing, lockbox: &LockboxRow, entry: &Entry) -> Answer<()> {
    let version = u32::from_be_bytes(entry.operation);
    let known = credentials::settings(lockbox)?.version;
    // A card changes contractor mode only. What is newer than ours is for the restore of a backup to settle.
    let is_by_phone = entry.kind == Kind::Settings
        && stored::issued(tx.conn(), lockbox.id, &hex::encode(entry.who)).await?.is_some();
    if !is_by_phone || version > known {
        return Ok(());
    }
    lockboxes::hear_settings(tx.conn(), lockbox.id, version).await?;
    tell_owner(tx, lockbox);
    if version == known {
        for holder in stored::carriers(tx.conn(), lockbox.id, app.now()).await? {
            tx.touch::<LockSettings>(holder, &lockbox.serial);
        }
    }
    Ok(())
}

fn tell_owner(tx: &mut Writing, lockbox: &LockboxRow) {
    tx.touch::<LockSettings>(lockbox.owner_id, &lockbox.serial);
    tx.touch::<Lockbox>(lockbox.owner_id, &lockbox.serial);
    tx.touch::<Keypad>(lockbox.owner_id, &lockbox.serial);
}

/// What the lock works by, as far as it was heard.
pub async fn at_lock(conn: &mut Connection, lockbox: &LockboxRow) -> Answer<Settings> {
    let former = if lockbox.has_pending_settings() {
        box_settings::former(conn, lockbox.id, lockbox.working_settings_version()).await?
    } else {
        None
    };
    former.map_or_else(|| credentials::settings(lockbox), |former| decode(&former.settings))
}

/// Settings as they are stored.
pub fn decode(encoded: &str) -> Answer<Settings> {
    let bytes = hex::decode(encoded).map_err(|_| fault("settings that are no hex"))?;
    Settings::decode(&bytes).map_err(|_| fault("settings that can't be read"))
}
