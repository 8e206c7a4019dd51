//! One's own devices and PIN, after password and mailed code; what becomes of a removed device. [ACC-4, ACC-5, ACC-9]

use sentri_protocol::{revocation, ticket::Ticket};
use sentri_wire::{
    account::Tokens,
    agent::GrantResponse,
    credential::{Credential, RevocationList},
    device::OwnDevices,
    event::ReceiptResult,
    identity::IdentityStarted,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    events::{event, log, upload},
    world::{BLE, CODE, DANA, DANAS_EMAIL, HOUR, NOW, PASSWORD, PIN, Phone, World, grant, phone, records},
};

const BO: &str = "bo@plumbing.example";

fn dana() -> Value {
    json!({ "sentrikey_id": DANA })
}

fn bo() -> Value {
    json!({ "email": BO })
}

/// ACC-4, ACC-5: all registrations are used, the old phone is lost: its owner makes room without a call.
#[tokio::test]
async fn somebody_past_the_limit_removes_a_device_and_logs_in() {
    let world = World::new().await;
    let phones = [world.agent(DANA).await, world.agent(DANA).await, world.agent(DANA).await];
    let new = Uuid::new_v4();
    let full = world.try_login(dana(), PASSWORD, new).await.refused("device-limit-reached", None);
    assert_eq!(full.limit, Some(3));
    assert!(full.support.is_some());

    let dana_proven = world.prove(&dana(), DANAS_EMAIL).await;
    let own: OwnDevices = world.get(&dana_proven, "/v1/identity/devices").await.ok();
    assert_eq!(own.limit, 3);
    assert_eq!(own.devices.len(), 3);
    assert!(
        own.devices.iter().all(|it| it.name == "Phone" && it.registered_at == NOW && it.last_seen_at == NOW)
    );
    let path = format!("/v1/identity/devices/{}", phones[0].device);
    assert_eq!(world.delete(&dana_proven, &path).await.status, 204);
    world.delete(&dana_proven, &path).await.refused("not-found", None);
    let own: OwnDevices = world.get(&dana_proven, "/v1/identity/devices").await.ok();
    assert_eq!(own.devices.len(), 2);
    world.nth_mail(DANAS_EMAIL, "a phone was removed", 0).await;

    phone(world.try_login(dana(), PASSWORD, new).await);
    world.try_login(dana(), PASSWORD, Uuid::new_v4()).await.refused("device-limit-reached", None);
    world.get(&phones[0], "/v1/sync").await.refused("device-removed", None);
    world.get(&phones[1], "/v1/sync").await.ok::<Value>();
}

/// ACC-5: the limit is the association's.
#[tokio::test]
async fn the_limit_is_a_setting_of_the_association() {
    let world = World::new().await;
    let rules = sentri_server::operator::AssociationRules { device_limit: Some(1), ..Default::default() };
    world.server.operator().set_rules("Cascade Realtors", &rules).await.unwrap();
    world.agent(DANA).await;
    let refused = world.try_login(dana(), PASSWORD, Uuid::new_v4()).await;
    assert_eq!(refused.refused("device-limit-reached", None).limit, Some(1));
    // Who has more than that keeps them.
    let none = sentri_server::operator::AssociationRules { device_limit: Some(0), ..Default::default() };
    assert!(world.server.operator().set_rules("Cascade Realtors", &none).await.is_err());
}

/// ACC-4: the reply was lost, the phone asks again: one registration. After a reinstall that lost the key store it is
/// another device; one that kept it is the same.
#[tokio::test]
async fn the_same_installation_uses_one_registration() {
    let world = World::new().await;
    let install = Uuid::new_v4();
    let first = phone(world.try_login(dana(), PASSWORD, install).await);
    let again = phone(world.try_login(dana(), PASSWORD, install).await);
    assert_eq!(first.device, again.device);
    let reinstalled = phone(world.try_login(dana(), PASSWORD, Uuid::new_v4()).await);
    assert_ne!(first.device, reinstalled.device);
    let own: OwnDevices =
        world.get(&world.prove(&dana(), DANAS_EMAIL).await, "/v1/identity/devices").await.ok();
    assert_eq!(own.devices.len(), 2);
}

