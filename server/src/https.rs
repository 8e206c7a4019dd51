//! The client for calls to services that a deployment names.

use std::{sync::Arc, time::Duration};

/// A client that trusts the public certificates, follows no redirect, and gives up after a while. A redirect would take
/// what is sent, a bearer token too, to a place that nobody configured. Nothing where TLS can't be set up.
pub fn client(longest: Duration) -> Option<reqwest::Client> {
    let mut roots = rustls::RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .ok()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = reqwest::Client::builder().tls_backend_preconfigured(tls).timeout(longest);
    client.redirect(reqwest::redirect::Policy::none()).build().ok()
}
