//! Forgotten and changed passwords, wrong ones, and the state of an account. [ACC-1, ACC-3, ACC-7, ACC-9]

use sentri_wire::{
    account::Standing,
    credential::{Access, Credential},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    accounts::join_all,
    world::{ARI, DANA, DANAS_EMAIL, HOUR, PASSWORD, World, phone, records},
};

const NEW: &str = "Newpass1";

fn dana() -> Value {
    json!({ "sentrikey_id": DANA })
}

async fn forgot(world: &World, login: &Value) {
    let reply = world.post_public("/v1/password/forgot", &json!({ "login": login })).await;
    assert_eq!((reply.status, reply.bytes.len()), (202, 0));
}

/// The token in the nth link to an address.
async fn link(world: &World, email: &str, earlier: usize) -> String {
    let mail = world.nth_mail(email, "Reset your", earlier).await;
    let link = mail.body.split_whitespace().find(|word| word.contains("/reset#")).expect("a link");
    link.split_once('#').unwrap().1.to_owned()
}

fn reset(token: &str, password: &str) -> Value {
    json!({ "token": token, "password": password })
}

/// ACC-3: by SentriKey ID or address, the same answer for whoever is unknown.
#[tokio::test]
async fn a_forgotten_password_is_reset_once_by_a_mailed_link() {
    let world = World::new().await;
    let before = world.agent(DANA).await;
    for nobody in [json!({ "sentrikey_id": "000000000" }), json!({ "email": "nobody@example.com" })] {
        forgot(&world, &nobody).await;
    }
    // An agent's address is no login: it gets no link.
    forgot(&world, &json!({ "email": DANAS_EMAIL })).await;
    world.deliver_all().await;
    assert!(world.mailbox.mails().is_empty());

    forgot(&world, &dana()).await;
    let token = link(&world, DANAS_EMAIL, 0).await;
    let weak = world.post_public("/v1/password/reset", &reset(&token, "short")).await;
    weak.refused("invalid", Some("password"));
    assert_eq!(world.post_public("/v1/password/reset", &reset(&token, NEW)).await.status, 204);
    let again = world.post_public("/v1/password/reset", &reset(&token, NEW)).await;
    again.refused("expired", Some("token"));

    // All sessions have ended, and only the new password logs in.
    world.get(&before, "/v1/me").await.refused("not-logged-in", Some("authorization"));
    let refresh = json!({ "refresh": before.refresh });
    world.post_public("/v1/token/refresh", &refresh).await.refused("not-logged-in", Some("refresh"));
    let former = world.try_login(dana(), PASSWORD, Uuid::new_v4()).await;
    former.refused("wrong-credentials", None);
    phone(world.try_login(dana(), NEW, Uuid::new_v4()).await);
    let told = world.nth_mail(DANAS_EMAIL, "password was changed", 0).await;
    assert!(told.body.contains("555-01"), "{}", told.body);
}

/// ACC-3: for an hour, and only the newest; three mails an hour, of which one always works.
#[tokio::test]
async fn a_link_ends_after_an_hour_and_with_the_next_one() {
    let world = World::new().await;
    forgot(&world, &dana()).await;
    let first = link(&world, DANAS_EMAIL, 0).await;
    forgot(&world, &dana()).await;
    let second = link(&world, DANAS_EMAIL, 1).await;
    let refused = async |token: &str| {
        world.post_public("/v1/password/reset", &reset(token, NEW)).await.refused("expired", Some("token"))
    };
    refused(&first).await;
    for _ in 0..5 {
        forgot(&world, &dana()).await;
    }
    let third = link(&world, DANAS_EMAIL, 2).await;
    world.deliver_all().await;
    assert_eq!(world.mails_so_far(DANAS_EMAIL, "Reset your"), 3, "nobody floods a mailbox");
    refused(&second).await;
    world.clock.advance(HOUR - 1);
    assert_eq!(world.post_public("/v1/password/reset", &reset(&third, NEW)).await.status, 204);

    world.clock.advance(1);
    forgot(&world, &dana()).await;
    let late = link(&world, DANAS_EMAIL, 3).await;
    world.clock.advance(HOUR);
    refused(&late).await;
}

