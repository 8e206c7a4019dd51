//! Login, devices, tokens.

use sentri_server::{Ports, Server, operator::AssociationRules};
use sentri_wire::account::Tokens;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{ARI, DANA, DAY, HOUR, PASSWORD, Phone, Reply, World, phone};

/// ACC-4: ten phones log in at once, as many as may try before one must wait; the limit of three holds.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn racing_logins_never_pass_the_device_limit() {
    let world = World::new().await;
    let logins = (0..10).map(|_| world.try_login(json!({ "sentrikey_id": DANA }), PASSWORD, Uuid::new_v4()));
    let mut registered = 0;
    for reply in join_all(logins).await {
        if reply.status == 200 {
            registered += 1;
        } else {
            let problem = reply.refused("device-limit-reached", None);
            assert_eq!(problem.limit, Some(3));
            assert!(!problem.support.expect("whom to call").phones.is_empty());
        }
    }
    assert_eq!(registered, 3);
    // Another account is not touched by it.
    world.agent(ARI).await;
}

/// ACC-4: two phones race for the last registration, each at a server of its own on the one database, 200 times.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_servers_give_the_last_registration_to_one_of_two() {
    let world = World::new().await;
    let ports = Ports::with_mailbox(world.clock.clone(), &world.mailbox);
    let second = Server::start(world.config.clone(), ports).await.unwrap();
    let urls = [world.server.url(), second.url()];
    for round in 1..=200 {
        let rules = AssociationRules { device_limit: Some(round), ..AssociationRules::default() };
        world.server.operator().set_rules("Cascade Realtors", &rules).await.unwrap();
        let login = async |url: &str| {
            let device = json!({ "install_id": Uuid::new_v4(), "name": "Phone", "platform": "desktop" });
            let body = json!({ "login": { "sentrikey_id": DANA }, "password": PASSWORD, "device": device });
            world.http.post(format!("{url}/v1/login")).json(&body).send().await.unwrap().status().as_u16()
        };
        let (first, other) = tokio::join!(login(&urls[0]), login(&urls[1]));
        let mut both = [first, other];
        both.sort_unstable();
        assert_eq!(both, [200, 403], "round {round}");
    }
    second.stop().await;
}

/// ACC-4
#[tokio::test]
async fn a_registered_device_logs_in_again_without_using_a_registration() {
    let world = World::new().await;
    let install = Uuid::new_v4();
    let mut devices = Vec::new();
    for _ in 0..5 {
        devices.push(phone(world.try_login(json!({ "sentrikey_id": DANA }), PASSWORD, install).await).device);
    }
    assert!(devices.iter().all(|device| *device == devices[0]));
    world.agent(DANA).await;
    world.agent(DANA).await;
    let fourth = world.try_login(json!({ "sentrikey_id": DANA }), PASSWORD, Uuid::new_v4()).await;
    fourth.refused("device-limit-reached", None);
    assert_eq!(world.try_login(json!({ "sentrikey_id": DANA }), PASSWORD, install).await.status, 200);
}

/// ACC-1: neither the answer nor its cost tells whether an account exists.
#[tokio::test]
async fn a_wrong_password_and_an_unknown_account_get_the_same_answer_at_the_same_cost() {
    let world = World::new().await;
    let logins = [
        json!({ "sentrikey_id": DANA }),
        json!({ "sentrikey_id": "000000000" }),
        json!({ "email": "nobody@example.com" }),
        // An agent's address is no login.
        json!({ "email": "dana@realty.example" }),
    ];
    let mut answers = Vec::new();
    for login in logins {
        let before = world.server.password_verifications();
        let reply = world.try_login(login, "Wrong1pass", Uuid::new_v4()).await;
        assert_eq!(world.server.password_verifications() - before, 1);
        answers.push((reply.status, reply.bytes));
    }
    assert_eq!(answers[0].0, 401);
    assert!(answers.iter().all(|answer| *answer == answers[0]));
}

/// ACC-1: guessing gets slower, for an unknown account as for a known one.
#[tokio::test]
async fn after_ten_wrong_passwords_a_login_has_to_wait() {
    let world = World::new().await;
    for login in [json!({ "sentrikey_id": DANA }), json!({ "email": "nobody@example.com" })] {
        for _ in 0..10 {
            world
                .try_login(login.clone(), "Wrong1pass", Uuid::new_v4())
                .await
                .refused("wrong-credentials", None);
        }
        let before = world.server.password_verifications();
        let waits = world.try_login(login.clone(), PASSWORD, Uuid::new_v4()).await;
        assert_eq!(waits.refused("too-many-tries", None).retry_after, Some(30));
        assert_eq!(world.server.password_verifications(), before);
    }
    world.clock.advance(30);
    world.agent(DANA).await;
}

