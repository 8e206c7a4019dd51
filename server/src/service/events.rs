//! What phones report from the boxes: each event is stored once, and goes into the access log. [CON-3, SYN-3]

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use sentri_protocol::{
    open::OperationId,
    status::{BATTERY_LOW, ClockQuality, Status},
};
use sentri_wire::{
    Binary,
    agent::Lockbox,
    codes::Keypad,
    credential::{Access, LockSettings},
    event::{AccessEvent, EventReceipt, EventReceipts, EventUpload, ReceiptResult},
};
use sha2::{Digest, Sha256};

use super::{
    App, Caller,
    access_log::{self, Report, Try, Word},
    fault, restore, revocations,
};
use crate::{
    refusal::{Answer, Refusal},
    store::{
        self, Connection, Id, Writing,
        events::{self, NewEvent, NewLogEntry},
        grants::{self, GrantRow},
        lockboxes::{self, Heard, LockboxRow},
    },
    together::Together,
};

const MOST_EVENTS: usize = 100;
/// How many uploads are stored by one transaction.
const MOST_UPLOADS: usize = 64;

/// What waits to be stored.
pub struct Upload {
    account: Id,
    /// Each with the digest of all that it says.
    events: Vec<(AccessEvent, String)>,
}

/// Uploads that come at one moment.
pub type Uploads = Together<Upload, Answer<EventReceipts>>;

/// Stores what a phone reports. Each event is judged by itself; the upload never fails for one of them.
pub async fn upload(app: &Arc<App>, caller: &Caller, upload: EventUpload) -> Answer<EventReceipts> {
    if upload.events.len() > MOST_EVENTS {
        return Err(Refusal::invalid("events", "At most 100 events at once.").limit(100));
    }
    let events = upload.events.into_iter().map(|event| digest(&event).map(|digest| (event, digest)));
    let upload = Upload { account: caller.account, events: events.collect::<Answer<_>>()? };
    let here = app.clone();
    let store = move |uploads| store_each(here.clone(), uploads);
    let stored = app.uploads.join(upload, MOST_UPLOADS, store).await;
    stored.unwrap_or_else(|| Err(fault("uploads broke off")))
}

fn digest(event: &AccessEvent) -> Answer<String> {
    Ok(hex::encode(Sha256::digest(serde_json::to_vec(event)?)))
}

async fn store_each(app: Arc<App>, uploads: Vec<Upload>) -> Vec<Answer<EventReceipts>> {
    let refusal = match store_all(&app, &uploads).await {
        Ok(receipts) => return receipts.into_iter().map(Ok).collect(),
        Err(refusal) => refusal,
    };
    if uploads.len() == 1 {
        return vec![Err(refusal)];
    }
    // What is the matter with one of them is nothing to the others.
    let mut answers = Vec::with_capacity(uploads.len());
    for upload in &uploads {
        let stored = store_all(&app, std::slice::from_ref(upload)).await;
        answers.push(stored.and_then(|mut receipts| receipts.pop().ok_or_else(|| fault("no receipt"))));
    }
    answers
}

/// All of them, or none.
async fn store_all(app: &App, uploads: &[Upload]) -> Answer<Vec<EventReceipts>> {
    // Looked up before the writer's turn, for which others wait: whose an access is never changes.
    let mut conn = app.store.read().await?;
    let reported = reported(&mut conn, uploads).await?;
    // Whatever the locks say of a restored backup, they say of the database that has this name.
    let incarnation = if reported.iter().any(|it| it.event.status.is_some()) {
        restore::current_incarnation(&mut conn).await?
    } else {
        String::new()
    };
    drop(conn);
    let mut tx = app.store.write().await?;
    // Nothing else is ever laid beside a try that no lock was asked for.
    let asked = reported.iter().filter(|it| it.event.operation.is_some());
    access_log::hold(&mut tx, asked.map(|it| it.event.lockbox.as_str()).collect()).await?;
    let mut storing = Storing::begin(app, &mut tx, &reported).await?;
    let mut receipts = Vec::with_capacity(reported.len());
    for it in &reported {
        receipts.push(EventReceipt { id: it.event.id, result: storing.store(it).await? });
    }
    let is_behind = storing.end().await?;
    tx.commit().await?;
    if is_behind {
        restore::noticed(app, &incarnation).await?;
    }
    let mut receipts = receipts.into_iter();
    let mut of_one = |upload: &Upload| receipts.by_ref().take(upload.events.len()).collect();
    Ok(uploads.iter().map(|upload| EventReceipts { receipts: of_one(upload) }).collect())
}

/// An event, as it is judged.
struct Reported<'a> {
    account: Id,
    event: &'a AccessEvent,
    /// Nothing where it is not its caller's to report.
    place: Option<Place>,
    digest: &'a str,
}

/// What makes an event its caller's to report.
struct Place {
    grant: GrantRow,
    /// Looked up only where the event carries the lock's word.
    lockbox: Option<LockboxRow>,
}

/// All events of the uploads, in their order.
async fn reported<'a>(conn: &mut Connection, uploads: &'a [Upload]) -> Answer<Vec<Reported<'a>>> {
    let named = uploads.iter().flat_map(|upload| &upload.events).filter_map(|(event, _)| event.access_id);
    let grants = grants::among(conn, &named.map(Id).collect()).await?;
    let grants: HashMap<Id, GrantRow> = grants.into_iter().map(|grant| (grant.id, grant)).collect();
    let mut reported = Vec::new();
    for Upload { account, events } in uploads {
        let account = *account;
        for (event, digest) in events {
            let grant = match event.access_id {
                Some(id) => grants.get(&Id(id)).cloned(),
                None => grants::held_at_box(conn, account, &event.lockbox).await?,
            };
            let place = place(conn, account, event, grant).await?;
            reported.push(Reported { account, event, place, digest });
        }
    }
    Ok(reported)
}

