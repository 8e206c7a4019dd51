//! The way between phones and the backend, drawn from a seed: at the core's own HTTP port, with the real server behind
//! it in the same process.
//!
//! A request can be lost on its way, its answer can be lost, it can arrive twice, or late and behind others; the way
//! can be cut for a while, and the server can be killed before or after it has answered.

use std::{
    collections::VecDeque,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::Request,
};
use sentri_core::{
    http::{Http, HttpFailure, HttpRequest, HttpResponse, MAX_RESPONSE, Method},
    ports::BoxFuture,
};
use sentri_sandbox::{chance::Chance, clock::Pull, town::Town};
use tower::ServiceExt;

/// What happens to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// It is answered.
    Arrives,
    /// Nothing can be reached; so it stays for some requests.
    Cut,
    /// It is lost on its way.
    Lost,
    /// It happens, and the answer is lost.
    AnswerLost,
    /// It happens twice; the second answer comes.
    Doubled,
    /// It arrives later, behind others, when nobody waits for its answer any more.
    Late,
    /// Nobody answers until the phone gives up.
    Silence,
    /// The server is killed and started again, then it arrives.
    ServerKilledBefore,
    /// It happens, then the server is killed and started again before it has answered.
    ServerKilledAfter,
}

/// Shares of the faults, in thousandths.
const SHARES: [(Fate, u64); 8] = [
    (Fate::Cut, 60),
    (Fate::Lost, 60),
    (Fate::AnswerLost, 80),
    (Fate::Doubled, 60),
    (Fate::Late, 50),
    (Fate::Silence, 20),
    (Fate::ServerKilledBefore, 8),
    (Fate::ServerKilledAfter, 12),
];

/// A phone gives up on an exchange after this.
const DEADLINE: Duration = Duration::from_secs(20);

/// The way, as one phone has it.
pub struct Wires {
    town: Arc<Town>,
    state: Mutex<State>,
}

struct State {
    chance: Chance,
    healed: bool,
    cut_for: u64,
    late: VecDeque<HttpRequest>,
    met: Vec<Fate>,
    bearer: Option<String>,
}

impl Wires {
    /// The way of one phone in this town, on which nothing goes wrong before it is broken up.
    pub fn new(town: &Arc<Town>, seed: u64) -> Arc<Self> {
        let state = State {
            chance: Chance::new(seed),
            healed: true,
            cut_for: 0,
            late: VecDeque::new(),
            met: Vec::new(),
            bearer: None,
        };
        Arc::new(Self { town: town.clone(), state: state.into() })
    }

    /// A way on which nothing goes wrong.
    pub fn healed(town: &Arc<Town>) -> Arc<Self> {
        Self::new(town, 0)
    }

    /// All that is under way arrives; from now on nothing goes wrong.
    pub async fn heal(&self) {
        self.settle().await;
        self.state().healed = true;
    }

    /// From now on everything can go wrong.
    pub fn break_up(&self) {
        self.state().healed = false;
    }

    /// From now on nothing can be reached, until it is healed.
    pub fn cut_off(&self) {
        let mut state = self.state();
        (state.healed, state.cut_for) = (false, u64::MAX);
    }

    /// All that is under way arrives: nothing lives on a network for hours.
    pub async fn settle(&self) {
        let late = std::mem::take(&mut self.state().late);
        for request in late {
            let _ = self.deliver(request).await;
        }
    }

    /// The faults that were met so far.
    pub fn met(&self) -> Vec<Fate> {
        self.state().met.clone()
    }

    /// What the phone last showed as its session's token, with the word before it.
    pub fn bearer(&self) -> Option<String> {
        self.state().bearer.clone()
    }

