//! Formats field by field, as the vectors and the interoperability peer write them.

use sentri_protocol::ticket::Ticket;
use serde_json::{Value, json};

/// A ticket; bytes are in hex.
pub fn ticket(ticket: &Ticket) -> Value {
    json!({
        "credential": hex::encode(ticket.credential.0),
        "subject": hex::encode(ticket.subject.0),
        "epoch": ticket.epoch.0,
        "issued_at": ticket.issued_at.0,
        "not_before": ticket.window.not_before().0,
        "not_after": ticket.window.not_after().0,
        "schedule": hex::encode(ticket.schedule.encode()),
        "rights": ticket.rights.bits(),
        "device_key": ticket.device_key.map(|key| hex::encode(key.0)),
    })
}
