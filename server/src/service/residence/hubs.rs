//! Hubs: they call for what is due for their locks, carry it like a phone that is always there, and say which locks they
//! hear. What a lock has, its own records alone say. [RES-5]

use sentri_protocol::ticket::SubjectId;
use sentri_wire::{
    Secret,
    codes::CodeDelivery,
    credential::{Credential, TimeRequest, TimeResponse},
    event::{AuditReceipt, AuditUpload},
    hub::{HubLock, HubOrders, HubReport},
    problem::ProblemCode,
    residence::{DoorCode, HubProgress},
};

use super::{App, codes, deliveries, passes, records};
use crate::{
    refusal::{Answer, Refusal},
    service::{digest, locks},
    store::{
        Connection, Id, Writing,
        door_codes::{self, DoorCodeRow},
        doors::{self, DoorRow, PassHolder},
        hubs::{self, HubRow},
    },
};

/// A hub that has not called for this long is offline, in seconds.
pub const HUB_SILENT: i64 = 120;
/// A lock that its hub has not heard for this long is offline, in seconds.
pub const LOCK_SILENT: i64 = 600;
/// How soon a hub is to call again, in seconds: several calls may get lost before it counts as offline.
const CALL_AGAIN: u32 = 15;
/// For how long a hub has a delivery in hand; it is given again only then. In seconds.
const LEASE: i64 = 120;
/// The most entries in each list of a report.
const MOST_REPORTED: usize = 1_000;
/// Whom a hub's pass names: nobody.
const NOBODY: SubjectId = SubjectId([0; 4]);

/// A hub that calls, in use.
pub struct CallingHub(HubRow);

/// Who has this key.
pub async fn authenticate(app: &App, key: &Secret) -> Answer<CallingHub> {
    let mut conn = app.store.read().await?;
    let hub = hubs::by_key(&mut conn, &digest(key))
        .await?
        .ok_or_else(|| Refusal::new(ProblemCode::NotLoggedIn).field("authorization"))?;
    if hub.suspended_at.is_some() {
        return Err(Refusal::new(ProblemCode::Forbidden).detail("This hub is taken out of use."));
    }
    Ok(CallingHub(hub))
}

/// Whether a hub has called lately.
pub fn is_online(app: &App, hub: &HubRow) -> bool {
    let in_use = hub.suspended_at.is_none() && hub.retired_at.is_none();
    in_use && is_fresh(app, hub.last_call_at, HUB_SILENT)
}

fn is_fresh(app: &App, heard: Option<i64>, silent: i64) -> bool {
    heard.is_some_and(|at| app.now() - at < silent)
}

/// A hub's lock is only changed while it can be told soon.
pub async fn reachable(app: &App, conn: &mut Connection, door: &DoorRow) -> Answer<()> {
    let Some(id) = door.hub_id else { return Ok(()) };
    let hub = hubs::by_id(conn, id).await?;
    if !hub.is_some_and(|hub| is_online(app, &hub)) {
        return Err(Refusal::new(ProblemCode::HubOffline)
            .detail("The hub of this lock is offline. Nothing was changed: try again once it is back."));
    }
    if !is_fresh(app, door.hub_heard_at, LOCK_SILENT) {
        return Err(Refusal::new(ProblemCode::LockOffline).detail(
            "The hub does not hear this lock: its battery may be empty. Nothing was changed: try again later.",
        ));
    }
    Ok(())
}

/// How far a change has come on its way by the hub; nothing where none is on its way, or phones carry it.
pub fn progress(app: &App, door: &DoorRow, row: &DoorCodeRow) -> Option<HubProgress> {
    let version = deliveries::last_change(row);
    if door.hub_id.is_none() || version <= door.delivered_version {
        return None;
    }
    let in_hand = door.hub_leased_until.is_some_and(|until| until > app.now());
    Some(if door.hub_brought_version >= version {
        HubProgress::AtLock
    } else if door.hub_took_version >= version && in_hand {
        HubProgress::OnItsWay
    } else {
        HubProgress::WaitingForHub
    })
}

