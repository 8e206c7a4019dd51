//! What else a phone does while it is connected: bring time, revocations, settings and acknowledgements, and
//! take audit records along. None of it holds up the user, and none of it can fail the open. Another open that waits
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

/// Runs all other errands, as far as the time and the link allow.
pub(crate) async fn run(
    session: &Session,
    mut connection: Connection<'_>,
    channel: &mut PhoneChannel,
    status: &Status,
    lockbox: &str,
) {
    let deadline = connection.now() + ALL;
    // Each ends by itself where the link is gone.
    let mut handed = Handed::default();
    let _ = hand_over(session, &mut connection, channel, status, lockbox, &mut handed).await;
    // That it has the settings now, the lock has written down: its owner waits for that word.
    let head = status.log_head.saturating_add(if handed.has_settings { handed.records } else { 0 });
    let _ = take_records(session, &mut connection, channel, (status, head), lockbox, deadline).await;
    connection.end().await;
}

/// What the lock took.
#[derive(Default)]
struct Handed {
    /// Records that it wrote of that.
    records: u32,
    has_settings: bool,
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
        handed.records += u32::from(is_news);
    }
    if connection.is_wanted() {
        return None;
    }
    if let Some(settings) = parcel.settings.filter(|it| it.version > status.settings_version) {
        let settings = PhoneMessage::Settings(settings.settings.as_ref().to_vec());
        let answer = connection.exchange(channel, &settings).await?;
        handed.has_settings = matches!(answer, LockMessage::Settings { result: Applied::Now, .. });
        handed.records += u32::from(handed.has_settings);
    }
    if connection.is_wanted() {
        return None;
    }
    if let Some(codes) = parcel.codes {
        deliver(session, connection, channel, codes).await?;
    }
    if connection.is_wanted() {
        return None;
    }
    if let Some(backed_up) = parcel.backed_up {
        acknowledge(session, connection, channel, backed_up).await?;
    }
    Some(())
}

/// Brings what changes in the lock's codes. What the lock has need not be brought again; what it refuses, another sync
/// may bring anew.
async fn deliver(
    session: &Session,
    connection: &mut Connection<'_>,
    channel: &mut PhoneChannel,
    codes: CodeDelivery,
) -> Option<()> {
    let answer = connection.exchange(channel, &PhoneMessage::Codes(codes.delivery.as_ref().to_vec())).await?;
    if !matches!(answer, LockMessage::Codes { result: Applied::FlashFailed, .. }) {
        let lockbox = codes.lockbox.clone();
        session.write("codes.delivered", move |rows| rows.remove::<CodeDelivery>(&lockbox)).await.ok()?;
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
