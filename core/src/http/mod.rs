//! The way to the backend: a port for one exchange, its default over TLS, and typed calls on top.

mod backoff;
mod base_url;
mod call;
mod routes;
mod system;
mod tls;

pub use backoff::Backoff;
pub use base_url::{BadBaseUrl, BaseUrl};
pub(crate) use call::decoded;
pub use call::{Api, ApiError, Call, ClientVersion};
pub use routes::LogQuery;
pub(crate) use routes::{percent, sync_path};
pub use system::{NoTls, SystemHttp};

use crate::ports::BoxFuture;

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Changes something.
    Post,
    /// Removes something.
    Delete,
}

/// One request. Its `Debug` shows neither headers nor body: both hold secrets.
#[derive(Clone)]
pub struct HttpRequest {
    /// What it does.
    pub method: Method,
    /// The whole address.
    pub url: String,
    /// Name and value of each header.
    pub headers: Vec<(&'static str, String)>,
    /// JSON.
    pub body: Option<Vec<u8>>,
}

impl std::fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = self.url.split('?').next().unwrap_or_default();
        write!(f, "{:?} {path}", self.method)
    }
}

/// One answer. Its `Debug` shows no body.
#[derive(Clone)]
pub struct HttpResponse {
    /// The status.
    pub status: u16,
    /// At most [`MAX_RESPONSE`] bytes.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HttpResponse({}, {} bytes)", self.status, self.body.len())
    }
}

/// Longest answer that is read, in bytes.
pub const MAX_RESPONSE: usize = 8 << 20;

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpFailure {
    /// The backend can't be reached: nothing was sent.
    Unreachable,
    /// The exchange broke or took too long: it may have happened or not.
    Broken,
}

/// One exchange with the backend, with a deadline of its own (20 s at most).
pub trait Http: Send + Sync + 'static {
    /// Sends the request and waits for the answer.
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpFailure>>;
}