    /// Asks the server itself, with nothing in between.
    pub async fn ask(&self, path: &str) -> Result<HttpResponse, HttpFailure> {
        let bearer = self.bearer().unwrap_or_default();
        let headers = vec![("authorization", bearer), ("sentri-client", "connect/1.0.0".to_owned())];
        let url = format!("{}{path}", self.town.base_url());
        self.deliver(HttpRequest { method: Method::Get, url, headers, body: None }).await
    }

    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, HttpFailure> {
        let (fate, behind) = self.draw(&request);
        if let Some(behind) = behind {
            let _ = self.deliver(behind).await;
        }
        match fate {
            Fate::Arrives => self.deliver(request).await,
            Fate::Cut => Err(HttpFailure::Unreachable),
            Fate::Lost => Err(HttpFailure::Broken),
            Fate::AnswerLost => {
                let _ = self.deliver(request).await;
                Err(HttpFailure::Broken)
            }
            Fate::Doubled => {
                let _ = self.deliver(request.clone()).await;
                self.deliver(request).await
            }
            Fate::Late => {
                self.state().late.push_back(request);
                Err(HttpFailure::Broken)
            }
            Fate::Silence => {
                self.town.clock.sleep(DEADLINE, Pull::Yes).await;
                Err(HttpFailure::Broken)
            }
            Fate::ServerKilledBefore => {
                self.kill_server().await?;
                self.deliver(request).await
            }
            Fate::ServerKilledAfter => {
                let _ = self.deliver(request).await;
                self.kill_server().await?;
                Err(HttpFailure::Broken)
            }
        }
    }

    fn draw(&self, request: &HttpRequest) -> (Fate, Option<HttpRequest>) {
        let mut state = self.state();
        if let Some((_, bearer)) = request.headers.iter().find(|(name, _)| *name == "authorization") {
            state.bearer = Some(bearer.clone());
        }
        if state.healed {
            return (Fate::Arrives, None);
        }
        let behind = if state.chance.per_mille(400) { state.late.pop_front() } else { None };
        let fate = state.fate();
        state.met.push(fate);
        (fate, behind)
    }

    async fn kill_server(&self) -> Result<(), HttpFailure> {
        let _busy = self.town.clock.busy();
        self.town.kill_backend().await;
        self.town.restart_backend(true).await.map_err(|_| HttpFailure::Unreachable)
    }

    /// Has the server answer. The simulated clock stands still meanwhile.
    async fn deliver(&self, request: HttpRequest) -> Result<HttpResponse, HttpFailure> {
        let _busy = self.town.clock.busy();
        let router = match self.town.running().await {
            Ok(running) => running.router(),
            Err(_) => return Err(HttpFailure::Unreachable),
        };
        let answer = router.oneshot(in_process(request)).await.map_err(|_| HttpFailure::Broken)?;
        let status = answer.status().as_u16();
        let body = to_bytes(answer.into_body(), MAX_RESPONSE).await.map_err(|_| HttpFailure::Broken)?;
        Ok(HttpResponse { status, body: body.to_vec() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn fate(&mut self) -> Fate {
        if self.cut_for > 0 {
            self.cut_for -= 1;
            return Fate::Cut;
        }
        let mut drawn = self.chance.below(1000);
        for (fate, share) in SHARES {
            if drawn < share {
                if fate == Fate::Cut {
                    self.cut_for = self.chance.below(6);
                }
                return fate;
            }
            drawn -= share;
        }
        Fate::Arrives
    }
}

impl Http for Wires {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpFailure>> {
        Box::pin(self.exchange(request))
    }
}

/// The same request as the server's own framework has it.
fn in_process(request: HttpRequest) -> Request<Body> {
    let method = match request.method {
        Method::Get => axum::http::Method::GET,
        Method::Post => axum::http::Method::POST,
        Method::Delete => axum::http::Method::DELETE,
    };
    // Scheme and host go: `http://127.0.0.1:port/v1/…`.
    let path = request.url.splitn(4, '/').nth(3).unwrap_or_default();
    let mut built = Request::builder().method(method).uri(format!("/{path}"));
    for (name, value) in request.headers {
        built = built.header(name, value);
    }
    let body = request.body.map_or_else(Body::empty, Body::from);
    let from = ConnectInfo(SocketAddr::from((Ipv4Addr::LOCALHOST, 40_000)));
    // A request of the core's always has a form: only its own constants and checked ids are in it.
    built.extension(from).body(body).unwrap_or_default()
}
