//! The default network: HTTP/1.1 over TLS 1.2 or 1.3 with the Mozilla roots, no redirects, no proxies.

use std::{sync::Arc, time::Duration};

use rustls::{
    crypto::{CryptoProvider, KeyProvider, ring},
    pki_types::PrivateKeyDer,
    sign::SigningKey,
};

use super::{Http, HttpFailure, HttpRequest, HttpResponse, MAX_RESPONSE, Method};
use crate::ports::BoxFuture;

/// The network of the device. One pool of connections for all calls.
pub struct SystemHttp {
    client: reqwest::Client,
}

/// The device's TLS can't be set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the device's secure network can't be set up")]
pub struct NoTls;

/// No phone shows a certificate: what would sign for one stays out of the library.
#[derive(Debug)]
struct NoClientKeys;

impl KeyProvider for NoClientKeys {
    fn load_private_key(&self, _: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, rustls::Error> {
        Err(rustls::Error::General("a phone has no certificate".into()))
    }
}

impl SystemHttp {
    /// Sets up the pool; connects to nothing.
    pub fn new() -> Result<Self, NoTls> {
        let provider = CryptoProvider { key_provider: &NoClientKeys, ..ring::default_provider() };
        let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.into() };
        let tls = rustls::ClientConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .map_err(|_| NoTls)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
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
        Box::pin(self.exchange(request))
    }
}
