//! Reading a request: who calls, which object, which body. Whatever is wrong with it becomes a problem
//! document that names the field.

use std::collections::BTreeMap;

use axum::{
    Json,
    body::{Bytes, to_bytes},
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use sentri_wire::{Secret, headers::IDEMPOTENCY_KEY, problem::ProblemCode};
use serde::de::DeserializeOwned;

use super::Shared;
use crate::{
    refusal::{Answer, Refusal},
    service::{
        Caller,
        identity::{self, Identity},
        login::{self, Admission},
        once::Once,
        residence::hubs::{self, CallingHub},
    },
};

/// Who calls, in good standing.
pub struct Auth(pub Caller);

/// Who calls, in good standing or not.
pub struct AnyStanding(pub Caller);

/// Who calls, in good standing or not, on a device that may have been removed.
pub struct AnyDevice(pub Caller);

/// Who has proven who they are, with password and mailed code.
pub struct Proven(pub Identity);

/// Which hub calls.
pub struct Hub(pub CallingHub);

impl FromRequestParts<Shared> for Auth {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Answer<Self> {
        login::authenticate(app, &bearer(&parts.headers)?, Admission::GoodStanding).await.map(Self)
    }
}

impl FromRequestParts<Shared> for AnyStanding {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Answer<Self> {
        login::authenticate(app, &bearer(&parts.headers)?, Admission::AnyStanding).await.map(Self)
    }
}

impl FromRequestParts<Shared> for AnyDevice {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Answer<Self> {
        login::authenticate(app, &bearer(&parts.headers)?, Admission::AnyDevice).await.map(Self)
    }
}

impl FromRequestParts<Shared> for Proven {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Answer<Self> {
        identity::authenticate(app, &bearer(&parts.headers)?).await.map(Self)
    }
}

impl FromRequestParts<Shared> for Hub {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Answer<Self> {
        hubs::authenticate(app, &bearer(&parts.headers)?).await.map(Self)
    }
}

fn bearer(headers: &HeaderMap) -> Answer<Secret> {
    headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
        .map(|token| Secret::new(token.trim()))
        .ok_or_else(|| Refusal::new(ProblemCode::NotLoggedIn).field("authorization"))
}

/// The one parameter of a path.
pub struct Segment(pub String);

impl FromRequestParts<Shared> for Segment {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Answer<Self> {
        let path = Path::<String>::from_request_parts(parts, app).await;
        path.map(|Path(segment)| Self(segment)).map_err(|_| Refusal::not_found())
    }
}

/// The parameters of the query.
pub struct Params(BTreeMap<String, String>);

impl FromRequestParts<Shared> for Params {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Answer<Self> {
        let malformed = || Refusal::new(ProblemCode::Malformed).field("query");
        let Query(pairs) =
            Query::<Vec<(String, String)>>::try_from_uri(&parts.uri).map_err(|_| malformed())?;
        let mut params = BTreeMap::new();
        for (name, value) in pairs {
            if params.insert(name.clone(), value).is_some() {
                return Err(Refusal::new(ProblemCode::Malformed).field(name).detail("This is there twice."));
            }
        }
        Ok(Self(params))
    }
}

impl Params {
    /// Refuses everything but these names.
    pub fn only(self, names: &[&str]) -> Answer<Self> {
        match self.0.keys().find(|name| !names.contains(&name.as_str())) {
            Some(name) => {
                Err(Refusal::new(ProblemCode::Malformed).field(name).detail("There is no such parameter."))
            }
            None => Ok(self),
        }
    }

    /// The text of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A parameter, read as what it must be.
    pub fn parse<T: std::str::FromStr>(&self, name: &str) -> Answer<Option<T>> {
        self.get(name)
            .map(|text| text.parse().map_err(|_| Refusal::invalid(name, "This can't be read.")))
            .transpose()
    }

    /// A parameter that must be there.
    pub fn require<T: std::str::FromStr>(&self, name: &str) -> Answer<T> {
        self.parse(name)?.ok_or_else(|| Refusal::invalid(name, "This is missing."))
    }
}

/// The field that is named where the body as a whole is wrong.
const WHOLE: &str = "body";

/// A JSON body of a known form, with its bytes.
pub struct Body<T> {
    pub value: T,
    pub bytes: Bytes,
}

impl<T: DeserializeOwned> FromRequest<Shared> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, app: &Shared) -> Answer<Self> {
        refuse_other_types(request.headers())?;
        let bytes = read(request, app.config.body_limit).await?;
        let value = parse(&bytes)?;
        Ok(Self { value, bytes })
    }
}

