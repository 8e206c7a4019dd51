//! One run: an agent and a contractor with two phones, a lock between them, and what they do.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use sentri_core::{
    CoreError,
    api::{
        grant_flow::GrantStep,
        types::{BlockedWhy, BoxSettings, GrantState, SyncState},
    },
};
use sentri_sandbox::{
    chance::Chance,
    lockbox::Lockbox,
    phone::{Between, Phone},
    story::cast,
};
use sentri_tests::{
    HOUR, daily,
    template::{HouseCopy, Template},
    wires::{Fate, Wires},
};

use crate::oracle::{Act, Oracle, Pin};

/// Who carries word between backend and lock: each of the contractor's phones.
pub struct Carrier {
    pub phone: Phone,
    pub way: Arc<Wires>,
    /// By how many seconds its clock is wrong.
    ahead: i64,
    /// Of so many of the agent's acts it has surely heard.
    pub heard: usize,
}

/// How often a run met what it is there for.
#[derive(Clone, Debug, Default)]
pub struct Met {
    pub fates: HashMap<Fate, u64>,
    pub opened: usize,
    pub typed: u32,
    pub power_cuts: u32,
    /// Where ENT was pressed again meanwhile.
    pub opened_in_haste: u32,
    /// By the lock, of whom nobody at the door knew.
    pub refused_as_revoked: u32,
    pub refused_by_night: u32,
}

/// One run.
pub struct Run {
    seed: u64,
    told: bool,
    pub copy: HouseCopy,
    pub chance: Chance,
    pub agent: Phone,
    pub agents_way: Arc<Wires>,
    pub carriers: [Carrier; 2],
    pub oracle: Oracle,
    pub begun: i64,
    /// The newest record of the lock's own that was looked at.
    pub seen: u32,
    /// Grants that the agent was told of, and when they begin.
    pub granted: Vec<(String, i64)>,
    /// Grants that the agent was told are revoked.
    pub revoked: BTreeSet<String>,
    pub met: Met,
}

impl Run {
    pub async fn begin(template: &Template, seed: u64, told: bool) -> Self {
        let mut copy = template.copy(seed).await.unwrap();
        copy.town.air.reseed(seed);
        copy.town.clock.set(copy.town.clock.now() + HOUR);
        let way = |number: u64| Wires::new(&copy.town, seed.wrapping_mul(3).wrapping_add(number));
        let (agents_way, ways) = (way(0), [way(1), way(2)]);
        let mut chance = Chance::new(seed ^ 0x5e_ed5e_ed5e_ed00);
        let [agents_ahead, first, second] = [(); 3].map(|()| wrong_by(&mut chance));
        let agent = copy.start_agent(on(&agents_way, agents_ahead)).unwrap();
        let phones = [
            copy.start_contractor(on(&ways[0], first)).unwrap(),
            copy.start_other(0, on(&ways[1], second)).unwrap(),
        ];
        let mut ahead = [first, second].into_iter();
        let mut ways = ways.into_iter();
        let carriers = phones.map(|phone| Carrier {
            phone,
            way: ways.next().unwrap(),
            ahead: ahead.next().unwrap(),
            heard: 0,
        });
        let rights = agent.core.grants().await.unwrap().into_iter().map(|it| (it.starts_at, it.ends_at));
        let mut run = Self {
            seed,
            told,
            chance,
            begun: copy.town.clock.now(),
            seen: copy.town.lockbox(cast::BOX).unwrap().records().last().map_or(0, |(number, _)| *number),
            copy,
            agent,
            agents_way,
            carriers,
            oracle: Oracle::new(rights),
            granted: Vec::new(),
            revoked: BTreeSet::new(),
            met: Met::default(),
        };
        run.say(|| format!("clocks are ahead by {agents_ahead}, {first} and {second} seconds"));
        // A phone learns the time by its first sync.
        run.sync_agent().await;
        for number in 0..2 {
            run.sync(number).await;
        }
        run.agents_way.break_up();
        run.carriers.iter().for_each(|it| it.way.break_up());
        run
    }

    pub fn say(&self, what: impl FnOnce() -> String) {
        if self.told {
            println!("seed {} at {}: {}", self.seed, self.now(), what());
        }
    }

    pub fn now(&self) -> i64 {
        self.copy.town.clock.now()
    }

    pub fn lockbox(&self) -> Arc<Lockbox> {
        self.copy.town.lockbox(cast::BOX).unwrap()
    }

    pub async fn step(&mut self) {
        match self.chance.below(150) {
            0..36 => {
                let number = usize::from(self.chance.per_mille(400));
                self.sync(number).await;
            }
            36..44 => {
                self.sync_agent().await;
            }
            44..60 => self.grant().await,
            60..66 => self.revoke().await,
            66..76 => self.set_hours().await,
            76..81 => self.make_smart_pin().await,
            81..85 => self.block_smart_pin().await,
            85..110 => self.visit().await,
            110..117 => self.guest_types(),
            117..120 => self.pull_battery(),
            120..125 => self.read_or_delete_a_message().await,
            125..131 => self.restart(),
            131..134 => self.log_out_and_in().await,
            _ => self.let_time_pass().await,
        }
    }

