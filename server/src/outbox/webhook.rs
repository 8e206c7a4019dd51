//! Texts and pushes through a service that takes JSON by POST.
//!
//! Each call bears `Idempotency-Key`, the same at every attempt, and, where the deployment has a key for it,
//! `Sentri-Signature: t=<unix seconds>,v1=<hex>`: HMAC-SHA256 under that key over the time, a dot and the body.

use std::sync::Arc;

use async_trait::async_trait;
use hmac::{Hmac, KeyInit, Mac};
use sentri_wire::Secret;
use serde_json::json;
use sha2::Sha256;

use super::{DeliveryError, Push, PushPort, TextMessage, TextPort, worker::LONGEST_DELIVERY};
use crate::{config::Webhook, https, ports::Clock};

/// The header with time and signature.
const SIGNATURE: &str = "sentri-signature";
/// The header with the id of what is sent.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Posts to one URL. The body's `id` is the same at every attempt, so that the service can drop a repeat.
pub struct WebhookCarrier {
    client: reqwest::Client,
    url: String,
    bearer: Option<Secret>,
    secret: Option<Secret>,
    clock: Arc<dyn Clock>,
}

impl WebhookCarrier {
    /// For the configured service. Refused where something in the configuration can't be used.
    pub fn new(config: &Webhook, clock: Arc<dyn Clock>) -> Result<Self, String> {
        if reqwest::Url::parse(&config.url).is_err() {
            return Err("webhook.url is no https:// URL".into());
        }
        let (bearer, secret) = (config.bearer()?, config.secret()?);
        let client = https::client(LONGEST_DELIVERY).ok_or("the webhook's TLS can't be set up")?;
        Ok(Self { client, url: config.url.clone(), bearer, secret, clock })
    }

    async fn post(&self, id: &str, body: &serde_json::Value) -> Result<(), DeliveryError> {
        let body = body.to_string();
        let mut request = self.client.post(&self.url).header("content-type", "application/json");
        request = request.header(IDEMPOTENCY_KEY, id);
        if let Some(bearer) = &self.bearer {
            request = request.bearer_auth(bearer.expose());
        }
        if let Some(secret) = &self.secret {
            request = request.header(SIGNATURE, signature(secret, self.clock.now(), &body));
        }
        let answer = request.body(body).send().await;
        let answer = answer.map_err(|_| DeliveryError("the webhook was not reached".into()))?;
        if answer.status().is_success() {
            Ok(())
        } else {
            Err(DeliveryError(format!("the webhook answered {}", answer.status().as_u16())))
        }
    }
}

/// `t=<unix seconds>,v1=<hex>`: the receiver computes the same, and refuses an old time.
fn signature(secret: &Secret, at: i64, body: &str) -> String {
    // A key of any length is taken; the type says otherwise only for other constructions.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()) else {
        return String::new();
    };
    mac.update(format!("{at}.{body}").as_bytes());
    format!("t={at},v1={}", hex::encode(mac.finalize().into_bytes()))
}

#[async_trait]
impl TextPort for WebhookCarrier {
    async fn send_text(&self, text: &TextMessage) -> Result<(), DeliveryError> {
        let body = json!({ "kind": "text", "id": text.id, "to": text.to, "body": text.body });
        self.post(&text.id, &body).await
    }
}

#[async_trait]
impl PushPort for WebhookCarrier {
    async fn send_push(&self, push: &Push) -> Result<(), DeliveryError> {
        // Nobody's phone would ring.
        if push.to.is_empty() {
            return Ok(());
        }
        let body = json!({ "kind": "push", "id": push.id, "account": push.account, "to": push.to,
            "title": push.title });
        self.post(&push.id, &body).await
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
        let config = Webhook {
            url,
            bearer: Some(Secret::new("bearer-secret")),
            bearer_file: None,
            secret: Some(Secret::new("signing-secret")),
            secret_file: None,
        };
        let clock: Arc<dyn Clock> = Arc::new(crate::ports::SystemClock);
        let carrier = WebhookCarrier::new(&config, clock.clone()).unwrap();
        let text =
            TextMessage { id: "1".into(), to: "503-555-0199".into(), body: "4711 is your code".into() };

        let refused = carrier.send_text(&text).await.unwrap_err();
        serving.abort();
        drop(serving.await);
        // A new client, which has no open connection to the service.
        let carrier = WebhookCarrier::new(&config, clock).unwrap();
        let not_reached = carrier.send_text(&text).await.unwrap_err();
        assert_eq!(refused.to_string(), "not delivered: the webhook answered 502");
        assert_eq!(not_reached.to_string(), "not delivered: the webhook was not reached");
    }
}