/// ACC-1: thirty guesses at once get no further than thirty in a row.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn racing_wrong_passwords_never_pass_the_limit() {
    let world = World::new().await;
    for login in [json!({ "sentrikey_id": DANA }), json!({ "email": "nobody@example.com" })] {
        let before = world.server.password_verifications();
        let guesses = (0..30).map(|_| world.try_login(login.clone(), "Wrong1pass", Uuid::new_v4()));
        let replies = join_all(guesses).await;
        let looked_at = replies.iter().filter(|reply| reply.status == 401).count();
        assert_eq!(looked_at, 10);
        assert_eq!(world.server.password_verifications() - before, 10);
        for reply in replies.into_iter().filter(|reply| reply.status != 401) {
            assert!(reply.refused("too-many-tries", None).support.is_some());
        }
    }
}

/// ACC-1: a right password is no guess, whatever stands in the way after it.
#[tokio::test]
async fn right_passwords_are_never_counted() {
    let world = World::new().await;
    let login = json!({ "sentrikey_id": DANA });
    world.server.operator().suspend_agent(DANA).await.unwrap();
    for _ in 0..12 {
        let reply = world.try_login(login.clone(), PASSWORD, Uuid::new_v4()).await;
        reply.refused("account-not-active", None);
    }
}

/// ACC-2
#[tokio::test]
async fn the_profile_shows_the_sentrikey_id() {
    let world = World::new().await;
    let dana = world.agent(DANA).await;
    let me: Value = world.get(&dana, "/v1/me").await.ok();
    assert_eq!(me["sentrikey_id"], DANA);
    assert_eq!(me["first_name"], "Dana");
}

#[tokio::test]
async fn a_refresh_token_works_once_and_its_reuse_ends_the_session() {
    let world = World::new().await;
    let dana = world.agent(DANA).await;
    world.clock.advance(15 * 60);
    world.get(&dana, "/v1/me").await.refused("token-expired", Some("authorization"));

    let refresh = json!({ "refresh": dana.refresh });
    let tokens: Tokens = world.post_public("/v1/token/refresh", &refresh).await.ok();
    let fresh = Phone { access: tokens.access.expose().into(), ..dana.clone() };
    world.get(&fresh, "/v1/me").await.ok::<Value>();

    world.post_public("/v1/token/refresh", &refresh).await.refused("not-logged-in", Some("refresh"));
    world.get(&fresh, "/v1/me").await.refused("not-logged-in", Some("authorization"));
    let second = json!({ "refresh": tokens.refresh.expose() });
    world.post_public("/v1/token/refresh", &second).await.refused("not-logged-in", Some("refresh"));
}

/// A phone that lost the answer repeats its refresh under the same key: the same pair, and no ended session.
#[tokio::test]
async fn a_refresh_whose_answer_was_lost_is_answered_again_for_ten_minutes() {
    let mut world = World::new().await;
    let dana = world.agent(DANA).await;
    let refresh = json!({ "refresh": dana.refresh });
    let key = Uuid::new_v4().to_string();
    let lost: Tokens = world.refresh(&refresh, &key).await.ok();
    world.restart(|_, _| {}).await;
    world.clock.advance(10 * 60);
    let again: Tokens = world.refresh(&refresh, &key).await.ok();
    assert_eq!(again.access.expose(), lost.access.expose());
    assert_eq!(again.refresh.expose(), lost.refresh.expose());
    assert_eq!(again.access_expires_at, lost.access_expires_at);
    let fresh = Phone { access: again.access.expose().into(), ..dana.clone() };
    world.get(&fresh, "/v1/me").await.ok::<Value>();

    world.clock.advance(1);
    world.refresh(&refresh, &key).await.refused("not-logged-in", Some("refresh"));
    world.get(&fresh, "/v1/me").await.refused("not-logged-in", Some("authorization"));
    let second = json!({ "refresh": again.refresh.expose() });
    world.refresh(&second, &key).await.refused("not-logged-in", Some("refresh"));
}