/// A hub calls: takes what it tells, and gives it what is due for its locks.
pub async fn call(app: &App, hub: &CallingHub, report: &HubReport) -> Answer<HubOrders> {
    for (field, entries) in
        [("heard", report.heard.len()), ("brought", report.brought.len()), ("passes", report.passes.len())]
    {
        if entries > MOST_REPORTED {
            return Err(Refusal::invalid(field, "At most 1,000 at once.").limit(1_000));
        }
    }
    let mut tx = app.store.write().await?;
    hubs::called(tx.conn(), hub.0.id, app.now()).await?;
    let mut locks = Vec::new();
    for door in hubs::doors(tx.conn(), hub.0.id).await? {
        let is_told = hear(app, &mut tx, hub.0.id, &door, report).await?;
        let is_leased = lease(app, &mut tx, hub.0.id, &door).await?;
        if is_told || is_leased {
            tell_progress(&mut tx, &door).await?;
        }
        let codes = if is_leased { due(&mut tx, &door.serial).await? } else { None };
        let pass = pass(app, &mut tx, hub.0.id, &door).await?;
        let pass = Some(pass).filter(|pass| !report.passes.contains(&pass.id));
        locks.push(HubLock { lock: door.serial, pass, codes });
    }
    tx.commit().await?;
    Ok(HubOrders { locks, call_again: CALL_AGAIN })
}

/// What the hub tells of one of its locks. Of others it can tell nothing. True where a delivery has come further.
async fn hear(app: &App, tx: &mut Writing, hub: Id, door: &DoorRow, report: &HubReport) -> Answer<bool> {
    if let Some(heard) = report.heard.iter().find(|heard| heard.lock == door.serial) {
        hubs::heard(tx.conn(), hub, door.id, app.now() - i64::from(heard.seconds_ago)).await?;
    }
    let brought = report.brought.iter().filter(|it| it.lock == door.serial).map(|it| it.version).max();
    match brought {
        Some(version) => Ok(hubs::brought(tx.conn(), hub, door.id, version.into()).await?),
        None => Ok(false),
    }
}

async fn lease(app: &App, tx: &mut Writing, hub: Id, door: &DoorRow) -> Answer<bool> {
    if door.codes_version <= door.delivered_version {
        return Ok(false);
    }
    let now = app.now();
    Ok(hubs::lease(tx.conn(), (hub, door.id), door.codes_version, (now, now + LEASE)).await?)
}

/// What the lock is missing, now that nobody else changes it.
async fn due(tx: &mut Writing, serial: &str) -> Answer<Option<CodeDelivery>> {
    match doors::by_serial(tx.conn(), serial).await? {
        Some(door) => deliveries::to_wire(tx.conn(), &door).await,
        None => Ok(None),
    }
}

/// Lets those know whose codes are on their way.
async fn tell_progress(tx: &mut Writing, door: &DoorRow) -> Answer<()> {
    let rows = door_codes::at_door(tx.conn(), door.id).await?;
    for row in deliveries::newest(&rows).filter(|row| deliveries::last_change(row) > door.delivered_version) {
        tx.touch::<DoorCode>(row.account_id, codes::name(&door.serial, row.place));
    }
    Ok(())
}

/// What the hub shows the lock; renewed in time.
async fn pass(app: &App, tx: &mut Writing, hub: Id, door: &DoorRow) -> Answer<Credential> {
    let holder = PassHolder::Hub(hub);
    let held = doors::pass(tx.conn(), holder, door.id).await?;
    if let Some(held) = held.filter(|pass| pass.renew_at > app.now()) {
        return passes::to_wire(app, door, &held);
    }
    let now = app.signing_time(tx).await?;
    let whom = passes::For { holder, subject: NOBODY, device_key: None };
    passes::to_wire(app, door, &passes::issue(app, tx, door, &whom, now).await?)
}

/// A fresh time token for a session that a hub has with one of its locks.
pub async fn time(app: &App, hub: &CallingHub, serial: &str, request: &TimeRequest) -> Answer<TimeResponse> {
    let mut tx = app.store.write().await?;
    let keys = app.door_keys(&own(&mut tx, hub, serial).await?)?;
    locks::fresh_time(app, tx, &keys, request).await
}

/// Takes records of one of a hub's locks.
pub async fn audit(app: &App, hub: &CallingHub, serial: &str, upload: &AuditUpload) -> Answer<AuditReceipt> {
    let mut tx = app.store.write().await?;
    own(&mut tx, hub, serial).await?;
    records::take(app, tx, serial, upload).await
}

async fn own(tx: &mut Writing, hub: &CallingHub, serial: &str) -> Answer<DoorRow> {
    let door = doors::by_serial(tx.conn(), serial).await?;
    door.filter(|door| door.hub_id == Some(hub.0.id)).ok_or_else(Refusal::not_found)
}
