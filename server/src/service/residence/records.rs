//! What a door's lock says of itself: its log, as phones carry it, tells which codes it has. [RES-5]

use sentri_protocol::audit::{Batch, Entry, Kind};
use sentri_wire::event::{AuditReceipt, AuditUpload};

use super::{App, deliveries};
use crate::{
    refusal::{Answer, Refusal},
    service::locks::{self, Kept},
    store::{
        Writing,
        doors::{self, DoorRow},
        lockboxes::AuditMark,
    },
};

/// Takes the records of a door's lock, and answers with what lets the lock free them.
pub async fn take(app: &App, mut tx: Writing, serial: &str, upload: &AuditUpload) -> Answer<AuditReceipt> {
    doors::hold(tx.conn(), serial).await?;
    let door = doors::by_serial(tx.conn(), serial).await?.ok_or_else(Refusal::not_found)?;
    let keys = app.door_keys(&door)?;
    let (batch, entries) = Batch::open(&keys, upload.batch.as_ref())
        .map_err(|_| Refusal::invalid("batch", "These are no records of this lock."))?;
    for (number, entry) in (i64::from(batch.first)..).zip(&entries) {
        if doors::insert_record(tx.conn(), door.id, &locks::row(number, entry)).await?
            && entry.kind == Kind::Codes
        {
            hear(&mut tx, serial, entry).await?;
        }
    }
    let kept = Kept { number: door.audit_number, tag: &door.audit_tag, lost: door.audit_lost };
    let mark = locks::next_mark(&kept, &batch)?;
    let tag = hex::encode(mark.tag);
    let to = AuditMark { number: mark.number, tag: &tag, lost: i64::from(batch.lost).max(door.audit_lost) };
    doors::move_audit_mark(tx.conn(), door.id, &to, app.now()).await?;
    tx.commit().await?;
    locks::receipt(&keys, &mark)
}

/// A record of a delivery: the version that the lock had then, and which orders it did not carry out.
async fn hear(tx: &mut Writing, serial: &str, entry: &Entry) -> Answer<()> {
    // Read again: the record before may have raised the version.
    let door: DoorRow = doors::by_serial(tx.conn(), serial).await?.ok_or_else(Refusal::not_found)?;
    let [v0, v1, v2, v3, n0, n1, _, _] = entry.who;
    let version = u32::from_be_bytes([v0, v1, v2, v3]);
    deliveries::heard(tx, &door, version.into(), u16::from_be_bytes([n0, n1])).await
}
