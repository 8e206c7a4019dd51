//! What people change about themselves. [ACC-10]

use sentri_wire::{
    account::Account,
    agent::GrantState,
    credential::{Access, Credential},
    identity::ChangeStarted,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{DANA, DANAS_EMAIL, DANAS_PHONE, DAY, HOUR, NOW, PASSWORD, Phone, World, phone, records};

const BO: &str = "bo@plumbing.example";
const NEW: &str = "bo@lindqvist.example";

fn email(email: &str, again: &str) -> Value {
    json!({ "password": PASSWORD, "email": email, "email_again": again })
}

fn number(number: &str, again: &str) -> Value {
    json!({ "password": PASSWORD, "phone": number, "phone_again": again })
}

fn verify(started: &ChangeStarted, code: &str) -> Value {
    json!({ "change": started.change.expose(), "code": code })
}

async fn bo(world: &World) -> Phone {
    world.ready().await.bo
}

#[tokio::test]
async fn name_and_role_are_changed_with_the_password() {
    let world = World::new().await;
    let ready = world.ready().await;
    let bo = &ready.bo;
    let body = |password: &str, role: &Value| json!({ "password": password, "first_name": "Beau", "last_name": "Lind", "role": role });
    let path = "/v1/me/profile";
    let wrong = world.post(bo, path, &body("Wrong1pass", &json!("Roofer"))).await;
    wrong.refused("wrong-credentials", Some("password"));
    world.post(bo, path, &body(PASSWORD, &Value::Null)).await.refused("invalid", Some("role"));
    world.post(bo, path, &body(PASSWORD, &json!(""))).await.refused("invalid", Some("role"));
    let (_, cursor) = world.sync(bo, None).await;
    let changed: Account = world.post(bo, path, &body(PASSWORD, &json!("Roofer"))).await.ok();
    assert_eq!((changed.first_name.as_str(), changed.role.as_deref()), ("Beau", Some("Roofer")));
    // Their other phones hear of it.
    let (heard, _) = world.sync(bo, Some(&cursor)).await;
    assert_eq!(records::<Account>(&heard), [changed]);

    // An agent's name is the association's.
    world.post(&ready.dana, path, &body(PASSWORD, &Value::Null)).await.refused("forbidden", None);
    let theirs =
        [("/v1/me/email", email(NEW, NEW)), ("/v1/me/phone", number("503-555-0111", "503-555-0111"))];
    for (path, body) in theirs {
        world.post(&ready.dana, path, &body).await.refused("forbidden", None);
    }
}

#[tokio::test]
async fn a_number_is_changed_by_its_own_texted_code() {
    let world = World::new().await;
    let bo = bo(&world).await;
    let new = "503-555-0111";
    let path = "/v1/me/phone";
    world.post(&bo, path, &number(new, "503-555-0112")).await.refused("invalid", Some("phone_again"));
    let mut wrong = number(new, new);
    wrong["password"] = json!("Wrong1pass");
    world.post(&bo, path, &wrong).await.refused("wrong-credentials", Some("password"));

    let started: ChangeStarted = world.post(&bo, path, &number(new, new)).await.ok();
    assert_eq!(started.code_expires_at, NOW + 600);
    let code = world.code(new).await;
    let bad = if code == "0000" { "0001" } else { "0000" };
    let path = "/v1/me/phone/verify";
    world.post(&bo, path, &verify(&started, bad)).await.refused("wrong-code", Some("code"));
    let changed: Account = world.post(&bo, path, &verify(&started, &code)).await.ok();
    assert_eq!(changed.phone, new);
    world.post(&bo, path, &verify(&started, &code)).await.refused("expired", None);
}

/// ACC-8: that a number is an agent's is told after its code.
#[tokio::test]
async fn an_agents_number_is_not_taken() {
    let world = World::new().await;
    let bo = bo(&world).await;
    let started: ChangeStarted =
        world.post(&bo, "/v1/me/phone", &number(DANAS_PHONE, DANAS_PHONE)).await.ok();
    let code = world.code(DANAS_PHONE).await;
    let reply = world.post(&bo, "/v1/me/phone/verify", &verify(&started, &code)).await;
    reply.refused("agent-account", Some("phone"));
    assert_eq!(world.get(&bo, "/v1/me").await.ok::<Account>().phone, "503-555-0199");
}

/// A code goes to the new address, word goes to the old one; login and grants follow.
#[tokio::test]
async fn an_address_is_proven_at_the_new_one_and_told_to_the_old_one() {
    let world = World::new().await;
    let ready = world.ready().await;
    let bo = &ready.bo;
    // Somebody was quicker, and granted to the new address.
    let early = world.grant(&ready.dana, &ready.listing, NEW, NOW, NOW + DAY).await;
    assert_eq!(early.state, GrantState::Invited);
    let path = "/v1/me/email";
    world.post(bo, path, &email(NEW, BO)).await.refused("invalid", Some("email_again"));
    let started: ChangeStarted = world.post(bo, path, &email(NEW, NEW)).await.ok();
    let code = world.mailed_code(NEW, 0).await;
    let changed: Account = world.post(bo, "/v1/me/email/verify", &verify(&started, &code)).await.ok();
    assert_eq!(changed.email, NEW);
    world.nth_mail(BO, "email address of your Sentri account was changed", 0).await;
    phone(world.try_login(json!({ "email": NEW }), PASSWORD, Uuid::new_v4()).await);
    let former = world.try_login(json!({ "email": BO }), PASSWORD, Uuid::new_v4()).await;
    former.refused("wrong-credentials", None);

    // What was granted to either is theirs, with a ticket on the phone that is logged in.
    let (held, _) = world.sync(bo, None).await;
    assert_eq!(records::<Access>(&held).len(), 2);
    assert_eq!(records::<Credential>(&held).len(), 2);
}

/// ACC-8: whose an address is, is told only after its code: an agent's, or another contractor's.
#[tokio::test]
async fn an_address_of_somebody_else_is_not_taken() {
    let world = World::new().await;
    let ready = world.ready().await;
    world.grant(&ready.dana, &ready.listing, "cy@paint.example", NOW, NOW + HOUR).await;
    world.sign_up("cy@paint.example", "503-555-0177").await;
    for (taken, code_word) in [(DANAS_EMAIL, "agent-account"), ("cy@paint.example", "conflict")] {
        let started: ChangeStarted = world.post(&ready.bo, "/v1/me/email", &email(taken, taken)).await.ok();
        let code = world.mailed_code(taken, 0).await;
        let reply = world.post(&ready.bo, "/v1/me/email/verify", &verify(&started, &code)).await;
        reply.refused(code_word, Some("email"));
    }
    assert_eq!(world.get(&ready.bo, "/v1/me").await.ok::<Account>().email, BO);
}

/// Three tries; a code is its request's and its account's alone.
#[tokio::test]
async fn a_changes_code_is_bound_to_its_request() {
    let world = World::new().await;
    let ready = world.ready().await;
    world.grant(&ready.dana, &ready.listing, "cy@paint.example", NOW, NOW + HOUR).await;
    let cy = world.sign_up("cy@paint.example", "503-555-0177").await;
    let started: ChangeStarted = world.post(&ready.bo, "/v1/me/email", &email(NEW, NEW)).await.ok();
    let code = world.mailed_code(NEW, 0).await;
    let path = "/v1/me/email/verify";
    world.post(&cy, path, &verify(&started, &code)).await.refused("expired", None);
    // A mail's code is no text's.
    world.post(&ready.bo, "/v1/me/phone/verify", &verify(&started, &code)).await.refused("expired", None);
    let bad = if code == "000000" { "000001" } else { "000000" };
    for _ in 0..3 {
        world.post(&ready.bo, path, &verify(&started, bad)).await.refused("wrong-code", Some("code"));
    }
    world.post(&ready.bo, path, &verify(&started, &code)).await.refused("too-many-tries", None);
}

/// Nobody floods strangers' mailboxes from an account.
#[tokio::test]
async fn an_account_sends_only_so_many_codes_a_day() {
    let world = World::new().await;
    let bo = bo(&world).await;
    for n in 0..10 {
        let other = format!("n{n}@example.com");
        world.post(&bo, "/v1/me/email", &email(&other, &other)).await.ok::<ChangeStarted>();
    }
    let refused = world.post(&bo, "/v1/me/email", &email(NEW, NEW)).await;
    assert_eq!(refused.refused("too-many-tries", Some("email")).retry_after, Some(86_400));
}

#[tokio::test]
async fn security_questions_are_changed_with_the_password() {
    let world = World::new().await;
    let dana = world.agent(DANA).await;
    let path = "/v1/me/security-questions";
    let body = |count: usize| {
        let one = json!({ "question": "First street?", "answer": "Elm" });
        json!({ "password": PASSWORD, "security_questions": vec![one; count] })
    };
    for count in [0, 6] {
        world.post(&dana, path, &body(count)).await.refused("invalid", Some("security_questions"));
    }
    assert_eq!(world.post(&dana, path, &body(2)).await.status, 204);
}
