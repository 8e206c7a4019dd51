//! Takes up access events and audit records: each leaves the phone only once the backend has answered for it.

use sentri_wire::{
    event::{AccessEvent, AuditReceipt, AuditUpload, EventReceipts, EventUpload},
    problem::ProblemCode,
};
use uuid::Uuid;

use crate::{
    codes::offline,
    http::{ApiError, Call, percent},
    session::{Session, SessionError},
    store::{self, AuditBatch, BackedUp},
};

/// As many as the backend takes at once.
const BATCH: u32 = 100;

/// Uploads all that waits.
pub async fn upload(session: &Session) -> Result<(), SessionError> {
    settle_drafts(session).await?;
    upload_events(session).await?;
    upload_audit(session).await?;
    offline::upload(session).await
}

/// An open that could not write down its end, as the device was full, has left a draft: "unanswered" is what it says.
async fn settle_drafts(session: &Session) -> Result<(), SessionError> {
    let Ok(_nobody_opens) = session.opening.try_lock() else { return Ok(()) };
    if session.vault.run(|store| store.read().drafts()).await? > 0 {
        session.vault.run(|it| it.write("outbox.adopt", store::settle_drafts)).await?;
    }
    Ok(())
}

async fn upload_events(session: &Session) -> Result<(), SessionError> {
    let mut at_most = BATCH;
    loop {
        let events = session.vault.run(move |store| store.read().queued(at_most)).await?;
        if events.is_empty() {
            return Ok(());
        }
        let sent: Vec<Uuid> = events.iter().map(|event| event.id).collect();
        let answered = match send(session, events).await {
            Ok(answered) => answered,
            Err(error) if !is_the_bodys_fault(&error) => return Err(error),
            // One event that no backend will ever take must not hold up the others: find it, and let it go.
            Err(_) if sent.len() == 1 => sent.clone(),
            Err(_) => {
                at_most = 1;
                continue;
            }
        };
        session.vault.run(move |store| store.write("outbox.remove", |rows| rows.dequeue(&answered))).await?;
        session.changes.note();
    }
}

/// Gives the events that the backend has answered for, whatever became of them. [SYN-3]
async fn send(session: &Session, events: Vec<AccessEvent>) -> Result<Vec<Uuid>, SessionError> {
    let sent: Vec<Uuid> = events.iter().map(|event| event.id).collect();
    let call = Call::post("/v1/events", &EventUpload { events })?.repeatable();
    let receipts: EventReceipts = session.call(&call).await?;
    let answered: Vec<Uuid> =
        receipts.receipts.iter().map(|it| it.id).filter(|id| sent.contains(id)).collect();
    if answered.is_empty() {
        return Err(ApiError::Garbled.into());
    }
    Ok(answered)
}

fn is_the_bodys_fault(error: &SessionError) -> bool {
    matches!(error.code(), Some(ProblemCode::Malformed | ProblemCode::Invalid | ProblemCode::TooLarge))
}

async fn upload_audit(session: &Session) -> Result<(), SessionError> {
    let batches: Vec<AuditBatch> = session.vault.run(|store| store.read().all()).await?;
    for AuditBatch { id, lockbox, batch } in batches {
        let path = format!("/v1/locks/{}/audit", percent(&lockbox));
        let call = Call::post(&path, &AuditUpload { batch })?.repeatable();
        let receipt = match session.call::<AuditReceipt>(&call).await {
            Ok(receipt) => Some(BackedUp { lockbox, acknowledgement: receipt.acknowledgement }),
            Err(error) if is_refused_for_good(&error) => None,
            Err(error) => return Err(error),
        };
        session
            .vault
            .run(move |store| {
                store.write("audit.uploaded", |rows| {
                    rows.remove::<AuditBatch>(&id.to_string())?;
                    receipt.iter().try_for_each(|receipt| rows.put(receipt))
                })
            })
            .await?;
    }
    Ok(())
}

/// The records stay on the lock until they are acknowledged: another phone brings them.
fn is_refused_for_good(error: &SessionError) -> bool {
    is_the_bodys_fault(error)
        || matches!(
            error.code(),
            Some(ProblemCode::Forbidden | ProblemCode::NotFound | ProblemCode::Conflict)
        )
}
