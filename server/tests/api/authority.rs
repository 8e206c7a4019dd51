//! Every route, called by somebody who has no right to the object: denied, and answered like an object that
//! does not exist. A route without a row here fails the test.

use sentri_server::http::{Access, endpoints};
use sentri_wire::{Binary, sync::Message};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{
    ARI, ARIS_BOX, BLE, HOUR, NOW, Phone, Ready, Reply, World, assignment, completion, grant, new_listing,
    records,
};

/// What a stranger's call must come to.
enum Expect {
    /// The object is not theirs: not found.
    NotFound,
    /// Theirs to call, but it shows nothing of others: the body must not hold this text.
    Hides(&'static str),
    /// Anybody may call it; whoever has not its secret gets nowhere.
    Code(&'static str),
    /// It shows nothing that belongs to anybody.
    Open,
}
use Expect::{Code, Hides, NotFound, Open};

struct Row {
    route: (&'static str, &'static str),
    path: String,
    body: Option<Value>,
    expect: Expect,
}

fn row(
    method: &'static str,
    template: &'static str,
    path: String,
    body: Option<Value>,
    expect: Expect,
) -> Row {
    Row { route: (method, template), path, body, expect }
}

/// Calls of Ari, an agent of the same association, on what is Dana's and Bo's.
#[allow(clippy::too_many_lines, reason = "a table, a row a route")]
fn rows(ready: &Ready, message: Uuid) -> Vec<Row> {
    let listing = &ready.listing;
    let hash = json!({ "handshake_hash": Binary::from([0; 32]) });
    let event = json!({ "events": [{ "id": Uuid::new_v4(), "at": NOW, "lockbox": BLE,
        "access_id": ready.grant.id, "outcome": "opened" }] });
    let login = json!({ "login": { "email": "bo@plumbing.example" }, "password": "Wrong1pass",
        "device": { "install_id": Uuid::new_v4(), "name": "n", "platform": "ios" } });
    let signup = json!({ "email": "a@b.de", "email_again": "a@b.de", "phone": "503-555-0155",
        "phone_again": "503-555-0155", "invitation": "guess" });
    let same = |path: &'static str| path.to_owned();
    vec![
        row("POST", "/v1/login", same("/v1/login"), Some(login), Code("wrong-credentials")),
        row(
            "POST",
            "/v1/token/refresh",
            same("/v1/token/refresh"),
            Some(json!({ "refresh": "x" })),
            Code("not-logged-in"),
        ),
        row("POST", "/v1/signup", same("/v1/signup"), Some(signup), Code("expired")),
        row(
            "POST",
            "/v1/signup/verify",
            same("/v1/signup/verify"),
            Some(json!({ "signup": "x", "code": "0000" })),
            Code("expired"),
        ),
        row(
            "POST",
            "/v1/signup/complete",
            same("/v1/signup/complete"),
            Some(completion("x")),
            Code("expired"),
        ),
        row("GET", "/v1/me", same("/v1/me"), None, Hides("Dana")),
        row("GET", "/v1/me/export", same("/v1/me/export"), None, Hides(BLE)),
        row("GET", "/v1/listings", same("/v1/listings"), None, Hides("Oak St")),
        row("POST", "/v1/listings", same("/v1/listings"), Some(new_listing()), Hides("Dana")),
        row("GET", "/v1/lockboxes", same("/v1/lockboxes"), None, Hides(BLE)),
        row("GET", "/v1/lockboxes/{serial}", format!("/v1/lockboxes/{BLE}"), None, NotFound),
        row(
            "POST",
            "/v1/lockboxes/{serial}/assign",
            format!("/v1/lockboxes/{BLE}/assign"),
            Some(assignment(listing)),
            NotFound,
        ),
        row(
            "POST",
            "/v1/lockboxes/{serial}/unassign",
            format!("/v1/lockboxes/{BLE}/unassign"),
            None,
            NotFound,
        ),
        row(
            "POST",
            "/v1/grants",
            same("/v1/grants"),
            Some(grant(listing, "x@y.example", NOW, NOW + HOUR)),
            NotFound,
        ),
        row("GET", "/v1/grants", format!("/v1/grants?listing_id={}", listing.id), None, NotFound),
        row(
            "POST",
            "/v1/grants/{id}/revoke",
            format!("/v1/grants/{}/revoke", ready.grant.id),
            None,
            NotFound,
        ),
        row("GET", "/v1/access-log", format!("/v1/access-log?listing_id={}", listing.id), None, NotFound),
        row("GET", "/v1/access-log", same("/v1/access-log"), None, Hides(BLE)),
        row("GET", "/v1/sync", same("/v1/sync"), None, Hides(BLE)),
        row("POST", "/v1/events", same("/v1/events"), Some(event), Hides("stored")),
        row("POST", "/v1/messages/{id}/read", format!("/v1/messages/{message}/read"), None, NotFound),
        row("DELETE", "/v1/messages/{id}", format!("/v1/messages/{message}"), None, NotFound),
        row("POST", "/v1/locks/{serial}/time", format!("/v1/locks/{BLE}/time"), Some(hash), NotFound),
        row(
            "POST",
            "/v1/locks/{serial}/audit",
            format!("/v1/locks/{BLE}/audit"),
            Some(json!({ "batch": "" })),
            NotFound,
        ),
        row("GET", "/v1/health", same("/v1/health"), None, Open),
        row("GET", "/v1/openapi.json", same("/v1/openapi.json"), None, Open),
        row("POST", "/v1/logout", same("/v1/logout"), None, Open),
    ]
}

async fn call(world: &World, phone: Option<&Phone>, row: &Row) -> Reply {
    let body = row.body.as_ref().map(|body| body.to_string().into_bytes());
    world.send(row.route.0, &row.path, phone.map(|phone| phone.access.as_str()), &[], body).await
}

#[tokio::test]
async fn every_route_denies_what_is_not_the_callers() {
    let world = World::new().await;
    let ready = world.ready().await;
    let (changes, _) = world.sync(&ready.dana, None).await;
    let message = records::<Message>(&changes)[0].id;
    world.sync(&ready.bo, None).await;
    let rows = rows(&ready, message);

    let mut served: Vec<(String, &str)> =
        endpoints().iter().map(|it| (it.method.to_string(), it.path)).collect();
    let mut tested: Vec<(String, &str)> =
        rows.iter().map(|row| (row.route.0.to_owned(), row.route.1)).collect();
    served.sort_unstable();
    tested.sort_unstable();
    tested.dedup();
    assert_eq!(served, tested, "each route has a row here, and each row a route");

    let ari = world.agent(ARI).await;
    for row in &rows {
        let reply = call(&world, Some(&ari), row).await;
        let named = format!("{} {}", row.route.0, row.path);
        match row.expect {
            NotFound => assert_eq!(reply.problem().status, 404, "{named}"),
            Code(code) => {
                let problem = reply.problem();
                assert_eq!(serde_json::to_value(problem.code).unwrap(), code, "{named}");
            }
            Hides(text) => {
                assert!((200..300).contains(&reply.status), "{named}: {}", reply.body);
                let mut body = reply.body.to_string();
                // What they sent themselves may come back.
                if row.route.0 == "POST" {
                    body = body.replace("Oak St", "");
                }
                assert!(!body.contains(text), "{named}: {body}");
            }
            Open => assert!((200..300).contains(&reply.status), "{named}"),
        }
    }
}

/// One half of a request is the caller's own and the other is not: refused, and nothing has moved.
#[tokio::test]
async fn an_own_box_or_listing_does_not_open_the_way_to_a_foreign_one() {
    let world = World::new().await;
    let ready = world.ready().await;
    let (dana, ari) = (&ready.dana, world.agent(ARI).await);
    let bare = world.listing(dana).await;
    let hers = world.listing(&ari).await;
    let assign = |serial: &str| format!("/v1/lockboxes/{serial}/assign");

    // Her own box at another agent's listing, with a box on it and without.
    for listing in [&ready.listing, &bare] {
        let reply = world.post(&ari, &assign(ARIS_BOX), &assignment(listing)).await;
        reply.refused("not-found", Some("listing_id"));
    }
    // Another agent's box at her own listing.
    world.post(&ari, &assign(BLE), &assignment(&hers)).await.refused("not-found", None);
    let her_box: Value = world.get(&ari, &format!("/v1/lockboxes/{ARIS_BOX}")).await.ok();
    assert_eq!(her_box["listing_id"], Value::Null);
    let danas_box: Value = world.get(dana, &format!("/v1/lockboxes/{BLE}")).await.ok();
    assert_eq!(danas_box["listing_id"], json!(ready.listing.id));

    // With a box of her own in use, a grant at another agent's listing, and its history.
    world.post(&ari, &assign(ARIS_BOX), &assignment(&hers)).await.ok::<Value>();
    for listing in [&ready.listing, &bare] {
        let body = grant(listing, "x@y.example", NOW, NOW + HOUR);
        world.post(&ari, "/v1/grants", &body).await.refused("not-found", Some("listing_id"));
        let history = world.get(&ari, &format!("/v1/grants?listing_id={}", listing.id)).await;
        assert_eq!(history.problem().status, 404);
    }
    assert!(!world.mailbox.mails().iter().any(|mail| mail.to == "x@y.example"));
    let given = world.get(dana, &format!("/v1/grants?listing_id={}", ready.listing.id)).await;
    assert_eq!(given.ok::<sentri_wire::agent::Grants>().grants.len(), 1);
}

/// A message is its account's alone, among contractors too.
#[tokio::test]
async fn a_contractor_can_neither_read_nor_delete_anothers_message() {
    let world = World::new().await;
    let ready = world.ready().await;
    world.grant(&ready.dana, &ready.listing, "cy@paint.example", NOW, NOW + HOUR).await;
    let cy = world.sign_up("cy@paint.example", "503-555-0177").await;
    // Another access, so that both have a message.
    for email in ["bo@plumbing.example", "cy@paint.example"] {
        world.grant(&ready.dana, &ready.listing, email, NOW + 2 * HOUR, NOW + 3 * HOUR).await;
    }
    let messages = async |phone: &Phone| -> Vec<Message> { records(&world.sync(phone, None).await.0) };
    let theirs = messages(&cy).await;
    assert!(!theirs.is_empty() && !messages(&ready.bo).await.is_empty());
    for message in &theirs {
        let path = format!("/v1/messages/{}", message.id);
        let read = world.send("POST", &format!("{path}/read"), Some(&ready.bo.access), &[], None).await;
        read.refused("not-found", None);
        let deleted = world.send("DELETE", &path, Some(&ready.bo.access), &[], None).await;
        deleted.refused("not-found", None);
    }
    let after = messages(&cy).await;
    assert_eq!(after.len(), theirs.len());
    assert!(after.iter().all(|message| !message.read));
}

/// Nothing but what is listed as public answers without a login.
#[tokio::test]
async fn every_route_but_the_public_ones_asks_who_calls() {
    let world = World::new().await;
    let ready = world.ready().await;
    let rows = rows(&ready, Uuid::new_v4());
    for endpoint in endpoints() {
        let row = rows
            .iter()
            .find(|row| row.route.0 == endpoint.method.as_str() && row.route.1 == endpoint.path)
            .expect("a row for each route");
        let reply = call(&world, None, row).await;
        if endpoint.access == Access::Public {
            assert_ne!(reply.status, 403, "{}", endpoint.path);
        } else {
            reply.refused("not-logged-in", Some("authorization"));
        }
    }
}

/// A contractor is no agent.
#[tokio::test]
async fn agents_routes_are_closed_to_contractors() {
    let world = World::new().await;
    let ready = world.ready().await;
    let rows = rows(&ready, Uuid::new_v4());
    let mut seen = 0;
    for endpoint in endpoints().into_iter().filter(|it| it.access == Access::Agent) {
        let row = rows
            .iter()
            .find(|row| row.route.0 == endpoint.method.as_str() && row.route.1 == endpoint.path)
            .expect("a row for each route");
        call(&world, Some(&ready.bo), row).await.refused("forbidden", None);
        seen += 1;
    }
    assert_eq!(seen, 10);
}

/// A holder reaches a lock's service routes while and after they hold a ticket, and no other lock's.
#[tokio::test]
async fn a_lock_is_reached_only_by_those_who_held_a_ticket() {
    let world = World::new().await;
    let ready = world.ready().await;
    let body = json!({ "handshake_hash": Binary::from([0; 32]) });
    let path = format!("/v1/locks/{BLE}/time");
    world.post(&ready.bo, &path, &body).await.refused("not-found", None);
    world.sync(&ready.bo, None).await;
    world.post(&ready.bo, &path, &body).await.ok::<Value>();
    let other = format!("/v1/locks/{ARIS_BOX}/time");
    world.post(&ready.bo, &other, &body).await.refused("not-found", None);
}
