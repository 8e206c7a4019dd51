//! Accounts through the core's exported calls, against the real backend: passwords, sign-up, changes, several on one
//! phone, export, deletion.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

use sentri_core::{
    CoreError, SentriCore,
    api::{
        signup::{NewPerson, QuestionAndAnswer, SignupForm},
        types::{AccountKind, App, BlockedWhy, Standing, SyncState},
    },
    open::PhoneChecks,
};
use sentri_sandbox::{phone::Phone, story::cast};
use sentri_server::operator::{self, NewCommunity};
use sentri_tests::{
    HOUR, House,
    post::{Post, link_in},
};
use sentri_wire::{Secret, account as wire};

const NEW_EMAIL: &str = "pat@new-address.example";
const NEW_PHONE: &str = "(312) 555-0188";
const NEW_PASSWORD: &str = "Hammer77";

fn field_of<T: std::fmt::Debug>(answer: Result<T, CoreError>) -> String {
    match answer {
        Err(CoreError::InvalidField { field, .. }) => field,
        other => panic!("{other:?}"),
    }
}

async fn log_in(core: &SentriCore, email: &str, password: &str) -> Result<(), CoreError> {
    core.login_contractor(email.into(), password.into()).await.map(drop)
}

fn another_phone(house: &House, name: &str, app: App) -> Phone {
    house.town.device(name, app, PhoneChecks::Enforced).start(&house.town.surroundings()).unwrap()
}

/// ACC-3: the link resets the password, once; the answer never tells whether there is such an account.
#[tokio::test(flavor = "multi_thread")]
async fn acc_3_a_forgotten_password_is_reset_by_a_link_that_works_once() {
    let house = House::build(101).await.unwrap();
    let core = &house.contractor.core;
    core.forgot_password("nobody@nowhere.example".into()).await.unwrap();
    core.forgot_agent_password("999999999".into()).await.unwrap();
    assert_eq!(field_of(core.forgot_password("pat".into()).await), "email");
    assert_eq!(field_of(core.forgot_agent_password("12".into()).await), "sentrikey_id");

    let post = Post::from_now(&house.town);
    core.forgot_password(cast::CONTRACTOR_EMAIL.into()).await.unwrap();
    let link = link_in(&post.mail_to(&house.town, cast::CONTRACTOR_EMAIL).await.unwrap().body).unwrap();
    let weak = core.reset_password(link.clone(), "short".into()).await;
    assert!(field_of(weak).contains("password"));
    core.reset_password(link.clone(), NEW_PASSWORD.into()).await.unwrap();
    let again = core.reset_password(link, "Another99".into()).await;
    assert_eq!(again, Err(CoreError::LinkExpired));

    // All sessions ended; the phone says so and logs in with the new password.
    let status = house.sync().await.unwrap();
    assert_eq!(status.state, SyncState::Blocked { why: BlockedWhy::SignInAgain });
    assert_eq!(
        log_in(core, cast::CONTRACTOR_EMAIL, cast::CONTRACTOR_PASSWORD).await,
        Err(CoreError::WrongCredentials)
    );
    log_in(core, cast::CONTRACTOR_EMAIL, NEW_PASSWORD).await.unwrap();
    assert!(matches!(house.sync().await.unwrap().state, SyncState::Current { .. }));
}

/// ACC-3: the link expires, and an agent's works like anybody's.
#[tokio::test(flavor = "multi_thread")]
async fn acc_3_an_agents_link_expires() {
    let house = House::build(102).await.unwrap();
    let core = &house.agent.core;
    let post = Post::from_now(&house.town);
    core.forgot_agent_password(cast::SENTRIKEY_ID.into()).await.unwrap();
    let link = link_in(&post.mail_to(&house.town, cast::AGENT_EMAIL).await.unwrap().body).unwrap();
    house.town.clock.set(house.town.clock.now() + HOUR + 1);
    let late = core.reset_password(link, NEW_PASSWORD.into()).await;
    assert_eq!(late, Err(CoreError::LinkExpired));
    core.sync_now().await.unwrap();
}