    /// Whether the phone has all that there is.
    pub async fn sync(&mut self, number: usize) -> bool {
        let acts = self.oracle.acts();
        let carrier = &mut self.carriers[number];
        let status = self.copy.town.clock.scene(carrier.phone.core.sync_now()).await;
        let is_current = matches!(&status, Ok(it) if matches!(it.state, SyncState::Current { .. }));
        if is_current {
            carrier.heard = acts;
        }
        self.say(|| format!("phone {number} syncs: {status:?}"));
        self.sign_in_where_asked(number).await;
        is_current
    }

    pub async fn sync_agent(&self) -> bool {
        let status = self.copy.town.clock.scene(self.agent.core.sync_now()).await;
        self.say(|| format!("the agent syncs: {status:?}"));
        if session_ended(&self.agent).await {
            let login = self.agent.core.login_agent(cast::SENTRIKEY_ID.into(), cast::AGENT_PASSWORD.into());
            let signed_in = self.copy.town.clock.scene(login).await;
            self.say(|| format!("the agent signs in again: {:?}", signed_in.err()));
        }
        matches!(&status, Ok(it) if matches!(it.state, SyncState::Current { .. }))
    }

    /// A session that ended for good asks for the password; whether that goes through is the network's matter.
    async fn sign_in_where_asked(&mut self, number: usize) {
        if session_ended(&self.carriers[number].phone).await {
            self.log_in(number).await;
        }
    }

    async fn log_in(&mut self, number: usize) {
        let core = &self.carriers[number].phone.core;
        let login = core.login_contractor(cast::CONTRACTOR_EMAIL.into(), cast::CONTRACTOR_PASSWORD.into());
        let signed_in = self.copy.town.clock.scene(login).await;
        self.carriers[number].heard = 0;
        self.say(|| format!("phone {number} signs in: {:?}", signed_in.err()));
    }

    /// The agent fills the form and enters the PIN until it is granted, or patience ends.
    async fn grant(&mut self) {
        let ahead = if self.chance.per_mille(500) { 0 } else { self.below(36 * HOUR) };
        let mut starts_at = self.now() + ahead + 1;
        while self.oracle.was_tried(starts_at) {
            starts_at += 1;
        }
        let ends_at = starts_at + HOUR + self.below(40 * HOUR);
        self.grant_window(starts_at, ends_at).await;
    }

    pub async fn grant_window(&mut self, starts_at: i64, ends_at: i64) {
        let flow = self.agent.core.start_grant(self.copy.listing.clone()).await.unwrap();
        flow.fill_form(cast::CONTRACTOR_EMAIL.into(), starts_at, ends_at).unwrap();
        self.oracle.grants(starts_at, ends_at);
        for _ in 0..3 {
            let answer = self.copy.town.clock.scene(flow.authenticate(cast::AGENT_PIN.into())).await;
            self.say(|| format!("the agent grants from {starts_at}: {answer:?}"));
            match answer {
                Ok(GrantStep::Done { grant, .. }) => {
                    self.oracle.granted(starts_at);
                    return self.granted.push((grant.id, starts_at));
                }
                Ok(step) => panic!("not a step after the PIN: {step:?}"),
                Err(CoreError::NotSignedIn) => {
                    self.sync_agent().await;
                    return;
                }
                Err(CoreError::Offline | CoreError::ServiceTrouble { .. }) => {}
                Err(error) => panic!("a grant fails by the network only: {error:?}"),
            }
        }
    }

    async fn revoke(&mut self) {
        let now = self.now();
        let coming: Vec<_> = self.granted.iter().filter(|(_, at)| *at > now + 600).cloned().collect();
        if let Some((id, starts_at)) = self.pick(&coming) {
            self.revoke_one(id, starts_at).await;
        }
    }

    pub async fn revoke_one(&mut self, id: String, starts_at: i64) {
        self.oracle.tries(Act::Revoked(starts_at));
        let answer = self.copy.town.clock.scene(self.agent.core.revoke(id.clone())).await;
        self.say(|| format!("the agent revokes the access from {starts_at}: {answer:?}"));
        if let Some(grant) = by_network_only(answer) {
            assert_eq!(grant.state, GrantState::Revoked);
            self.oracle.done(Act::Revoked(starts_at));
            self.revoked.insert(id);
        }
    }

    /// The box opens from another minute of the day on, at the latest at eleven.
    async fn set_hours(&mut self) {
        let from = 15 * u16::try_from(self.chance.below(45)).unwrap();
        self.oracle.tries(Act::Hours(from));
        let access_hours = daily(from);
        let settings = BoxSettings { access_hours, contractor_mode: false, time_zone: None };
        let set = self.agent.core.set_lockbox_settings(cast::BOX.into(), Some(settings));
        let answer = self.copy.town.clock.scene(set).await;
        self.say(|| format!("the box shall open from minute {from} on: {answer:?}"));
        if by_network_only(answer).is_some() {
            self.oracle.done(Act::Hours(from));
        }
    }