/// ACC-3: two people with one link; one of them sets the password.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_link_that_is_used_twice_at_once_works_once() {
    let world = World::new().await;
    forgot(&world, &dana()).await;
    let token = link(&world, DANAS_EMAIL, 0).await;
    let bodies: Vec<Value> = (0..6).map(|n| reset(&token, &format!("Newpass{n}"))).collect();
    let replies = join_all(bodies.iter().map(|body| world.post_public("/v1/password/reset", body))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 204).count(), 1);
    assert_eq!(replies.iter().filter(|reply| reply.status == 410).count(), 5);
}

/// ACC-1: whoever guesses on purpose makes strangers wait, never a phone that has logged in before.
#[tokio::test]
async fn a_deliberate_lockout_does_not_lock_out_the_owner() {
    let world = World::new().await;
    let install = Uuid::new_v4();
    phone(world.try_login(dana(), PASSWORD, install).await);
    let (mut failures, mut without_a_wait) = (0, 0);
    // Days of guessing, without a pause of its own: ten at first, and one more after each wait, of an hour in the end.
    for _ in 0..200 {
        let reply = world.try_login(dana(), "Wrong1pass", Uuid::new_v4()).await;
        if reply.status == 401 {
            (failures, without_a_wait) = (failures + 1, without_a_wait + 1);
            assert!(without_a_wait <= 10);
            continue;
        }
        let wait = reply.refused("too-many-tries", None).retry_after.unwrap();
        without_a_wait = 0;
        world.clock.advance(i64::from(wait));
    }
    assert!(failures < 110, "{failures}");
    world.try_login(dana(), "Wrong1pass", Uuid::new_v4()).await;
    world.try_login(dana(), PASSWORD, Uuid::new_v4()).await.refused("too-many-tries", None);
    // The owner's phone, while strangers wait.
    phone(world.try_login(dana(), PASSWORD, install).await);

    // The owner's new phone: a link by mail, and in while the guessing goes on.
    let new_phone = Uuid::new_v4();
    forgot(&world, &dana()).await;
    let token = link(&world, DANAS_EMAIL, 0).await;
    let mut body = reset(&token, NEW);
    body["install_id"] = json!(new_phone);
    assert_eq!(world.post_public("/v1/password/reset", &body).await.status, 204);
    for _ in 0..11 {
        world.try_login(dana(), "Wrong1pass", Uuid::new_v4()).await;
    }
    world.try_login(dana(), NEW, Uuid::new_v4()).await.refused("too-many-tries", None);
    phone(world.try_login(dana(), NEW, new_phone).await);
}

/// A registered phone is no way around the limit.
#[tokio::test]
async fn a_registered_phone_has_a_count_of_its_own() {
    let world = World::new().await;
    let install = Uuid::new_v4();
    phone(world.try_login(dana(), PASSWORD, install).await);
    for _ in 0..10 {
        world.try_login(dana(), "Wrong1pass", install).await.refused("wrong-credentials", None);
    }
    world.try_login(dana(), PASSWORD, install).await.refused("too-many-tries", None);
}

/// ACC-1: thirty right logins of one account at once are all let in.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_right_logins_at_once_are_all_let_in() {
    let world = World::with(|config| config.policy.device_limit = 40).await;
    let known = Uuid::new_v4();
    for install in [None, Some(known)] {
        let logins = (0..30).map(|_| world.try_login(dana(), PASSWORD, install.unwrap_or_else(Uuid::new_v4)));
        for reply in join_all(logins).await {
            assert_eq!(reply.status, 200, "{}", reply.body);
        }
    }
}

/// ACC-10: with the password so far; all other sessions end.
#[tokio::test]
async fn a_changed_password_ends_the_other_sessions() {
    let world = World::new().await;
    let (here, there) = (world.agent(DANA).await, world.agent(DANA).await);
    let change = |old: &str, new: &str| json!({ "password": old, "new_password": new });
    let path = "/v1/me/password";
    let wrong = world.post(&here, path, &change("Wrong1pass", NEW)).await;
    wrong.refused("wrong-credentials", Some("password"));
    world.post(&here, path, &change(PASSWORD, "short")).await.refused("invalid", Some("new_password"));
    assert_eq!(world.post(&here, path, &change(PASSWORD, NEW)).await.status, 204);
    world.get(&here, "/v1/me").await.ok::<Value>();
    world.get(&there, "/v1/me").await.refused("not-logged-in", Some("authorization"));
    phone(world.try_login(dana(), NEW, Uuid::new_v4()).await);
    world.nth_mail(DANAS_EMAIL, "password was changed", 0).await;
}

