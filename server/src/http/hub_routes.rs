//! The routes of hubs: what is due for their locks, and what these say of themselves.

use sentri_wire::{credential, event, hub};

use super::{
    endpoint::{Access::Hub, Endpoint},
    hub_handlers as handlers,
    routes::POST,
};

/// All of them.
pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(POST, "/v1/hub/calls", Hub, handlers::call)
            .named("hubCall", "A hub says which locks it hears, and gets what is due for them.")
            .takes::<hub::HubReport>()
            .gives::<hub::HubOrders>(200, "Its locks, and what to bring them."),
        Endpoint::new(POST, "/v1/hub/locks/{serial}/time", Hub, handlers::time)
            .named("hubLockTime", "A fresh time token for a session with one of the hub's locks.")
            .takes::<credential::TimeRequest>()
            .gives::<credential::TimeResponse>(200, "The token."),
        Endpoint::new(POST, "/v1/hub/locks/{serial}/audit", Hub, handlers::audit)
            .named("hubLockAudit", "Hand in audit records of one of the hub's locks.")
            .takes::<event::AuditUpload>()
            .gives::<event::AuditReceipt>(200, "The acknowledgement for the lock."),
    ]
}
