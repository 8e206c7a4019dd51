//! `serve` as an app developer meets it: a process, its control API, and an app whose radio is the WebSocket.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

mod outside;

use std::time::{SystemTime, UNIX_EPOCH};

use outside::Served;
use sentri_core::{
    CoreError, SentriCore,
    api::{
        error::OfflinePart,
        grant_flow::GrantStep,
        signup::{NewPerson, QuestionAndAnswer, SignupForm},
        types::{App, NewListing, SyncState},
    },
    http::Method,
};
use sentri_sandbox::letters;
use serde_json::{Value, json};

const EMAIL: &str = "lee@roofing.example";
const PHONE: &str = "(312) 555-0188";
const PASSWORD: &str = "Shingle9";
const BOX: &str = "B-20417";
const KEYPAD_BOX: &str = "K-00731";

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}

async fn agent_grants(core: &SentriCore) {
    core.login_agent("104227318".into(), "Lakeside7".into()).await.unwrap();
    core.sync_now().await.unwrap();
    let listing = core.listings().await.unwrap().remove(0);
    let flow = core.start_grant(listing.id).await.unwrap();
    flow.choose_lockbox(BOX.into(), now(), "North Shore".into()).await.unwrap();
    flow.fill_form(EMAIL.into(), now(), now() + 7200).unwrap();
    let done = flow.authenticate("2580".into()).await.unwrap();
    assert!(matches!(done, GrantStep::Done { .. }));
}

/// A letter to somebody, once it is there: asked for again and again, as a developer does.
async fn letter(served: &Served, path: &str, to: &str) -> String {
    loop {
        let letters = served.get(path).await;
        let found = letters.as_array().unwrap().iter().rfind(|it| it["to"] == to).cloned();
        if let Some(found) = found {
            return found["body"].as_str().unwrap().to_owned();
        }
        tokio::task::yield_now().await;
    }
}

async fn contractor_signs_up(served: &Served, core: &SentriCore) {
    let mail = letter(served, "/mails", EMAIL).await;
    let token = letters::invitation_in(&mail).unwrap();
    let form = SignupForm {
        invitation: Some(token.into()),
        email: EMAIL.into(),
        email_again: EMAIL.into(),
        phone: PHONE.into(),
        phone_again: PHONE.into(),
    };
    let signup = core.start_signup(form).await.unwrap();
    signup.verify(letters::code_in(&letter(served, "/texts", PHONE).await), None).await.unwrap();
    let person = NewPerson {
        first_name: "Lee".into(),
        last_name: "Brandt".into(),
        role: "Roofer".into(),
        password: PASSWORD.into(),
        pin: "7301".into(),
        security_questions: vec![QuestionAndAnswer {
            question: "First roof?".into(),
            answer: "A shed".into(),
        }],
    };
    signup.complete(person).await.unwrap();
    core.login_contractor(EMAIL.into(), PASSWORD.into()).await.unwrap();
    core.sync_now().await.unwrap();
}

async fn looked_at(served: &Served) -> Value {
    served.get(&format!("/lockboxes/{BOX}")).await
}

/// CON-2: an app outside of the sandbox opens a box over the radio socket, and the box's own counters show it.
#[tokio::test(flavor = "multi_thread")]
async fn an_app_outside_opens_a_box_over_the_radio_socket() {
    let served = Served::start(&[]);
    let (agents, contractors) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    agent_grants(&*served.app(App::Agent, agents.path()).await).await;
    let core = served.app(App::Connect, contractors.path()).await;
    contractor_signs_up(&served, &core).await;

    served.post("/network", json!({"network": "down"})).await;
    assert!(matches!(core.sync_now().await.unwrap().state, SyncState::Offline { .. }));
    let attempt = core.open_on_ent(None).await.unwrap();
    let (status, _) = served.post(&format!("/lockboxes/{BOX}/keys"), json!({"keys": "ENT"})).await;
    assert_eq!(status, 200);
    let report = attempt.result().await.unwrap();
    assert_eq!((report.lockbox.as_str(), report.figures.m1_bytes), (BOX, 112));
    attempt.finished().await;

    let seen = looked_at(&served).await;
    assert_eq!((&seen["motor_drives"], &seen["counters"]["opens"]), (&json!(1), &json!(1)));
    assert!(seen["lights"].as_array().unwrap().iter().any(|light| light["shown"] == "opened"));

    served.post("/network", json!({"network": "up"})).await;
    assert!(matches!(core.sync_now().await.unwrap().state, SyncState::Current { .. }));
    assert!(served.interrupt().success());
}