/// ACC-10: guessing at the password within a session is counted like at the login.
#[tokio::test]
async fn a_session_does_not_help_to_guess_the_password() {
    let world = World::new().await;
    let here = world.agent(DANA).await;
    let wrong = json!({ "password": "Wrong1pass", "new_password": NEW });
    for _ in 0..10 {
        let reply = world.post(&here, "/v1/me/password", &wrong).await;
        reply.refused("wrong-credentials", Some("password"));
    }
    let right = json!({ "password": PASSWORD, "new_password": NEW });
    world.post(&here, "/v1/me/password", &right).await.refused("too-many-tries", None);
}

/// ACC-9: a setting of the deployment or association: length instead of composition, and no security questions.
#[tokio::test]
async fn the_strict_rule_is_a_setting() {
    use sentri_wire::account::{Account, PasswordRule};
    let world = World::new().await;
    let rules = sentri_server::operator::AssociationRules {
        password_rule: Some(PasswordRule::Strict),
        ..Default::default()
    };
    world.server.operator().set_rules("Cascade Realtors", &rules).await.unwrap();
    let here = world.agent(ARI).await;
    assert_eq!(here.account.password_rule, PasswordRule::Strict);
    assert_eq!(world.get(&here, "/v1/me").await.ok::<Account>().password_rule, PasswordRule::Strict);
    let change = |new: &str| json!({ "password": PASSWORD, "new_password": new });
    for bad in ["Abcdef2", "Password1!", "sentrikey"] {
        let reply = world.post(&here, "/v1/me/password", &change(bad)).await;
        reply.refused("invalid", Some("new_password"));
    }
    let questions = json!({ "password": PASSWORD,
        "security_questions": [{ "question": "First street?", "answer": "Elm" }] });
    world.post(&here, "/v1/me/security-questions", &questions).await.refused("forbidden", None);
    let good = "lantern quarry mist five";
    assert_eq!(world.post(&here, "/v1/me/password", &change(good)).await.status, 204);
}

/// ACC-7: who may not log in is told why and whom to contact, after the right password alone. A state of the account
/// itself; an operator sets it.
#[tokio::test]
async fn a_state_names_whom_to_contact() {
    let world = World::new().await;
    let here = world.agent(DANA).await;
    for (standing, status, detail) in [
        (Standing::Suspended, "suspended", "association or MLS"),
        (Standing::Lapsed, "lapsed", "Call the support line with your SentriKey ID"),
        (Standing::Locked, "locked", "Call the support line"),
    ] {
        world.server.operator().set_account_standing(DANA, standing).await.unwrap();
        for problem in [
            world.try_login(dana(), PASSWORD, Uuid::new_v4()).await.refused("account-not-active", None),
            world.get(&here, "/v1/sync").await.refused("account-not-active", None),
        ] {
            assert_eq!(problem.standing, Some(standing));
            assert!(problem.detail.unwrap().contains(detail));
            assert!(!problem.support.expect("whom to call").phones.is_empty());
        }
        world.try_login(dana(), "Wrong1pass", Uuid::new_v4()).await.refused("wrong-credentials", None);
        let me: Value = world.get(&here, "/v1/me").await.ok();
        assert_eq!(me["standing"], status);
    }
}

/// ACC-7: a contractor out of good standing holds no ticket; in good standing again, they do.
#[tokio::test]
async fn tickets_go_with_the_standing_and_come_back_with_it() {
    let world = World::new().await;
    let ready = world.ready().await;
    let bo = "bo@plumbing.example";
    let (changes, cursor) = world.sync(&ready.bo, None).await;
    let held = records::<Credential>(&changes).pop().expect("a ticket");
    world.server.operator().set_account_standing(bo, Standing::Locked).await.unwrap();
    world.get(&ready.bo, "/v1/sync").await.refused("account-not-active", None);
    world.server.operator().set_account_standing(bo, Standing::Active).await.unwrap();
    let (changes, _) = world.sync(&ready.bo, Some(&cursor)).await;
    assert!(changes.iter().any(|it| it.id == held.id && it.record.is_none()));
    let again = records::<Credential>(&changes).pop().expect("a ticket again");
    assert_ne!(again.id, held.id);
    assert!(records::<Access>(&world.sync(&ready.bo, None).await.0).iter().all(|it| !it.revoked));
}
