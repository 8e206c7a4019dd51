//! What people do with their accounts, and what must hold afterwards.

use std::sync::Arc;

use sentri_core::{
    CoreError, SentriCore,
    api::{
        signup::{NewPerson, QuestionAndAnswer, SignupForm},
        types::{AccessLogFilter, GrantState, SyncState},
    },
};
use sentri_sandbox::{phone::Between, story::cast};
use sentri_tests::{
    HOUR, Trouble,
    post::{Post, link_in},
};

use crate::stage::{Flow, NoNetwork, Played, Stage, Whose};

const EMAIL: &str = cast::CONTRACTOR_EMAIL;
const OLD: &str = cast::CONTRACTOR_PASSWORD;
const NEW: &str = "Hammer77";
const NEW_EMAIL: &str = "pat@new-address.example";
const NEW_PHONE: &str = "(312) 555-0188";

/// All of them.
pub(crate) const FLOWS: [Flow; 10] =
    [LOGIN, SWITCH, CHANGES, PROVEN_CHANGES, FORGOTTEN, IDENTITY, SIGN_UP, GRANT, DELETE, REMOVED];

fn nothing(_: &mut Stage) -> Played<'_> {
    Box::pin(async { Ok(()) })
}

/// ACC-4: a login on a new phone uses one registration, however often it is cut short.
const LOGIN: Flow = Flow {
    name: "login",
    whose: Whose::New,
    before: nothing,
    live: |stage, phone| {
        Box::pin(async {
            phone.core.login_contractor(EMAIL.into(), OLD.into()).await?;
            stage.synced(&phone.core).await?;
            Ok(())
        })
    },
    after: |stage, phone| {
        Box::pin(async {
            stage.logs_in(&phone.core, &[EMAIL], &[OLD]).await;
            assert_eq!(stage.registered(&phone.core).await, 2);
            assert!(!phone.core.accesses().await?.is_empty());
            Ok(())
        })
    },
};

/// ACC-6: two accounts on a phone, switched and left.
const SWITCH: Flow = Flow {
    name: "switch",
    whose: Whose::Contractors,
    before: nothing,
    live: |stage, phone| {
        Box::pin(async {
            let own = phone.core.profile().await?.account_id;
            phone.core.login_agent(cast::SENTRIKEY_ID.into(), cast::AGENT_PASSWORD.into()).await?;
            stage.synced(&phone.core).await?;
            phone.core.switch_account(own).await?;
            phone.core.logout().await?;
            Ok(())
        })
    },
    after: |stage, phone| {
        Box::pin(async {
            let known = phone.core.accounts().await?;
            assert!((1..=2).contains(&known.len()), "{known:?}");
            assert!(known.iter().filter(|it| it.active).count() <= 1);
            stage.logs_in(&phone.core, &[EMAIL], &[OLD]).await;
            phone.core.login_agent(cast::SENTRIKEY_ID.into(), cast::AGENT_PASSWORD.into()).await?;
            assert_eq!(phone.core.accounts().await?.len(), 2);
            Ok(())
        })
    },
};

/// ACC-10: name and password.
const CHANGES: Flow = Flow {
    name: "changes",
    whose: Whose::Contractors,
    before: nothing,
    live: |_, phone| {
        Box::pin(async {
            let role = Some("Roofer".to_owned());
            phone.core.change_profile(OLD.into(), "Sam".into(), "Ryan".into(), role).await?;
            phone.core.change_password(OLD.into(), NEW.into()).await?;
            Ok(())
        })
    },
    after: |stage, phone| {
        Box::pin(async {
            stage.logs_in(&phone.core, &[EMAIL], &[OLD, NEW]).await;
            let name = phone.core.profile().await?.first_name;
            assert!(name == "Sam" || name == cast::CONTRACTOR.0, "{name}");
            assert_eq!(stage.registered(&phone.core).await, 1);
            Ok(())
        })
    },
};

/// ACC-10: number and address, each with its code.
const PROVEN_CHANGES: Flow = Flow {
    name: "proven changes",
    whose: Whose::Contractors,
    before: nothing,
    live: |stage, phone| {
        Box::pin(async {
            let town = &stage.copy.town;
            let post = Post::from_now(town);
            let change = phone.core.change_phone(OLD.into(), NEW_PHONE.into(), NEW_PHONE.into()).await?;
            change.verify(post.texted_code(town, NEW_PHONE).await?).await?;
            let post = Post::from_now(town);
            let change = phone.core.change_email(OLD.into(), NEW_EMAIL.into(), NEW_EMAIL.into()).await?;
            change.verify(post.mailed_code(town, NEW_EMAIL).await?).await?;
            Ok(())
        })
    },
    after: |stage, phone| {
        Box::pin(async {
            stage.synced(&phone.core).await?;
            stage.logs_in(&phone.core, &[EMAIL, NEW_EMAIL], &[OLD]).await;
            let profile = phone.core.profile().await?;
            assert!([EMAIL, NEW_EMAIL].contains(&profile.email.as_str()), "{}", profile.email);
            assert!(profile.email == EMAIL || profile.phone == NEW_PHONE, "one after the other");
            Ok(())
        })
    },
};

