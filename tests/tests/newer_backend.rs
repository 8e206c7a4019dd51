//! A backend of a later version: every answer of the real one has fields more than this app knows, at every depth.
//! The app goes on as if they were not there.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Bytes, to_bytes},
    extract::{Request, State},
    http::{StatusCode, header},
    response::IntoResponse,
};
use sentri_core::{
    CoreError, SentriCore,
    api::{
        grant_flow::GrantStep,
        signup::SignupForm,
        types::{
            AccessLogFilter, AccessOutcome, AccessState, App, BoxSettings, GrantState, MessageTopic,
            SyncState,
        },
    },
    http::{Http, HttpRequest, Method, SystemHttp},
    open::PhoneChecks,
};
use sentri_sandbox::{letters, phone::Surroundings, story::cast, town::Town};
use sentri_tests::{BEGINS, HOUR, House, daily};
use sentri_wire::{agent::LockboxGeneration, headers};
use serde_json::{Value, json};

const EMAIL: &str = "lee@roofing.example";
const PHONE: &str = "(312) 555-0188";

/// Stands before the backend, and adds to every answer.
struct Later {
    backend: String,
    http: SystemHttp,
    /// Method and route of what was answered with a body, and kinds of synced records.
    seen: Mutex<BTreeSet<String>>,
}

