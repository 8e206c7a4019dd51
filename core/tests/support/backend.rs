//! A backend in a few lines: one account, pages of changes, events stored once. Networks fail as told.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
};

use sentri_core::{
    http::{Http, HttpFailure, HttpRequest, HttpResponse, Method},
    ports::BoxFuture,
};
use sentri_protocol::{audit, clock::FreshTime};
use sentri_wire::{
    Binary, Problem, Secret,
    account::{
        Account, AccountKind, LoginName, LoginRequest, LoginResponse, RefreshRequest, SignupComplete,
        SignupRequest, SignupStarted, SignupVerify, Tokens,
    },
    agent::{
        AssignRequest, Grant, GrantRequest, GrantResponse, GrantState, Invitee, Listing, Lockbox,
        LockboxGeneration, NewListing,
    },
    credential::{TimeRequest, TimeResponse},
    event::{
        AccessEvent, AuditReceipt, AuditUpload, EventReceipt, EventReceipts, EventUpload, LogPage,
        ReceiptResult,
    },
    problem::{ProblemCode, SupportContact},
    sync::{Change, SyncPage},
};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::{
    Fuse, PASSWORD, TestClock,
    lock::{Granted, keys_of},
};

pub const ACCOUNT: Uuid = Uuid::from_u128(0xACC0);
pub const AGENT: Uuid = Uuid::from_u128(0xA6E);

/// What the network does to one exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The request never arrives.
    LoseRequest,
    /// It arrives, and the answer is lost.
    LoseAnswer,
    /// The backend has a problem.
    Problem(ProblemCode),
    /// The answer is the one that was given to the same path before.
    StaleAnswer,
}