fn form(email: &str, phone: &str) -> SignupForm {
    SignupForm {
        invitation: None,
        email: email.into(),
        email_again: email.into(),
        phone: phone.into(),
        phone_again: phone.into(),
    }
}

fn person() -> NewPerson {
    NewPerson {
        first_name: "Robin".into(),
        last_name: "Ellis".into(),
        role: "Appraiser".into(),
        password: "Measure5".into(),
        pin: "4826".into(),
        security_questions: vec![QuestionAndAnswer {
            question: "First street?".into(),
            answer: "Elm".into(),
        }],
    }
}

/// ACC-8: without an invitation both the address and the number are proven; three tries, and a new start.
#[tokio::test(flavor = "multi_thread")]
async fn acc_8_an_account_is_made_unprompted_with_both_codes() {
    let house = House::build(103).await.unwrap();
    let phone = another_phone(&house, "Robin's phone", App::Connect);
    let (email, number) = ("robin@ellis-appraisals.example", "(312) 555-0199");
    let differs = SignupForm { email_again: "other@ellis.example".into(), ..form(email, number) };
    assert_eq!(field_of(phone.core.start_signup(differs).await.map(drop)), "email_again");

    let post = Post::from_now(&house.town);
    let signup = phone.core.start_signup(form(email, number)).await.unwrap();
    assert!(signup.wants_email_code());
    assert_eq!(signup.code_expires_at(), house.town.clock.now() + 600);
    let text = post.texted_code(&house.town, number).await.unwrap();
    let mail = post.mailed_code(&house.town, email).await.unwrap();
    assert_eq!((text.len(), mail.len()), (4, 6));
    let wrong = if text == "0000" { "0001" } else { "0000" };
    for _ in 0..3 {
        let tried = signup.verify(wrong.into(), Some(mail.clone())).await;
        assert_eq!(tried, Err(CoreError::WrongCode));
    }
    let spent = signup.verify(text, Some(mail)).await;
    assert!(matches!(spent, Err(CoreError::TooManyTries { .. })), "{spent:?}");

    let post = Post::from_now(&house.town);
    let signup = phone.core.start_signup(form(email, number)).await.unwrap();
    let text = post.texted_code(&house.town, number).await.unwrap();
    let mail = post.mailed_code(&house.town, email).await.unwrap();
    assert!(signup.verify(text.clone(), None).await.is_err(), "the address is not proven by a text");
    signup.verify(text, Some(mail)).await.unwrap();
    let run = NewPerson { pin: "1234".into(), ..person() };
    assert_eq!(field_of(signup.complete(run).await), "pin");
    signup.complete(person()).await.unwrap();
    let signed_in = phone.core.login_contractor(email.into(), "Measure5".into()).await.unwrap();
    assert_eq!(signed_in.profile.kind, AccountKind::Contractor);
    assert_eq!(signed_in.profile.standing, Standing::Active);
}

/// ACC-8: that an address is an agent's is told only once it is proven.
#[tokio::test(flavor = "multi_thread")]
async fn acc_8_an_agents_address_is_told_only_after_its_proof() {
    let house = House::build(104).await.unwrap();
    let phone = another_phone(&house, "Somebody's phone", App::Connect);
    let post = Post::from_now(&house.town);
    let number = "(312) 555-0155";
    let signup = phone.core.start_signup(form(cast::AGENT_EMAIL, number)).await.unwrap();
    let text = post.texted_code(&house.town, number).await.unwrap();
    let mail = post.mailed_code(&house.town, cast::AGENT_EMAIL).await.unwrap();
    assert_eq!(signup.verify(text, Some(mail)).await, Err(CoreError::AgentAccount));
}

