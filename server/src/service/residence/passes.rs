//! What a resident's phone or a hub shows a door's lock to hand over codes: a ticket for service, which opens nothing. [RES-5]

use sentri_protocol::{
    Time,
    clock::LowerBound,
    hours::{AccessHours, Schedule},
    ticket::{CredentialId, DeviceKey, Epoch, Rights, SubjectId, Ticket},
    time::{Week, Window},
};
use sentri_wire::{
    Binary,
    credential::{AdvertKey, Credential},
    residence::Door,
};

use super::{App, Caller, settings};
use crate::{
    refusal::Answer,
    service::{credentials::AT_ONCE, fault, protocol_time, zones},
    store::{
        Writing, accounts,
        columns::number,
        devices,
        doors::{self, DoorRow, PassHolder, PassRow},
    },
};

/// How long a pass lasts. What it brings is sealed, and it opens nothing: a phone that is seldom online should still
/// be able to deliver.
const LIFE: i64 = 30 * 86_400;

/// Issues what is due for the caller's device. Says whether more is due.
pub async fn issue_due(app: &App, caller: &Caller) -> Answer<bool> {
    let mut tx = app.store.write().await?;
    let now = app.signing_time(&mut tx).await?;
    let due = doors::without_pass(tx.conn(), caller.account, caller.device, app.now(), AT_ONCE).await?;
    for door in &due {
        let account = accounts::by_id(tx.conn(), caller.account)
            .await?
            .ok_or_else(|| fault("a session without its account"))?;
        let key = devices::key(tx.conn(), caller.device).await?;
        let whom = For {
            holder: PassHolder::Device(caller.device),
            subject: SubjectId(number::<u32>(account.subject, "subject")?.to_be_bytes()),
            device_key: key.map(|key| device_key(&key.key)).transpose()?,
        };
        issue(app, &mut tx, door, &whom, now).await?;
        tx.touch_device::<Door>(caller.account, caller.device, &door.serial);
    }
    tx.commit().await?;
    Ok(i64::try_from(due.len()).is_ok_and(|count| count == AT_ONCE))
}

/// Whom a pass is for.
pub struct For {
    pub holder: PassHolder,
    pub subject: SubjectId,
    pub device_key: Option<DeviceKey>,
}

/// A new pass for a door, in the place of the one before.
pub async fn issue(app: &App, tx: &mut Writing, door: &DoorRow, whom: &For, now: Time) -> Answer<PassRow> {
    let (credential, not_after) = (CredentialId(app.random()), now.unix() + LIFE);
    let ticket = Ticket {
        credential,
        subject: whom.subject,
        epoch: Epoch(number(door.epoch, "epoch")?),
        issued_at: now,
        window: Window::new(now, protocol_time(not_after)?)
            .ok_or_else(|| fault("a pass without a window"))?,
        schedule: Schedule::ALWAYS,
        rights: Rights::SERVICE,
        device_key: whom.device_key,
    };
    let row = PassRow {
        door_id: door.id,
        credential_id: hex::encode(credential.0),
        ticket: hex::encode(ticket.encode()),
        issued_at: now.unix(),
        not_after,
        renew_at: now.unix() + LIFE / 2,
    };
    doors::put_pass(tx.conn(), whom.holder, &row).await?;
    Ok(row)
}

fn device_key(hex: &str) -> Answer<DeviceKey> {
    let mut key = [0; 33];
    hex::decode_to_slice(hex, &mut key).map_err(|_| fault("a device key that is no key"))?;
    Ok(DeviceKey(key))
}

/// A pass as its phone gets it. It follows from the row and the lock's seed alone, so that a page that is fetched
/// twice is the same.
pub fn to_wire(app: &App, door: &DoorRow, pass: &PassRow) -> Answer<Credential> {
    let keys = app.door_keys(door)?;
    let ticket = hex::decode(&pass.ticket).map_err(|_| fault("a ticket that is no hex"))?;
    let issued_at = protocol_time(pass.issued_at)?;
    let weeks = issued_at.week().0.saturating_sub(1)..=protocol_time(pass.not_after)?.week().0 + 1;
    let of_week =
        |week| AdvertKey { week: Some(week), key: Binary::from(*keys.advert_key(Week(week)).expose()) };
    let clockless = AdvertKey { week: None, key: Binary::from(*keys.advert_key_lost().expose()) };
    Ok(Credential {
        id: pass.credential_id.clone(),
        access_id: door.id.0,
        lockbox: door.serial.clone(),
        secret: Binary::from(*keys.ticket_secret(&ticket).expose()),
        ticket: Binary::from(ticket),
        lock_public_key: Binary::from(keys.lock_public_key()),
        advert_keys: weeks.map(of_week).chain([clockless]).collect(),
        lower_bound: Binary::from(LowerBound::sign(&keys, issued_at).encode()),
        zone: zones::to_wire(settings(door)?.zone),
        access_hours: Binary::from(AccessHours::ALWAYS.encode()),
        renew_at: pass.renew_at,
    })
}