#[derive(Default)]
pub struct State {
    pub online: bool,
    /// For the next requests whose path begins so, in order.
    pub faults: VecDeque<(&'static str, Fault)>,
    /// All changes so far, oldest first; a cursor is a position.
    pub changes: Vec<Change>,
    pub page_size: usize,
    /// Where the log of changes began anew: older cursors restart.
    pub incarnation: u32,
    pub events: BTreeMap<Uuid, AccessEvent>,
    /// Bodies that came with an id that was there with another body.
    pub conflicts: u32,
    pub audit: Vec<Binary>,
    pub grants: Vec<Grant>,
    pub requests: Vec<String>,
    pub headers: Vec<Vec<(&'static str, String)>>,
    tokens: u32,
    answers: BTreeMap<String, HttpResponse>,
}

pub struct Backend {
    pub state: Mutex<State>,
    clock: Arc<TestClock>,
}

impl Backend {
    pub fn new(clock: Arc<TestClock>) -> Arc<Self> {
        let state = State { online: true, page_size: 100, ..State::default() };
        Arc::new(Self { state: Mutex::new(state), clock })
    }

    pub fn online(&self, online: bool) {
        self.state.lock().unwrap().online = online;
    }

    pub fn fault(&self, path: &'static str, fault: Fault) {
        self.state.lock().unwrap().faults.push_back((path, fault));
    }

    pub fn grant(&self, granted: &Granted) {
        granted.changes().into_iter().for_each(|change| self.change(change));
    }

    pub fn change(&self, change: Change) {
        self.state.lock().unwrap().changes.push(change);
    }

    /// The access tokens given out so far have expired.
    pub fn expire_tokens(&self) {
        self.state.lock().unwrap().tokens += 1;
    }

    pub fn count(&self, path: &str) -> usize {
        self.state.lock().unwrap().requests.iter().filter(|it| it.starts_with(path)).count()
    }

    pub fn events(&self) -> Vec<AccessEvent> {
        let mut events: Vec<_> = self.state.lock().unwrap().events.values().cloned().collect();
        events.sort_by_key(|event| event.at);
        events
    }

    fn answer(&self, request: &HttpRequest) -> HttpResponse {
        let path = request.url.trim_start_matches("http://127.0.0.1:1").to_owned();
        let route = path.split('?').next().unwrap_or_default().to_owned();
        let mut state = self.state.lock().unwrap();
        state.requests.push(path.clone());
        state.headers.push(request.headers.clone());
        let token = request.headers.iter().find(|(name, _)| *name == "authorization").map(|(_, value)| value);
        if let Some(token) = token
            && *token != format!("Bearer access-{}", state.tokens)
        {
            return problem(ProblemCode::TokenExpired);
        }
        match (request.method, route.as_str()) {
            (Method::Post, "/v1/login") => login(&mut state, &body(request)),
            (Method::Post, "/v1/token/refresh") => refresh(&mut state, &body(request)),
            (Method::Post, "/v1/logout") | (Method::Delete, _) => done(),
            (Method::Get, "/v1/sync") => {
                json(&page(&state, path.split_once("cursor=").map(|it| it.1), self.clock.truth()))
            }
            (Method::Post, "/v1/events") => events(&mut state, body(request)),
            (Method::Post, "/v1/listings") => add_listing(&body(request)),
            (Method::Post, "/v1/grants") => grant(&mut state, request),
            (Method::Post, route) if route.ends_with("/unassign") => unassign(route),
            (Method::Post, route) if route.ends_with("/assign") => assign(route, &body(request)),
            (Method::Post, route) if route.ends_with("/revoke") => revoke(&mut state, route),
            (Method::Get, "/v1/access-log") => json(&LogPage { entries: Vec::new(), next: Some("2".into()) }),
            (Method::Post, route) if route.ends_with("/read") => {
                HttpResponse { status: 204, body: Vec::new() }
            }
            (Method::Post, "/v1/signup") => signup(&body(request)),
            (Method::Post, "/v1/signup/verify") => verify(&body(request)),
            (Method::Post, "/v1/signup/complete") => {
                let _: SignupComplete = body(request);
                HttpResponse { status: 201, body: b"{}".to_vec() }
            }
            (Method::Post, route) if route.ends_with("/time") => time(&body(request), self.clock.truth()),
            (Method::Post, route) if route.ends_with("/audit") => audit(&mut state, &body(request)),
            _ => problem(ProblemCode::NotFound),
        }
    }
}

fn login(state: &mut State, request: &LoginRequest) -> HttpResponse {
    if request.password.expose() != PASSWORD {
        return problem(ProblemCode::WrongCredentials);
    }
    let (kind, sentrikey_id) = match &request.login {
        LoginName::SentrikeyId(id) => (AccountKind::Agent, Some(id.clone())),
        LoginName::Email(_) => (AccountKind::Contractor, None),
    };
    let account = Account {
        id: if kind == AccountKind::Agent { AGENT } else { ACCOUNT },
        kind,
        sentrikey_id,
        first_name: "Sam".into(),
        last_name: "Plumber".into(),
        email: super::EMAIL.into(),
        phone: "555-0123".into(),
        role: Some("Plumber".into()),
        standing: sentri_wire::account::Standing::Active,
        grant_approval: None,
        password_rule: sentri_wire::account::PasswordRule::Standard,
    };
    json(&LoginResponse { account, device_id: Uuid::nil(), tokens: tokens(state) })
}

fn refresh(state: &mut State, request: &RefreshRequest) -> HttpResponse {
    if !request.refresh.expose().starts_with("refresh-") {
        return problem(ProblemCode::NotLoggedIn);
    }
    json(&tokens(state))
}

fn tokens(state: &mut State) -> Tokens {
    state.tokens += 1;
    Tokens {
        access: Secret::new(format!("access-{}", state.tokens)),
        access_expires_at: super::NOW + 900,
        refresh: Secret::new(format!("refresh-{}", state.tokens)),
    }
}

/// A cursor is the incarnation and a position.
fn page(state: &State, cursor: Option<&str>, now: i64) -> SyncPage {
    let known = cursor.and_then(|cursor| cursor.split_once('.')).and_then(|(incarnation, position)| {
        (incarnation.parse() == Ok(state.incarnation)).then(|| position.parse::<usize>().unwrap())
    });
    let from = known.unwrap_or(0);
    let to = state.changes.len().min(from + state.page_size);
    SyncPage {
        cursor: format!("{}.{to}", state.incarnation),
        restart: known.is_none(),
        more: to < state.changes.len(),
        server_time: now,
        changes: state.changes[from..to].to_vec(),
    }
}

fn events(state: &mut State, upload: EventUpload) -> HttpResponse {
    let mut receipts = Vec::new();
    for event in upload.events {
        let id = event.id;
        let result = match state.events.get(&id) {
            None => {
                state.events.insert(id, event);
                ReceiptResult::Stored
            }
            Some(stored) if *stored == event => ReceiptResult::Duplicate,
            Some(_) => {
                state.conflicts += 1;
                ReceiptResult::Conflict
            }
        };
        receipts.push(EventReceipt { id, result });
    }
    json(&EventReceipts { receipts })
}

fn time(request: &TimeRequest, now: i64) -> HttpResponse {
    let now = sentri_protocol::Time::from_unix(now).unwrap();
    let token = FreshTime::sign(&keys_of(7), &request.handshake_hash.array().unwrap(), now, false);
    json(&TimeResponse { token: token.encode().into() })
}

fn audit(state: &mut State, upload: &AuditUpload) -> HttpResponse {
    let (batch, _) = audit::Batch::open(&keys_of(7), upload.batch.as_ref()).expect("as the lock made it");
    state.audit.push(upload.batch.clone());
    let (up_to, tag) = batch.last().unwrap();
    let acknowledgement = audit::Acknowledgement::sign(&keys_of(7), up_to, tag).encode().into();
    json(&AuditReceipt { acknowledgement })
}

pub const PIN: &str = "1379";

fn add_listing(new: &NewListing) -> HttpResponse {
    json(&Listing {
        id: Uuid::from_u128(0x115),
        listing_key: "L-1".into(),
        unparsed_address: new.unparsed_address.clone(),
        city: new.city.clone(),
        state_or_province: new.state_or_province.clone(),
        postal_code: new.postal_code.clone(),
        list_price: new.list_price,
        standard_status: "Active".into(),
        time_zone: new.time_zone.clone(),
        lockbox: None,
    })
}

/// A box whose serial begins with N is of the older generation; one that begins with X is elsewhere.
pub fn lockbox(serial: &str, listing_id: Option<Uuid>) -> Lockbox {
    let non_ble = serial.starts_with('N');
    Lockbox {
        id: Uuid::nil(),
        serial: serial.into(),
        generation: if non_ble { LockboxGeneration::NonBle } else { LockboxGeneration::Ble },
        battery_percent: Some(90),
        listing_id,
        on_listing_since: None,
        region: None,
        last_heard_at: None,
        settings_pending: false,
    }
}

fn assign(route: &str, request: &AssignRequest) -> HttpResponse {
    let serial = route.split('/').nth(3).unwrap();
    if serial.starts_with('X') {
        return problem(ProblemCode::Conflict);
    }
    json(&lockbox(serial, Some(request.listing_id)))
}

fn unassign(route: &str) -> HttpResponse {
    let serial = route.split('/').nth(3).unwrap();
    if serial.starts_with('X') { problem(ProblemCode::Conflict) } else { json(&lockbox(serial, None)) }
}

/// Keeps the first answer to each idempotency key.
fn grant(state: &mut State, request: &HttpRequest) -> HttpResponse {
    let key = request.headers.iter().find(|(name, _)| *name == "idempotency-key").unwrap().1.clone();
    if let Some(answer) = state.answers.get(&key) {
        return answer.clone();
    }
    let asked: GrantRequest = body(request);
    if asked.pin.as_ref().map(Secret::expose) != Some(PIN) {
        return problem(ProblemCode::WrongCode);
    }
    let grant = Grant {
        id: Uuid::from_u128(0x96A + u128::try_from(state.grants.len()).unwrap()),
        listing_id: asked.listing_id,
        lockbox: "SB-1001".into(),
        email: asked.email,
        starts_at: asked.starts_at,
        ends_at: asked.ends_at,
        state: GrantState::Invited,
        phone_ready: false,
        last_used_at: None,
        revocation: None,
    };
    state.grants.push(grant.clone());
    let answer = json(&GrantResponse { grant, invitee: Invitee::New });
    state.answers.insert(key, answer.clone());
    answer
}

fn revoke(state: &mut State, route: &str) -> HttpResponse {
    let id = Uuid::parse_str(route.split('/').nth(3).unwrap()).unwrap();
    let Some(grant) = state.grants.iter_mut().find(|it| it.id == id) else {
        return problem(ProblemCode::NotFound);
    };
    if grant.starts_at <= super::NOW {
        return problem(ProblemCode::AlreadyBegun);
    }
    grant.state = GrantState::Revoked;
    json(grant)
}

fn signup(request: &SignupRequest) -> HttpResponse {
    if request.email != request.email_again {
        return problem(ProblemCode::Invalid);
    }
    json(&SignupStarted {
        signup: Secret::new("signup-1"),
        code_expires_at: super::NOW + 600,
        email_code: false,
    })
}

fn verify(request: &SignupVerify) -> HttpResponse {
    let right = request.signup.expose() == "signup-1" && request.code.expose() == "4711";
    if right { done() } else { problem(ProblemCode::WrongCode) }
}

fn done() -> HttpResponse {
    HttpResponse { status: 204, body: Vec::new() }
}

fn body<T: DeserializeOwned>(request: &HttpRequest) -> T {
    serde_json::from_slice(request.body.as_ref().unwrap()).unwrap()
}

fn json<T: Serialize>(value: &T) -> HttpResponse {
    HttpResponse { status: 200, body: serde_json::to_vec(value).unwrap() }
}

pub fn problem(code: ProblemCode) -> HttpResponse {
    let support =
        SupportContact { name: "Support".into(), phones: vec!["555-0100".into()], hours: "8 to 8".into() };
    let problem = Problem {
        kind: "/problems/test".into(),
        status: 400,
        title: "Refused.".into(),
        detail: None,
        code,
        field: Some("field".into()),
        limit: Some(3),
        retry_after: None,
        at: Some(super::NOW),
        standing: None,
        support: Some(support),
    };
    HttpResponse { status: 400, body: serde_json::to_vec(&problem).unwrap() }
}

/// The way from one run of the app to the backend.
pub struct Network {
    backend: Arc<Backend>,
    fuse: Arc<Fuse>,
}

impl Network {
    pub fn new(backend: Arc<Backend>, fuse: Arc<Fuse>) -> Self {
        Self { backend, fuse }
    }

    fn exchange(&self, request: &HttpRequest) -> Result<HttpResponse, HttpFailure> {
        if !self.fuse.alive(format!("send {request:?}")) || !self.backend.state.lock().unwrap().online {
            return Err(HttpFailure::Unreachable);
        }
        let fault = {
            let mut state = self.backend.state.lock().unwrap();
            let next = state.faults.iter().position(|(path, _)| request.url.contains(path));
            next.and_then(|next| state.faults.remove(next)).map(|(_, fault)| fault)
        };
        let path = request.url.split('?').next().unwrap().to_owned();
        match fault {
            Some(Fault::LoseRequest) => return Err(HttpFailure::Broken),
            Some(Fault::Problem(code)) => return Ok(problem(code)),
            Some(Fault::StaleAnswer) => return Ok(self.backend.state.lock().unwrap().answers[&path].clone()),
            Some(Fault::LoseAnswer) | None => {}
        }
        let answer = self.backend.answer(request);
        self.backend.state.lock().unwrap().answers.insert(path, answer.clone());
        if fault == Some(Fault::LoseAnswer) || !self.fuse.alive(format!("answer to {request:?}")) {
            return Err(HttpFailure::Broken);
        }
        Ok(answer)
    }
}

impl Http for Network {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpFailure>> {
        let answer = self.exchange(&request);
        Box::pin(async move { answer })
    }
}
