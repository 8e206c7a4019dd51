//! Texts and pushes through a service that takes JSON by POST.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use serde_json::json;

use super::{DeliveryError, Push, PushPort, TextMessage, TextPort};
use crate::config::Webhook;

/// How long the service may take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Posts to one URL. The body's `id` is the same at every attempt, so that the service can drop a repeat.
pub struct WebhookCarrier {
    client: reqwest::Client,
    config: Webhook,
}

impl WebhookCarrier {
    /// For the configured service.
    pub fn new(config: &Webhook) -> Result<Self, DeliveryError> {
        let fail = |_| DeliveryError("the webhook's TLS can't be set up".into());
        let mut roots = rustls::RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| DeliveryError("the webhook's TLS can't be set up".into()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .timeout(TIMEOUT)
            .build()
            .map_err(fail)?;
        Ok(Self { client, config: config.clone() })
    }

    async fn post(&self, body: &serde_json::Value) -> Result<(), DeliveryError> {
        let mut request = self.client.post(&self.config.url).json(body);
        if let Some(bearer) = &self.config.bearer {
            request = request.bearer_auth(bearer);
        }
        let answer = request.send().await.map_err(|_| DeliveryError("the webhook was not reached".into()))?;
        if answer.status().is_success() {
            Ok(())
        } else {
            Err(DeliveryError(format!("the webhook answered {}", answer.status().as_u16())))
        }
    }
}

#[async_trait]
impl TextPort for WebhookCarrier {
    async fn send_text(&self, text: &TextMessage) -> Result<(), DeliveryError> {
        self.post(&json!({ "kind": "text", "id": text.id, "to": text.to, "body": text.body })).await
    }
}

#[async_trait]
impl PushPort for WebhookCarrier {
    async fn send_push(&self, push: &Push) -> Result<(), DeliveryError> {
        self.post(&json!({ "kind": "push", "id": push.id, "account": push.account, "title": push.title }))
            .await
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, http::StatusCode};

    use super::*;

    /// What goes to the log names neither the service nor its key, nor the recipient, nor the code.
    #[tokio::test]
    async fn an_error_tells_no_secret() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        // Echoes what it was sent, as some services do.
        let router = Router::new().fallback(async |body: String| (StatusCode::BAD_GATEWAY, body));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await });
        let url = format!("http://{address}/hooks/path-secret");
        let carrier = WebhookCarrier::new(&Webhook { url, bearer: Some("bearer-secret".into()) }).unwrap();
        let text =
            TextMessage { id: "1".into(), to: "503-555-0199".into(), body: "4711 is your code".into() };

        let refused = carrier.send_text(&text).await.unwrap_err();
        serving.abort();
        drop(serving.await);
        // A new client, which has no open connection to the service.
        let carrier = WebhookCarrier::new(&carrier.config).unwrap();
        let not_reached = carrier.send_text(&text).await.unwrap_err();
        assert_eq!(refused.to_string(), "not delivered: the webhook answered 502");
        assert_eq!(not_reached.to_string(), "not delivered: the webhook was not reached");
    }
}