/// ACC-3.
const FORGOTTEN: Flow = Flow {
    name: "forgotten password",
    whose: Whose::Contractors,
    before: nothing,
    live: |stage, phone| {
        Box::pin(async {
            let post = Post::from_now(&stage.copy.town);
            phone.core.forgot_password(EMAIL.into()).await?;
            let link = link_in(&post.mail_to(&stage.copy.town, EMAIL).await?.body)?;
            phone.core.reset_password(link, NEW.into()).await?;
            phone.core.login_contractor(EMAIL.into(), NEW.into()).await?;
            stage.synced(&phone.core).await?;
            Ok(())
        })
    },
    after: |stage, phone| {
        Box::pin(async {
            stage.synced(&phone.core).await.ok();
            stage.logs_in(&phone.core, &[EMAIL], &[OLD, NEW]).await;
            assert_eq!(stage.registered(&phone.core).await, 1);
            Ok(())
        })
    },
};

/// ACC-5, ACC-9: proving who one is, removing a device, a new PIN.
const IDENTITY: Flow = Flow {
    name: "identity",
    whose: Whose::Contractors,
    before: |stage| {
        Box::pin(async {
            let other = stage.start(Whose::New, Between::default());
            other.core.login_contractor(EMAIL.into(), OLD.into()).await?;
            Ok(())
        })
    },
    live: |stage, phone| {
        Box::pin(async {
            let post = Post::from_now(&stage.copy.town);
            let proof = phone.core.prove_own_identity(OLD.into()).await?;
            proof.verify(post.mailed_code(&stage.copy.town, EMAIL).await?).await?;
            let devices = proof.devices().await?.devices;
            let other =
                devices.into_iter().find(|it| !it.this_one).ok_or(Trouble::Unexpected("one device"))?;
            proof.remove_device(other.device_id).await?;
            proof.set_pin("8351".into()).await?;
            Ok(())
        })
    },
    after: |stage, phone| {
        Box::pin(async {
            let state = stage.synced(&phone.core).await?;
            assert!(matches!(state, SyncState::Current { .. }), "this device stays: {state:?}");
            assert!((1..=2).contains(&stage.registered(&phone.core).await));
            Ok(())
        })
    },
};

fn robin() -> (&'static str, &'static str, NewPerson) {
    let question = QuestionAndAnswer { question: "First street?".into(), answer: "Elm".into() };
    let person = NewPerson {
        first_name: "Robin".into(),
        last_name: "Ellis".into(),
        role: "Appraiser".into(),
        password: "Measure5".into(),
        pin: "4826".into(),
        security_questions: vec![question],
    };
    ("robin@ellis-appraisals.example", "(312) 555-0199", person)
}

async fn signs_up(stage: &Stage, core: &Arc<SentriCore>) -> Result<(), Trouble> {
    let (email, number, person) = robin();
    let post = Post::from_now(&stage.copy.town);
    let form = SignupForm {
        invitation: None,
        email: email.into(),
        email_again: email.into(),
        phone: number.into(),
        phone_again: number.into(),
    };
    let signup = core.start_signup(form).await?;
    let text = post.texted_code(&stage.copy.town, number).await?;
    let mail = post.mailed_code(&stage.copy.town, email).await?;
    signup.verify(text, Some(mail)).await?;
    signup.complete(person).await?;
    Ok(())
}

/// ACC-8.
const SIGN_UP: Flow = Flow {
    name: "sign-up",
    whose: Whose::New,
    before: nothing,
    live: |stage, phone| {
        Box::pin(async {
            signs_up(stage, &phone.core).await?;
            let (email, _, person) = robin();
            phone.core.login_contractor(email.into(), person.password.expose().to_owned()).await?;
            stage.synced(&phone.core).await?;
            Ok(())
        })
    },
    after: |stage, phone| {
        Box::pin(async {
            let (email, _, person) = robin();
            let made = phone.core.login_contractor(email.into(), person.password.expose().to_owned()).await;
            if made == Err(CoreError::WrongCredentials) {
                signs_up(stage, &phone.core).await?;
            }
            stage.logs_in(&phone.core, &[email], &[person.password.expose()]).await;
            assert_eq!(stage.registered(&phone.core).await, 1);
            Ok(())
        })
    },
};

/// GRT-1, GRT-4: a grant happens once, a revocation for good.
const GRANT: Flow = Flow {
    name: "grant",
    whose: Whose::Agents,
    before: nothing,
    live: |stage, phone| {
        Box::pin(async {
            let now = stage.copy.town.clock.now();
            let flow = phone.core.start_grant(stage.copy.listing.clone()).await?;
            flow.fill_form(EMAIL.into(), now + 2 * HOUR, now + 3 * HOUR)?;
            flow.authenticate(cast::AGENT_PIN.into()).await?;
            let grants = phone.core.grants().await?;
            phone.core.revoke(grants[0].id.clone()).await?;
            Ok(())
        })
    },
    after: |stage, phone| {
        Box::pin(async {
            let told = phone.core.grants().await?;
            let state = stage.synced(&phone.core).await?;
            assert!(matches!(state, SyncState::Current { .. }), "{state:?}");
            let grants = phone.core.grants().await?;
            assert!((1..=2).contains(&grants.len()), "once: {grants:?}");
            let revoked = |of: &[sentri_core::api::types::Grant]| {
                of.iter().filter(|it| it.state == GrantState::Revoked).count()
            };
            assert!(told.len() <= grants.len() && revoked(&told) <= revoked(&grants), "what was told holds");
            Ok(())
        })
    },
};

