//! GRT-1, GRT-2, GRT-4, ACC-6, ACC-8, CON-5: what an agent and a new contractor do, through the exported calls.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

mod support;

use std::sync::Arc;

use sentri_core::{
    CoreError, SentriCore,
    api::{
        grant_flow::GrantStep,
        signup::{NewPerson, QuestionAndAnswer, SignupForm},
        types::{AccessLogFilter, AccountKind, GrantState, Invitee, NewListing},
    },
};
use sentri_wire::{
    problem::ProblemCode,
    sync::{Change, Message, MessageTopic},
};
use support::{
    NOW, PASSWORD, World,
    backend::{AGENT, Fault, PIN, lockbox},
};
use uuid::Uuid;

async fn agent(world: &World) -> Arc<SentriCore> {
    let core = world.start();
    let signed_in = core.login_agent("123-456-789".into(), PASSWORD.into()).await.unwrap();
    assert_eq!(signed_in.profile.sentrikey_id.as_deref(), Some("123456789"), "ACC-2");
    core
}

async fn listing(core: &SentriCore) -> String {
    let new = NewListing {
        unparsed_address: "12 Oak Street".into(),
        city: "Cary".into(),
        state_or_province: "NC".into(),
        postal_code: "27511".into(),
        list_price: Some(425_000),
        time_zone: "America/New_York".into(),
    };
    let added = core.add_listing(new).await.unwrap();
    assert_eq!(core.listings().await.unwrap(), std::slice::from_ref(&added), "LST-1: there at once");
    added.id
}

#[tokio::test(start_paused = true)]
async fn grt_1_the_agent_is_led_from_the_listing_to_the_grant() {
    let world = World::new();
    for serial in ["SB-1001", "NB-2001"] {
        world.backend.change(Change::upsert(&lockbox(serial, None)));
    }
    let core = agent(&world).await;
    core.sync_now().await.unwrap();
    let flow = core.start_grant(listing(&core).await).await.unwrap();
    let GrantStep::ChooseLockbox { lockboxes } = flow.step() else { panic!() };
    assert_eq!(lockboxes.iter().map(|it| it.serial.as_str()).collect::<Vec<_>>(), ["NB-2001", "SB-1001"]);
    assert_eq!(flow.fill_form("a@b.c".into(), NOW, NOW + 1), Err(CoreError::WrongStep));

    let elsewhere = flow.choose_lockbox("XB-1".into(), NOW, "Triangle".into()).await;
    assert!(matches!(elsewhere, Err(CoreError::Conflict { .. })), "LST-5");
    let step = flow.choose_lockbox("SB-1001".into(), NOW, "Triangle".into()).await.unwrap();
    assert_eq!(step, GrantStep::Form { lockbox: "SB-1001".into() });
    assert_eq!(core.listings().await.unwrap()[0].lockbox.as_deref(), Some("SB-1001"), "LST-3");

    let refused = flow.fill_form("sam@example.com".into(), NOW + 60, NOW);
    assert!(matches!(refused, Err(CoreError::InvalidField { field, .. }) if field == "ends_at"), "GRT-2");
    let step = flow.fill_form("sam@example.com".into(), NOW + 7200, NOW + 9000).unwrap();
    assert_eq!(step, GrantStep::Authenticate);
    assert_eq!(flow.authenticate("0000".into()).await, Err(CoreError::WrongCode), "ACC-12");
    assert_eq!(flow.step(), GrantStep::Authenticate);
    let GrantStep::Done { grant, invitee } = flow.authenticate(PIN.into()).await.unwrap() else { panic!() };
    assert_eq!((grant.state, invitee), (GrantState::Invited, Invitee::New));
    assert_eq!(core.grants().await.unwrap(), [grant]);
}