/// RES-5: somebody moves in behind a door that a hub reaches: offline until it has called, then it brings their code.
#[tokio::test(flavor = "multi_thread")]
async fn res_5_a_hub_brings_a_code_when_it_is_told_to() {
    let served = Served::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let home =
        json!({"email": "rae@home.example", "phone": "(312) 555-0171", "door": "D-70001", "hub": "H-70001"});
    let (_, rae) = served.post("/residents", home).await;
    let core = served.app(App::Connect, folder.path()).await;
    let (login, password) = (rae["login"].as_str().unwrap(), rae["password"].as_str().unwrap());
    core.login_contractor(login.into(), password.into()).await.unwrap();
    core.sync_now().await.unwrap();
    let refused = core.generate_door_code("D-70001".into(), None).await;
    assert_eq!(refused, Err(CoreError::LockUnreachable { offline: OfflinePart::Hub }));
    served.post("/hubs/H-70001/turns", json!({})).await;
    let made = core.generate_door_code("D-70001".into(), None).await.unwrap();
    let (_, turned) = served.post("/hubs/H-70001/turns", json!({})).await;
    assert_eq!(turned, json!({"heard": ["D-70001"], "brought": ["D-70001"]}));
    core.sync_now().await.unwrap();
    let now = core.door_codes("D-70001".into()).await.unwrap().remove(0);
    assert_eq!(now.working, made.next);
    let keys = format!("{} ENT", now.working.unwrap().expose());
    let (_, seen) = served.post("/lockboxes/D-70001/keys", json!({"keys": keys})).await;
    assert_eq!(seen["motor_drives"], 1);
    assert_eq!(served.post("/hubs/H-1/turns", json!({})).await.0, 404);
}

/// Hands and clocks: batteries, keys, time, knobs.
#[tokio::test(flavor = "multi_thread")]
async fn the_control_api_does_what_hands_do() {
    let served = Served::start(&[]);
    served.post(&format!("/lockboxes/{BOX}/battery"), json!({"battery": "pull"})).await;
    let dark = looked_at(&served).await;
    assert_eq!((&dark["powered"], &dark["clock"]), (&json!(false), &Value::Null));
    served.post(&format!("/lockboxes/{BOX}/battery"), json!({"battery": "insert"})).await;
    let booted = looked_at(&served).await;
    assert_eq!((&booted["clock_lost"], &booted["counters"]["boots"]), (&json!(true), &json!(2)));

    let before = looked_at(&served).await["clock"].as_i64().unwrap();
    served.post(&format!("/lockboxes/{BOX}/clock"), json!({"ahead_seconds": 600})).await;
    assert!(looked_at(&served).await["clock"].as_i64().unwrap() >= before + 600);
    let (_, moved) = served.post("/clock", json!({"advance_seconds": 86_400})).await;
    assert!(moved["now"].as_i64().unwrap() >= now() + 86_390);
    let (_, set) = served.post("/clock", json!({"set": 1_900_000_000})).await;
    assert!(set["now"].as_i64().unwrap() >= 1_900_000_000);

    let (_, knobs) = served.post("/radio/knobs", json!({"mtu": 23, "lost": 10})).await;
    assert_eq!((&knobs["mtu"], &knobs["lost"], &knobs["latency_ms"]), (&json!(23), &json!(10), &json!(8)));
    let (_, typed) = served.post("/lockboxes/K-00731/keys", json!({"keys": "1234567 ENT"})).await;
    assert_eq!((&typed["counters"]["codes_entered"], &typed["motor_drives"]), (&json!(1), &json!(0)));
    assert_eq!(served.get("/state").await["lockboxes"].as_array().unwrap().len(), 3);
    assert!(served.interrupt().success());
}