/// ACC-5, SYN-3: a removed device gets no ticket, its tickets go on the list, and what it had not reported yet still
/// counts, once.
#[tokio::test]
async fn a_removed_device_uploads_what_it_holds_and_nothing_else() {
    let world = World::new().await;
    let ready = world.ready().await;
    let other = world.contractor(BO).await;
    let (changes, cursor) = world.sync(&ready.bo, None).await;
    let held = records::<Credential>(&changes).pop().expect("a ticket");
    world.sync(&other, None).await;

    let proven = world.prove(&bo(), BO).await;
    let path = format!("/v1/identity/devices/{}", ready.bo.device);
    assert_eq!(world.delete(&proven, &path).await.status, 204);
    world.get(&ready.bo, &format!("/v1/sync?cursor={cursor}")).await.refused("device-removed", None);
    world.get(&ready.bo, "/v1/me").await.refused("device-removed", None);
    world.get(&ready.bo, "/v1/me/export").await.refused("device-removed", None);

    // The other phone carries the news to the lock.
    let (changes, _) = world.sync(&other, None).await;
    let list = records::<RevocationList>(&changes).pop().expect("a list");
    let list = revocation::RevocationList::open(&world.keys(BLE), list.list.as_ref()).unwrap();
    let ticket = Ticket::decode(held.ticket.as_ref()).unwrap();
    assert!(list.revokes(ticket.credential, ticket.epoch));
    let own = records::<Credential>(&changes).pop().expect("a ticket of its own");
    let own = Ticket::decode(own.ticket.as_ref()).unwrap();
    assert!(!list.revokes(own.credential, own.epoch));

    // Weeks later, out of its sealed queue.
    world.clock.advance(HOUR);
    let refresh = json!({ "refresh": ready.bo.refresh });
    let tokens: Tokens = world.post_public("/v1/token/refresh", &refresh).await.ok();
    let removed = Phone { access: tokens.access.expose().into(), ..ready.bo.clone() };
    let queued = event(&ready, Uuid::new_v4(), None);
    assert_eq!(upload(&world, &removed, &[&queued]).await, [ReceiptResult::Stored]);
    assert_eq!(upload(&world, &removed, &[&queued]).await, [ReceiptResult::Duplicate]);
    assert_eq!(log(&world, &world.agent(DANA).await).await[0].who, "Bo Lindqvist");
    assert_eq!(world.send("POST", "/v1/logout", Some(&removed.access), &[], None).await.status, 204);
    world.get(&removed, "/v1/sync").await.refused("not-logged-in", Some("authorization"));
}

/// ACC-5: neither a login nor a password alone lists or removes devices, and nobody's are another's.
#[tokio::test]
async fn only_a_proven_identity_reaches_its_own_devices() {
    let world = World::new().await;
    let ready = world.ready().await;
    world.get(&ready.bo, "/v1/identity/devices").await.refused("not-logged-in", Some("authorization"));
    let body = json!({ "login": bo(), "password": "Wrong1pass" });
    world.post_public("/v1/identity", &body).await.refused("wrong-credentials", None);

    let body = json!({ "login": bo(), "password": PASSWORD });
    let started: IdentityStarted = world.post_public("/v1/identity", &body).await.ok();
    assert_eq!(started.sent_to, "b•••@plumbing.example");
    world.mailed_code(BO, 0).await;
    let unproven = Phone { access: started.identity.expose().to_owned(), ..ready.bo.clone() };
    world.get(&unproven, "/v1/identity/devices").await.refused("not-logged-in", Some("authorization"));
    // It is no login either.
    world.get(&unproven, "/v1/me").await.refused("not-logged-in", Some("authorization"));

    let proven = world.prove(&bo(), BO).await;
    let path = format!("/v1/identity/devices/{}", ready.dana.device);
    world.delete(&proven, &path).await.refused("not-found", None);
    world.get(&ready.dana, "/v1/me").await.ok::<Value>();
    // For ten minutes.
    world.clock.advance(600);
    world.get(&proven, "/v1/identity/devices").await.refused("not-logged-in", Some("authorization"));
}

