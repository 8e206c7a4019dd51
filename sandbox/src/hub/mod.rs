//! A virtual hub: a box in a building's cellar that carries codes to the locks which it hears, over real HTTP and the
//! simulated radio. [RES-5]

mod backend;
mod radio;
mod visit;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sentri_core::http::{Http, NoTls};
use sentri_protocol::{
    advert::Advert,
    clock::LowerBound,
    keys::Key,
    ticket::{Ticket, TicketSecret},
};
use sentri_wire::{
    Secret,
    codes::CodeDelivery,
    credential::Credential,
    hub::{BroughtCodes, HeardLock, HubOrders, HubReport},
};
use tokio::sync::Mutex;

use crate::{
    calls::{CallTrouble, Caller},
    chance::Chance,
    clock::Clock,
    phone::Surroundings,
};
use backend::Backend;
use radio::HubRadio;

/// How long one turn listens at most: longer than the pause between two adverts of a lock that nobody has woken.
const LISTEN: Duration = Duration::from_secs(5);

/// The hub. It does nothing by itself: [`VirtualHub::turn`] is one round of its work.
pub struct VirtualHub {
    clock: Clock,
    backend: Backend,
    radio: Arc<HubRadio>,
    plugged_in: AtomicBool,
    works: Mutex<Works>,
}

/// What it keeps between two turns.
struct Works {
    chance: Chance,
    locks: BTreeMap<String, Reached>,
    brought: Vec<BroughtCodes>,
}

/// A lock that the hub reaches.
struct Reached {
    pass: Pass,
    /// By the hub's own clock.
    heard: Option<Duration>,
    due: Option<CodeDelivery>,
}

/// What it shows a lock, and what it knows it by.
struct Pass {
    id: String,
    ticket: Ticket,
    secret: TicketSecret,
    lock_public_key: [u8; 32],
    lower_bound: Option<LowerBound>,
    adverts: Vec<Key>,
}

/// What a turn came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// Locks that it heard.
    pub heard: Vec<String>,
    /// Locks that took what it brought, or had it.
    pub brought: Vec<String>,
    /// How soon the backend wants to hear from it again, in seconds.
    pub call_again: u32,
}

impl VirtualHub {
    /// A hub that hangs in this surroundings, with the key that the operator wrote into it. Its chance follows from
    /// `seed`.
    pub fn new(around: &Surroundings, key: Secret, seed: u64) -> Result<Self, NoTls> {
        Ok(Self::calling(Caller::new(around)?, around, key, seed))
    }

    /// The same over this network. One that takes time lets the clock of the surroundings stand still by itself.
    pub fn over(around: &Surroundings, http: Arc<dyn Http>, key: Secret, seed: u64) -> Self {
        Self::calling(Caller::over(http, around), around, key, seed)
    }

    fn calling(caller: Caller, around: &Surroundings, key: Secret, seed: u64) -> Self {
        let works = Works { chance: Chance::new(seed), locks: BTreeMap::new(), brought: Vec::new() };
        Self {
            clock: around.clock.clone(),
            backend: Backend::new(caller, key),
            radio: HubRadio::on_air(&around.air, &around.clock),
            plugged_in: true.into(),
            works: works.into(),
        }
    }

    /// Pulls its plug, or puts it back: without power its turns do nothing.
    pub fn plug_in(&self, plugged_in: bool) {
        self.plugged_in.store(plugged_in, Ordering::SeqCst);
    }

    /// One round: calls, listens, visits the locks that it has something for, and calls again to tell of it.
    pub async fn turn(&self) -> Result<Turn, CallTrouble> {
        let mut turn = Turn::default();
        if !self.plugged_in.load(Ordering::SeqCst) {
            return Ok(turn);
        }
        let mut works = self.works.lock().await;
        self.call(&mut works).await?;
        for (lock, peer, advert) in self.listen(&mut works).await {
            let brings = works.locks.get(&lock).is_some_and(|it| it.due.is_some());
            if (brings || advert.flags.clock_lost) && self.visit(&mut works, &lock, (&peer, &advert)).await {
                turn.brought.push(lock.clone());
            }
            turn.heard.push(lock);
        }
        turn.call_again = self.call(&mut works).await?;
        Ok(turn)
    }

    async fn call(&self, works: &mut Works) -> Result<u32, CallTrouble> {
        let now = self.clock.elapsed();
        let heard = works.locks.iter().filter_map(|(lock, reached)| {
            let ago = now.saturating_sub(reached.heard?).as_secs();
            Some(HeardLock { lock: lock.clone(), seconds_ago: u32::try_from(ago).unwrap_or(u32::MAX) })
        });
        let report = HubReport {
            heard: heard.collect(),
            brought: works.brought.clone(),
            passes: works.locks.values().map(|reached| reached.pass.id.clone()).collect(),
        };
        let orders = self.backend.call(&report).await?;
        works.brought.clear();
        let call_again = orders.call_again;
        works.follow(orders);
        Ok(call_again)
    }

    /// Which of its locks are heard now, each once.
    async fn listen(&self, works: &mut Works) -> Vec<(String, String, Advert)> {
        let mut found = Vec::new();
        if works.locks.is_empty() {
            return found;
        }
        let hear = |peer, advert: Advert| {
            let is_from = |(_, reached): &(&String, &mut Reached)| {
                reached.pass.adverts.iter().any(|key| advert.is_from(key))
            };
            if let Some((lock, reached)) = works.locks.iter_mut().find(is_from) {
                reached.heard = Some(self.clock.elapsed());
                if !found.iter().any(|(known, ..)| known == lock) {
                    found.push((lock.clone(), peer, advert));
                }
            }
            found.len() == works.locks.len()
        };
        self.radio.listen(LISTEN, hear).await;
        found
    }
}

impl Works {
    fn follow(&mut self, orders: HubOrders) {
        let mut former = std::mem::take(&mut self.locks);
        for ordered in orders.locks {
            let known = former.remove(&ordered.lock);
            let (heard, had) = known.as_ref().map_or((None, None), |it| (it.heard, it.due.clone()));
            let pass = ordered.pass.as_ref().and_then(Pass::parse).or(known.map(|it| it.pass));
            let Some(pass) = pass else { continue };
            self.locks.insert(ordered.lock, Reached { pass, heard, due: ordered.codes.or(had) });
        }
    }
}

impl Pass {
    /// Nothing where a part is not as the protocol says.
    fn parse(credential: &Credential) -> Option<Self> {
        Some(Self {
            id: credential.id.clone(),
            ticket: Ticket::decode(credential.ticket.as_ref()).ok()?,
            secret: TicketSecret::new(credential.secret.array()?),
            lock_public_key: credential.lock_public_key.array()?,
            lower_bound: LowerBound::decode(credential.lower_bound.as_ref()).ok(),
            adverts: credential.advert_keys.iter().filter_map(|it| it.key.array().map(Key::new)).collect(),
        })
    }
}