/// ACC-10: name and role, password, number and address; each asks for the password, the last two for a code.
#[tokio::test(flavor = "multi_thread")]
async fn acc_10_everything_of_ones_own_can_be_changed_with_the_password() {
    let house = House::build(105).await.unwrap();
    let core = &house.contractor.core;
    let right = || cast::CONTRACTOR_PASSWORD.to_owned();
    let role = Some("Roofer".to_owned());
    let refused = core.change_profile("Wrong77".into(), "Sam".into(), "Ryan".into(), role.clone()).await;
    assert_eq!(refused, Err(CoreError::WrongCredentials));
    let profile = core.change_profile(right(), "Sam".into(), "Ryan".into(), role).await.unwrap();
    assert_eq!((profile.first_name.as_str(), profile.role.as_deref()), ("Sam", Some("Roofer")));

    let post = Post::from_now(&house.town);
    let differs = core.change_phone(right(), NEW_PHONE.into(), "(312) 555-0100".into()).await.map(drop);
    assert_eq!(field_of(differs), "phone_again");
    let change = core.change_phone(right(), NEW_PHONE.into(), NEW_PHONE.into()).await.unwrap();
    let texted = post.texted_code(&house.town, NEW_PHONE).await.unwrap();
    assert_eq!(core.profile().await.unwrap().phone, cast::CONTRACTOR_PHONE, "not before the code");
    assert_eq!(change.verify(texted).await.unwrap().phone, NEW_PHONE);

    let post = Post::from_now(&house.town);
    let change = core.change_email(right(), NEW_EMAIL.into(), NEW_EMAIL.into()).await.unwrap();
    let mailed = post.mailed_code(&house.town, NEW_EMAIL).await.unwrap();
    assert_eq!(change.verify(mailed).await.unwrap().email, NEW_EMAIL);
    let told = post.mail_to(&house.town, cast::CONTRACTOR_EMAIL).await.unwrap();
    assert!(!told.body.contains(NEW_EMAIL), "the old address is told, but not the new one");

    core.change_password(right(), NEW_PASSWORD.into()).await.unwrap();
    assert!(matches!(house.sync().await.unwrap().state, SyncState::Current { .. }), "this phone stays");
    let questions = vec![QuestionAndAnswer { question: "First car?".into(), answer: "A van".into() }];
    core.change_security_questions(NEW_PASSWORD.into(), questions).await.unwrap();
    assert!(core.change_security_questions(NEW_PASSWORD.into(), Vec::new()).await.is_err());
    core.logout().await.unwrap();
    log_in(core, NEW_EMAIL, NEW_PASSWORD).await.unwrap();
    assert_eq!(core.profile().await.unwrap().last_name, "Ryan");
    let text = core.export_personal_data().await.unwrap();
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["devices"].as_array().unwrap().len(), 1, "the same device under the new address");
}

/// ACC-10: an agent's name is the association's to change.
#[tokio::test(flavor = "multi_thread")]
async fn acc_10_an_agents_name_is_the_associations() {
    let house = House::build(106).await.unwrap();
    let core = &house.agent.core;
    let refused = core.change_profile(cast::AGENT_PASSWORD.into(), "D".into(), "R".into(), None).await;
    assert_eq!(refused, Err(CoreError::Forbidden));
    assert_eq!(core.delete_account(cast::AGENT_PASSWORD.into()).await, Err(CoreError::Forbidden));
    core.profile().await.unwrap();
}

/// ACC-6: two accounts on one phone, each with its own sign-in, store and key.
#[tokio::test(flavor = "multi_thread")]
async fn acc_6_two_accounts_on_one_phone_do_not_see_each_other() {
    let house = House::build(107).await.unwrap();
    let core = &house.contractor.core;
    let own = core.profile().await.unwrap().account_id;
    let before = core.accesses().await.unwrap();
    assert!(!before.is_empty());
    let signed_in = core.login_agent(cast::SENTRIKEY_ID.into(), cast::AGENT_PASSWORD.into()).await.unwrap();
    assert_eq!(core.accesses().await.unwrap(), []);
    core.sync_now().await.unwrap();
    assert_eq!(core.lockboxes().await.unwrap().len(), 1);
    let listed = core.accounts().await.unwrap();
    assert_eq!(
        listed.iter().filter(|it| it.active).map(|it| &it.account_id).collect::<Vec<_>>(),
        [&signed_in.profile.account_id]
    );
    core.switch_account(own).await.unwrap();
    assert_eq!(core.accesses().await.unwrap(), before);
    assert_eq!(core.lockboxes().await.unwrap(), []);
    let files: Vec<_> = house.device.keys().items().into_keys().filter(|key| key.ends_with("/key")).collect();
    assert_eq!(files.len(), 2, "a data key each: {files:?}");
}

