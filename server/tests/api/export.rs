//! A person's own data in one document, by themselves and by an operator; nobody else's, and nothing secret.

use sentri_server::Refusal;
use sentri_wire::{
    agent::GrantState, event::Outcome, export::PersonalData, problem::ProblemCode, sync::MessageTopic,
};
use uuid::Uuid;

use crate::{
    events::{event, upload},
    world::{ARI, BLE, DANA, DANAS_EMAIL, DAY, HOUR, NOW, PASSWORD, PIN, World},
};

const BO: &str = "bo@plumbing.example";

#[tokio::test]
async fn everybody_gets_what_is_stored_of_them() {
    let world = World::new().await;
    let ready = world.ready().await;
    world.grant(&ready.dana, &ready.listing, BO, NOW + DAY, NOW + DAY + HOUR).await;
    world.sync(&ready.bo, None).await;
    upload(&world, &ready.bo, &[&event(&ready, Uuid::new_v4(), None)]).await;

    let reply = world.get(&ready.bo, "/v1/me/export").await;
    let text = reply.body.to_string();
    let bo: PersonalData = reply.ok();
    assert_eq!(bo.account, ready.bo.account);
    assert_eq!((bo.exported_at, bo.created_at), (NOW, NOW));
    assert_eq!(bo.devices.iter().map(|device| device.id).collect::<Vec<_>>(), [ready.bo.device]);
    assert_eq!(bo.devices[0].name, "Phone");
    assert_eq!(bo.grants_given, []);
    assert_eq!(bo.grants_received.len(), 2);
    assert_eq!((bo.grants_received[0].lockbox.as_str(), bo.events[0].lockbox.as_str()), (BLE, BLE));
    assert_eq!((bo.events.len(), bo.events[0].outcome), (1, Outcome::Opened));
    assert_eq!(bo.messages.iter().map(|it| it.topic).collect::<Vec<_>>(), [MessageTopic::AccessGranted]);
    for secret in [PASSWORD, PIN, "argon2", "Elm", "ticket", "seed", "digest", &ready.bo.access] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }

    world.server.operator().set_mls_id(DANA, "M-77").await.unwrap();
    let dana: PersonalData = world.get(&ready.dana, "/v1/me/export").await.ok();
    assert_eq!((dana.mls_id.as_deref(), bo.mls_id), (Some("M-77"), None));
    assert_eq!(dana.account, ready.dana.account);
    let given: Vec<GrantState> = dana.grants_given.iter().map(|grant| grant.state).collect();
    assert_eq!(given, [GrantState::Granted, GrantState::Granted]);
    assert_eq!((dana.grants_received.len(), dana.events.len()), (0, 0), "what others did is not hers");

    let ari: PersonalData = world.get(&world.agent(ARI).await, "/v1/me/export").await.ok();
    assert_eq!((ari.grants_given, ari.events, ari.messages), (Vec::new(), Vec::new(), Vec::new()));
}

/// ACC-7: the right to one's data outlives the good standing.
#[tokio::test]
async fn a_suspended_account_still_gets_its_data() {
    let world = World::new().await;
    let dana = world.agent(DANA).await;
    world.server.operator().suspend_agent(DANA).await.unwrap();
    world.get(&dana, "/v1/me/export").await.ok::<PersonalData>();
    world.get(&dana, "/v1/listings").await.refused("account-not-active", None);
}

#[tokio::test]
async fn an_operator_exports_for_those_who_cant_log_in() {
    let world = World::new().await;
    let ready = world.ready().await;
    let operator = world.server.operator();
    let own: PersonalData = world.get(&ready.bo, "/v1/me/export").await.ok();
    assert_eq!(operator.export_account("Bo@Plumbing.example").await.unwrap(), own);
    let by_number = operator.export_account(DANA).await.unwrap();
    assert_eq!(by_number, operator.export_account(DANAS_EMAIL).await.unwrap());
    for (who, code) in [
        ("nobody@b.example", ProblemCode::NotFound),
        ("000000000", ProblemCode::NotFound),
        ("Dana", ProblemCode::Invalid),
    ] {
        match operator.export_account(who).await {
            Err(Refusal::Problem(problem)) => {
                assert_eq!((problem.code, problem.field.as_deref()), (code, Some("account")));
            }
            other => panic!("{other:?}"),
        }
    }
}
