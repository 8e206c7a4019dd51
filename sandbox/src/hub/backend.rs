//! The hub's calls to the backend: HTTP under the hub's key, and nothing else.

use sentri_wire::{
    Binary, Secret,
    credential::{TimeRequest, TimeResponse},
    event::{AuditReceipt, AuditUpload},
    hub::{HubOrders, HubReport},
};

use crate::calls::{CallTrouble, Caller};

pub(super) struct Backend(Caller);

impl Backend {
    pub(super) fn new(caller: Caller, key: Secret) -> Self {
        Self(caller.with(key))
    }

    pub(super) async fn call(&self, report: &HubReport) -> Result<HubOrders, CallTrouble> {
        self.0.post("/v1/hub/calls", report).await
    }

    pub(super) async fn time(&self, lock: &str, hash: &[u8; 32]) -> Result<TimeResponse, CallTrouble> {
        let request = TimeRequest { handshake_hash: Binary::from(*hash) };
        self.0.post(&format!("/v1/hub/locks/{lock}/time"), &request).await
    }

    pub(super) async fn records(&self, lock: &str, batch: Vec<u8>) -> Result<AuditReceipt, CallTrouble> {
        let upload = AuditUpload { batch: batch.into() };
        self.0.post(&format!("/v1/hub/locks/{lock}/audit"), &upload).await
    }
}
