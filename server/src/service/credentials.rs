//! Tickets: issued at sync for the device that asks, and only shortly ahead of their start. [GRT-6, SYN-3]

use sentri_protocol::{
    KeyTree, Time,
    clock::{LowerBound, RETURN_WITHIN},
    hours::Schedule,
    settings::Settings,
    ticket::{CredentialId, DeviceKey, Epoch, Rights, SubjectId, Ticket},
    time::{Week, Window},
};
use sentri_wire::{
    Binary,
    agent::{Grant, GrantState},
    codes::CodeDelivery,
    credential::{AdvertKey, Credential, LockSettings, RevocationList},
    device::DeviceKeyKind,
};

use super::{App, Caller, blocks, fault, lock_settings, protocol_time, restore, revocations, zones};
use crate::{
    config::Policy,
    refusal::{Answer, Refusal},
    rules,
    store::{
        Id, Named, Writing,
        accounts::{self, Status},
        columns::number,
        credentials::{self, CredentialRow, CredentialState},
        devices,
        grants::{self, GrantKind, GrantRow},
        lockboxes::{self, LockboxRow},
    },
};

/// A phone whose tickets are bound to a hardware key holds one for no longer than this, in seconds.
const LONGEST: i64 = 72 * 3600;
/// Any other phone.
const LONGEST_WITHOUT_HARDWARE_KEY: i64 = 24 * 3600;
/// When a phone asks again for what waits for the granter, in seconds.
const HELD_BACK: i64 = 3600;
/// Tickets issued in one sync; the rest follows on the next page.
pub const AT_ONCE: i64 = 50;

/// What [`issue_due`] has done.
#[derive(Clone, Copy, Debug, Default)]
pub struct Issued {
    /// More is due.
    pub more: bool,
}

/// Issues what is due for the caller's device.
pub async fn issue_due(app: &App, caller: &Caller) -> Answer<Issued> {
    let mut tx = app.store.write().await?;
    let now = app.signing_time(&mut tx).await?;
    let due = credentials::due(tx.conn(), caller.device, app.now(), AT_ONCE + 1).await?;
    let more = due.len() > usize::try_from(AT_ONCE).unwrap_or(usize::MAX);
    for grant in due.into_iter().take(usize::try_from(AT_ONCE).unwrap_or(usize::MAX)) {
        issue_or_drop(app, &mut tx, caller, grant, now).await?;
    }
    tx.commit().await?;
    Ok(Issued { more })
}

async fn issue_or_drop(app: &App, tx: &mut Writing, caller: &Caller, grant: Id, now: Time) -> Answer<()> {
    let standing = grants::by_id(tx.conn(), grant).await?.filter(|grant| {
        grant.grantee_id == Some(caller.account)
            && grant.state.0 == GrantState::Granted
            && grant.ends_at > now.unix()
    });
    match standing {
        Some(grant) if holds_back(tx, &grant).await? => {
            let later = now.unix() + HELD_BACK;
            Ok(credentials::set_due(tx.conn(), caller.device, grant.id, later).await?)
        }
        Some(grant) => issue(app, tx, caller, &grant, now).await.map(drop),
        None => Ok(credentials::clear_due_for(tx.conn(), caller.device, grant).await?),
    }
}

/// Whether a grant waits for its granter: for good standing, or for their phone after a restore.
async fn holds_back(tx: &mut Writing, grant: &GrantRow) -> Answer<bool> {
    let granter = accounts::by_id(tx.conn(), grant.granter_id).await?;
    let stands = granter.is_some_and(|granter| granter.status.0 == Status::Active);
    Ok(!stands || restore::holds_back(tx.conn(), grant).await?)
}

/// Issues a ticket under a grant that the caller holds, in place of the one that the device may have.
pub async fn issue(
    app: &App,
    tx: &mut Writing,
    caller: &Caller,
    grant: &GrantRow,
    now: Time,
) -> Answer<CredentialRow> {
    let lockbox = lockboxes::by_id(tx.conn(), grant.lockbox_id)
        .await?
        .ok_or_else(|| fault("a grant without its lockbox"))?;
    let lockbox = refresh_zone(app, tx, lockbox, now).await?;
    let policy = app.policy(tx.conn(), Some(lockbox.association_id)).await?;
    let account = accounts::by_id(tx.conn(), caller.account)
        .await?
        .ok_or_else(|| fault("a session without its account"))?;
    let key = devices::key(tx.conn(), caller.device).await?;
    let life = Life::of(grant, &policy, key.as_ref().map(|key| key.kind.0), now)?;
    let credential = CredentialId(app.random());
    let ticket = Ticket {
        credential,
        subject: SubjectId(number::<u32>(account.subject, "subject")?.to_be_bytes()),
        epoch: Epoch(number(lockbox.epoch, "epoch")?),
        issued_at: now,
        window: life.window,
        schedule: Schedule::ALWAYS,
        rights: Rights::OPEN,
        device_key: key.map(|key| device_key(&key.key)).transpose()?,
    };

    for old in credentials::replace(tx.conn(), grant.id, caller.device).await? {
        tx.touch_device::<Credential>(caller.account, caller.device, old.id);
    }
    let row = CredentialRow {
        id: hex::encode(credential.0),
        lockbox_id: lockbox.id,
        grant_id: grant.id,
        account_id: caller.account,
        device_id: caller.device,
        state: Named(CredentialState::Live),
        key_generation: lockbox.key_generation,
        issued_at: now.unix(),
        not_before: life.window.not_before().unix(),
        not_after: life.window.not_after().unix(),
        renew_at: life.renew_at,
        ticket: hex::encode(ticket.encode()),
    };
    credentials::insert(tx.conn(), &row).await?;
    credentials::set_due(tx.conn(), caller.device, grant.id, life.renew_at).await?;
    tx.touch_device::<Credential>(caller.account, caller.device, &row.id);
    if revocations::is_pending(&lockbox) {
        tx.touch_device::<RevocationList>(caller.account, caller.device, &lockbox.serial);
    }
    if lockbox.has_pending_settings() {
        tx.touch_device::<LockSettings>(caller.account, caller.device, &lockbox.serial);
    }
    if blocks::is_pending(&lockbox) {
        tx.touch_device::<CodeDelivery>(caller.account, caller.device, &lockbox.serial);
    }
    let is_news = grants::set_phone_ready(tx.conn(), grant.id).await?;
    if is_news && grant.kind.0 == GrantKind::Access {
        tx.touch::<Grant>(grant.granter_id, grant.id);
    }
    Ok(row)
}

