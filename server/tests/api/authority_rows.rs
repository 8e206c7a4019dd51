//! One row for each route: a call by somebody who has no right to the object, and what it must come to.

use sentri_wire::Binary;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{BLE, HOUR, NOW, Ready, assignment, completion, grant, new_listing};

/// What a stranger's call must come to.
pub enum Expect {
    /// The object is not theirs: not found.
    NotFound,
    /// Theirs to call, but it shows nothing of others: the body must not hold this text.
    Hides(&'static str),
    /// Anybody may call it; whoever has not its secret gets nowhere.
    Code(&'static str),
    /// It shows nothing that belongs to anybody.
    Open,
}
use Expect::{Code, Hides, NotFound, Open};

pub struct Row {
    pub route: (&'static str, &'static str),
    pub path: String,
    pub body: Option<Value>,
    pub expect: Expect,
}

fn get(path: &'static str, expect: Expect) -> Row {
    Row { route: ("GET", path), path: path.to_owned(), body: None, expect }
}

fn post(path: &'static str, body: Value, expect: Expect) -> Row {
    let body = (!body.is_null()).then_some(body);
    Row { route: ("POST", path), path: path.to_owned(), body, expect }
}

fn on(method: &'static str, template: &'static str, path: String, body: Option<Value>) -> Row {
    Row { route: (method, template), path, body, expect: NotFound }
}

/// Calls of Ari, an agent of the same association, on what is Dana's and Bo's.
pub fn rows(ready: &Ready, message: Uuid) -> Vec<Row> {
    let all = [
        public_rows(),
        identity_rows(ready),
        own_rows(),
        agent_rows(ready),
        code_rows(),
        resident_rows(),
        hub_rows(),
        phone_rows(ready, message),
    ];
    all.into_iter().flatten().collect()
}

fn public_rows() -> Vec<Row> {
    let bo = json!({ "email": "bo@plumbing.example" });
    let login = json!({ "login": bo, "password": "Wrong1pass",
        "device": { "install_id": Uuid::new_v4(), "name": "n", "platform": "ios" } });
    let signup = json!({ "email": "a@b.de", "email_again": "a@b.de", "phone": "503-555-0155",
        "phone_again": "503-555-0155", "invitation": "guess" });
    let reset = json!({ "token": "guess", "password": "Abcdef1" });
    vec![
        post("/v1/login", login, Code("wrong-credentials")),
        post("/v1/token/refresh", json!({ "refresh": "x" }), Code("not-logged-in")),
        post("/v1/signup", signup, Code("expired")),
        post("/v1/signup/verify", json!({ "signup": "x", "code": "0000" }), Code("expired")),
        post("/v1/signup/complete", completion("x"), Code("expired")),
        post("/v1/password/forgot", json!({ "login": bo }), Open),
        post("/v1/password/reset", reset, Code("expired")),
        post("/v1/identity", json!({ "login": bo, "password": "Wrong1pass" }), Code("wrong-credentials")),
        post("/v1/identity/verify", json!({ "identity": "guess", "code": "000000" }), Code("expired")),
        get("/v1/health", Open),
        get("/v1/openapi.json", Open),
    ]
}

fn identity_rows(ready: &Ready) -> Vec<Row> {
    let device = format!("/v1/identity/devices/{}", ready.bo.device);
    let remove = on("DELETE", "/v1/identity/devices/{id}", device, None);
    vec![
        get("/v1/identity/devices", Code("not-logged-in")),
        Row { expect: Code("not-logged-in"), ..remove },
        post("/v1/identity/pin", json!({ "pin": "9173" }), Code("not-logged-in")),
    ]
}

fn own_rows() -> Vec<Row> {
    let (wrong, own_push) = ("Wrong1pass", "/v1/me/device/push");
    let password = json!({ "password": wrong, "new_password": "Newpass1" });
    let profile = json!({ "password": wrong, "first_name": "A", "last_name": "B", "role": "C" });
    let questions = json!({ "password": wrong, "security_questions": [] });
    let phone = json!({ "password": wrong, "phone": "503-555-0155", "phone_again": "503-555-0155" });
    let email = json!({ "password": wrong, "email": "a@b.de", "email_again": "a@b.de" });
    let change = json!({ "change": "guess", "code": "0000" });
    let key = json!({ "public_key": "", "kind": "software", "challenge": "", "signature": "" });
    vec![
        get("/v1/me", Hides("Dana")),
        get("/v1/me/export", Hides(BLE)),
        post("/v1/me/password", password, Code("wrong-credentials")),
        post("/v1/me/profile", profile, Code("forbidden")),
        post("/v1/me/security-questions", questions, Code("wrong-credentials")),
        post("/v1/me/phone", phone, Code("forbidden")),
        post("/v1/me/phone/verify", change.clone(), Code("expired")),
        post("/v1/me/email", email, Code("forbidden")),
        post("/v1/me/email/verify", change, Code("expired")),
        post("/v1/me/delete", json!({ "password": wrong }), Code("forbidden")),
        post("/v1/me/device/challenge", json!({ "purpose": "grant" }), Hides("Dana")),
        post("/v1/me/device/key", key, Code("invalid")),
        post("/v1/me/device/push", json!({ "service": "apns", "token": "t" }), Open),
        Row { expect: Open, ..on("DELETE", own_push, own_push.to_owned(), None) },
        post("/v1/logout", Value::Null, Open),
    ]
}

fn agent_rows(ready: &Ready) -> Vec<Row> {
    let listing = &ready.listing;
    let of_box = |action: &str| format!("/v1/lockboxes/{BLE}{action}");
    let granting = grant(listing, "x@y.example", NOW, NOW + HOUR);
    let revoke = format!("/v1/grants/{}/revoke", ready.grant.id);
    let log = format!("/v1/access-log?listing_id={}", listing.id);
    let settings = json!({ "access_hours": [], "contractor_mode": false });
    // As a lock's, which is nobody's; `box_search` has Dana's.
    let woken = Binary::from([&[1, 0][..], &[7; 16]].concat());
    let mut strangers = [0; 18];
    strangers[0] = 1;
    let visit = json!({ "advert": Binary::from(strangers) });
    vec![
        get("/v1/listings", Hides("Oak St")),
        post("/v1/listings", new_listing(), Hides("Dana")),
        get("/v1/lockboxes", Hides(BLE)),
        on("GET", "/v1/lockboxes/{serial}", of_box(""), None),
        on("POST", "/v1/lockboxes/{serial}/assign", of_box("/assign"), Some(assignment(listing))),
        on("POST", "/v1/lockboxes/{serial}/unassign", of_box("/unassign"), None),
        post("/v1/lockbox-search", json!({ "advert": woken }), NotFound),
        get("/v1/lockbox-settings", Hides(BLE)),
        post("/v1/lockbox-settings", settings, Hides(BLE)),
        on("GET", "/v1/lockboxes/{serial}/settings", of_box("/settings"), None),
        on("POST", "/v1/lockboxes/{serial}/settings", of_box("/settings"), Some(json!({}))),
        post("/v1/grants", granting, NotFound),
        on("GET", "/v1/grants", format!("/v1/grants?listing_id={}", listing.id), None),
        on("POST", "/v1/grants/{id}/revoke", revoke, None),
        post("/v1/visits", visit, NotFound),
        post("/v1/grants/reassert", json!({ "revoked": [ready.grant.id] }), Open),
        on("GET", "/v1/access-log", log, None),
        get("/v1/access-log", Hides(BLE)),
        on("GET", "/v1/access-log", format!("/v1/access-log?lockbox={BLE}"), None),
        on("GET", "/v1/access-log.csv", format!("/v1/access-log.csv?listing_id={}", listing.id), None),
        on("GET", "/v1/access-log.csv", format!("/v1/access-log.csv?lockbox={BLE}"), None),
        get("/v1/access-log.csv", Hides(BLE)),
    ]
}

fn code_rows() -> Vec<Row> {
    let of_box = |action: &str| format!("/v1/lockboxes/{BLE}/{action}");
    let window = json!({ "guest": "Gus", "starts_at": NOW, "ends_at": NOW + HOUR });
    let offline = of_box("smart-pins/offline");
    let pin = Some(json!({ "pin": crate::world::PIN }));
    let change = Some(json!({ "contractor_mode": true }));
    // Dana's box hangs at an active listing: a member of her association may open it.
    let smac = on("POST", "/v1/lockboxes/{serial}/smac", of_box("smac"), None);
    vec![
        get("/v1/card", Hides(BLE)),
        post("/v1/card", json!({ "pin": crate::world::PIN }), Hides(BLE)),
        on("GET", "/v1/lockboxes/{serial}/keypad", of_box("keypad"), None),
        on("POST", "/v1/lockboxes/{serial}/keypad", of_box("keypad"), change),
        on(
            "POST",
            "/v1/lockboxes/{serial}/contractor-codes",
            of_box("contractor-codes"),
            Some(json!({ "slot": 1 })),
        ),
        on(
            "POST",
            "/v1/lockboxes/{serial}/one-day-codes",
            of_box("one-day-codes"),
            Some(json!({ "day": "2026-11-20" })),
        ),
        on("POST", "/v1/lockboxes/{serial}/smart-pins", of_box("smart-pins"), Some(window)),
        on("POST", "/v1/lockboxes/{serial}/smart-pins/offline", offline.clone(), pin),
        on("DELETE", "/v1/lockboxes/{serial}/smart-pins/offline", offline, None),
        on("POST", "/v1/codes/{id}/block", format!("/v1/codes/{}/block", Uuid::new_v4()), None),
        Row { expect: Open, ..smac },
    ]
}

/// That a resident reaches nothing of another's is shown in `residents.rs`.
fn resident_rows() -> Vec<Row> {
    let of_door = |action: &str| format!("/v1/doors/DOOR-001/codes{action}");
    let guest = json!({ "guest": "Kim", "validity": { "kind": "permanent" } });
    let by_code = |row: Row, code| Row { expect: Code(code), ..row };
    let at = |template, action, body| by_code(on("POST", template, of_door(action), Some(body)), "forbidden");
    let pick = at("/v1/doors/{serial}/codes/pick", "/pick", json!({ "code": "8264" }));
    let codes = on("GET", "/v1/doors/{serial}/codes", of_door(""), None);
    let delete = on("DELETE", "/v1/door-codes/{id}", "/v1/door-codes/DOOR-001.2".to_owned(), None);
    vec![
        get("/v1/doors", Hides("DOOR-001")),
        by_code(codes, "forbidden"),
        at("/v1/doors/{serial}/codes/generate", "/generate", json!({})),
        by_code(pick, "upgrade-required"),
        at("/v1/doors/{serial}/codes/guests", "/guests", guest),
        by_code(delete, "forbidden"),
    ]
}

/// No account is a hub; that a hub reaches no other hub's locks is shown in `residents/hubs.rs`.
fn hub_rows() -> Vec<Row> {
    let hash = json!({ "handshake_hash": Binary::from([0; 32]) });
    let at = |template, action, body| {
        let row = on("POST", template, format!("/v1/hub/locks/DOOR-001/{action}"), Some(body));
        Row { expect: Code("not-logged-in"), ..row }
    };
    vec![
        post("/v1/hub/calls", json!({}), Code("not-logged-in")),
        at("/v1/hub/locks/{serial}/time", "time", hash),
        at("/v1/hub/locks/{serial}/audit", "audit", json!({ "batch": "" })),
    ]
}

fn phone_rows(ready: &Ready, message: Uuid) -> Vec<Row> {
    let hash = json!({ "handshake_hash": Binary::from([0; 32]) });
    let event = json!({ "events": [{ "id": Uuid::new_v4(), "at": NOW, "lockbox": BLE,
        "access_id": ready.grant.id, "outcome": "opened" }] });
    let of_lock = |action: &str| format!("/v1/locks/{BLE}/{action}");
    let batch = Some(json!({ "batch": "" }));
    vec![
        get("/v1/sync", Hides(BLE)),
        post("/v1/events", event, Hides("stored")),
        on("POST", "/v1/messages/{id}/read", format!("/v1/messages/{message}/read"), None),
        on("DELETE", "/v1/messages/{id}", format!("/v1/messages/{message}"), None),
        on("POST", "/v1/locks/{serial}/time", of_lock("time"), Some(hash)),
        on("POST", "/v1/locks/{serial}/audit", of_lock("audit"), batch),
    ]
}
