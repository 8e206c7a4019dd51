//! The Message Center of both apps, and the pushes that wake them.

use sentri_core::{
    CoreError,
    api::{
        pushes::PushService,
        types::{App, MessageTopic},
    },
    open::PhoneChecks,
};
use sentri_sandbox::story::cast;
use sentri_server::outbox::Push;
use sentri_tests::{HOUR, House};

use crate::seen_by_granter;

/// All pushes so far, once everything that waits is out.
async fn pushes(house: &House) -> Vec<Push> {
    let running = house.town.running().await.unwrap();
    while running.deliver_due().await.unwrap() > 0 {}
    house.town.mailbox().pushes()
}

/// Where the pushes went that came after so many.
async fn tokens_after(house: &House, earlier: usize) -> Vec<String> {
    let new = pushes(house).await.into_iter().skip(earlier);
    new.flat_map(|push| push.to).map(|to| to.token.expose().to_owned()).collect()
}

/// CON-5, GRT-3: titles, the number of unread ones, read and deleted, in either app.
#[tokio::test(flavor = "multi_thread")]
async fn con_5_messages_are_counted_read_and_deleted_in_both_apps() {
    let house = House::build(641).await.unwrap();
    let now = house.town.clock.now();
    let access = house.grant(now + HOUR, now + 2 * HOUR).await.unwrap();
    house.agent.core.revoke(access.clone()).await.unwrap();
    house.sync().await.unwrap();
    seen_by_granter(&house, &access).await;
    for phone in [&house.agent, &house.contractor] {
        let core = &phone.core;
        let messages = core.messages().await.unwrap();
        assert!(messages.iter().all(|it| it.title.starts_with("SentriConnect Access ")), "{messages:?}");
        assert!(messages.iter().any(|it| it.topic == MessageTopic::AccessRevoked), "{messages:?}");
        let all = u32::try_from(messages.len()).unwrap();
        assert_eq!(core.unread_messages().await, Ok(all));
        core.mark_message_read(messages[0].id.clone()).await.unwrap();
        assert_eq!(core.unread_messages().await, Ok(all - 1));
        core.delete_message(messages[1].id.clone()).await.unwrap();
        assert_eq!(core.unread_messages().await, Ok(all - 2));
        // So it stays, for the account and not for the phone alone.
        house.town.clock.scene(core.sync_now()).await.unwrap();
        assert_eq!(core.unread_messages().await, Ok(all - 2));
        assert_eq!(core.messages().await.unwrap().len(), messages.len() - 1);
    }
    assert_eq!(house.contractor.core.delete_message(access).await, Err(CoreError::NotFound));
}

/// CON-4: the granter hears of use within one sync, and is woken for it.
#[tokio::test(flavor = "multi_thread")]
async fn con_4_the_granter_hears_of_use_within_one_sync() {
    let house = House::build(642).await.unwrap();
    // Nothing goes out but when the test says so.
    house.town.restart_backend(false).await.unwrap();
    house.agent.core.set_push_token(PushService::Apns, "danas-phone".into()).await.unwrap();
    let access = house.open_house(3).await.unwrap();
    let earlier = pushes(&house).await.len();
    house.town.clock.set(house.town.clock.now() + 60);
    house.contractor.open(&house.lockbox, Some(&access)).await.unwrap().told.unwrap();
    assert_eq!(tokens_after(&house, earlier).await, ["danas-phone"]);
    let core = &house.agent.core;
    house.town.clock.scene(core.push_received()).await.unwrap();
    let newest = core.messages().await.unwrap().remove(0);
    assert_eq!((newest.topic, newest.access_id), (MessageTopic::AccessUsed, Some(access.clone())));
    let grant = core.grants().await.unwrap().into_iter().find(|it| it.id == access).unwrap();
    assert!(grant.last_used_at.is_some_and(|at| at <= newest.at));
}

/// GRT-3: pushes go where the phone last said: told at once, or with the next sync; told again after a login; and ended.
#[tokio::test(flavor = "multi_thread")]
async fn grt_3_the_core_tells_where_pushes_go() {
    let house = House::build(643).await.unwrap();
    house.town.restart_backend(false).await.unwrap();
    let core = &house.contractor.core;
    let (mut now, mut earlier) = (house.town.clock.now(), pushes(&house).await.len());
    let mut granted = async || {
        now += HOUR;
        house.grant(now, now + HOUR).await.unwrap();
        let tokens = tokens_after(&house, earlier).await;
        earlier = pushes(&house).await.len();
        tokens
    };
    assert_eq!(granted().await, Vec::<String>::new());
    core.set_push_token(PushService::Fcm, "one".into()).await.unwrap();
    assert_eq!(granted().await, ["one"]);

    // Another token while there is no network: told once there is.
    house.town.cut_network().await;
    core.set_push_token(PushService::Fcm, "two".into()).await.unwrap();
    house.town.restore_network().await.unwrap();
    assert_eq!(granted().await, ["one"]);
    house.sync().await.unwrap();
    assert_eq!(granted().await, ["two"]);

    // A logout ends them; the next login is told of without the shell's doing.
    core.logout().await.unwrap();
    assert_eq!(granted().await, Vec::<String>::new());
    core.login_contractor(cast::CONTRACTOR_EMAIL.into(), cast::CONTRACTOR_PASSWORD.into()).await.unwrap();
    house.sync().await.unwrap();
    assert_eq!(granted().await, ["two"]);

    // A second phone has its own.
    let mut device = house.town.device("Second", App::Connect, PhoneChecks::Enforced);
    let second = device.start(&house.town.surroundings()).unwrap();
    second.core.set_push_token(PushService::Apns, "three".into()).await.unwrap();
    let (email, password) = (cast::CONTRACTOR_EMAIL, cast::CONTRACTOR_PASSWORD);
    second.core.login_contractor(email.into(), password.into()).await.unwrap();
    house.town.clock.scene(second.core.sync_now()).await.unwrap();
    let mut both = granted().await;
    both.sort();
    assert_eq!(both, ["three", "two"]);

    core.stop_pushes().await;
    assert_eq!(granted().await, ["three"]);
    for token in [String::new(), "with space".into(), "x".repeat(1025), "é".into()] {
        let refused = core.set_push_token(PushService::Fcm, token).await;
        assert!(matches!(refused, Err(CoreError::InvalidField { ref field, .. }) if field == "token"));
    }
}
