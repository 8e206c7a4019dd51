//! What phones report from the boxes: each event is stored once, and goes into the access log. [CON-3, SYN-3]

use sentri_protocol::{
    open::OperationId,
    status::{ClockQuality, Status},
};
use sentri_wire::{
    Binary,
    agent::Lockbox,
    credential::{LockSettings, RevocationList},
    event::{AccessEvent, EventReceipt, EventReceipts, EventUpload, ReceiptResult},
};
use sha2::{Digest, Sha256};

use super::{
    App, Caller,
    access_log::{self, Report, Try, Word},
    credentials, fault, restore, revocations,
};
use crate::{
    refusal::{Answer, Refusal},
    store::{
        self, Connection, Id, Writing, events,
        grants::{self, GrantRow},
        lockboxes::{self, Heard, LockboxRow},
    },
};

const MOST_EVENTS: usize = 100;

/// Stores what a phone reports. Each event is judged by itself; the upload never fails for one of them.
pub async fn upload(app: &App, caller: &Caller, upload: &EventUpload) -> Answer<EventReceipts> {
    if upload.events.len() > MOST_EVENTS {
        return Err(Refusal::invalid("events", "At most 100 events at once.").limit(100));
    }
    // Looked up before the writer's turn, for which others wait: whose an access is never changes.
    let mut places = Vec::with_capacity(upload.events.len());
    let mut conn = app.store.read().await?;
    for event in &upload.events {
        places.push(place(&mut conn, caller, event).await?);
    }
    // Whatever the locks say of a restored backup, they say of the database that has this name.
    let incarnation = if upload.events.iter().any(|event| event.status.is_some()) {
        restore::current_incarnation(&mut conn).await?
    } else {
        String::new()
    };
    drop(conn);
    let mut tx = app.store.write().await?;
    // Nothing else is ever laid beside a try that no lock was asked for.
    let asked = upload.events.iter().filter(|event| event.operation.is_some());
    let serials = asked.map(|event| event.lockbox.as_str()).collect();
    access_log::hold(app, &mut tx, serials).await?;
    let mut receipts = Vec::with_capacity(upload.events.len());
    let mut is_behind = false;
    for (event, place) in upload.events.iter().zip(places) {
        let result = store_event(app, &mut tx, caller, event, place, &mut is_behind).await?;
        receipts.push(EventReceipt { id: event.id, result });
    }
    tx.commit().await?;
    if is_behind {
        restore::noticed(app, &incarnation).await?;
    }
    Ok(EventReceipts { receipts })
}

async fn store_event(
    app: &App,
    tx: &mut Writing,
    caller: &Caller,
    event: &AccessEvent,
    place: Option<Place>,
    is_behind: &mut bool,
) -> Answer<ReceiptResult> {
    let Some(Place { grant, lockbox }) = place else { return Ok(ReceiptResult::Refused) };
    let digest = hex::encode(Sha256::digest(serde_json::to_vec(event)?));
    let id = Id(event.id);
    let earlier = events::insert(tx.conn(), id, caller.account, grant.lockbox_id, &digest, app.now()).await?;
    if let Some(earlier) = earlier {
        return Ok(if earlier == digest { ReceiptResult::Duplicate } else { ReceiptResult::Conflict });
    }
    let proof = match &lockbox {
        Some(lockbox) => proof(app, tx, lockbox, event).await?,
        None => None,
    };
    if let (Some(lockbox), Some(status)) = (&lockbox, &proof) {
        *is_behind |= restore::is_ahead(lockbox, status)?;
        hear(app, tx, lockbox.id, status).await?;
    }
    let operation = event.operation.as_ref().and_then(Binary::array).map(OperationId).map(access_log::short);
    let tried = Try { grant: &grant, account: caller.account, operation };
    let report = Report {
        event: id,
        // A phone's clock may be wrong; what lies in the future certainly is.
        at: event.at.clamp(0, app.now()),
        outcome: event.outcome,
        word: proof.as_ref().map(Word::from),
    };
    access_log::report(app, tx, &tried, &report).await?;
    Ok(ReceiptResult::Stored)
}

/// What makes an event its caller's to report.
struct Place {
    grant: GrantRow,
    /// Looked up only where the event carries the lock's word.
    lockbox: Option<LockboxRow>,
}

/// The access of an event, where it is the caller's and at that box.
async fn place(conn: &mut Connection, caller: &Caller, event: &AccessEvent) -> Answer<Option<Place>> {
    let grant = match event.access_id {
        Some(id) => grants::by_id(conn, Id(id)).await?,
        None => grants::held_at_box(conn, caller.account, &event.lockbox).await?,
    };
    let own = |grant: &GrantRow| grant.grantee_id == Some(caller.account) && grant.serial == event.lockbox;
    let Some(grant) = grant.filter(own) else { return Ok(None) };
    let lockbox = match event.status {
        Some(_) => lockboxes::by_id(conn, grant.lockbox_id).await?,
        None => None,
    };
    Ok(Some(Place { grant, lockbox }))
}

/// The lock's own word, where the event carries it: its MAC holds, it names this operation, and it has not
/// served another event.
async fn proof(
    app: &App,
    tx: &mut Writing,
    lockbox: &LockboxRow,
    event: &AccessEvent,
) -> Answer<Option<Status>> {
    let (Some(status), Some(operation)) = (&event.status, &event.operation) else { return Ok(None) };
    let Some(status) = Status::verify(&app.keys(lockbox)?, status.as_ref()) else { return Ok(None) };
    if status.operation_id.0.as_slice() != operation.as_ref() {
        return Ok(None);
    }
    let operation = hex::encode(operation.as_ref());
    let first = events::claim_operation(tx.conn(), lockbox.id, &operation, Id(event.id)).await?;
    Ok(first.then_some(status))
}

impl From<&Status> for Word {
    fn from(status: &Status) -> Self {
        Self {
            at: (status.quality != ClockQuality::Lost).then(|| status.clock.unix()),
            outcome: status.verdict.into(),
            record: status.log_head.into(),
        }
    }
}

/// Notes what the lock said of itself, and takes back from phones what it has by now.
async fn hear(app: &App, tx: &mut Writing, id: Id, status: &Status) -> Answer<()> {
    let gone = || fault("a lockbox that vanished");
    let lockbox = lockboxes::by_id(tx.conn(), id).await?.ok_or_else(gone)?;
    let heard = Heard {
        at: app.now(),
        battery: status.battery.min(100),
        revocation_version: status.revocation_version,
        settings_version: status.settings_version,
    };
    lockboxes::hear(tx.conn(), lockbox.id, &heard).await?;
    tx.touch::<Lockbox>(lockbox.owner_id, &lockbox.serial);
    let now = lockboxes::by_id(tx.conn(), id).await?.ok_or_else(gone)?;
    let has_list = revocations::is_pending(&lockbox) && !revocations::is_pending(&now);
    let has_settings = credentials::settings_pending(&lockbox)? && !credentials::settings_pending(&now)?;
    if has_list || has_settings {
        for holder in store::credentials::holders(tx.conn(), lockbox.id, app.now()).await? {
            if has_list {
                tx.touch::<RevocationList>(holder, &lockbox.serial);
            }
            if has_settings {
                tx.touch::<LockSettings>(holder, &lockbox.serial);
            }
        }
    }
    Ok(())
}
