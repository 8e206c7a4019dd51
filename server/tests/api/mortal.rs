//! A server that is killed at its commits, by a plan or by a seed, and started again on the same data.

use std::{
    fmt::Write,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use sentri_server::ports::{Crashes, Fate};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::world::{CODE, Reply, World};

/// For how long a server has a post in hand, in seconds.
const LEASE: i64 = 120;

/// Decides by a seed where the server dies. Each commit is asked once.
pub struct Killer {
    plan: Plan,
    commits: AtomicU64,
    is_dead: AtomicBool,
}

#[derive(Clone, Copy, Debug)]
pub enum Plan {
    /// At this commit.
    At(u64, Fate),
    /// At about every sixth, by this seed.
    Often(u64),
    /// Never.
    Not,
}

impl Killer {
    fn new(plan: Plan) -> Arc<Self> {
        Arc::new(Self { plan, commits: AtomicU64::new(0), is_dead: AtomicBool::new(false) })
    }
}

impl Crashes for Killer {
    fn at_commit(&self) -> Fate {
        let commit = self.commits.fetch_add(1, Ordering::SeqCst);
        let fate = match self.plan {
            Plan::At(at, fate) if at == commit => fate,
            Plan::Often(seed) => match dice(seed, commit) % 12 {
                0 => Fate::DiesBefore,
                1 => Fate::DiesAfter,
                _ => Fate::Lives,
            },
            Plan::At(..) | Plan::Not => Fate::Lives,
        };
        if fate != Fate::Lives {
            self.is_dead.store(true, Ordering::SeqCst);
        }
        fate
    }

    fn is_dead(&self) -> bool {
        self.is_dead.load(Ordering::SeqCst)
    }
}

fn dice(seed: u64, n: u64) -> u64 {
    let digest = Sha256::digest([seed.to_be_bytes(), n.to_be_bytes()].concat());
    u64::from_be_bytes(digest[..8].try_into().unwrap())
}

/// A world whose server dies and is started again.
pub struct Mortal {
    pub world: World,
    killer: Arc<Killer>,
    plan: Plan,
    pub kills: u64,
    /// What happened, for the message of a failure.
    pub story: Mutex<String>,
}

impl Mortal {
    pub async fn new() -> Self {
        Self::around(World::with(|config| (config.deliver, config.texts_per_number) = (false, 10_000)).await)
    }

    /// A world that was made ready before anything dies.
    pub fn around(mut world: World) -> Self {
        world.config.deliver = false;
        Self { world, killer: Killer::new(Plan::Not), plan: Plan::Not, kills: 0, story: Mutex::default() }
    }

    /// From now on the server dies by this plan.
    pub async fn plan(&mut self, plan: Plan) {
        self.plan = plan;
        self.story.lock().unwrap().clear();
        self.start().await;
    }

    async fn start(&mut self) {
        // After a planned death the next server of `At` lives; that of `Often` has another fate.
        let killer = Killer::new(self.plan);
        self.killer = killer.clone();
        self.world.restart(move |_, ports| ports.crashes = killer).await;
    }

    /// Where the server has died, it is started again, and this is true.
    async fn revive(&mut self) -> bool {
        if !self.killer.is_dead() {
            return false;
        }
        self.kills += 1;
        self.plan = match self.plan {
            Plan::Often(seed) => Plan::Often(dice(seed, 0xdead)),
            Plan::At(..) | Plan::Not => Plan::Not,
        };
        self.start().await;
        true
    }

    /// Calls as a phone does: where no answer comes, again. Says the answer, and whether an earlier one was lost.
    pub async fn call(
        &mut self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: &Value,
    ) -> (Reply, bool) {
        self.call_with(method, path, token, &[], body).await
    }

    /// The same, under a key that makes it happen once.
    pub async fn once(&mut self, path: &str, token: &str, key: &str, body: &Value) -> Reply {
        self.call_with("POST", path, Some(token), &[("idempotency-key", key)], body).await.0
    }

    async fn call_with(
        &mut self,
        method: &str,
        path: &str,
        token: Option<&str>,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> (Reply, bool) {
        let mut lost = false;
        loop {
            let bytes = (!body.is_null()).then(|| body.to_string().into_bytes());
            let reply = self.world.send(method, path, token, headers, bytes).await;
            let _ = writeln!(self.story.lock().unwrap(), "{method} {path}: {}", reply.status);
            if reply.status != 500 && !self.killer.is_dead() {
                return (reply, lost);
            }
            assert!(self.revive().await, "500 without a death: {}", self.story.lock().unwrap());
            lost = true;
        }
    }

    pub async fn post(&mut self, path: &str, body: &Value) -> (Reply, bool) {
        self.call("POST", path, None, body).await
    }

    /// What waits is delivered, though the server may die of it.
    pub async fn deliver(&mut self) {
        loop {
            match self.world.server.deliver_due().await {
                Ok(0) if !self.killer.is_dead() => return,
                Ok(_) if !self.killer.is_dead() => {}
                _ => {
                    assert!(self.revive().await, "{}", self.story.lock().unwrap());
                    // What the dead server had in hand is another's once its lease is over.
                    self.world.clock.advance(LEASE);
                }
            }
        }
    }

    pub async fn mailed_code(&mut self, email: &str) -> String {
        self.deliver().await;
        let mails = self.world.mailbox.mails();
        let mail = mails.iter().rfind(|mail| mail.to == email && mail.subject.contains(CODE)).unwrap();
        mail.subject[..6].to_owned()
    }

    pub async fn texted_code(&mut self, number: &str) -> String {
        self.deliver().await;
        let texts = self.world.mailbox.texts();
        texts.iter().rfind(|text| text.to == number).unwrap().body[..4].to_owned()
    }
}

/// How often a server is killed: as `SENTRI_KILLS` says, or so often.
pub fn kills(by_default: u64) -> u64 {
    let asked = std::env::var("SENTRI_KILLS").ok().and_then(|text| text.trim().parse().ok());
    asked.unwrap_or(by_default)
}

/// Plays lives until the server has died at least so often: first at each commit, once before and once after it, until a
/// whole life passes without; then over and over, as it comes.
pub async fn play(least_kills: u64, least_steps: u64, life: impl AsyncFnMut(&mut Mortal, u64)) {
    play_in(Mortal::new().await, least_kills, least_steps, life).await;
}

/// The same in a world that is ready.
pub async fn play_in(
    mut mortal: Mortal,
    least_kills: u64,
    least_steps: u64,
    mut life: impl AsyncFnMut(&mut Mortal, u64),
) {
    let mut number = 0;
    for fate in [Fate::DiesBefore, Fate::DiesAfter] {
        for commit in 0.. {
            let before = mortal.kills;
            mortal.plan(Plan::At(commit, fate)).await;
            number += 1;
            life(&mut mortal, number).await;
            if mortal.kills == before {
                break;
            }
        }
    }
    let steps = mortal.kills;
    assert!(steps >= least_steps, "{steps} steps");
    while mortal.kills < least_kills {
        mortal.plan(Plan::Often(number)).await;
        number += 1;
        life(&mut mortal, number).await;
    }
    println!("killed {} times in {number} lives, {steps} of them step by step", mortal.kills);
}