/// The access of an event, where it is the caller's and at that box.
async fn place(
    conn: &mut Connection,
    account: Id,
    event: &AccessEvent,
    grant: Option<GrantRow>,
) -> Answer<Option<Place>> {
    let own = |grant: &GrantRow| grant.grantee_id == Some(account) && grant.serial == event.lockbox;
    let Some(grant) = grant.filter(own) else { return Ok(None) };
    let lockbox = match event.status {
        Some(_) => lockboxes::by_id(conn, grant.lockbox_id).await?,
        None => None,
    };
    Ok(Some(Place { grant, lockbox }))
}

/// Events on their way into the log.
struct Storing<'a> {
    app: &'a App,
    tx: &'a mut Writing,
    /// Those that were not stored before, and are still to be put into the log.
    new: HashSet<Id>,
    /// Lines that no lock has a word in, added at the end at once.
    lines: Vec<NewLogEntry>,
    is_behind: bool,
}

impl<'a> Storing<'a> {
    async fn begin(app: &'a App, tx: &'a mut Writing, reported: &[Reported<'_>]) -> Answer<Self> {
        let events: Vec<_> = reported.iter().filter_map(Reported::to_store).collect();
        let new = events::insert(tx.conn(), &events, app.now()).await?;
        Ok(Self { app, tx, new, lines: Vec::new(), is_behind: false })
    }

    async fn store(&mut self, reported: &Reported<'_>) -> Answer<ReceiptResult> {
        let Reported { account, event, place, digest } = reported;
        let Some(place) = place else { return Ok(ReceiptResult::Refused) };
        let id = Id(event.id);
        if !self.new.remove(&id) {
            let earlier = events::digest(self.tx.conn(), id).await?;
            let is_same = earlier.as_deref() == Some(*digest);
            return Ok(if is_same { ReceiptResult::Duplicate } else { ReceiptResult::Conflict });
        }
        // A phone's clock may be wrong; what lies in the future certainly is.
        let at = event.at.clamp(0, self.app.now());
        let operation =
            event.operation.as_ref().and_then(Binary::array).map(OperationId).map(access_log::short);
        let tried = Try { grant: &place.grant, account: *account, operation };
        if tried.operation.is_none() {
            self.lines.push(access_log::unconfirmed(self.app, &tried, Some(id), at, event.outcome));
            return Ok(ReceiptResult::Stored);
        }
        let word = self.word(place, event).await?;
        let report = Report { event: id, at, outcome: event.outcome, word };
        access_log::report(self.app, self.tx, &tried, &report).await?;
        Ok(ReceiptResult::Stored)
    }

    /// What the lock itself says of the try.
    async fn word(&mut self, place: &Place, event: &AccessEvent) -> Answer<Option<Word>> {
        let Some(lockbox) = &place.lockbox else { return Ok(None) };
        let Some(status) = proof(self.app, self.tx, lockbox, event).await? else { return Ok(None) };
        self.is_behind |= restore::is_ahead(lockbox, &status)?;
        hear(self.app, self.tx, lockbox.id, &status, self.app.now()).await?;
        Ok(Some(Word::from(&status)))
    }

    /// Whether the locks know more than this database.
    async fn end(self) -> Answer<bool> {
        events::log(self.tx.conn(), &self.lines).await?;
        Ok(self.is_behind)
    }
}

impl Reported<'_> {
    fn to_store(&self) -> Option<NewEvent> {
        let lockbox = self.place.as_ref()?.grant.lockbox_id;
        let digest = self.digest.to_owned();
        Some(NewEvent { id: Id(self.event.id), account: self.account, lockbox, digest })
    }
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

/// Whether those who come should know of the battery before they do. [NEW-2]
fn is_low(lockbox: &LockboxRow) -> bool {
    lockbox.battery_percent.is_some_and(|percent| percent <= i64::from(BATTERY_LOW))
}

/// Notes what the lock said of itself then, and takes back from phones what it has by now.
pub async fn hear(app: &App, tx: &mut Writing, id: Id, status: &Status, at: i64) -> Answer<()> {
    let gone = || fault("a lockbox that vanished");
    let lockbox = lockboxes::by_id(tx.conn(), id).await?.ok_or_else(gone)?;
    let heard = Heard {
        at,
        battery: status.battery.min(100),
        revocation_version: status.revocation_version,
        settings_version: status.settings_version,
    };
    lockboxes::hear(tx.conn(), lockbox.id, &heard).await?;
    tx.touch::<Lockbox>(lockbox.owner_id, &lockbox.serial);
    let now = lockboxes::by_id(tx.conn(), id).await?.ok_or_else(gone)?;
    if now.heard_settings_version != lockbox.heard_settings_version {
        tx.touch::<Keypad>(lockbox.owner_id, &lockbox.serial);
    }
    revocations::heard(app, tx, &lockbox, &now).await?;
    if is_low(&lockbox) != is_low(&now) {
        for grant in grants::open_at(tx.conn(), id, app.now()).await? {
            if let Some(holder) = grant.grantee_id {
                tx.touch::<Access>(holder, grant.id);
            }
        }
    }
    if lockbox.has_pending_settings() && !now.has_pending_settings() {
        for holder in store::credentials::carriers(tx.conn(), lockbox.id, app.now()).await? {
            tx.touch::<LockSettings>(holder, &lockbox.serial);
        }
    }
    Ok(())
}
