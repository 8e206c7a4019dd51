//! SYN-2, SYN-3: many ways in which the network and the server fail between two phones and the backend, and clocks of
//! the phones that are up to a day off; in the end each phone shows what the backend has, nothing happened twice, and
//! nothing that was acknowledged is lost.
//!
//! `cargo xtask test faults` plays a thousand seeds. A failing seed is printed, and played again, with each step told,
//! by `SENTRI_SEED=… cargo test -p sentri-tests --test network_faults -- --nocapture`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt::Write as _,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex},
};

use sentri_core::{
    CoreError,
    api::{
        grant_flow::GrantStep,
        types::{AccessLogFilter, AccessOutcome, AccessState, BlockedWhy, GrantState, Readiness, SyncState},
    },
};
use sentri_sandbox::{
    chance::Chance,
    phone::{Between, Phone},
    story::cast,
};
use sentri_tests::{
    HOUR,
    seeds::Seeds,
    template::{HouseCopy, Template},
    wires::{Fate, Wires},
};
use sentri_wire::{
    credential::{Access, Credential},
    sync::{Message, Record, SyncPage},
};

/// Seeds that are played where the environment does not say how many.
const SEEDS: u64 = 100;
/// What people do in one run.
const STEPS: u64 = 8;
/// Runs at a time: the machine's two cores.
const WORKERS: u64 = 2;

#[derive(Clone, Copy)]
enum Whose {
    Agent,
    Contractor,
}

/// One run.
struct Run {
    seed: u64,
    told: bool,
    copy: HouseCopy,
    chance: Chance,
    agent: Phone,
    contractor: Phone,
    agents_way: Arc<Wires>,
    contractors_way: Arc<Wires>,
    /// By how many seconds the contractor's clock is wrong.
    contractors_ahead: i64,
    /// Grants that the agent was told of, and when they begin.
    granted: Vec<(String, i64)>,
    /// Starts of all grants that were tried: each is another second, so that none can be taken for another.
    tried: Vec<i64>,
    /// Grants that the agent was told are revoked.
    revoked: BTreeSet<String>,
    /// Opens that the contractor was told of.
    opened: usize,
}

impl Run {
    async fn begin(template: &Template, seed: u64, told: bool) -> Self {
        let mut copy = template.copy(seed).await.unwrap();
        let agents_way = Wires::new(&copy.town, seed.wrapping_mul(2));
        let contractors_way = Wires::new(&copy.town, seed.wrapping_mul(2).wrapping_add(1));
        let mut chance = Chance::new(seed ^ 0x5e_ed5e_ed5e_ed00);
        let [agents_ahead, contractors_ahead] = [wrong_by(&mut chance), wrong_by(&mut chance)];
        let agent = copy.start_agent(on(&agents_way, agents_ahead)).unwrap();
        let contractor = copy.start_contractor(on(&contractors_way, contractors_ahead)).unwrap();
        let run = Self {
            seed,
            told,
            chance,
            copy,
            agent,
            contractor,
            agents_way,
            contractors_way,
            contractors_ahead,
            granted: Vec::new(),
            tried: Vec::new(),
            revoked: BTreeSet::new(),
            opened: 0,
        };
        run.say(|| format!("clocks are ahead by {agents_ahead} and {contractors_ahead} seconds"));
        // A phone learns the time by its first sync.
        run.sync_agent().await;
        run.sync_contractor().await;
        run.agents_way.break_up();
        run.contractors_way.break_up();
        run
    }

    fn say(&self, what: impl FnOnce() -> String) {
        if self.told {
            println!("seed {}: {}", self.seed, what());
        }
    }

    fn phone(&self, whose: Whose) -> &Phone {
        match whose {
            Whose::Agent => &self.agent,
            Whose::Contractor => &self.contractor,
        }
    }

    fn now(&self) -> i64 {
        self.copy.town.clock.now()
    }

    async fn step(&mut self) {
        match self.chance.below(100) {
            0..22 => self.sync_contractor().await,
            22..34 => self.sync_agent().await,
            34..52 => self.grant().await,
            52..60 => self.revoke().await,
            60..74 => self.open().await,
            74..80 => self.read_or_delete_a_message().await,
            80..86 => self.restart_contractor(),
            86..90 => self.log_out_and_in().await,
            _ => self.let_time_pass().await,
        }
    }

    async fn sync_contractor(&self) {
        let status = self.copy.town.clock.scene(self.contractor.core.sync_now()).await;
        self.say(|| format!("the contractor syncs: {status:?}"));
        self.sign_in_where_asked(Whose::Contractor).await;
    }