/// OPS-1: what an operator does, and what befalls a box.
#[tokio::test(flavor = "multi_thread")]
async fn the_control_api_does_what_operators_do() {
    let served = Served::start(&[]);
    let (status, hung) =
        served.post("/lockboxes", json!({"serial": "B-30001", "access_hours": "08:00-20:00"})).await;
    assert_eq!((status, &hung["serial"], &hung["generation"]), (200, &json!("B-30001"), &json!("ble")));
    let (_, keypad) = served.post("/lockboxes", json!({"serial": "K-30002", "generation": "non_ble"})).await;
    assert_eq!(keypad["generation"], "non_ble");
    assert_eq!(served.get("/state").await["lockboxes"].as_array().unwrap().len(), 5);
    served.post("/lockboxes/B-30001/motor", json!({"motor": "jammed"})).await;

    let robin = json!({"sentrikey_id": "104227319", "email": "robin@harbor-realty.example"});
    let (_, made) = served.post("/agents", robin.clone()).await;
    assert_eq!(made["login"], "104227319");
    let folder = tempfile::tempdir().unwrap();
    let core = served.app(App::Agent, folder.path()).await;
    let login = || core.login_agent("104227319".into(), "Lakeside7".into());
    login().await.unwrap();
    core.logout().await.unwrap();
    served.post("/agents/104227319/standing", json!({"standing": "suspended"})).await;
    assert!(matches!(login().await, Err(CoreError::AccountNotActive { support: Some(_), .. })), "ACC-7");
    served.post("/agents/104227319/standing", json!({"standing": "good"})).await;
    login().await.unwrap();

    for (path, body, word) in [
        ("/lockboxes", json!({"serial": "B-30001"}), "serial"),
        ("/lockboxes", json!({"serial": "B-30003", "access_hours": "8 to 8"}), "access_hours"),
        ("/agents", robin, "sentrikey_id"),
        ("/agents/104227319/standing", json!({"standing": "gone"}), "gone"),
        ("/lockboxes/B-30001/motor", json!({"motor": "loud"}), "loud"),
    ] {
        let (status, answer) = served.post(path, body).await;
        assert!(status == 422 && answer["error"].as_str().unwrap().contains(word), "{path}: {answer}");
    }
    assert!(served.interrupt().success());
}

/// LST-1: what an MLS lists, changes and drops is on the agent's phone after an import, whatever the feed gets wrong.
#[tokio::test(flavor = "multi_thread")]
async fn lst_1_the_control_api_lists_changes_and_drops_houses() {
    let served = Served::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let core = served.app(App::Agent, folder.path()).await;
    core.login_agent("104227318".into(), "Lakeside7".into()).await.unwrap();
    let listed = async || {
        core.sync_now().await.unwrap();
        let all = core.listings().await.unwrap().into_iter();
        let of_feed = all.filter(|it| it.listing_key.starts_with("OR-"));
        of_feed.map(|it| (it.listing_key, it.list_price)).collect::<Vec<_>>()
    };
    let import = async |body: Value| served.post("/feed/import", body).await.1;

    assert_eq!(served.get("/feed").await["listings"].as_array().unwrap().len(), 3);
    assert_eq!(import(json!({})).await["added"], 3);
    assert_eq!(listed().await.len(), 3);

    let dearer = json!({"ListingKey": "OR-000001", "ListPrice": 510_000});
    served.post("/clock", json!({"advance_seconds": 60})).await;
    served.post("/feed/listings", dearer).await;
    served.post("/feed/listings", json!({"ListingKey": "OR-000009", "ListPrice": "a lot"})).await;
    served.post("/feed/faults", json!({"faults": ["breaks_off"]})).await;
    assert_eq!(import(json!({})).await["finished"], false);
    let report = import(json!({})).await;
    assert_eq!((&report["changed"], &report["skipped"]), (&json!(1), &json!({"wrong_type": 1})), "{report}");
    assert!(listed().await.contains(&("OR-000001".into(), Some(510_000))));

    served.ask(Method::Delete, "/feed/listings/OR-000003", None, vec![]).await;
    assert_eq!(import(json!({"whole": true})).await["gone"], 1);
    assert_eq!(listed().await.len(), 2);
    assert!(served.interrupt().success());
}