#[tokio::test(start_paused = true)]
async fn lst_3_a_box_taken_off_its_listing_is_free_again() {
    let world = World::new();
    world.backend.change(Change::upsert(&lockbox("SB-1001", None)));
    let core = agent(&world).await;
    core.sync_now().await.unwrap();
    let listing = listing(&core).await;
    let hung = core.assign_lockbox(listing.clone(), "SB-1001".into(), NOW, "Triangle".into()).await.unwrap();
    assert_eq!(hung.listing_id.as_deref(), Some(listing.as_str()));
    assert_eq!(core.unassign_lockbox("SB-1001".into()).await.unwrap().listing_id, None);
    assert_eq!(core.lockboxes().await.unwrap()[0].listing_id, None);
    assert_eq!(core.listings().await.unwrap()[0].lockbox, None);
    assert!(matches!(core.unassign_lockbox("XB-1".into()).await, Err(CoreError::Conflict { .. })));
}

#[tokio::test(start_paused = true)]
async fn grt_1_a_box_without_bluetooth_leads_to_the_one_day_code() {
    let world = World::new();
    let core = agent(&world).await;
    let flow = core.start_grant(listing(&core).await).await.unwrap();
    let step = flow.choose_lockbox("NB-2001".into(), NOW, "Triangle".into()).await.unwrap();
    assert_eq!(step, GrantStep::OfferOneDayCode { lockbox: "NB-2001".into() });
}

