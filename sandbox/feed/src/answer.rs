//! Answering one request: a page, or what goes wrong with it.

use std::{collections::BTreeMap, convert::Infallible, io, sync::Arc};

use axum::{
    Json,
    body::{Body, Bytes},
    extract::{Query as Params, RawQuery, State as Held},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use serde_json::{Value, json};

use crate::{Fault, PATH, Shelf, State, query::Query};

pub(crate) async fn answer(
    Held(shelf): Held<Arc<Shelf>>,
    headers: HeaderMap,
    RawQuery(raw): RawQuery,
    Params(params): Params<BTreeMap<String, String>>,
) -> Result<Response, Infallible> {
    let mut state = shelf.state();
    state.requests.push(raw.unwrap_or_default());
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if bearer.and_then(|it| it.strip_prefix("Bearer ")) != Some(shelf.bearer.as_str()) {
        return Ok(refusal(StatusCode::UNAUTHORIZED, "Say who you are."));
    }
    let fault = state.faults.pop_front().unwrap_or(Fault::None);
    Ok(match &fault {
        Fault::TooManyRequests(wait) => {
            let refused = refusal(StatusCode::TOO_MANY_REQUESTS, "Not so fast.");
            ([(header::RETRY_AFTER, wait.clone())], refused).into_response()
        }
        Fault::Status(status) => {
            refusal(StatusCode::from_u16(*status).unwrap_or_default(), "Something failed.")
        }
        Fault::NoJson => ([(header::CONTENT_TYPE, "text/html")], "<h1>Welcome</h1>").into_response(),
        Fault::NoPage => Json(json!({ "value": "none" })).into_response(),
        fault => match Query::read(&params) {
            Ok(query) => send(&page(&mut state, &query, &params, fault), *fault == Fault::BreaksOff),
            Err(why) => refusal(StatusCode::BAD_REQUEST, &why),
        },
    })
}

/// As OData writes an error.
fn refusal(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "error": { "code": status.as_str(), "message": message } }))).into_response()
}

fn page(state: &mut State, query: &Query, params: &BTreeMap<String, String>, fault: &Fault) -> Value {
    let found = query.find(state.records.values());
    let length = query.top.min(state.largest_page).min(found.len());
    let all = if state.has_strict_top { query.top.min(found.len()) } else { found.len() };
    let mut records: Vec<Value> =
        found.into_iter().take(length).map(|record| query.selected(record)).collect();
    let mut next = (all > length).then(|| next_link(state, query, params, length));
    let last = std::mem::replace(&mut state.last_page, records.clone());
    match fault {
        Fault::Repeats => records.splice(0..0, last).for_each(drop),
        Fault::Skips(count) => records.drain(..(*count).min(length)).for_each(drop),
        Fault::Reorders => records.reverse(),
        Fault::NextLink(link) => next = Some(link.clone()),
        Fault::Adds(record) => records.push(record.clone()),
        _ => {}
    }
    let mut page = json!({ "@odata.context": "$metadata#Property", "value": records });
    if let (Some(next), Some(fields)) = (next, page.as_object_mut()) {
        fields.insert("@odata.nextLink".into(), next.into());
    }
    page
}

/// The same question from the next record on, as a path: the importer finds its host by itself.
fn next_link(state: &State, query: &Query, params: &BTreeMap<String, String>, length: usize) -> String {
    let mut params = params.clone();
    params.insert("$skip".into(), (query.skip + length).to_string());
    if state.has_strict_top {
        params.insert("$top".into(), query.top.saturating_sub(length).to_string());
    }
    let encoded: Vec<String> = params
        .iter()
        .map(|(name, value)| format!("{name}={}", value.replace('+', "%2B").replace(' ', "%20")))
        .collect();
    format!("{PATH}?{}", encoded.join("&"))
}

/// Sends a page, or half of it.
fn send(page: &Value, breaks_off: bool) -> Response {
    if !breaks_off {
        return Json(page).into_response();
    }
    let text = page.to_string();
    let (half, _) = text.as_bytes().split_at(text.len() / 2);
    let chunks = [Ok(Bytes::copy_from_slice(half)), Err(io::Error::other("broken off"))];
    ([(header::CONTENT_TYPE, "application/json")], Body::from_stream(stream::iter(chunks))).into_response()
}