/// Somebody who has the old token without its key gets nothing, and ends the session.
#[tokio::test]
async fn a_used_refresh_token_with_another_key_or_none_ends_the_session() {
    let world = World::new().await;
    for other in [None, Some(Uuid::new_v4().to_string())] {
        let ari = world.agent(ARI).await;
        let refresh = json!({ "refresh": ari.refresh });
        let key = Uuid::new_v4().to_string();
        let tokens: Tokens = world.refresh(&refresh, &key).await.ok();
        let stolen = match &other {
            Some(other) => world.refresh(&refresh, other).await,
            None => world.post_public("/v1/token/refresh", &refresh).await,
        };
        stolen.refused("not-logged-in", Some("refresh"));
        let fresh = Phone { access: tokens.access.expose().into(), ..ari.clone() };
        world.get(&fresh, "/v1/me").await.refused("not-logged-in", Some("authorization"));
        // Not even the right key helps any more.
        world.refresh(&refresh, &key).await.refused("not-logged-in", Some("refresh"));
    }
}

/// One key is for one refresh; the token of the second is not spent by the refusal.
#[tokio::test]
async fn a_refresh_under_a_key_that_was_used_is_refused_and_changes_nothing() {
    let world = World::new().await;
    let dana = world.agent(DANA).await;
    let key = Uuid::new_v4().to_string();
    let first: Tokens = world.refresh(&json!({ "refresh": dana.refresh }), &key).await.ok();
    let second = json!({ "refresh": first.refresh.expose() });
    world.refresh(&second, &key).await.refused("conflict", Some("idempotency-key"));
    world.refresh(&second, &Uuid::new_v4().to_string()).await.ok::<Tokens>();
}

/// Two repeats at once get the same pair.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn racing_repeats_of_a_refresh_get_the_same_pair() {
    let world = World::new().await;
    let dana = world.agent(DANA).await;
    let (refresh, key) = (json!({ "refresh": dana.refresh }), Uuid::new_v4().to_string());
    let replies = join_all((0..8).map(|_| world.refresh(&refresh, &key))).await;
    let pairs: Vec<Tokens> = replies.into_iter().map(Reply::ok).collect();
    assert!(pairs.iter().all(|pair| pair.access.expose() == pairs[0].access.expose()));
}

#[tokio::test]
async fn a_session_ends_by_logout_by_a_new_login_and_when_unused_for_long() {
    let world = World::new().await;
    let dana = world.agent(DANA).await;
    assert_eq!(world.send("POST", "/v1/logout", Some(&dana.access), &[], None).await.status, 204);
    world.get(&dana, "/v1/me").await.refused("not-logged-in", Some("authorization"));

    let install = Uuid::new_v4();
    let ari = || world.try_login(json!({ "sentrikey_id": ARI }), PASSWORD, install);
    let first = phone(ari().await);
    let second = phone(ari().await);
    world.get(&first, "/v1/me").await.refused("not-logged-in", Some("authorization"));
    world.get(&second, "/v1/me").await.ok::<Value>();
    world.clock.advance(90 * DAY);
    let refresh = json!({ "refresh": second.refresh });
    world.post_public("/v1/token/refresh", &refresh).await.refused("not-logged-in", Some("refresh"));
}

/// ACC-7
#[tokio::test]
async fn a_suspended_account_is_told_whom_to_contact() {
    let world = World::new().await;
    let dana = world.agent(DANA).await;
    world.server.operator().suspend_agent(DANA).await.unwrap();
    for path in ["/v1/listings", "/v1/lockboxes", "/v1/sync"] {
        let problem = world.get(&dana, path).await.refused("account-not-active", None);
        assert!(problem.support.is_some());
    }
    // The state is clear at login too, but only to somebody with the right password.
    let login = json!({ "sentrikey_id": DANA });
    let refused = world.try_login(login.clone(), PASSWORD, Uuid::new_v4()).await;
    assert!(refused.refused("account-not-active", None).support.is_some());
    world.try_login(login, "Wrong1pass", Uuid::new_v4()).await.refused("wrong-credentials", None);
    world.get(&dana, "/v1/me").await.ok::<Value>();

    world.server.operator().reinstate_agent(DANA).await.unwrap();
    world.clock.advance(HOUR / 10);
    world.get(&dana, "/v1/listings").await.ok::<Value>();
}

impl World {
    async fn refresh(&self, body: &Value, key: &str) -> Reply {
        let body = Some(body.to_string().into_bytes());
        self.send("POST", "/v1/token/refresh", None, &[("idempotency-key", key)], body).await
    }
}

/// Runs futures at once, each as it is ready.
pub async fn join_all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut pending: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        for (future, output) in &mut pending {
            if output.is_none()
                && let std::task::Poll::Ready(value) = future.as_mut().poll(context)
            {
                *output = Some(value);
            }
        }
        if pending.iter().all(|(_, output)| output.is_some()) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    pending.into_iter().filter_map(|(_, output)| output).collect()
}
