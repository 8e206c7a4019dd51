//! One call: JSON out, JSON or a problem document back, tried again where that is safe.

use std::{sync::Arc, time::Duration};

use sentri_wire::{Problem, Secret, headers, problem::ProblemCode};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{Backoff, BaseUrl, Http, HttpFailure, HttpRequest, HttpResponse, Method};
use crate::{
    diagnostic::Troubles,
    json,
    ports::{Clock, NoRandomness, Random, random_uuid},
};

/// Which app calls and in which version, as the header says it: `connect/2.8.0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientVersion(pub String);

/// The backend, as yet without a session.
#[derive(Clone)]
pub struct Api {
    /// The network.
    pub http: Arc<dyn Http>,
    /// Where the backend is.
    pub base_url: BaseUrl,
    /// Who calls.
    pub version: ClientVersion,
    /// For waits between tries.
    pub clock: Arc<dyn Clock>,
    /// For jitter and keys.
    pub random: Arc<dyn Random>,
    /// For the user's diagnostic text.
    pub troubles: Arc<Troubles>,
}

/// Why a call has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiError {
    /// The backend can't be reached, or the exchange broke each time.
    Offline,
    /// The backend refused, and said why.
    Refused(Box<Problem>),
    /// The answer is not what the contract says.
    Garbled,
    /// The device gives no random numbers.
    NoRandomness,
}

impl From<NoRandomness> for ApiError {
    fn from(_: NoRandomness) -> Self {
        Self::NoRandomness
    }
}

impl ApiError {
    /// The backend's code, where it refused.
    pub fn code(&self) -> Option<ProblemCode> {
        match self {
            Self::Refused(problem) => Some(problem.code),
            _ => None,
        }
    }
}

/// What to call.
pub struct Call<'a> {
    /// What it does.
    pub method: Method,
    /// The path with its query, from `/v1` on.
    pub path: &'a str,
    /// The JSON body.
    pub body: Option<Zeroizing<Vec<u8>>>,
    /// What makes an action happen once.
    pub idempotency_key: Option<Uuid>,
    /// Whether a broken exchange is tried again by itself.
    pub repeatable: bool,
}

impl<'a> Call<'a> {
    /// Reads; tried again by itself.
    pub fn get(path: &'a str) -> Self {
        Self { method: Method::Get, path, body: None, idempotency_key: None, repeatable: true }
    }

    /// Removes; tried again by itself, since removing twice is removing.
    pub fn delete(path: &'a str) -> Self {
        Self { method: Method::Delete, ..Self::get(path) }
    }

    /// Asks for something that needs no body; tried again by itself, since asking twice is asking.
    pub fn ask(path: &'a str) -> Self {
        Self { method: Method::Post, ..Self::get(path) }
    }

    /// Sends a body that may do something each time it arrives; never tried again by itself.
    pub fn post<B: Serialize>(path: &'a str, body: &B) -> Result<Self, ApiError> {
        let body = serde_json::to_vec(body).map_err(|_| ApiError::Garbled)?;
        let (method, body) = (Method::Post, Some(Zeroizing::new(body)));
        Ok(Self { method, path, body, idempotency_key: None, repeatable: false })
    }

    /// Makes it happen once, however often it arrives; tried again by itself.
    #[must_use]
    pub fn once(mut self, key: Uuid) -> Self {
        self.idempotency_key = Some(key);
        self.repeatable = true;
        self
    }

    /// Says that the body is harmless when it arrives twice; tried again by itself.
    #[must_use]
    pub fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }
}

/// Longest wish of the backend (`retry_after`) that a waiting person is kept for.
const PATIENCE: u32 = 3;

impl Api {
    /// A fresh key for an action that must happen once.
    pub fn fresh_key(&self) -> Result<Uuid, ApiError> {
        Ok(random_uuid(&*self.random)?)
    }

    /// Calls, and reads the answer's body.
    pub async fn call<T: DeserializeOwned>(
        &self,
        call: &Call<'_>,
        token: Option<&Secret>,
    ) -> Result<T, ApiError> {
        decoded(&self.answered(call, token).await?)
    }

    /// Calls where the answer has no body, or none that matters.
    pub async fn tell(&self, call: &Call<'_>, token: Option<&Secret>) -> Result<(), ApiError> {
        self.answered(call, token).await.map(drop)
    }

    /// Calls, and gives the answer's body as it came.
    pub(crate) async fn answered(
        &self,
        call: &Call<'_>,
        token: Option<&Secret>,
    ) -> Result<Zeroizing<Vec<u8>>, ApiError> {
        let answered = self.tried(call, token).await;
        if let Err(error) = &answered
            && error.code() != Some(ProblemCode::TokenExpired)
        {
            self.troubles.note(self.clock.now(), &error.clone().into());
        }
        answered
    }

    async fn tried(&self, call: &Call<'_>, token: Option<&Secret>) -> Result<Zeroizing<Vec<u8>>, ApiError> {
        let mut backoff = Backoff::interactive();
        loop {
            let tried = self.http.send(self.request(call, token)).await;
            let (error, at_least) = match tried.map(read) {
                Ok(Ok(body)) => return Ok(body),
                Ok(Err(error)) => match worth_waiting(&error) {
                    Some(seconds) => (error, Duration::from_secs(seconds.into())),
                    None => return Err(error),
                },
                Err(HttpFailure::Unreachable) => return Err(ApiError::Offline),
                Err(HttpFailure::Broken) => (ApiError::Offline, Duration::ZERO),
            };
            if !call.repeatable {
                return Err(error);
            }
            match backoff.next(&*self.random, at_least)? {
                Some(wait) => self.clock.sleep(wait).await,
                None => return Err(error),
            }
        }
    }

    fn request(&self, call: &Call<'_>, token: Option<&Secret>) -> HttpRequest {
        let mut headers = vec![
            ("accept", "application/json, application/problem+json".to_owned()),
            (headers::CLIENT_VERSION, self.version.0.clone()),
        ];
        if call.body.is_some() {
            headers.push(("content-type", "application/json".to_owned()));
        }
        if let Some(key) = call.idempotency_key {
            headers.push((headers::IDEMPOTENCY_KEY, key.to_string()));
        }
        if let Some(token) = token {
            headers.push(("authorization", format!("Bearer {}", token.expose())));
        }
        let body = call.body.as_ref().map(|body| body.to_vec());
        HttpRequest { method: call.method, url: self.base_url.join(call.path), headers, body }
    }
}

/// Reads an answer's body.
pub(crate) fn decoded<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    json::read(body).map_err(|_| ApiError::Garbled)
}

/// Splits good answers from problems.
fn read(response: HttpResponse) -> Result<Zeroizing<Vec<u8>>, ApiError> {
    let body = Zeroizing::new(response.body);
    if (200..300).contains(&response.status) {
        return Ok(body);
    }
    match json::read::<Problem>(&body) {
        Ok(problem) => Err(ApiError::Refused(Box::new(problem))),
        // A proxy on the way, or no backend of ours at all.
        Err(_) if response.status >= 500 => Err(ApiError::Offline),
        Err(_) => Err(ApiError::Garbled),
    }
}

/// Seconds after which the same call could succeed while the user still looks at the page.
fn worth_waiting(error: &ApiError) -> Option<u32> {
    match error {
        ApiError::Offline => Some(0),
        ApiError::Refused(problem) if problem.code == ProblemCode::SlowDown => {
            problem.retry_after.filter(|seconds| *seconds <= PATIENCE)
        }
        _ => None,
    }
}