/// ACC-7: what each state is called, and that somebody is named to call, is told at the next sync and at a login.
#[tokio::test(flavor = "multi_thread")]
async fn acc_7_each_state_of_an_account_is_told_with_whom_to_call() {
    let house = House::build(112).await.unwrap();
    let core = &house.agent.core;
    let each = [
        (wire::Standing::Suspended, Standing::Suspended),
        (wire::Standing::Lapsed, Standing::Lapsed),
        (wire::Standing::Locked, Standing::Locked),
    ];
    for (set, told) in each {
        becomes(&house, cast::SENTRIKEY_ID, set).await;
        let status = core.sync_now().await.unwrap();
        let SyncState::Blocked { why: BlockedWhy::AccountNotActive { standing, support } } = status.state
        else {
            panic!("{status:?}")
        };
        assert_eq!(standing, told);
        assert!(!support.unwrap().phones.is_empty(), "{told:?}");
        let login = core.login_agent(cast::SENTRIKEY_ID.into(), cast::AGENT_PASSWORD.into()).await;
        assert!(
            matches!(login, Err(CoreError::AccountNotActive { standing, .. }) if standing == told),
            "{login:?}"
        );
    }
    becomes(&house, cast::SENTRIKEY_ID, wire::Standing::Active).await;
    assert!(matches!(core.sync_now().await.unwrap().state, SyncState::Current { .. }));
}

/// ACC-7: from its next sync on a suspended account holds nothing that opens; in good standing again, it does.
#[tokio::test(flavor = "multi_thread")]
async fn acc_7_a_suspended_contractor_opens_nothing_from_the_next_sync_on() {
    let house = House::build(113).await.unwrap();
    let access = house.open_house(6).await.unwrap();
    becomes(&house, cast::CONTRACTOR_EMAIL, wire::Standing::Suspended).await;
    let status = house.sync().await.unwrap();
    assert!(matches!(status.state, SyncState::Blocked { why: BlockedWhy::AccountNotActive { .. } }));
    assert_eq!((status.opens_from, status.opens_until), (None, None));
    let refused = house.contractor.open(&house.lockbox, Some(&access)).await.unwrap().told;
    assert!(refused.is_err());
    assert_eq!(house.lockbox.motor_drives(), 0);
    becomes(&house, cast::CONTRACTOR_EMAIL, wire::Standing::Active).await;
    house.sync().await.unwrap();
    house.contractor.open(&house.lockbox, Some(&access)).await.unwrap().told.unwrap();
}

async fn becomes(house: &House, who: &str, standing: wire::Standing) {
    house.town.operate(async |operator| operator.set_account_standing(who, standing).await).await.unwrap();
}

/// ACC-1: a resident, whom the operator made, logs in by email, and is told when the community is suspended.
#[tokio::test(flavor = "multi_thread")]
async fn acc_1_a_resident_logs_in_by_email() {
    let house = House::build(114).await.unwrap();
    let (email, password, community) = ("jo@elm-court.example", "Balcony4", "Elm Court");
    let new = NewCommunity {
        name: community.into(),
        management: "Elm Management".into(),
        time_zone: "America/Chicago".into(),
        six_digit_codes: false,
        custom_codes: false,
    };
    let resident = operator::NewPerson {
        first_name: "Jo".into(),
        last_name: "Marsh".into(),
        email: email.into(),
        phone: "(312) 555-0166".into(),
        password: Some(Secret::new(password)),
        pin: None,
    };
    let made = house.town.operate(async |operator| {
        operator.add_community(&new).await?;
        operator.add_resident(community, "4B", &resident).await
    });
    made.await.unwrap();
    let phone = another_phone(&house, "Jo's phone", App::Connect);
    let signed_in = phone.core.login_contractor(email.into(), password.into()).await.unwrap();
    assert_eq!(signed_in.profile.kind, AccountKind::Resident);
    assert!(matches!(phone.core.sync_now().await.unwrap().state, SyncState::Current { .. }));
    house.town.operate(async |operator| operator.suspend_community(community).await).await.unwrap();
    let state = phone.core.sync_now().await.unwrap().state;
    assert!(matches!(state, SyncState::Blocked { why: BlockedWhy::AccountNotActive { .. } }), "{state:?}");
}