/// LST-6, COD-5: a box without Bluetooth hears by its owner's card what was set, and its word comes back with the card; a
/// member opens it by theirs. [AGT-1]
#[tokio::test(flavor = "multi_thread")]
async fn lst_6_the_control_api_takes_a_card_to_a_box_without_bluetooth() {
    let served = Served::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let core = served.app(App::Agent, folder.path()).await;
    core.login_agent("104227318".into(), "Lakeside7".into()).await.unwrap();
    core.sync_now().await.unwrap();
    let keypad = core.set_contractor_mode(KEYPAD_BOX.into(), true).await.unwrap();
    let keys = format!("{} ENT", keypad.contractor_codes[0].code.expose());
    let is_pending = async || core.lockbox_settings(KEYPAD_BOX.into()).await.unwrap().pending;
    let renew = async |of: &str| served.post(&format!("/cards/{of}/renewals"), json!({})).await.1;
    let slot = format!("/lockboxes/{KEYPAD_BOX}/card");
    let insert = async |of: &str| served.post(&slot, json!({"of": of})).await.0;
    let take_out = async || served.ask(Method::Delete, &slot, None, vec![]).await.0;
    let drives_after = async |keys: &str| {
        let path = format!("/lockboxes/{KEYPAD_BOX}/keys");
        served.post(&path, json!({"keys": keys})).await.1["motor_drives"].clone()
    };

    assert!(is_pending().await);
    assert_eq!(renew("104227318").await["carries_to"], json!([KEYPAD_BOX]));
    assert_eq!(drives_after(&keys).await, 0, "the box has not heard of it");
    assert_eq!(insert("104227318").await, 200);
    assert_eq!(served.get("/cards").await[0]["slot"], KEYPAD_BOX);
    assert_eq!(drives_after("2580 ENT ENT").await, 1, "card and PIN open");
    assert_eq!(take_out().await, 200);
    assert_eq!(drives_after(&keys).await, 2);
    assert!(is_pending().await, "the box's word is on the card");
    assert_eq!(renew("104227318").await["carries_to"], json!([]));
    assert!(!is_pending().await);

    let robin = json!({"sentrikey_id": "104227319", "email": "robin@harbor-realty.example"});
    served.post("/agents", robin).await;
    assert_eq!(renew("104227319").await["carries_to"], json!([]));
    assert_eq!(insert("104227319").await, 200);
    assert_eq!(drives_after("7301 ENT ENT").await, 2, "not Robin's PIN");
    assert_eq!((take_out().await, insert("104227319").await), (200, 200));
    assert_eq!(drives_after("2580 ENT ENT").await, 3);
    assert!(served.interrupt().success());
}

/// A card is in one place, and comes out of a reader only under its agent's PIN.
#[tokio::test(flavor = "multi_thread")]
async fn the_control_api_says_where_a_card_is() {
    let served = Served::start(&[]);
    let home = json!({"email": "rae@home.example", "phone": "(312) 555-0171", "door": "D-70001"});
    served.post("/residents", home).await;
    let (slot, other) = (format!("/lockboxes/{KEYPAD_BOX}/card"), format!("/lockboxes/{BOX}/card"));
    let renewals = "/cards/104227318/renewals";
    let refused = async |path: &str, body: Value, status: u16, word: &str| {
        let (answered, answer) = served.post(path, body).await;
        let error = answer["error"].as_str().unwrap();
        assert!(answered == status && error.contains(word), "{path}: {answered} {error}");
    };
    let card = || json!({"of": "104227318"});

    refused(&slot, card(), 422, "renewals").await;
    refused("/cards/104227000/renewals", json!({}), 404, "GET /state").await;
    refused(renewals, json!({"pin": "0864"}), 422, "PIN").await;
    refused(renewals, json!({"password": "Lakeside8"}), 422, "password").await;
    served.post("/network", json!({"network": "down"})).await;
    refused(renewals, json!({}), 422, "can't be reached").await;
    served.post("/network", json!({"network": "up"})).await;
    assert_eq!(served.get("/cards").await, json!([]));

    assert_eq!(served.post(renewals, json!({})).await.0, 200);
    refused("/lockboxes/D-70001/card", card(), 422, "no card slot").await;
    assert_eq!(served.post(&slot, card()).await.0, 200);
    refused(&slot, card(), 422, "a card in the slot").await;
    refused(&other, card(), 422, KEYPAD_BOX).await;
    refused(renewals, json!({}), 422, KEYPAD_BOX).await;
    let take_out = async || served.ask(Method::Delete, &slot, None, vec![]).await.0;
    assert_eq!((take_out().await, take_out().await), (200, 422));
    assert_eq!(served.post(&other, card()).await.0, 200);
    assert!(served.interrupt().success());
}