    async fn sync_agent(&self) {
        let status = self.copy.town.clock.scene(self.agent.core.sync_now()).await;
        self.say(|| format!("the agent syncs: {status:?}"));
        self.sign_in_where_asked(Whose::Agent).await;
    }

    /// A session that ended for good asks for the password; whether that goes through is the network's matter.
    async fn sign_in_where_asked(&self, whose: Whose) {
        let phone = self.phone(whose);
        let ended = match phone.core.sync_status().await {
            Ok(status) => status.state == SyncState::Blocked { why: BlockedWhy::SignInAgain },
            Err(error) => error == CoreError::NotSignedIn,
        };
        if ended {
            let core = &phone.core;
            let clock = &self.copy.town.clock;
            let signed_in = match whose {
                Whose::Agent => {
                    let login = core.login_agent(cast::SENTRIKEY_ID.into(), cast::AGENT_PASSWORD.into());
                    clock.scene(login).await
                }
                Whose::Contractor => {
                    let (email, password) = (cast::CONTRACTOR_EMAIL, cast::CONTRACTOR_PASSWORD);
                    clock.scene(core.login_contractor(email.into(), password.into())).await
                }
            };
            self.say(|| format!("signs in again: {:?}", signed_in.err()));
        }
    }

    /// The agent fills the form and enters the PIN until it is granted, or patience ends.
    async fn grant(&mut self) {
        let ahead = if self.chance.per_mille(500) { 0 } else { self.below(36 * HOUR) };
        let mut starts_at = self.now() + ahead + 1;
        while self.tried.contains(&starts_at) {
            starts_at += 1;
        }
        let ends_at = starts_at + HOUR + self.below(40 * HOUR);
        let flow = self.agent.core.start_grant(self.copy.listing.clone()).await.unwrap();
        flow.fill_form(cast::CONTRACTOR_EMAIL.into(), starts_at, ends_at).unwrap();
        self.tried.push(starts_at);
        for _ in 0..3 {
            let answer = self.copy.town.clock.scene(flow.authenticate(cast::AGENT_PIN.into())).await;
            self.say(|| format!("the agent grants from {starts_at}: {answer:?}"));
            match answer {
                Ok(GrantStep::Done { grant, .. }) => return self.granted.push((grant.id, starts_at)),
                Ok(step) => panic!("not a step after the PIN: {step:?}"),
                Err(CoreError::Offline | CoreError::ServiceTrouble { .. }) => {}
                Err(CoreError::NotSignedIn) => return self.sign_in_where_asked(Whose::Agent).await,
                Err(error) => panic!("a grant fails by the network only: {error:?}"),
            }
        }
    }

    async fn revoke(&mut self) {
        let now = self.now();
        let coming: Vec<_> = self.granted.iter().filter(|(_, at)| *at > now + 600).cloned().collect();
        let Some((id, _)) = self.pick(&coming) else { return };
        let answer = self.copy.town.clock.scene(self.agent.core.revoke(id.clone())).await;
        self.say(|| format!("the agent revokes {id}: {answer:?}"));
        match answer {
            Ok(grant) => {
                assert_eq!(grant.state, GrantState::Revoked);
                self.revoked.insert(id);
            }
            // The last two where an answer before was lost.
            Err(
                CoreError::Offline
                | CoreError::ServiceTrouble { .. }
                | CoreError::NotSignedIn
                | CoreError::Conflict { .. }
                | CoreError::NotFound,
            ) => {}
            Err(error) => panic!("a revocation fails by the network only: {error:?}"),
        }
    }

    /// The contractor presses ENT; the phone opens or refuses by what it holds.
    async fn open(&mut self) {
        let lockbox = self.copy.town.lockbox(cast::BOX).unwrap();
        let before = lockbox.motor_drives();
        let told = match self.contractor.open(&lockbox, None).await {
            Ok(opened) => opened.told,
            Err(CoreError::NotSignedIn) => return,
            Err(error) => panic!("an open is never refused by the network: {error:?}"),
        };
        self.say(|| format!("the contractor presses ENT: {told:?}"));
        assert_eq!(lockbox.motor_drives() - before, u64::from(told.is_ok()));
        self.opened += usize::from(told.is_ok());
    }

    async fn read_or_delete_a_message(&mut self) {
        let Ok(messages) = self.contractor.core.messages().await else { return };
        let Some(message) = self.pick(&messages) else { return };
        let core = &self.contractor.core;
        let done = if self.chance.per_mille(500) {
            self.copy.town.clock.scene(core.mark_message_read(message.id)).await
        } else {
            self.copy.town.clock.scene(core.delete_message(message.id)).await
        };
        self.say(|| format!("the contractor reads or deletes a message: {done:?}"));
    }