/// The contractor's phone holds an access that has begun.
async fn gets_an_access(stage: &mut Stage) -> Result<(), Trouble> {
    let agent = stage.start(Whose::Agents, Between::default());
    let now = stage.copy.town.clock.now();
    let flow = agent.core.start_grant(stage.copy.listing.clone()).await?;
    flow.fill_form(EMAIL.into(), now, now + 3 * HOUR)?;
    flow.authenticate(cast::AGENT_PIN.into()).await?;
    let contractor = stage.start(Whose::Contractors, Between::default());
    stage.synced(&contractor.core).await?;
    Ok(())
}

/// ACC-11: deleted on the server and on the phone, or on neither.
const DELETE: Flow = Flow {
    name: "deletion",
    whose: Whose::Contractors,
    before: |stage| {
        Box::pin(async {
            gets_an_access(stage).await?;
            let contractor = stage.start(Whose::Contractors, Between::default());
            let lockbox = stage.copy.town.lockbox(cast::BOX).ok_or(Trouble::Unexpected("no lockbox"))?;
            contractor.open(&lockbox, None).await?.told?;
            stage.synced(&contractor.core).await?;
            stage.copy.town.clock.set(stage.copy.town.clock.now() + 60);
            Ok(())
        })
    },
    live: |_, phone| {
        Box::pin(async {
            phone.core.delete_account(OLD.into()).await?;
            Ok(())
        })
    },
    after: |stage, phone| {
        Box::pin(async {
            let synced = stage.synced(&phone.core).await;
            let alive = phone.core.login_contractor(EMAIL.into(), OLD.into()).await;
            match alive {
                Ok(_) => assert!(phone.core.keys_to_return().await?.is_empty(), "not deleted: {synced:?}"),
                Err(CoreError::WrongCredentials) => {
                    assert_eq!(phone.core.profile().await, Err(CoreError::NotSignedIn), "{synced:?}");
                    assert_eq!(phone.core.accounts().await?, []);
                    let kept = stage.copy.contractor.keys().items();
                    let stores = kept.keys().filter(|key| key.ends_with("/key")).count();
                    let returns = phone.core.keys_to_return().await?.len();
                    assert!(stores <= returns.max(1), "{stores} keys for {returns} returns");
                }
                Err(error) => panic!("{error:?}"),
            }
            Ok(())
        })
    },
};

/// ACC-5: a device that was removed meanwhile, with an event that waits.
const REMOVED: Flow = Flow {
    name: "removed",
    whose: Whose::Contractors,
    before: |stage| {
        Box::pin(async {
            gets_an_access(stage).await?;
            let lockbox = stage.copy.town.lockbox(cast::BOX).ok_or(Trouble::Unexpected("no lockbox"))?;
            // The box was without power: its clock is set by an open with network.
            let online = stage.start(Whose::Contractors, Between::default());
            online.open(&lockbox, None).await?.told?;
            stage.synced(&online.core).await?;
            let offline = stage
                .start(Whose::Contractors, Between { http: Some(Arc::new(NoNetwork)), ..Between::default() });
            // Opened without network: in its queue.
            offline.open(&lockbox, None).await?.told?;
            let other = stage.start(Whose::New, Between::default());
            other.core.login_contractor(EMAIL.into(), OLD.into()).await?;
            let post = Post::from_now(&stage.copy.town);
            let proof = other.core.prove_own_identity(OLD.into()).await?;
            proof.verify(post.mailed_code(&stage.copy.town, EMAIL).await?).await?;
            let devices = proof.devices().await?.devices;
            let first =
                devices.into_iter().find(|it| !it.this_one).ok_or(Trouble::Unexpected("one device"))?;
            proof.remove_device(first.device_id).await?;
            Ok(())
        })
    },
    live: |stage, phone| {
        Box::pin(async {
            match stage.synced(&phone.core).await {
                Err(CoreError::DeviceRemoved) => Ok(()),
                Err(error) => Err(error.into()),
                Ok(_) => Err(Trouble::Unexpected("a removed device that syncs")),
            }
        })
    },
    after: |stage, phone| {
        Box::pin(async {
            let told = stage.synced(&phone.core).await;
            assert!(matches!(told, Err(CoreError::DeviceRemoved | CoreError::NotSignedIn)), "{told:?}");
            assert_eq!(phone.core.accounts().await?, []);
            let agent = stage.start(Whose::Agents, Between::default());
            let log = agent
                .core
                .access_log(0, i64::from(u32::MAX), AccessLogFilter::default(), None)
                .await?
                .entries;
            assert_eq!(log.len(), 2, "uploaded once: {log:?}");
            Ok(())
        })
    },
};
