//! Every route, called by somebody who has no right to the object: denied, and answered like an object that
//! does not exist. A route without a row here fails the test.

use sentri_server::{
    http::{Access, Endpoint, endpoints},
    operator::Permission,
};
use sentri_wire::{Binary, sync::Message};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    authority_rows::{
        Expect::{Code, Hides, NotFound, Open},
        Row, rows,
    },
    world::{
        ARI, ARIS_BOX, BLE, HOUR, NOW, Phone, Reply, World, assignment, community, grant, person, records,
    },
};

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
    let is_logout = |row: &&Row| row.route.1 == "/v1/logout";
    for row in rows.iter().filter(|row| !is_logout(row)).chain(rows.iter().filter(is_logout)) {
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

/// The code of a refusal; nothing where it was none.
fn code(reply: Reply) -> String {
    if (200..300).contains(&reply.status) {
        return String::new();
    }
    serde_json::to_value(reply.problem().code).unwrap().as_str().unwrap().to_owned()
}

/// Every route × a removed device, a suspended account, a proven identity: each reaches what is meant for it, and no
/// other route. [ACC-5, ACC-7]
#[tokio::test]
async fn each_kind_of_bearer_reaches_its_own_routes_and_no_other() {
    let world = World::new().await;
    let ready = world.ready().await;
    let bo = json!({ "email": "bo@plumbing.example" });
    let identity = world.prove(&bo, "bo@plumbing.example").await;
    let path = format!("/v1/identity/devices/{}", ready.bo.device);
    assert_eq!(world.delete(&identity, &path).await.status, 204);
    let removed = &ready.bo;
    let suspended = world.agent(ARI).await;
    world.server.operator().suspend_agent(ARI).await.unwrap();

    let rows = rows(&ready, Uuid::new_v4());
    let kept = |endpoint: &Endpoint| endpoint.access != Access::Public && endpoint.path != "/v1/logout";
    for endpoint in endpoints().into_iter().filter(kept) {
        let row = rows
            .iter()
            .find(|row| row.route.0 == endpoint.method.as_str() && row.route.1 == endpoint.path)
            .expect("a row for each route");
        let named = format!("{} {}", endpoint.method, endpoint.path);
        let as_removed = code(call(&world, Some(removed), row).await);
        let as_suspended = code(call(&world, Some(&suspended), row).await);
        let as_identity = code(call(&world, Some(&identity), row).await);
        match endpoint.access {
            // Only to be asked again for a lost answer.
            Access::AnyDevice if endpoint.path == "/v1/me/delete" => {
                assert_eq!((as_removed.as_str(), as_suspended.as_str()), ("device-removed", "forbidden"));
            }
            Access::AnyDevice => {
                assert!(
                    !["device-removed", "not-logged-in"].contains(&as_removed.as_str()),
                    "{named} {as_removed}"
                );
                assert!(!["account-not-active", "not-logged-in"].contains(&as_suspended.as_str()), "{named}");
            }
            Access::AnyStanding => {
                assert_eq!(as_removed, "device-removed", "{named}");
                assert!(!["account-not-active", "not-logged-in"].contains(&as_suspended.as_str()), "{named}");
            }
            Access::Hub => {
                assert_eq!((as_removed.as_str(), as_suspended.as_str()), ("not-logged-in", "not-logged-in"));
            }
            Access::Proven => {
                assert_eq!((as_removed.as_str(), as_suspended.as_str()), ("not-logged-in", "not-logged-in"));
                assert_ne!(as_identity, "not-logged-in", "{named}");
                continue;
            }
            _ => {
                assert_eq!(as_removed, "device-removed", "{named}");
                assert_eq!(as_suspended, "account-not-active", "{named}");
            }
        }
        assert_eq!(as_identity, "not-logged-in", "{named}");
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
    assert_eq!(seen, 29);
}

/// Those who are neither: none of an agent's routes, and nothing of anybody's through the others. [RES-0, SUP-1]
#[tokio::test]
async fn residents_and_support_users_reach_nothing_of_others() {
    let world = World::new().await;
    let ready = world.ready().await;
    let (changes, _) = world.sync(&ready.dana, None).await;
    let rows = rows(&ready, records::<Message>(&changes)[0].id);
    let agents_only = |row: &Row| {
        let is_it = |it: &Endpoint| it.method.as_str() == row.route.0 && it.path == row.route.1;
        endpoints().iter().find(|it| is_it(it)).is_some_and(|it| it.access == Access::Agent)
    };
    for email in others(&world).await {
        let caller = world.contractor(email).await;
        for row in rows.iter().filter(|row| row.route.1 != "/v1/logout") {
            let reply = call(&world, Some(&caller), row).await;
            let named = format!("{email}: {} {}", row.route.0, row.path);
            match row.expect {
                _ if agents_only(row) => drop(reply.refused("forbidden", None)),
                NotFound => assert_eq!(reply.problem().status, 404, "{named}"),
                Hides(text) => assert!(!reply.body.to_string().contains(text), "{named}: {}", reply.body),
                Code(_) => assert!(reply.problem().status < 500, "{named}"),
                Open => assert!((200..300).contains(&reply.status), "{named}"),
            }
        }
    }
}

/// A resident, and one support user of each permission: by their addresses.
async fn others(world: &World) -> [&'static str; 3] {
    let all = ["rae@home.example", "sam@support.example", "sal@support.example"];
    let person = |email: &str| person(email, "312-555-0104");
    let operator = world.server.operator();
    operator.add_community(&community("Elm Court")).await.unwrap();
    operator.add_resident("Elm Court", "4B", &person(all[0])).await.unwrap();
    operator.add_support_user(Permission::Support, &person(all[1])).await.unwrap();
    operator.add_support_user(Permission::SysAdmin, &person(all[2])).await.unwrap();
    all
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