/// Reads the body up to the limit. One that breaks off is answered the same, to nobody.
async fn read(request: Request, limit: usize) -> Answer<Bytes> {
    let too_large = || {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        Refusal::new(ProblemCode::TooLarge).field(WHOLE).limit(limit)
    };
    to_bytes(request.into_body(), limit).await.map_err(|_| too_large())
}

fn refuse_other_types(headers: &HeaderMap) -> Answer<()> {
    let Some(kind) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let is_json = kind.to_str().is_ok_and(|kind| {
        kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
    });
    if is_json {
        Ok(())
    } else {
        Err(Refusal::new(ProblemCode::Malformed).field("content-type").detail("Send application/json."))
    }
}

/// Parses JSON, and names the field that is wrong. What was sent is never quoted: it may be a password. A field that is
/// none is refused here for all requests: phones read the same types, and pass over what a later backend adds.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Answer<T> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let mut unknown = None;
    let mut note = |path: serde_ignored::Path<'_>| {
        unknown.get_or_insert_with(|| place(&path));
    };
    let read = serde_path_to_error::deserialize(serde_ignored::Deserializer::new(&mut json, &mut note));
    // A name that is spelled wrong is a missing one too: the former says more.
    let is_json = read.as_ref().err().is_none_or(|error| error.inner().is_data());
    if let Some(field) = unknown.filter(|_| is_json) {
        return Err(Refusal::new(ProblemCode::Malformed).field(field).detail("There is no such field."));
    }
    let value = read.map_err(|error| {
        let (name, detail) = explain(error.inner());
        let field = if error.inner().is_data() {
            field(&error.path().to_string(), name.as_deref())
        } else {
            WHOLE.to_owned()
        };
        Refusal::new(ProblemCode::Malformed).field(field).detail(detail)
    })?;
    json.end().map_err(|_| {
        Refusal::new(ProblemCode::Malformed)
            .field(WHOLE)
            .detail("Something follows the end of the JSON document.")
    })?;
    Ok(value)
}

/// A path as in `access_hours[0].weekday`.
fn place(path: &serde_ignored::Path<'_>) -> String {
    use serde_ignored::Path;
    match path {
        Path::Root => String::new(),
        Path::Seq { parent, index } => format!("{}[{index}]", place(parent)),
        Path::Map { parent, key } => match place(parent) {
            outer if outer.is_empty() => key.clone(),
            outer => format!("{outer}.{key}"),
        },
        Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => {
            place(parent)
        }
    }
}

/// What is wrong, and the field that is missing or unknown, out of serde's fixed phrases.
fn explain(error: &serde_json::Error) -> (Option<String>, &'static str) {
    let text = error.to_string();
    let quoted =
        |phrase: &str| text.strip_prefix(phrase).and_then(|rest| rest.split('`').nth(1)).map(str::to_owned);
    if !error.is_data() {
        return (None, "This is no JSON document.");
    }
    if let Some(name) = quoted("missing field ") {
        return (Some(name), "This field is missing.");
    }
    // What belongs to another form of the same object.
    if let Some(name) = quoted("unknown field ") {
        return (Some(name), "There is no such field.");
    }
    (None, "This is not of the documented type.")
}

/// Joins the path to the object with the name of the field in it.
fn field(path: &str, name: Option<&str>) -> String {
    let path = path.trim_matches('.');
    let is_named = |name: &str| path == name || path.ends_with(&format!(".{name}"));
    match name {
        Some(name) if path.is_empty() || path == "?" => name.to_owned(),
        Some(name) if !is_named(name) => format!("{path}.{name}"),
        _ if path.is_empty() || path == "?" => WHOLE.to_owned(),
        _ => path.to_owned(),
    }
}

/// The idempotency key of a request and its route.
pub struct Key {
    key: Option<String>,
    route: String,
}

impl FromRequestParts<Shared> for Key {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Answer<Self> {
        let key = parts.headers.get(IDEMPOTENCY_KEY).map(HeaderValue::to_str).transpose();
        let key = key.map_err(|_| Refusal::invalid(IDEMPOTENCY_KEY, "A UUID is right."))?;
        Ok(Self { key: key.map(str::to_owned), route: format!("{} {}", parts.method, parts.uri.path()) })
    }
}

impl Key {
    /// With the body that it came with.
    pub fn with(&self, app: &Shared, body: &[u8]) -> Answer<Once> {
        Once::new(app, self.key.as_deref(), &self.route, body)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let problem = match self {
            Self::Problem(problem) => problem,
            Self::Fault(fault) => {
                tracing::error!(fault, "a request failed on our side");
                match Self::new(ProblemCode::Internal).detail("Nothing was changed. Try again later.") {
                    Self::Problem(problem) => problem,
                    Self::Fault(_) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
                }
            }
        };
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = problem.retry_after;
        let mut response = (status, Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
