//! The hub's calls to the backend: HTTP under the hub's key, and nothing else.

use sentri_core::http::{Http, HttpRequest, Method, NoTls, SystemHttp};
use sentri_wire::{
    Binary, Problem, Secret,
    credential::{TimeRequest, TimeResponse},
    event::{AuditReceipt, AuditUpload},
    hub::{HubOrders, HubReport},
    problem::ProblemCode,
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{clock::Clock, phone::Surroundings};

/// Why a call brought nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallTrouble {
    /// The backend can't be reached, or its answer got lost.
    #[error("The backend can't be reached.")]
    Offline,
    /// The backend refused.
    #[error("The backend refused: {0:?}.")]
    Refused(ProblemCode),
    /// The answer is not as documented.
    #[error("The backend's answer can't be read.")]
    Garbled,
}

pub(super) struct Backend {
    http: SystemHttp,
    clock: Clock,
    base_url: String,
    key: Secret,
}

impl Backend {
    pub(super) fn new(around: &Surroundings, key: Secret) -> Result<Self, NoTls> {
        let (clock, base_url) = (around.clock.clone(), around.base_url.clone());
        Ok(Self { http: SystemHttp::new()?, clock, base_url, key })
    }

    pub(super) async fn call(&self, report: &HubReport) -> Result<HubOrders, CallTrouble> {
        self.post("/v1/hub/calls", report).await
    }

    pub(super) async fn time(&self, lock: &str, hash: &[u8; 32]) -> Result<TimeResponse, CallTrouble> {
        let request = TimeRequest { handshake_hash: Binary::from(*hash) };
        self.post(&format!("/v1/hub/locks/{lock}/time"), &request).await
    }

    pub(super) async fn records(&self, lock: &str, batch: Vec<u8>) -> Result<AuditReceipt, CallTrouble> {
        let upload = AuditUpload { batch: batch.into() };
        self.post(&format!("/v1/hub/locks/{lock}/audit"), &upload).await
    }

    async fn post<B: Serialize, A: DeserializeOwned>(&self, path: &str, body: &B) -> Result<A, CallTrouble> {
        // Simulated time stands still while an exchange goes on.
        let _busy = self.clock.busy();
        let request = HttpRequest {
            method: Method::Post,
            url: format!("{}{path}", self.base_url),
            headers: vec![
                ("authorization", format!("Bearer {}", self.key.expose())),
                ("content-type", "application/json".into()),
            ],
            body: Some(serde_json::to_vec(body).map_err(|_| CallTrouble::Garbled)?),
        };
        let answer = self.http.send(request).await.map_err(|_| CallTrouble::Offline)?;
        if (200..300).contains(&answer.status) {
            return serde_json::from_slice(&answer.body).map_err(|_| CallTrouble::Garbled);
        }
        let problem: Problem = serde_json::from_slice(&answer.body).map_err(|_| CallTrouble::Garbled)?;
        Err(CallTrouble::Refused(problem.code))
    }
}