fn device_key(hex: &str) -> Answer<DeviceKey> {
    let mut key = [0; 33];
    hex::decode_to_slice(hex, &mut key).map_err(|_| fault("a device key that is no key"))?;
    Ok(DeviceKey(key))
}

/// How long a ticket lasts, and when the next one is due.
struct Life {
    window: Window,
    renew_at: i64,
}

impl Life {
    /// To the grant's end, but no longer than the policy's life from its start, or from now once it has
    /// begun. Renewed at half of that, so that a phone that comes by sometimes never runs dry.
    fn of(grant: &GrantRow, policy: &Policy, key: Option<DeviceKeyKind>, now: Time) -> Answer<Self> {
        let longest = match key {
            Some(DeviceKeyKind::Hardware) => LONGEST,
            Some(DeviceKeyKind::Software) | None => LONGEST_WITHOUT_HARDWARE_KEY,
        };
        let life = i64::from(policy.ticket_seconds).min(longest);
        let from = grant.starts_at.max(now.unix());
        let not_after = grant.ends_at.min(from + life);
        let renew_at = if not_after < grant.ends_at { from + life / 2 } else { grant.ends_at };
        let window = Window::new(protocol_time(grant.starts_at)?, protocol_time(not_after)?)
            .ok_or_else(|| fault("a grant without a window"))?;
        Ok(Self { window, renew_at })
    }
}

/// The settings of a lock, without their MAC.
pub fn settings(lockbox: &LockboxRow) -> Answer<Settings> {
    lock_settings::decode(&lockbox.settings)
}

/// The newest settings of a lock, as phones carry them.
pub fn signed_settings(app: &App, lockbox: &LockboxRow) -> Answer<LockSettings> {
    let settings = settings(lockbox)?;
    Ok(LockSettings {
        lockbox: lockbox.serial.clone(),
        version: settings.version,
        settings: Binary::from(settings.sign(&app.keys(lockbox)?)),
    })
}

/// A lock knows two transitions of its zone. Once the first is past, it is told of the next ones.
async fn refresh_zone(app: &App, tx: &mut Writing, lockbox: LockboxRow, now: Time) -> Answer<LockboxRow> {
    if !zones::is_stale(settings(&lockbox)?.zone, now) {
        return Ok(lockbox);
    }
    // Its owner may be setting something just now.
    lockboxes::hold(tx.conn(), &lockbox.serial).await?;
    let gone = || fault("a lockbox that vanished");
    let lockbox = lockboxes::by_id(tx.conn(), lockbox.id).await?.ok_or_else(gone)?;
    let zone = zones::around(rules::time_zone(&lockbox.time_zone, "time_zone")?, now);
    lock_settings::change(app, tx, lockbox, |settings| settings.zone = zone).await
}

/// A credential as its phone gets it. It follows from the row and the lock's seed alone, so that a page
/// that is fetched twice is the same.
pub fn to_wire(app: &App, row: &CredentialRow, lockbox: &LockboxRow) -> Answer<Credential> {
    let keys = app.keys(&LockboxRow { key_generation: row.key_generation, ..lockbox.clone() })?;
    let ticket = hex::decode(&row.ticket).map_err(|_| fault("a ticket that is no hex"))?;
    let settings = settings(lockbox)?;
    Ok(Credential {
        id: row.id.clone(),
        access_id: row.grant_id.0,
        lockbox: lockbox.serial.clone(),
        secret: Binary::from(*keys.ticket_secret(&ticket).expose()),
        ticket: Binary::from(ticket),
        lock_public_key: Binary::from(keys.lock_public_key()),
        advert_keys: advert_keys(&keys, row)?,
        lower_bound: Binary::from(LowerBound::sign(&keys, protocol_time(row.issued_at)?).encode()),
        zone: zones::to_wire(settings.zone),
        access_hours: Binary::from(settings.access_hours.encode()),
        renew_at: row.renew_at,
    })
}

/// Of the weeks that the ticket covers from now on, one before and one after, and of a lost clock.
fn advert_keys(keys: &KeyTree, row: &CredentialRow) -> Result<Vec<AdvertKey>, Refusal> {
    let first = protocol_time(row.not_before.min(row.issued_at))?.week().0.saturating_sub(1);
    let last = protocol_time(row.not_after)?.plus(RETURN_WITHIN).week().0 + 1;
    let weeks = (first..=last)
        .map(|week| AdvertKey { week: Some(week), key: Binary::from(*keys.advert_key(Week(week)).expose()) });
    let clockless = AdvertKey { week: None, key: Binary::from(*keys.advert_key_lost().expose()) };
    Ok(weeks.chain([clockless]).collect())
}
