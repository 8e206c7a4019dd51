//! What happened at the boxes: phones' events, each stored once, and the log made of them. [CON-3, CON-4]

use sentri_protocol::status::{ClockQuality, Status};
use sentri_wire::{
    agent::{Grant, Lockbox},
    credential::{LockSettings, RevocationList},
    event::{AccessEvent, EventReceipt, EventReceipts, EventUpload, LogPage, Method, Outcome, ReceiptResult},
    sync::MessageTopic,
};
use sha2::{Digest, Sha256};

use super::{
    App, Caller, credentials, fault,
    grants::visit,
    messages::{self, About},
    restore, revocations,
};
use crate::{
    catalog,
    refusal::{Answer, Refusal},
    store::{
        self, Connection, Id, Writing, accounts,
        events::{self, LogQuery, NewLogEntry},
        grants::{self, GrantRow},
        listings,
        lockboxes::{self, Heard, LockboxRow},
    },
};

const MOST_EVENTS: usize = 100;
const LOG_PAGE: usize = 50;

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
    place: Option<(LockboxRow, GrantRow)>,
    is_behind: &mut bool,
) -> Answer<ReceiptResult> {
    let Some((lockbox, grant)) = place else { return Ok(ReceiptResult::Refused) };
    let digest = hex::encode(Sha256::digest(serde_json::to_vec(event)?));
    let id = Id(event.id);
    let earlier = events::insert(tx.conn(), id, caller.account, lockbox.id, &digest, app.now()).await?;
    if let Some(earlier) = earlier {
        return Ok(if earlier == digest { ReceiptResult::Duplicate } else { ReceiptResult::Conflict });
    }
    let proof = proof(app, tx, &lockbox, event).await?;
    let seen = Seen::of(app, event, proof.as_ref());
    if let Some(status) = &proof {
        *is_behind |= restore::is_ahead(&lockbox, status)?;
        hear(app, tx, lockbox.id, status).await?;
    }
    let entry = NewLogEntry {
        id,
        owner: lockbox.owner_id,
        at: seen.at,
        lockbox: lockbox.id,
        listing: Some(grant.listing_id),
        account: caller.account,
        grant: event.access_id.map(Id),
        method: Method::Ble,
        outcome: seen.outcome,
        confirmed: proof.is_some(),
    };
    events::log(tx.conn(), &entry).await?;
    if proof.is_some() && seen.outcome == Outcome::Opened && event.access_id.is_some() {
        tell_granter(app, tx, caller, &grant, seen.at).await?;
    }
    Ok(ReceiptResult::Stored)
}

/// The box of an event and the access that makes it the caller's to report; nothing where none does.
async fn place(
    conn: &mut Connection,
    caller: &Caller,
    event: &AccessEvent,
) -> Answer<Option<(LockboxRow, GrantRow)>> {
    let Some(lockbox) = lockboxes::by_serial(conn, &event.lockbox).await? else { return Ok(None) };
    let grant = match event.access_id {
        Some(id) => grants::by_id(conn, Id(id)).await?,
        None => grants::held_at_box(conn, caller.account, lockbox.id).await?,
    };
    let own =
        grant.filter(|grant| grant.grantee_id == Some(caller.account) && grant.lockbox_id == lockbox.id);
    Ok(own.map(|grant| (lockbox, grant)))
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

/// What is believed of an event: the lock's word where it is there, the phone's otherwise.
struct Seen {
    at: i64,
    outcome: Outcome,
}

impl Seen {
    fn of(app: &App, event: &AccessEvent, proof: Option<&Status>) -> Self {
        // A phone's clock may be wrong; what lies in the future certainly is.
        let phone = event.at.clamp(0, app.now());
        match proof {
            None => Self { at: phone, outcome: event.outcome },
            Some(status) => Self {
                at: if status.quality == ClockQuality::Lost { phone } else { status.clock.unix() },
                outcome: outcome(status.verdict.code()),
            },
        }
    }
}

/// A verdict of the lock (`docs/protocol.md`, section 7) as the log names it.
fn outcome(code: u8) -> Outcome {
    match code {
        0 => Outcome::Opened,
        2 => Outcome::TooEarly,
        3 => Outcome::TooLate,
        4 => Outcome::OutsideHours,
        5 => Outcome::Revoked,
        6 => Outcome::ClockLost,
        _ => Outcome::Refused,
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

async fn tell_granter(app: &App, tx: &mut Writing, caller: &Caller, grant: &GrantRow, at: i64) -> Answer<()> {
    grants::set_last_used(tx.conn(), grant.id, at).await?;
    tx.touch::<Grant>(grant.granter_id, grant.id);
    let listing = listings::by_id(tx.conn(), grant.listing_id)
        .await?
        .ok_or_else(|| fault("a grant without its listing"))?;
    let user = accounts::by_id(tx.conn(), caller.account)
        .await?
        .ok_or_else(|| fault("a session without its account"))?;
    let text = catalog::used(&visit(&listing, grant)?, &user.full_name(), at);
    let about = About { access: grant.id, topic: MessageTopic::AccessUsed };
    messages::add_with_push(app, tx, grant.granter_id, &about, &text).await
}

/// Which lines of the access log are asked for.
pub struct LogRequest {
    pub from: Option<i64>,
    pub to: Option<i64>,
    pub listing: Option<Id>,
    pub after: Option<String>,
}

/// The log of the caller's lockboxes, newest first. [GRT-5, WEB-4]
pub async fn log(app: &App, caller: &Caller, request: &LogRequest) -> Answer<LogPage> {
    caller.agent()?;
    let before = request.after.as_deref().map(parse_after).transpose()?;
    let mut conn = app.store.read().await?;
    if let Some(listing) = request.listing {
        listings::owned(&mut conn, caller.account, listing).await?.ok_or_else(Refusal::not_found)?;
    }
    let query = LogQuery {
        owner: caller.account,
        from: request.from.unwrap_or(0),
        to: request.to.unwrap_or(i64::MAX),
        listing: request.listing,
        before,
        limit: i64::try_from(LOG_PAGE + 1).unwrap_or(i64::MAX),
    };
    let mut entries = events::log_page(&mut conn, &query).await?;
    let more = entries.len() > LOG_PAGE;
    entries.truncate(LOG_PAGE);
    let next = entries.last().filter(|_| more).map(|entry| format!("{}.{}", entry.at, entry.id));
    Ok(LogPage { entries, next })
}

fn parse_after(text: &str) -> Answer<(i64, Id)> {
    text.split_once('.')
        .and_then(|(at, id)| Some((at.parse().ok()?, Id(id.parse().ok()?))))
        .ok_or_else(|| Refusal::invalid("after", "Pass `next` of the page before, as it is."))
}