    async fn make_smart_pin(&mut self) {
        let from = self.now() / HOUR * HOUR + HOUR * self.below(8);
        let to = from + HOUR + HOUR * self.below(30);
        let guest = format!("Guest {}", self.oracle.pins.len());
        let made = self.agent.core.make_smart_pin(cast::BOX.into(), guest, from, to);
        let answer = self.copy.town.clock.scene(made).await;
        self.say(|| format!("a SmartPIN from {from} to {to}: {:?}", answer.as_ref().map(|it| &it.times)));
        if let Some(made) = by_network_only(answer) {
            self.oracle.pins.push(Pin { id: made.id, code: made.code, from, to });
        }
    }

    async fn block_smart_pin(&mut self) {
        let numbers: Vec<usize> = (0..self.oracle.pins.len()).collect();
        let Some(number) = self.pick(&numbers) else { return };
        self.oracle.tries(Act::Blocked(number));
        let block = self.agent.core.block_smart_pin(self.oracle.pins[number].id.clone());
        let answer = self.copy.town.clock.scene(block).await;
        self.say(|| format!("SmartPIN {number} is blocked: {:?}", answer.as_ref().map(|it| it.blocked)));
        if by_network_only(answer).is_some() {
            self.oracle.done(Act::Blocked(number));
        }
    }

    async fn read_or_delete_a_message(&mut self) {
        let Ok(messages) = self.carriers[0].phone.core.messages().await else { return };
        let Some(message) = self.pick(&messages) else { return };
        let core = &self.carriers[0].phone.core;
        let done = if self.chance.per_mille(500) {
            self.copy.town.clock.scene(core.mark_message_read(message.id)).await
        } else {
            self.copy.town.clock.scene(core.delete_message(message.id)).await
        };
        self.say(|| format!("the contractor reads or deletes a message: {done:?}"));
    }

    fn restart(&mut self) {
        let number = usize::from(self.chance.per_mille(400));
        let between = on(&self.carriers[number].way, self.carriers[number].ahead);
        self.carriers[number].phone = match number {
            0 => self.copy.start_contractor(between).unwrap(),
            _ => self.copy.start_other(0, between).unwrap(),
        };
        self.say(|| format!("the app on phone {number} is killed and started"));
    }

    /// The device registers again under its own id: no registration more is used, whatever the network does.
    async fn log_out_and_in(&mut self) {
        let out = self.copy.town.clock.scene(self.carriers[0].phone.core.logout()).await;
        self.say(|| format!("the contractor logs out: {out:?}"));
        self.log_in(0).await;
    }

    async fn let_time_pass(&mut self) {
        self.agents_way.settle().await;
        for carrier in &self.carriers {
            carrier.way.settle().await;
        }
        let by = 60 + self.below(12 * HOUR);
        self.copy.town.clock.set(self.now() + by);
        self.say(|| format!("{by} seconds have passed"));
    }

    pub fn below(&mut self, bound: i64) -> i64 {
        i64::try_from(self.chance.below(bound.unsigned_abs())).unwrap()
    }

    pub fn pick<T: Clone>(&mut self, of: &[T]) -> Option<T> {
        let index = usize::try_from(self.chance.below(of.len() as u64)).unwrap();
        of.get(index).cloned()
    }
}

pub async fn session_ended(phone: &Phone) -> bool {
    match phone.core.sync_status().await {
        Ok(status) => status.state == SyncState::Blocked { why: BlockedWhy::SignInAgain },
        Err(error) => error == CoreError::NotSignedIn,
    }
}

/// What the agent was told is done. A conflict, or nothing found, comes where an answer before was lost.
pub fn by_network_only<T: std::fmt::Debug>(answer: Result<T, CoreError>) -> Option<T> {
    match answer {
        Ok(done) => Some(done),
        Err(
            CoreError::Offline
            | CoreError::ServiceTrouble { .. }
            | CoreError::NotSignedIn
            | CoreError::Conflict { .. }
            | CoreError::NotFound,
        ) => None,
        Err(error) => panic!("it fails by the network only: {error:?}"),
    }
}

/// Every other phone has the right time; the others are up to a day off, either way.
pub fn wrong_by(chance: &mut Chance) -> i64 {
    let off = i64::try_from(chance.below(24 * HOUR.unsigned_abs() + 1)).unwrap();
    [0, off, 0, -off][usize::try_from(chance.below(4)).unwrap()]
}

/// An app on this way to the backend, whose clock is wrong by so much.
pub fn on(way: &Arc<Wires>, ahead: i64) -> Between {
    Between { http: Some(way.clone()), ahead, ..Between::default() }
}