/// What is wrong with a request is said, and pages of other origins are turned away.
#[tokio::test(flavor = "multi_thread")]
async fn the_control_api_says_what_is_wrong() {
    let served = Served::start(&[]);
    let keys = format!("/lockboxes/{BOX}/keys");
    let bad = [
        (keys.as_str(), json!({"keys": "abc"}), 422, "keys"),
        (keys.as_str(), json!({"buttons": "ENT"}), 422, "buttons"),
        ("/lockboxes/B-99999/keys", json!({"keys": "ENT"}), 404, "serial"),
        ("/radio/knobs", json!({"mtu": 22}), 422, "mtu"),
        ("/radio/knobs", json!({"lost": 1001}), 422, "lost"),
        ("/clock", json!({"advance_seconds": -1}), 422, "advance_seconds"),
        ("/clock", json!({}), 422, "advance_seconds or set"),
        ("/clock", json!({"advance_seconds": 1, "set": 2}), 422, "one of them"),
        ("/clock", json!({"set": i64::MAX}), 422, "ten years"),
        ("/feed/listings", json!({"ListPrice": 1}), 422, "ListingKey"),
        ("/feed/faults", json!({"faults": ["catches_fire"]}), 422, "catches_fire"),
        ("/feed/import", json!({"all": true}), 422, "all"),
        ("/nothing", json!({}), 404, "docs/sandbox.md"),
        ("/mails", json!({}), 405, "method"),
        ("/network", json!({"network": "sideways"}), 422, "sideways"),
    ];
    for (path, body, expected, word) in bad {
        let (status, answer) = served.post(path, body).await;
        let error = answer["error"].as_str().unwrap();
        assert!(status == expected && error.contains(word), "{path}: {status} {error}");
    }
    let (status, answer) = served.ask(Method::Get, "/radio", None, vec![]).await;
    assert!(status == 422 && answer["error"].as_str().unwrap().contains("ws://"), "{answer}");
    let foreign = vec![("origin", "https://elsewhere.example".to_owned())];
    assert_eq!(served.ask(Method::Get, "/mails", None, foreign).await.0, 403);
    let rebound = vec![("host", "elsewhere.example".to_owned())];
    assert_eq!(served.ask(Method::Get, "/mails", None, rebound).await.0, 403);
    assert!(served.interrupt().success());
}

/// With `--data` the next start goes on where the last one ended, and two can't share a folder.
#[tokio::test(flavor = "multi_thread")]
async fn data_outlive_the_sandbox() {
    let (data, phone) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let args = ["--data", data.path().to_str().unwrap()];
    let served = Served::start(&args);
    let core = served.app(App::Agent, phone.path()).await;
    core.login_agent("104227318".into(), "Lakeside7".into()).await.unwrap();
    let listing = NewListing {
        unparsed_address: "7 Elm Street".into(),
        city: "Evanston".into(),
        state_or_province: "IL".into(),
        postal_code: "60201".into(),
        list_price: None,
        time_zone: "America/Chicago".into(),
    };
    core.add_listing(listing).await.unwrap();
    assert_eq!(looked_at(&served).await["clock_lost"], false);

    let second =
        std::process::Command::new(env!("CARGO_BIN_EXE_sentri")).arg("serve").args(args).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("another sandbox"));
    assert!(served.interrupt().success());

    let served = Served::start(&args);
    let core = served.app(App::Agent, tempfile::tempdir().unwrap().path()).await;
    core.login_agent("104227318".into(), "Lakeside7".into()).await.unwrap();
    core.sync_now().await.unwrap();
    let listings = core.listings().await.unwrap();
    assert!(listings.iter().any(|it| it.unparsed_address == "7 Elm Street"));
    let seen = looked_at(&served).await;
    assert_eq!((&seen["counters"]["boots"], &seen["clock_lost"]), (&json!(2), &json!(true)));
    assert!(served.interrupt().success());
}
