//! Asking a feed for a page.

use std::time::Duration;

use async_trait::async_trait;
use chrono::DateTime;
use reqwest::{StatusCode, Url, header};
use sentri_wire::{Secret, Timestamp};
use serde_json::Value;

use crate::https;

/// How long one page may take; shorter than a lease.
const LONGEST_CALL: Duration = Duration::from_secs(45);
/// The largest page that is read, in bytes.
const LARGEST_PAGE: usize = 32 * 1024 * 1024;
/// How long to wait where a feed says that it was asked too often, and not for how long, in seconds.
const DEFAULT_WAIT: i64 = 60;

/// A page of a feed.
#[derive(Debug, Default)]
pub struct FeedPage {
    /// The records, as they came.
    pub records: Vec<Value>,
    /// `@odata.nextLink`, as it came.
    pub next: Option<String>,
}

/// How long a feed wants to be left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// So many seconds.
    Seconds(i64),
    /// Until then.
    Until(Timestamp),
}

/// Why there is no page. No text quotes what the feed said, or its address: they can hold tokens.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// It was asked too often.
    #[error("the feed wants to be asked less often")]
    SlowDown(Wait),
    /// It does not know the link, or the question.
    #[error("the feed answered {0}: it does not know the question")]
    Unknown(u16),
    /// Something failed.
    #[error("{0}")]
    Failed(String),
}

/// Gets pages. Called from the server's runtime, one page after the other for each feed.
#[async_trait]
pub trait FeedPort: Send + Sync {
    /// Gets the page at a URL, of at most so many records where the feed lets itself be told.
    async fn page(&self, url: &Url, bearer: Option<&Secret>, most: u32) -> Result<FeedPage, FeedError>;
}

/// Over HTTP.
pub struct HttpFeed(reqwest::Client);

impl HttpFeed {
    /// A client that trusts the public certificates.
    pub fn new() -> Result<Self, String> {
        https::client(LONGEST_CALL).map(Self).ok_or_else(|| "the listings feed's TLS can't be set up".into())
    }
}

fn failed(what: impl Into<String>) -> FeedError {
    FeedError::Failed(what.into())
}

#[async_trait]
impl FeedPort for HttpFeed {
    async fn page(&self, url: &Url, bearer: Option<&Secret>, most: u32) -> Result<FeedPage, FeedError> {
        let mut request = self.0.get(url.clone()).header(header::ACCEPT, "application/json");
        request = request.header("prefer", format!("odata.maxpagesize={most}"));
        if let Some(bearer) = bearer {
            request = request.bearer_auth(bearer.expose());
        }
        let answer = request.send().await.map_err(|_| failed("the feed was not reached"))?;
        match answer.status() {
            status if status.is_success() => parse(&read(answer).await?),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                Err(FeedError::SlowDown(wait(answer.headers())))
            }
            status @ (StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::GONE) => {
                Err(FeedError::Unknown(status.as_u16()))
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(failed(
                "the feed refused the bearer token: put a current one into listings_feed.bearer_file",
            )),
            status => Err(failed(format!("the feed answered {}", status.as_u16()))),
        }
    }
}

/// Reads a body up to the limit.
async fn read(mut answer: reqwest::Response) -> Result<Vec<u8>, FeedError> {
    let mut body = Vec::new();
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= LARGEST_PAGE => body.extend_from_slice(&chunk),
            Ok(Some(_)) => return Err(failed("the feed's page is too large: set listings_feed.page lower")),
            Ok(None) => return Ok(body),
            Err(_) => return Err(failed("the feed broke off in the middle of a page")),
        }
    }
}

fn parse(body: &[u8]) -> Result<FeedPage, FeedError> {
    let mut page: Value = serde_json::from_slice(body).map_err(|_| failed("the feed's page is no JSON"))?;
    let Some(Value::Array(records)) = page.get_mut("value").map(Value::take) else {
        return Err(failed("the feed's page has no list of records"));
    };
    match page.get_mut("@odata.nextLink").map(Value::take) {
        None | Some(Value::Null) => Ok(FeedPage { records, next: None }),
        Some(Value::String(link)) => Ok(FeedPage { records, next: Some(link) }),
        Some(_) => Err(failed("the feed's link to the next page is no text")),
    }
}

/// `Retry-After`: seconds, or a date.
fn wait(headers: &header::HeaderMap) -> Wait {
    let text = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match (text.trim().parse(), DateTime::parse_from_rfc2822(text)) {
        (Ok(seconds), _) => Wait::Seconds(seconds),
        (_, Ok(date)) => Wait::Until(date.timestamp()),
        _ => Wait::Seconds(DEFAULT_WAIT),
    }
}