#[tokio::test(start_paused = true)]
async fn grt_1_a_grant_whose_answer_was_lost_is_one_grant() {
    let world = World::new();
    let core = agent(&world).await;
    let flow = core.start_grant(listing(&core).await).await.unwrap();
    flow.choose_lockbox("SB-1001".into(), NOW, "Triangle".into()).await.unwrap();
    flow.fill_form("sam@example.com".into(), NOW, NOW + 3600).unwrap();
    // Lost three times, which is as often as one call tries by itself; then the user taps again.
    for _ in 0..3 {
        world.backend.fault("/v1/grants", Fault::LoseAnswer);
    }
    assert_eq!(flow.authenticate(PIN.into()).await, Err(CoreError::Offline));
    assert!(matches!(flow.authenticate(PIN.into()).await, Ok(GrantStep::Done { .. })));
    assert_eq!(world.backend.state.lock().unwrap().grants.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn grt_4_what_has_begun_can_not_be_revoked() {
    let world = World::new();
    let core = agent(&world).await;
    let listing = listing(&core).await;
    let mut ids = Vec::new();
    for start in [NOW, NOW + 7200] {
        let flow = core.start_grant(listing.clone()).await.unwrap();
        if matches!(flow.step(), GrantStep::ChooseLockbox { .. }) {
            flow.choose_lockbox("SB-1001".into(), NOW, "Triangle".into()).await.unwrap();
        }
        flow.fill_form("sam@example.com".into(), start, start + 3600).unwrap();
        let GrantStep::Done { grant, .. } = flow.authenticate(PIN.into()).await.unwrap() else { panic!() };
        ids.push(grant.id);
    }
    assert_eq!(core.revoke(ids[0].clone()).await, Err(CoreError::AlreadyBegun { since: Some(NOW) }));
    assert_eq!(core.revoke(ids[1].clone()).await.unwrap().state, GrantState::Revoked);
    assert_eq!(core.grants().await.unwrap()[0].state, GrantState::Revoked, "kept at once");
    assert_eq!(core.revoke(Uuid::nil().to_string()).await, Err(CoreError::NotFound));
    let bad = core.revoke("x".into()).await;
    assert!(matches!(bad, Err(CoreError::InvalidField { field, .. }) if field == "grant_id"));
}

#[tokio::test(start_paused = true)]
async fn con_5_messages_are_read_and_deleted() {
    let world = World::new();
    let message = Message {
        id: Uuid::from_u128(5),
        at: NOW,
        topic: MessageTopic::AccessUsed,
        title: "SentriConnect Access Used".into(),
        body: "…".into(),
        access_id: None,
        read: false,
    };
    world.backend.change(Change::upsert(&message));
    let core = agent(&world).await;
    core.sync_now().await.unwrap();
    core.mark_message_read(message.id.to_string()).await.unwrap();
    assert!(core.messages().await.unwrap()[0].read);
    core.delete_message(message.id.to_string()).await.unwrap();
    assert_eq!(core.messages().await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn grt_5_the_access_log_is_asked_for_in_pages() {
    let world = World::new();
    let core = agent(&world).await;
    let id = Some(AGENT.to_string());
    let filter =
        AccessLogFilter { listing_id: id.clone(), lockbox: Some("B 1".into()), person_id: id.clone() };
    let page = core.access_log(NOW - 10, NOW, filter.clone(), Some("a b".into())).await.unwrap();
    assert_eq!(page.next.as_deref(), Some("2"));
    let asked = || world.backend.state.lock().unwrap().requests.last().cloned().unwrap();
    let of = format!("from={}&to={NOW}&listing_id={AGENT}&person_id={AGENT}&lockbox=B%201", NOW - 10);
    assert_eq!(asked(), format!("/v1/access-log?{of}&after=a%20b"));

    let nobody = AccessLogFilter { person_id: Some("Pat".into()), ..AccessLogFilter::default() };
    let error = core.access_log(NOW - 10, NOW, nobody, None).await.unwrap_err();
    assert!(matches!(error, CoreError::InvalidField { field, .. } if field == "person_id"));
}

#[tokio::test(start_paused = true)]
async fn acc_6_two_accounts_on_one_phone_have_each_their_own_data() {
    let world = World::new();
    let core = agent(&world).await;
    listing(&core).await;
    core.login_contractor(support::EMAIL.into(), PASSWORD.into()).await.unwrap();
    assert_eq!(core.listings().await.unwrap(), [], "another account's store");
    assert_eq!(core.accounts().await.unwrap().len(), 2);
    drop(core);

    let core = world.start();
    assert_eq!(core.profile().await.unwrap().kind, AccountKind::Contractor, "as before the restart");
    let profile = core.switch_account(AGENT.to_string()).await.unwrap();
    assert_eq!(profile.kind, AccountKind::Agent);
    assert_eq!(core.listings().await.unwrap().len(), 1);
    core.logout().await.unwrap();
    assert_eq!(core.switch_account(AGENT.to_string()).await, Err(CoreError::NotSignedIn));
    assert_eq!(core.switch_account(Uuid::nil().to_string()).await.unwrap_err(), CoreError::NotFound);
}

#[tokio::test(start_paused = true)]
async fn acc_8_a_contractor_makes_an_account_from_an_invitation() {
    let world = World::new();
    let core = world.start();
    let form = SignupForm {
        invitation: Some("token".into()),
        email: "sam@example.com".into(),
        email_again: "sam@example.org".into(),
        phone: "555-0123".into(),
        phone_again: "555-0123".into(),
    };
    let typo = core.start_signup(form.clone()).await;
    assert!(matches!(typo, Err(CoreError::InvalidField { .. })));
    let form = SignupForm { email_again: form.email.clone(), ..form };
    world.backend.fault("/v1/signup", Fault::Problem(ProblemCode::Expired));
    assert!(matches!(core.start_signup(form.clone()).await, Err(CoreError::LinkExpired)));
    let signup = core.start_signup(form).await.unwrap();
    assert_eq!(signup.code_expires_at(), NOW + 600);
    assert_eq!(signup.verify("0000".into(), None).await, Err(CoreError::WrongCode));
    signup.verify("4711".into(), None).await.unwrap();
    let person = NewPerson {
        first_name: "Sam".into(),
        last_name: "Plumber".into(),
        role: "Plumber".into(),
        password: PASSWORD.into(),
        pin: PIN.into(),
        security_questions: vec![QuestionAndAnswer { question: "First pet?".into(), answer: "Rex".into() }],
    };
    signup.complete(person).await.unwrap();
}
