//! Texts and pushes through a service of the deployment's: signed, repeated under one id. [ACC-8]

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    http::{HeaderMap, StatusCode},
};
use hmac::{Hmac, KeyInit, Mac};
use sentri_server::config::Webhook;
use sentri_wire::Secret;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::world::{BLE, DANA, HOUR, NOW, Phone, Ready, World};

const BO: &str = "bo@plumbing.example";
const KEY: &str = "key of the signature";

/// A text service on loopback: refuses its first calls, and notes all.
#[derive(Clone, Default)]
struct TextService {
    refusals: Arc<AtomicUsize>,
    calls: Arc<Mutex<Vec<(HeaderMap, String)>>>,
}

impl TextService {
    /// Serves until the runtime ends; says where.
    async fn serve(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/texts", listener.local_addr().unwrap());
        let own = self.clone();
        let take = async move |headers: HeaderMap, body: String| own.take(headers, body);
        let router = Router::new().fallback(take);
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    fn take(&self, headers: HeaderMap, body: String) -> StatusCode {
        self.calls.lock().unwrap().push((headers, body));
        let left = self.refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if left.is_ok() { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::NO_CONTENT }
    }
}

fn webhook(url: String) -> Webhook {
    Webhook {
        url,
        bearer: Some(Secret::new("bearer of the service")),
        bearer_file: None,
        secret: Some(Secret::new(KEY)),
        secret_file: None,
    }
}

/// What a receiver does: the signature over time and body, and how old it is.
fn verify(headers: &HeaderMap, body: &str, now: i64) -> bool {
    let header = headers["sentri-signature"].to_str().unwrap();
    let (at, mac) = header.strip_prefix("t=").and_then(|rest| rest.split_once(",v1=")).unwrap();
    let mut expected = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).unwrap();
    expected.update(format!("{at}.{body}").as_bytes());
    (now - at.parse::<i64>().unwrap()).abs() <= 300
        && expected.verify_slice(&hex::decode(mac).unwrap()).is_ok()
}

/// The world of somebody who was invited, with its texts and pushes going to the service.
async fn invited(url: String) -> (World, String) {
    let mut world = World::with(|config| config.deliver = false).await;
    let dana = world.agent(DANA).await;
    let listing = world.place(&dana, BLE).await;
    world.grant(&dana, &listing, BO, NOW, NOW + HOUR).await;
    world.server.deliver_due().await.unwrap();
    let invitation = world.invitation(BO).await;
    world
        .restart(|config, ports| {
            config.deliver = false;
            config.webhook = Some(webhook(url));
            (ports.text, ports.push) = (None, None);
        })
        .await;
    (world, invitation)
}

/// ACC-8: the code's text goes through the configured service, and again under the same id where that says no.
#[tokio::test]
async fn a_text_that_the_webhook_refuses_is_sent_again_under_its_id() {
    let service = TextService::default();
    service.refusals.store(1, Ordering::SeqCst);
    let (world, invitation) = invited(service.serve().await).await;
    world.start_signup(BO, "503-555-0199", &invitation).await.ok::<Value>();

    let mut delivered = Vec::new();
    for wait in [0, 9, 1, 3600] {
        world.clock.advance(wait);
        delivered.push(world.server.deliver_due().await.unwrap());
    }
    assert_eq!(delivered, [0, 0, 1, 0]);
    let calls = service.calls.lock().unwrap().clone();
    let [(first, refused), (again, taken)] = &calls[..] else { panic!("{calls:?}") };
    assert_eq!(refused, taken, "the id too");
    assert_eq!(first["idempotency-key"], again["idempotency-key"]);
    assert_eq!(first["authorization"], "Bearer bearer of the service");
    assert!(verify(first, refused, NOW) && verify(again, taken, NOW + 10));
    assert_ne!(first["sentri-signature"], again["sentri-signature"], "the time is in it");
    assert!(!verify(first, &taken.replace("503", "504"), NOW), "an altered body is noticed");
    let taken: Value = serde_json::from_str(taken).unwrap();
    assert_eq!(again["idempotency-key"], taken["id"].as_str().unwrap());
    assert_eq!((&taken["kind"], &taken["to"]), (&"text".into(), &"503-555-0199".into()));
    assert!(taken["body"].as_str().unwrap()[..4].parse::<u16>().is_ok(), "it begins with the code");
}

impl TextService {
    /// To which tokens each push went since the last look.
    fn pushes(&self) -> Vec<Value> {
        let calls = std::mem::take(&mut *self.calls.lock().unwrap());
        calls.iter().map(|(_, body)| serde_json::from_str(body).unwrap()).collect()
    }
}