impl Later {
    /// What surrounds a phone that reaches the backend only through this.
    async fn before(town: &Town) -> (Arc<Self>, Surroundings) {
        let http = SystemHttp::new().unwrap();
        let later = Arc::new(Self { backend: town.base_url(), http, seen: Mutex::default() });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(pass_on).with_state(later.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (later, Surroundings { base_url, ..town.surroundings() })
    }

    fn note(&self, method: &str, path: &str, answer: &Value) {
        let mut seen = self.seen.lock().unwrap();
        let route: Vec<&str> = path.split('?').next().unwrap().split('/').collect();
        let name = match route.as_slice() {
            [_, _, what @ ("lockboxes" | "locks" | "grants"), _, doing] => format!("{method} {what} {doing}"),
            route => format!("{method} {}", route[2..].join(" ")),
        };
        seen.insert(if answer["code"].is_null() { name } else { "problem".into() });
        let changes = answer["changes"].as_array().into_iter().flatten();
        seen.extend(changes.map(|change| format!("synced {}", change["kind"].as_str().unwrap())));
    }
}

async fn pass_on(State(later): State<Arc<Later>>, request: Request) -> impl IntoResponse {
    let kept = [
        header::AUTHORIZATION.as_str(),
        header::CONTENT_TYPE.as_str(),
        headers::CLIENT_VERSION,
        headers::IDEMPOTENCY_KEY,
    ];
    let value = |name| Some((name, request.headers().get(name)?.to_str().ok()?.to_owned()));
    let headers = kept.into_iter().filter_map(value).collect();
    let (name, path) = (request.method().to_string(), request.uri().to_string());
    let method = match name.as_str() {
        "POST" => Method::Post,
        "DELETE" => Method::Delete,
        _ => Method::Get,
    };
    let body = to_bytes(request.into_body(), 1 << 20).await.unwrap();
    let body = (!body.is_empty()).then(|| body.to_vec());
    let url = format!("{}{path}", later.backend);
    let answer = later.http.send(HttpRequest { method, url, headers, body }).await.unwrap();
    let status = StatusCode::from_u16(answer.status).unwrap();
    let Ok(mut json) = serde_json::from_slice::<Value>(&answer.body) else {
        return (status, Bytes::from(answer.body));
    };
    later.note(&name, &path, &json);
    add_to(&mut json);
    (status, Bytes::from(json.to_string()))
}

/// Adds a field to every object in it.
fn add_to(json: &mut Value) {
    match json {
        Value::Object(fields) => {
            fields.values_mut().for_each(add_to);
            fields.insert("since_version_9".into(), json!({ "of": ["any", 1, null] }));
        }
        Value::Array(items) => items.iter_mut().for_each(add_to),
        _ => {}
    }
}

async fn agent_works(core: &SentriCore, town: &Town) {
    let login = |password: &str| core.login_agent(cast::SENTRIKEY_ID.into(), password.into());
    assert_eq!(login("Wrong1").await.map(drop), Err(CoreError::WrongCredentials));
    login(cast::AGENT_PASSWORD).await.unwrap();
    assert!(matches!(core.sync_now().await.unwrap().state, SyncState::Current { .. }));
    assert_eq!((core.listings().await.unwrap().len(), core.lockboxes().await.unwrap().len()), (1, 2));

    let open = BoxSettings { access_hours: daily(60), contractor_mode: true, time_zone: None };
    core.set_lockbox_settings(cast::BOX.into(), Some(open)).await.unwrap();
    let listing = core.add_listing(cast::listing(cast::OTHER_ADDRESS)).await.unwrap();
    let flow = core.start_grant(listing.id).await.unwrap();
    flow.choose_lockbox(cast::OTHER_BOX.into(), BEGINS, cast::REGION.into()).await.unwrap();
    let now = town.clock.now();
    flow.fill_form(EMAIL.into(), now + HOUR, now + 2 * HOUR).unwrap();
    let done = flow.authenticate(cast::AGENT_PIN.into()).await.unwrap();
    assert!(matches!(done, GrantStep::Done { .. }), "{done:?}");
}

async fn new_contractor_signs_up(core: &SentriCore, town: &Town) {
    let mail = town.mailbox().mail_to(EMAIL).await;
    let form = SignupForm {
        invitation: Some(letters::invitation_in(&mail.body).unwrap().into()),
        email: EMAIL.into(),
        email_again: EMAIL.into(),
        phone: PHONE.into(),
        phone_again: PHONE.into(),
    };
    let signup = core.start_signup(form).await.unwrap();
    signup.verify(letters::code_in(&town.mailbox().text_to(PHONE).await.body), None).await.unwrap();
    signup.complete(cast::contractor()).await.unwrap();
    core.login_contractor(EMAIL.into(), cast::CONTRACTOR_PASSWORD.into()).await.unwrap();
    core.sync_now().await.unwrap();
    let accesses = core.accesses().await.unwrap();
    assert_eq!(accesses.iter().map(|it| it.state).collect::<Vec<_>>(), [AccessState::Upcoming]);
}

/// The lock has lost its clock: the open takes a time token, and leaves an event and records to be handed in.
async fn contractor_visits(house: &House, access: &str) {
    house.lockbox.pull_battery();
    house.lockbox.insert_battery().unwrap();
    for visit in 1..=2 {
        house.contractor.open(&house.lockbox, Some(access)).await.unwrap().told.unwrap();
        assert_eq!(house.lockbox.motor_drives(), visit);
        house.sync().await.unwrap();
    }
}

/// Clients ignore unknown fields: in every answer that the app asks for, and in every kind of record that it syncs.
#[tokio::test(flavor = "multi_thread")]
async fn fields_of_a_later_version_are_ignored_in_every_answer() {
    let mut house = House::build(61).await.unwrap();
    let other = cast::lockbox(cast::OTHER_BOX, LockboxGeneration::Ble, "always");
    house.town.add_lockbox(&other).await.unwrap();
    let access = house.grant(house.town.clock.now(), house.town.clock.now() + 20 * HOUR).await.unwrap();
    let later_access =
        house.grant(house.town.clock.now() + 2 * HOUR, house.town.clock.now() + 3 * HOUR).await.unwrap();
    let (later, around) = Later::before(&house.town).await;

    let agent = house.town.device("Dana's tablet", App::Agent, PhoneChecks::Enforced).start(&around).unwrap();
    agent_works(&agent.core, &house.town).await;
    let new = house.town.device("Lee's phone", App::Connect, PhoneChecks::Enforced).start(&around).unwrap();
    new_contractor_signs_up(&new.core, &house.town).await;

    // An hour later the tokens have expired; the contractor's app was updated meanwhile, so to say.
    house.town.clock.set(house.town.clock.now() + HOUR / 2);
    house.contractor = house.device.start(&around).unwrap();
    house.sync().await.unwrap();
    agent.core.revoke(later_access).await.unwrap();
    house.sync().await.unwrap();
    contractor_visits(&house, &access).await;

    agent.core.sync_now().await.unwrap();
    let grants = agent.core.grants().await.unwrap();
    let second = grants.iter().find(|it| it.email == EMAIL).unwrap();
    assert_eq!(agent.core.revoke(second.id.clone()).await.unwrap().state, GrantState::Revoked);
    let log = agent
        .core
        .access_log(0, i64::from(u32::MAX), AccessLogFilter::default(), None)
        .await
        .unwrap()
        .entries;
    assert!(log.iter().filter(|it| it.outcome == AccessOutcome::Opened).count() == 2, "{log:?}");
    let messages = agent.core.messages().await.unwrap();
    assert!(messages.iter().any(|it| it.topic == MessageTopic::AccessUsed));
    new.core.sync_now().await.unwrap();
    assert_eq!(new.core.accesses().await.unwrap()[0].state, AccessState::Revoked);

    let seen = later.seen.lock().unwrap().clone();
    let all = EVERY_ANSWER.map(str::to_owned).into();
    assert_eq!(seen, all, "{:?}", seen.symmetric_difference(&all).collect::<Vec<_>>());
}

/// All that the app asks for, and all that it syncs.
const EVERY_ANSWER: [&str; 25] = [
    "GET access-log",
    "GET sync",
    "POST events",
    "POST grants",
    "POST grants revoke",
    "POST listings",
    "POST lockboxes assign",
    "POST lockboxes settings",
    "POST locks audit",
    "POST locks time",
    "POST login",
    "POST signup",
    "POST signup complete",
    "POST token refresh",
    "problem",
    "synced access",
    "synced account",
    "synced credential",
    "synced grant",
    "synced keypad",
    "synced listing",
    "synced lockbox",
    "synced message",
    "synced revocations",
    "synced settings",
];