/// The user takes along what is stored about them.
#[tokio::test(flavor = "multi_thread")]
async fn personal_data_is_exported_as_a_document() {
    let house = House::build(109).await.unwrap();
    let text = house.contractor.core.export_personal_data().await.unwrap();
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["account"]["email"], cast::CONTRACTOR_EMAIL);
    assert_eq!(document["devices"].as_array().unwrap().len(), 1);
    for secret in [cast::CONTRACTOR_PASSWORD, cast::CONTRACTOR_PIN, "refresh", "ticket"] {
        assert!(!text.contains(secret), "{secret}");
    }
}

/// ACC-11: gone on the server and on the phone at once; the log keeps an entry without the name; the key that is out
/// can be returned once, without an account.
#[tokio::test(flavor = "multi_thread")]
async fn acc_11_a_deleted_account_leaves_only_the_right_to_return_the_key() {
    let mut house = House::build(110).await.unwrap();
    let access = house.open_house(6).await.unwrap();
    house.contractor.open(&house.lockbox, Some(&access)).await.unwrap().told.unwrap();
    house.sync().await.unwrap();
    let core = house.contractor.core.clone();
    let account = core.profile().await.unwrap().account_id;
    assert_eq!(core.delete_account("Wrong77".into()).await, Err(CoreError::WrongCredentials));
    house.town.clock.set(house.town.clock.now() + 60);
    core.delete_account(cast::CONTRACTOR_PASSWORD.into()).await.unwrap();

    assert_eq!(core.profile().await, Err(CoreError::NotSignedIn));
    assert_eq!(core.accounts().await.unwrap(), []);
    assert_eq!(
        log_in(&core, cast::CONTRACTOR_EMAIL, cast::CONTRACTOR_PASSWORD).await,
        Err(CoreError::WrongCredentials)
    );
    let left = house.device.keys().items();
    assert!(left.keys().all(|key| !key.contains(&account)), "{:?}", left.keys());
    let log = house.log().await.unwrap();
    assert!(log.iter().all(|entry| !entry.who.contains(cast::CONTRACTOR.1)), "{log:?}");

    // Over a restart and without network: the key goes back, and nothing else opens. By then the few minutes are over
    // in which a lock grants that clocks differ.
    house.town.clock.set(house.town.clock.now() + 1200);
    house.restart_app().unwrap();
    house.town.cut_network().await;
    let core = house.contractor.core.clone();
    let keys = core.keys_to_return().await.unwrap();
    assert_eq!(keys.iter().map(|it| it.lockbox.as_str()).collect::<Vec<_>>(), [cast::BOX]);
    let drives = house.lockbox.motor_drives();
    let back = house.contractor.return_key(&house.lockbox, &keys[0].id).await.unwrap();
    back.told.unwrap();
    assert_eq!(house.lockbox.motor_drives(), drives + 1);
    let twice = house.contractor.return_key(&house.lockbox, &keys[0].id).await.unwrap();
    assert!(twice.told.is_err(), "once");
    assert_eq!(house.lockbox.motor_drives(), drives + 1);
    house.town.clock.set(keys[0].until);
    assert_eq!(core.keys_to_return().await.unwrap(), [], "and not for ever");
    assert_eq!(core.return_key(keys[0].id.clone()).await.err(), Some(CoreError::NotFound));
}

/// ACC-11: an account that never used its access keeps nothing.
#[tokio::test(flavor = "multi_thread")]
async fn acc_11_whoever_has_no_key_out_keeps_nothing() {
    let house = House::build(111).await.unwrap();
    house.open_house(6).await.unwrap();
    let core = &house.contractor.core;
    core.delete_account(cast::CONTRACTOR_PASSWORD.into()).await.unwrap();
    assert_eq!(core.keys_to_return().await.unwrap(), []);
    let opened = house.contractor.open(&house.lockbox, None).await;
    assert_eq!(opened.err(), Some(CoreError::NotSignedIn));
    assert_eq!(house.lockbox.motor_drives(), 0);
}