    fn restart_contractor(&mut self) {
        let between = on(&self.contractors_way, self.contractors_ahead);
        self.contractor = self.copy.start_contractor(between).unwrap();
        self.say(|| "the contractor's app is killed and started".into());
    }

    /// The device registers again under its own id: no registration more is used, whatever the network does.
    async fn log_out_and_in(&mut self) {
        let core = &self.contractor.core;
        let clock = &self.copy.town.clock;
        let out = clock.scene(core.logout()).await;
        let login = core.login_contractor(cast::CONTRACTOR_EMAIL.into(), cast::CONTRACTOR_PASSWORD.into());
        let logged_in = clock.scene(login).await;
        self.say(|| format!("the contractor logs out ({out:?}) and in ({:?})", logged_in.err()));
    }

    async fn let_time_pass(&mut self) {
        self.agents_way.settle().await;
        self.contractors_way.settle().await;
        let by = 60 + self.below(20 * HOUR);
        self.copy.town.clock.set(self.now() + by);
        self.say(|| format!("{by} seconds pass"));
    }

    fn below(&mut self, bound: i64) -> i64 {
        i64::try_from(self.chance.below(bound.unsigned_abs())).unwrap()
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> Option<T> {
        let index = usize::try_from(self.chance.below(of.len() as u64)).unwrap();
        of.get(index).cloned()
    }

    /// The network heals; each phone syncs, and signs in where its session ended.
    async fn heal(&self) {
        self.agents_way.heal().await;
        self.contractors_way.heal().await;
        for whose in [Whose::Contractor, Whose::Agent, Whose::Contractor] {
            let phone = self.phone(whose);
            let mut state = None;
            for _ in 0..3 {
                state = self.copy.town.clock.scene(phone.core.sync_now()).await.map(|it| it.state).ok();
                if matches!(state, Some(SyncState::Current { .. })) {
                    break;
                }
                self.sign_in_where_asked(whose).await;
            }
            assert!(matches!(state, Some(SyncState::Current { .. })), "once healed, it syncs: {state:?}");
            assert_eq!(phone.core.sync_status().await.unwrap().events_queued, 0);
        }
    }

    async fn compare(&self) {
        self.contractor_shows_what_the_backend_has().await;
        self.agent_shows_what_the_backend_has().await;
        self.each_open_is_in_the_log_once().await;
    }

    async fn contractor_shows_what_the_backend_has(&self) {
        let has = all_of(&self.contractors_way).await;
        let accesses: BTreeMap<_, _> = has.of::<Access>().map(|it| (it.id.to_string(), it)).collect();
        let shown = self.contractor.core.accesses().await.unwrap();
        assert_eq!(shown.len(), accesses.len(), "accesses");
        let tickets: HashMap<_, _> =
            has.of::<Credential>().map(|it| (it.access_id.to_string(), it)).collect();
        for access in &shown {
            let backend = &accesses[&access.id];
            assert_eq!((access.starts_at, access.ends_at), (backend.starts_at, backend.ends_at));
            assert_eq!(access.state == AccessState::Revoked, backend.revoked, "{}", access.id);
            if matches!(access.readiness, Readiness::Ready { .. }) {
                assert!(tickets.contains_key(&access.id), "ready without a ticket of the backend's");
            }
        }
        for revoked in &self.revoked {
            assert!(accesses.get(revoked).is_none_or(|it| it.revoked), "a revoked access came back");
            assert!(!tickets.contains_key(revoked), "a revoked access has a ticket");
        }
        let messages: BTreeMap<_, _> = has.of::<Message>().map(|it| (it.id.to_string(), it.read)).collect();
        let read = self.contractor.core.messages().await.unwrap();
        assert_eq!(read.into_iter().map(|it| (it.id, it.read)).collect::<BTreeMap<_, _>>(), messages);
    }

    async fn agent_shows_what_the_backend_has(&self) {
        let has = all_of(&self.agents_way).await;
        let grants: BTreeMap<_, _> =
            has.of::<sentri_wire::agent::Grant>().map(|it| (it.id.to_string(), it)).collect();
        let shown = self.agent.core.grants().await.unwrap();
        assert_eq!(shown.len(), grants.len(), "grants");
        let mut starts = BTreeSet::new();
        for grant in &shown {
            let backend = &grants[&grant.id];
            let revoked = backend.state == sentri_wire::agent::GrantState::Revoked;
            assert_eq!(grant.state == GrantState::Revoked, revoked, "{}", grant.id);
            assert_eq!(grant.phone_ready, backend.phone_ready);
            assert!(starts.insert(grant.starts_at), "granted twice: {}", grant.starts_at);
        }
        for (id, _) in &self.granted {
            assert!(grants.contains_key(id), "a grant that was told is lost");
        }
        for id in &self.revoked {
            assert_eq!(grants[id].state, sentri_wire::agent::GrantState::Revoked);
        }
        let messages: BTreeSet<_> = has.of::<Message>().map(|it| it.id.to_string()).collect();
        let listed = self.agent.core.messages().await.unwrap();
        assert_eq!(listed.into_iter().map(|it| it.id).collect::<BTreeSet<_>>(), messages);
    }

    async fn each_open_is_in_the_log_once(&self) {
        let (mut entries, mut after) = (Vec::new(), None);
        loop {
            let page = self
                .agent
                .core
                .access_log(0, i64::from(u32::MAX), AccessLogFilter::default(), after)
                .await
                .unwrap();
            entries.extend(page.entries);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let ids: BTreeSet<_> = entries.iter().map(|it| &it.id).collect();
        assert_eq!(ids.len(), entries.len(), "an entry twice");
        let opened = entries.iter().filter(|it| it.outcome == AccessOutcome::Opened);
        assert_eq!(opened.count(), self.opened, "opens in the log");
    }
}

/// Every other phone has the right time; the others are up to a day off, either way.
fn wrong_by(chance: &mut Chance) -> i64 {
    let off = i64::try_from(chance.below(24 * HOUR.unsigned_abs() + 1)).unwrap();
    [0, off, 0, -off][usize::try_from(chance.below(4)).unwrap()]
}

/// An app on this way to the backend, whose clock is wrong by so much.
fn on(way: &Arc<Wires>, ahead: i64) -> Between {
    Between { http: Some(way.clone()), ahead, ..Between::default() }
}

/// All that the backend would send a phone that starts over.
struct Has(Vec<sentri_wire::sync::Change>);

impl Has {
    fn of<R: Record>(&self) -> impl Iterator<Item = R> {
        self.0.iter().filter_map(sentri_wire::sync::Change::parse::<R>).map(Result::unwrap)
    }
}

async fn all_of(way: &Wires) -> Has {
    let (mut changes, mut path) = (Vec::new(), "/v1/sync".to_owned());
    loop {
        let answer = way.ask(&path).await.unwrap();
        assert_eq!(answer.status, 200);
        let page: SyncPage = serde_json::from_slice(&answer.body).unwrap();
        changes.extend(page.changes);
        if !page.more {
            return Has(changes);
        }
        path = format!("/v1/sync?cursor={}", page.cursor);
    }
}

/// One seed, from its first step to the comparison. Gives the faults that were met.
async fn play(template: &Template, seed: u64, told: bool) -> Vec<Fate> {
    let mut run = Run::begin(template, seed, told).await;
    for _ in 0..STEPS {
        run.step().await;
    }
    run.heal().await;
    run.compare().await;
    [run.agents_way.met(), run.contractors_way.met()].concat()
}

/// SYN-2, SYN-3, GRT-1, GRT-4.
#[test]
fn whatever_the_network_does_phones_end_where_the_backend_is() {
    let seeds = Seeds::from_env(SEEDS);
    let template = runtime().block_on(Template::build(77)).unwrap();
    let (met, failed) = (Mutex::new(HashMap::<Fate, u64>::new()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for worker in 0..WORKERS {
            let (template, seeds, met, failed) = (&template, &seeds, &met, &failed);
            scope.spawn(move || {
                for seed in seeds.of_worker(worker, WORKERS) {
                    let played = std::panic::catch_unwind(AssertUnwindSafe(|| {
                        runtime().block_on(play(template, seed, seeds.replayed))
                    }));
                    match played {
                        Ok(fates) => {
                            let mut met = met.lock().unwrap();
                            for fate in fates {
                                *met.entry(fate).or_default() += 1;
                            }
                        }
                        Err(_) => failed.lock().unwrap().push(seed),
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{}", how_to_replay(&failed));
    let met = met.into_inner().unwrap();
    println!("{} seeds; {met:?}", seeds.count());
    assert!(seeds.count() < 500 || met.len() == 9, "every kind of fault was met: {met:?}");
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn how_to_replay(failed: &[u64]) -> String {
    let mut text = format!("{} seeds failed. Replay one by\n", failed.len());
    for seed in failed.iter().take(10) {
        let _ = writeln!(
            text,
            "    SENTRI_SEED={seed} cargo test -p sentri-tests --test network_faults -- --nocapture"
        );
    }
    text
}