/// A world whose pushes go to the service.
async fn pushing(service: &TextService) -> (World, Ready) {
    let url = service.serve().await;
    let mut world = World::new().await;
    let ready = world.ready().await;
    world
        .restart(|config, ports| {
            config.deliver = false;
            config.webhook = Some(webhook(url));
            ports.push = None;
        })
        .await;
    (world, ready)
}

const PUSH: &str = "/v1/me/device/push";

async fn register(world: &World, phone: &Phone, service: &str, token: &str) {
    let address = json!({ "service": service, "token": token });
    assert_eq!(world.post(phone, PUSH, &address).await.status, 204);
}

/// GRT-3: a push wakes the phones of somebody who has an account.
#[tokio::test]
async fn a_push_names_the_account_and_nobody_else() {
    let service = TextService::default();
    let (world, ready) = pushing(&service).await;
    register(&world, &ready.bo, "apns", "aa01").await;
    world.grant(&ready.dana, &ready.listing, BO, NOW + HOUR, NOW + 2 * HOUR).await;
    world.server.deliver_due().await.unwrap();
    let pushes = service.pushes();
    let [push] = &pushes[..] else { panic!("one to Bo, none to Dana, who has no phone for it: {pushes:?}") };
    assert_eq!((&push["kind"], &push["account"]), (&"push".into(), &json!(ready.bo.account.id)));
    assert_eq!(push["to"], json!([{ "service": "apns", "token": "aa01" }]));
    assert!(!push.to_string().contains(BO));
}

/// SYN-1, ACC-5: a push goes to every phone that told where, as it told last; not to one that left, was removed, or
/// logged out.
#[tokio::test]
async fn a_push_goes_where_each_phone_told_last() {
    let service = TextService::default();
    let (world, ready) = pushing(&service).await;
    let other = world.contractor(BO).await;
    register(&world, &ready.bo, "apns", "aa01").await;
    register(&world, &ready.bo, "apns", "aa02").await;
    register(&world, &other, "fcm", "f:01").await;
    let mut start = NOW;
    let mut pushed = async || {
        start += HOUR;
        world.grant(&ready.dana, &ready.listing, BO, start, start + HOUR).await;
        world.server.deliver_due().await.unwrap();
        let pushes = service.pushes();
        let mut to: Vec<_> = pushes.iter().flat_map(|push| push["to"].as_array().unwrap().clone()).collect();
        // Both phones were registered in the same second.
        to.sort_by_key(|address| address["token"].to_string());
        to
    };
    let (first, second) =
        (json!({ "service": "apns", "token": "aa02" }), json!({ "service": "fcm", "token": "f:01" }));
    assert_eq!(pushed().await, [first.clone(), second]);

    world.send("POST", "/v1/logout", Some(&other.access), &[], None).await;
    assert_eq!(pushed().await, [first]);
    assert_eq!(world.delete(&ready.bo, PUSH).await.status, 204);
    assert_eq!(pushed().await, Vec::<Value>::new());

    register(&world, &ready.bo, "apns", "aa03").await;
    let proven = world.prove(&json!({ "email": BO }), BO).await;
    let path = format!("/v1/identity/devices/{}", ready.bo.device);
    assert_eq!(world.delete(&proven, &path).await.status, 204);
    assert_eq!(pushed().await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_push_token_is_text_of_some_length() {
    let world = World::new().await;
    let dana = world.agent(DANA).await;
    for token in ["", "a b", "a\nb", "é", &"x".repeat(1025)] {
        let address = json!({ "service": "fcm", "token": token });
        world.post(&dana, PUSH, &address).await.refused("invalid", Some("token"));
    }
    register(&world, &dana, "fcm", &"x".repeat(1024)).await;
    let address = json!({ "service": "pigeon", "token": "x" });
    world.post(&dana, PUSH, &address).await.refused("malformed", Some("service"));
}

/// A redirect would take numbers and codes to a place that nobody configured.
#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = TextService::default();
    let target = elsewhere.serve().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/texts", listener.local_addr().unwrap());
    let router = Router::new()
        .fallback(async move || (StatusCode::TEMPORARY_REDIRECT, [("location", target.clone())]));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let (world, invitation) = invited(url).await;
    world.start_signup(BO, "503-555-0199", &invitation).await.ok::<Value>();
    assert_eq!(world.server.deliver_due().await.unwrap(), 0);
    assert!(elsewhere.calls.lock().unwrap().is_empty());
}
