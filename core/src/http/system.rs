//! The default network: HTTP/1.1 over TLS 1.2 or 1.3 with the Mozilla roots, no redirects, no proxies.

use std::time::Duration;

use super::{Http, HttpFailure, HttpRequest, HttpResponse, MAX_RESPONSE, Method, tls};
use crate::{ports::BoxFuture, runtime::in_runtime};

/// The network of the device. One pool of connections for all calls.
pub struct SystemHttp {
    client: reqwest::Client,
}

/// The device's TLS can't be set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the device's secure network can't be set up")]
pub struct NoTls;

impl SystemHttp {
    /// Sets up the pool; connects to nothing.
    pub fn new() -> Result<Self, NoTls> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::client()?)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(Duration::from_secs(6))
            .timeout(Duration::from_secs(20))
            .build()
            .map_err(|_| NoTls)?;
        Ok(Self { client })
    }

    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, HttpFailure> {
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut builder = self.client.request(method, request.url);
        for (name, value) in request.headers {
            builder = builder.header(name, value);
        }
        if let Some(body) = request.body {
            builder = builder.body(body);
        }
        let mut response = builder.send().await.map_err(|error| failure(&error))?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|_| HttpFailure::Broken)? {
            if body.len() + chunk.len() > MAX_RESPONSE {
                return Err(HttpFailure::Broken);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(HttpResponse { status, body })
    }
}

fn failure(error: &reqwest::Error) -> HttpFailure {
    if error.is_connect() { HttpFailure::Unreachable } else { HttpFailure::Broken }
}

impl Http for SystemHttp {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpFailure>> {
        Box::pin(in_runtime(self.exchange(request)))
    }
}
