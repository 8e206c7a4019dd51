//! Calls to the backend by what is no phone, a hub or a card reader: JSON over HTTP, under a key or token.

use std::sync::Arc;

use sentri_core::http::{Http, HttpRequest, Method, NoTls};
use sentri_wire::{Problem, Secret};
use serde::{Serialize, de::DeserializeOwned};

use crate::phone::{Meter, Network, Surroundings};

/// Why a call brought nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallTrouble {
    /// The backend can't be reached, or its answer got lost.
    #[error("The backend can't be reached.")]
    Offline,
    /// The backend refused.
    #[error("The backend refused: {0}")]
    Refused(Box<Problem>),
    /// The answer is not as documented.
    #[error("The backend's answer can't be read.")]
    Garbled,
    /// The network can't be set up.
    #[error(transparent)]
    Network(#[from] NoTls),
}

/// Who calls.
pub(crate) struct Caller {
    http: Arc<dyn Http>,
    base_url: String,
    bearer: Option<Secret>,
}

impl Caller {
    /// Somebody whom the backend does not know yet.
    pub(crate) fn new(around: &Surroundings) -> Result<Self, NoTls> {
        // What phones exchange is counted, and this is none.
        let network = Network::new(around.cuts.clone(), Meter::default(), around.clock.clone())?;
        Ok(Self::over(Arc::new(network), around))
    }

    /// The same over this network. One that takes time lets the clock of the surroundings stand still by itself.
    pub(crate) fn over(http: Arc<dyn Http>, around: &Surroundings) -> Self {
        Self { http, base_url: around.base_url.clone(), bearer: None }
    }

    /// The same, with this key or token from now on.
    pub(crate) fn with(self, bearer: Secret) -> Self {
        Self { bearer: Some(bearer), ..self }
    }

    pub(crate) async fn get<A: DeserializeOwned>(&self, path: &str) -> Result<A, CallTrouble> {
        self.call(Method::Get, path, None).await
    }

    pub(crate) async fn post<B: Serialize, A: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
    ) -> Result<A, CallTrouble> {
        let body = serde_json::to_vec(body).map_err(|_| CallTrouble::Garbled)?;
        self.call(Method::Post, path, Some(body)).await
    }

    async fn call<A: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<A, CallTrouble> {
        let bearer = self.bearer.iter().map(|it| ("authorization", format!("Bearer {}", it.expose())));
        let json = ("content-type", "application/json".to_owned());
        let headers = bearer.chain([json]).collect();
        let request = HttpRequest { method, url: format!("{}{path}", self.base_url), headers, body };
        let answer = self.http.send(request).await.map_err(|_| CallTrouble::Offline)?;
        if (200..300).contains(&answer.status) {
            return serde_json::from_slice(&answer.body).map_err(|_| CallTrouble::Garbled);
        }
        let problem = serde_json::from_slice(&answer.body).map_err(|_| CallTrouble::Garbled)?;
        Err(CallTrouble::Refused(Box::new(problem)))
    }
}
