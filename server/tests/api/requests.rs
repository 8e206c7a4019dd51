//! Bad requests: always a problem document that names the place, never a 500.

use sentri_server::http::{Access, endpoints};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{BLE, DANA, DANAS_EMAIL, PASSWORD, World, new_listing};

#[tokio::test]
async fn malformed_bodies_name_the_field() {
    let world = World::new().await;
    let install = Uuid::new_v4();
    let cases = [
        ("{", "body"),
        ("", "body"),
        (r#"{"login":{"#, "body"),
        ("[]", "body"),
        ("\u{0}", "body"),
        (r#"{"login":{"sentrikey_id":"123456789"},"password":"x"}"#, "device"),
        (r#"{"login":{"sentrikey_id":5},"password":"x","device":{}}"#, "login.sentrikey_id"),
        (r#"{"login":{"badge":"1"},"password":"x","device":{}}"#, "login"),
        (
            r#"{"login":{"email":"a@b.de"},"password":"x","device":{"install_id":"x","name":"n","platform":"ios"}}"#,
            "device.install_id",
        ),
        (
            r#"{"login":{"email":"a@b.de"},"password":"x","device":{"name":"n","platform":"ios"}}"#,
            "device.install_id",
        ),
    ];
    for (body, field) in cases {
        let reply = world.send("POST", "/v1/login", None, &[], Some(body.into())).await;
        assert_eq!(reply.status, 400, "{body}");
        let problem = reply.problem();
        assert!(
            problem.field.as_deref().is_some_and(|named| named.starts_with(field)),
            "{body}: {problem:?}"
        );
    }
    let device = json!({ "install_id": install, "name": "n", "platform": "ios", "colour": "red" });
    let body = json!({ "login": { "sentrikey_id": DANA }, "password": PASSWORD, "device": device });
    world.post_public("/v1/login", &body).await.refused("malformed", Some("device.colour"));

    let trailing = format!("{} x", json!({ "refresh": "x" }));
    let reply = world.send("POST", "/v1/token/refresh", None, &[], Some(trailing.into_bytes())).await;
    reply.refused("malformed", Some("body"));
}

/// Every body that the document lists refuses a field that it does not know, and names it, wherever it is.
#[tokio::test]
async fn every_body_refuses_an_unknown_field_and_names_it() {
    let world = World::new().await;
    let dana = world.agent(DANA).await;
    let proven = world.prove(&json!({ "sentrikey_id": DANA }), DANAS_EMAIL).await;
    let hub = world.hub("HUB-001").await;
    let only_for = |access: Access| -> Vec<&str> {
        endpoints().iter().filter(|it| it.access == access).map(|it| it.path).collect()
    };
    let (proven_only, hubs_only) = (only_for(Access::Proven), only_for(Access::Hub));
    let document: Value = world.get(&dana, "/v1/openapi.json").await.ok();
    let mut bodies = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        let with_body = methods.as_object().unwrap().iter().filter(|(_, it)| !it["requestBody"].is_null());
        let bearer = match path.as_str() {
            path if proven_only.contains(&path) => &proven.access,
            path if hubs_only.contains(&path) => &hub,
            _ => &dana.access,
        };
        for (method, _) in with_body {
            let path = path.replace("{serial}", BLE).replace("{id}", "x");
            let body = Some(br#"{"colour":"red"}"#.to_vec());
            let reply = world.send(&method.to_uppercase(), &path, Some(bearer), &[], body).await;
            reply.refused("malformed", Some("colour"));
            bodies += 1;
        }
    }
    assert!(bodies >= 10, "{bodies}");
    for (path, body, field) in [
        ("/v1/login", json!({ "device": { "colour": "red" } }), "device.colour"),
        ("/v1/events", json!({ "events": [{ "colour": "red" }] }), "events[0].colour"),
        (
            "/v1/signup/complete",
            json!({ "security_questions": [{ "colour": "red" }] }),
            "security_questions[0].colour",
        ),
    ] {
        world.post(&dana, path, &body).await.refused("malformed", Some(field));
    }
}

/// No answer repeats what was sent: it may be a password.
#[tokio::test]
async fn a_refusal_never_quotes_the_request() {
    let world = World::new().await;
    let secret = "Hunter2secret";
    for body in [
        json!({ "login": { "sentrikey_id": DANA }, "password": [secret] }),
        json!({ "login": { "sentrikey_id": secret }, "password": secret, "device": secret }),
        json!({ "refresh": { secret: secret } }),
    ] {
        for path in ["/v1/login", "/v1/token/refresh", "/v1/signup"] {
            let reply = world.post_public(path, &body).await;
            assert_eq!(reply.status, 400);
            let text = String::from_utf8(reply.bytes).unwrap();
            assert!(!text.contains(secret), "{text}");
        }
    }
}

#[tokio::test]
async fn an_oversize_body_is_refused_with_the_limit() {
    let world = World::new().await;
    let body = vec![b' '; 64 * 1024 + 1];
    let reply = world.send("POST", "/v1/login", None, &[], Some(body)).await;
    assert_eq!(reply.status, 413);
    assert_eq!(reply.refused("too-large", Some("body")).limit, Some(64 * 1024));
}

#[tokio::test]
async fn unknown_routes_methods_parameters_and_types_are_problems_too() {
    let world = World::new().await;
    let dana = world.agent(DANA).await;
    world.get(&dana, "/v1/nothing").await.refused("not-found", None);
    world.get(&dana, "/").await.refused("not-found", None);
    world.get(&dana, "/v1/lockboxes/%ff").await.refused("not-found", None);
    world.send("PUT", "/v1/listings", Some(&dana.access), &[], None).await.refused("not-found", None);
    world.get(&dana, "/v1/sync?colour=red").await.refused("malformed", Some("colour"));
    for limit in ["0", "1001", "-1", "many"] {
        world.get(&dana, &format!("/v1/sync?limit={limit}")).await.refused("invalid", Some("limit"));
    }
    world.get(&dana, "/v1/sync?cursor=a&cursor=b").await.refused("malformed", Some("cursor"));
    world.get(&dana, "/v1/grants").await.refused("invalid", Some("listing_id"));
    world.get(&dana, "/v1/grants?listing_id=x").await.refused("invalid", Some("listing_id"));
    world.get(&dana, "/v1/access-log?from=noon").await.refused("invalid", Some("from"));
    world.get(&dana, "/v1/access-log?after=x").await.refused("invalid", Some("after"));
    let reply = world
        .http
        .post(format!("{}/v1/login", world.server.url()))
        .header("content-type", "text/plain")
        .body("{}")
        .send()
        .await
        .unwrap();
    assert_eq!(reply.status(), 400);
    assert_eq!(reply.headers()["content-type"], "application/problem+json");
}

#[tokio::test]
async fn without_a_token_with_a_bad_one_and_with_an_old_one() {
    let world = World::new().await;
    let dana = world.agent(DANA).await;
    world.send("GET", "/v1/me", None, &[], None).await.refused("not-logged-in", Some("authorization"));
    world.send("GET", "/v1/me", Some("x"), &[], None).await.refused("not-logged-in", Some("authorization"));
    world
        .send("GET", "/v1/me", Some(&dana.refresh), &[], None)
        .await
        .refused("not-logged-in", Some("authorization"));
    let basic = [("authorization", "Basic eA==")];
    world.send("GET", "/v1/me", None, &basic, None).await.refused("not-logged-in", Some("authorization"));
    world.clock.advance(15 * 60);
    let reply = world.get(&dana, "/v1/me").await;
    assert_eq!(reply.status, 401);
    reply.refused("token-expired", Some("authorization"));
}

#[tokio::test]
async fn one_address_is_slowed_down() {
    let world = World::with(|config| {
        config.rate_limit.per_second = 1;
        config.rate_limit.burst = 5;
    })
    .await;
    for _ in 0..5 {
        assert_eq!(world.send("GET", "/v1/health", None, &[], None).await.status, 200);
    }
    let reply = world.send("GET", "/v1/health", None, &[], None).await;
    assert_eq!(reply.status, 429);
    assert_eq!(reply.refused("slow-down", None).retry_after, Some(1));
}

/// LST-1
#[tokio::test]
async fn a_listing_names_the_field_that_breaks_a_rule() {
    let world = World::new().await;
    let dana = world.agent(DANA).await;
    for (field, value) in [
        ("UnparsedAddress", json!("")),
        ("UnparsedAddress", json!("x".repeat(201))),
        ("City", json!("  ")),
        ("StateOrProvince", json!("Oregon")),
        ("PostalCode", json!("97201; x")),
        ("ListPrice", json!(-1)),
        ("time_zone", json!("Portland")),
    ] {
        let mut listing = new_listing();
        listing[field] = value;
        world.post(&dana, "/v1/listings", &listing).await.refused("invalid", Some(field));
    }
}