/// Three tries, ten minutes, bound to its request; a new request ends the former one.
#[tokio::test]
async fn a_mailed_code_has_three_tries_and_ten_minutes() {
    let world = World::new().await;
    let body = json!({ "login": dana(), "password": PASSWORD });
    let start = async || world.post_public("/v1/identity", &body).await.ok::<IdentityStarted>();
    let verify = async |started: &IdentityStarted, code: &str| {
        let body = json!({ "identity": started.identity.expose(), "code": code });
        world.post_public("/v1/identity/verify", &body).await
    };
    let first = start().await;
    let right = world.mailed_code(DANAS_EMAIL, 0).await;
    let wrong = if right == "000000" { "000001" } else { "000000" };
    for _ in 0..3 {
        verify(&first, wrong).await.refused("wrong-code", Some("code"));
    }
    verify(&first, &right).await.refused("too-many-tries", None);

    let second = start().await;
    let code = world.mailed_code(DANAS_EMAIL, 1).await;
    verify(&first, &code).await.refused("expired", None);
    assert_eq!(verify(&second, &code).await.status, 204);
    verify(&second, &code).await.refused("expired", None);

    let third = start().await;
    let code = world.mailed_code(DANAS_EMAIL, 2).await;
    assert_eq!(third.code_expires_at, NOW + 600);
    world.clock.advance(600);
    verify(&third, &code).await.refused("expired", None);
    assert_eq!(world.mails_so_far(DANAS_EMAIL, CODE), 3);
}

/// ACC-9: a forgotten PIN; the wait after wrong ones is over with it.
#[tokio::test]
async fn a_forgotten_pin_is_set_anew() {
    let world = World::new().await;
    let dana_phone = world.agent(DANA).await;
    let listing = world.place(&dana_phone, BLE).await;
    let ask = async |pin: &str| {
        let mut body = grant(&listing, BO, NOW, NOW + HOUR);
        body["pin"] = json!(pin);
        world.post(&dana_phone, "/v1/grants", &body).await
    };
    for _ in 0..5 {
        ask("0000").await.refused("wrong-code", Some("pin"));
    }
    ask(PIN).await.refused("too-many-tries", Some("pin"));
    let proven = world.prove(&dana(), DANAS_EMAIL).await;
    let set = async |pin: &str| world.post(&proven, "/v1/identity/pin", &json!({ "pin": pin })).await;
    set("1234").await.refused("invalid", Some("pin"));
    assert_eq!(set("9173").await.status, 204);
    ask(PIN).await.refused("wrong-code", Some("pin"));
    ask("9173").await.ok::<GrantResponse>();
    world.nth_mail(DANAS_EMAIL, "PIN was set anew", 0).await;
}

/// ACC-12: waits that grow, whatever the phone says.
#[tokio::test]
async fn waits_after_wrong_pins_grow() {
    let world = World::new().await;
    let dana_phone = world.agent(DANA).await;
    let listing = world.place(&dana_phone, BLE).await;
    let mut waits = Vec::new();
    let mut body = grant(&listing, BO, NOW + 30 * HOUR, NOW + 31 * HOUR);
    body["pin"] = json!("0000");
    let mut caller = dana_phone.clone();
    while waits.len() < 4 {
        let reply = world.post(&caller, "/v1/grants", &body).await;
        if reply.status == 429 {
            let wait = reply.refused("too-many-tries", Some("pin")).retry_after.unwrap();
            waits.push(wait);
            world.clock.advance(i64::from(wait));
            caller = world.again(&caller).await;
        } else {
            reply.refused("wrong-code", Some("pin"));
        }
    }
    assert_eq!(waits, [300, 600, 1200, 2400]);
}
