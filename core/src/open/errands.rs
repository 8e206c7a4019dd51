//! What else a phone does while it is connected: bring time, revocations, settings, codes and acknowledgements,
//! and take audit records along. None of it holds up the user, and none of it can fail the open. Another open that waits
//! for the link ends them at the next answer.

use std::time::Duration;

use sentri_protocol::{
    audit::{Acknowledgement, Batch, MAX_BATCH},
    clock::FreshTime,
    open::channel::{Applied, LockMessage, PhoneChannel, PhoneMessage},
    status::{SignedStatus, Status},
};
use sentri_wire::{
    Binary,
    codes::CodeDelivery,
    credential::{TimeRequest, TimeResponse},
};

use super::{exchange::Connection, held::Parcel};
use crate::{
    http::{Call, percent},
    ports::random_uuid,
    session::Session,
    store::{AuditBatch, BackedUp},
};

/// How long the backend may take for a time token; the lock takes one within 15 s of M2.
const TOKEN: Duration = Duration::from_secs(8);
/// How long all errands together may take.
const ALL: Duration = Duration::from_secs(10);

/// Brings a fresh time token, where the backend can be reached: the lock judges the operation again.
pub(crate) async fn bring_time(
    session: &Session,
    connection: &mut Connection<'_>,
    channel: &mut PhoneChannel,
    lockbox: &str,
) -> Option<(Status, SignedStatus)> {
    let path = format!("/v1/locks/{}/time", percent(lockbox));
    let request = TimeRequest { handshake_hash: Binary::from(*channel.handshake_hash()) };
    let call = Call::post(&path, &request).ok()?;
    let answered = tokio::select! {
        answered = session.call::<TimeResponse>(&call) => answered.ok()?,
        () = session.api.clock.sleep(TOKEN) => return None,
    };
    let token = FreshTime::decode(answered.token.as_ref()).ok()?;
    match connection.exchange(channel, &PhoneMessage::FreshTime(token)).await? {
        LockMessage::Judged(signed) => Some((Status::decode(&signed).ok()?, signed)),
        _ => None,
    }
}

/// What the lock took of what the phone carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Handed {
    /// The link held until all was handed over.
    pub complete: bool,
    /// The version of the lock's codes after it, as far as it was said.
    pub codes_version: Option<u32>,
    /// The lock did not take some of them: another code there is the same.
    pub not_taken: bool,
    /// Entries that this added to the lock's log.
    entries: u32,
    /// One of them is the lock's word that it has settings or codes.
    is_waited_for: bool,
}

/// Runs all other errands, as far as the time and the link allow.
pub(crate) async fn run(
    session: &Session,
    mut connection: Connection<'_>,
    channel: &mut PhoneChannel,
    status: &Status,
    lockbox: &str,
) -> Handed {
    let deadline = connection.now() + ALL;
    let mut handed = Handed::default();
    // Each ends by itself where the link is gone.
    let whole = hand_over(session, &mut connection, channel, status, lockbox, &mut handed).await;
    handed.complete = whole.is_some();
    // That it has settings or codes now, the lock has written down: somebody waits for that word.
    let head = status.log_head.saturating_add(if handed.is_waited_for { handed.entries } else { 0 });
    let _ = take_records(session, &mut connection, channel, (status, head), lockbox, deadline).await;
    connection.end().await;
    handed
}

async fn hand_over(
    session: &Session,
    connection: &mut Connection<'_>,
    channel: &mut PhoneChannel,
    status: &Status,
    lockbox: &str,
    handed: &mut Handed,
) -> Option<()> {
    let name = lockbox.to_owned();
    let parcel = session.read(move |rows| Parcel::read(rows, &name)).await.ok()?;
    if let Some(list) = parcel.revocations.filter(|it| it.version > status.revocation_version) {
        let list = PhoneMessage::Revocations(list.list.as_ref().to_vec());
        let answer = connection.exchange(channel, &list).await?;
        let is_news = matches!(answer, LockMessage::Revocations { result: Applied::Now, .. });
        handed.entries += u32::from(is_news);
    }
    if connection.is_wanted() {
        return None;
    }
    if let Some(settings) = parcel.settings.filter(|it| it.version > status.settings_version) {
        let settings = PhoneMessage::Settings(settings.settings.as_ref().to_vec());
        let answer = connection.exchange(channel, &settings).await?;
        let is_news = matches!(answer, LockMessage::Settings { result: Applied::Now, .. });
        handed.entries += u32::from(is_news);
        handed.is_waited_for |= is_news;
    }
    if connection.is_wanted() {
        return None;
    }
    if let Some(codes) = parcel.codes {
        hand_over_codes(connection, channel, &codes, handed).await?;
    }
    if connection.is_wanted() {
        return None;
    }
    if let Some(backed_up) = parcel.backed_up {
        acknowledge(session, connection, channel, backed_up).await?;
    }
    Some(())
}

/// Each on top of the one before. A lock that has one of them already says so, and is given the next. [RES-5]
async fn hand_over_codes(
    connection: &mut Connection<'_>,
    channel: &mut PhoneChannel,
    codes: &CodeDelivery,
    handed: &mut Handed,
) -> Option<()> {
    for delivery in &codes.deliveries {
        let message = PhoneMessage::Codes(delivery.as_ref().to_vec());
        let LockMessage::Codes { result, version, not_done } = connection.exchange(channel, &message).await?
        else {
            return None;
        };
        handed.codes_version = Some(version);
        handed.not_taken |= not_done != 0;
        match result {
            Applied::Now => {
                handed.entries += 1;
                handed.is_waited_for = true;
            }
            Applied::Already => {}
            Applied::Refused | Applied::FlashFailed => return None,
        }
    }
    Some(())
}

/// Tells the lock up to where its records are safe. What it has taken, or never will, need not be kept.
async fn acknowledge(
    session: &Session,
    connection: &mut Connection<'_>,
    channel: &mut PhoneChannel,
    backed_up: BackedUp,
) -> Option<()> {
    let answer = match Acknowledgement::decode(backed_up.acknowledgement.as_ref()) {
        Ok(acknowledgement) => {
            connection.exchange(channel, &PhoneMessage::Acknowledge(acknowledgement)).await?
        }
        Err(_) => LockMessage::Malformed,
    };
    if !matches!(answer, LockMessage::Acknowledged { result: Applied::FlashFailed, .. }) {
        let lockbox = backed_up.lockbox;
        session.write("ack.delivered", move |rows| rows.remove::<BackedUp>(&lockbox)).await.ok()?;
    }
    Some(())
}

/// Takes along the records that nobody has backed up yet, oldest first.
async fn take_records(
    session: &Session,
    connection: &mut Connection<'_>,
    channel: &mut PhoneChannel,
    (status, head): (&Status, u32),
    lockbox: &str,
    deadline: Duration,
) -> Option<()> {
    let mut from = status.log_head.checked_sub(u32::from(status.unacknowledged))?.checked_add(1)?;
    while from <= head && connection.now() < deadline && !connection.is_wanted() {
        let question = PhoneMessage::ReadAudit { from, at_most: MAX_BATCH };
        let LockMessage::Audit(batch) = connection.exchange(channel, &question).await? else { return None };
        let (first, count) = Batch::peek(&batch).ok()?;
        if count == 0 {
            return Some(());
        }
        from = first.checked_add(u32::from(count))?;
        let id = random_uuid(&*session.api.random).ok()?;
        let record = AuditBatch { id, lockbox: lockbox.to_owned(), batch: batch.into() };
        session.write("audit.taken", move |rows| rows.put(&record)).await.ok()?;
    }
    Some(())
}
