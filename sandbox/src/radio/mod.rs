//! The simulated radio between phones and locks: adverts, links, and values that take time and may get lost.
//!
//! Everything happens as events of the sandbox's [`Clock`]: nothing is delivered while the sender is still
//! talking, and one seed gives one run. Links keep the order of values unless a knob says otherwise.

mod knobs;
mod links;
mod traffic;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use sentri_lock::ports::{Broadcast, Connection};

pub use knobs::{BadKnobs, Direction, Fate, Knobs, Passing, Plan};
pub use traffic::{OneWay, Traffic};

use crate::{
    chance::Chance,
    clock::{Clock, Pull, Timer},
};
use links::Links;

/// A lock's end of the radio. Called with none of the radio's locks held, one call at a time.
pub trait Peripheral: Send + Sync + 'static {
    /// A phone has connected and subscribed.
    fn connected(&self, connection: Connection, mtu: u16);
    /// A phone has written a value.
    fn received(&self, connection: Connection, value: &[u8]);
    /// The phone went, or the air lost it.
    fn disconnected(&self, connection: Connection);
}

/// A phone's end of the radio. Called with none of the radio's locks held, one call at a time.
pub trait Central: Send + Sync + 'static {
    /// An advert was heard while scanning.
    fn advert(&self, peer: &str, advert: &[u8], rssi: i8);
    /// The link is up and subscribed.
    fn connected(&self, peer: &str, mtu: u16);
    /// The lock has notified a value.
    fn notified(&self, peer: &str, value: &[u8]);
    /// The link is gone, or never came about.
    fn disconnected(&self, peer: &str, why: Gone);
}

/// Why a link is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// The phone asked for it.
    Requested,
    /// The lock ended it.
    ByLock,
    /// The air lost it.
    Lost,
    /// It never came about.
    NotConnected,
}

/// A lock's place at the radio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LockPlace(usize);

/// A phone's place at the radio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PhonePlace(usize);

/// A value longer than the link's MTU carries: the phone's mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the value is longer than the link's MTU carries")]
pub struct ValueTooLong;

/// The radio. Clones are the same air.
#[derive(Clone)]
pub struct Air(Arc<Shared>);

struct Shared {
    clock: Clock,
    state: Mutex<State>,
}

struct State {
    knobs: Knobs,
    plan: Option<Plan>,
    chance: Chance,
    traffic: Traffic,
    locks: Vec<LockSide>,
    phones: Vec<PhoneSide>,
    links: Links,
}

struct LockSide {
    peripheral: Weak<dyn Peripheral>,
    broadcast: Option<Broadcast>,
    /// The next advert on its way.
    beat: Option<Timer>,
}

struct PhoneSide {
    central: Weak<dyn Central>,
    scanning: bool,
}

/// How much longer it takes from one advert to the next where a lock advertises seldom.
const SELDOM: u32 = 20;
/// How strong every advert arrives: the phone is held before the lock.
const RSSI: i8 = -48;

impl Air {
    /// Still air.
    pub fn new(clock: &Clock, seed: u64) -> Self {
        let state = State {
            knobs: Knobs::default(),
            plan: None,
            chance: Chance::new(seed),
            traffic: Traffic::default(),
            locks: Vec::new(),
            phones: Vec::new(),
            links: Links::default(),
        };
        Self(Arc::new(Shared { clock: clock.clone(), state: state.into() }))
    }

    /// How the air is.
    pub fn knobs(&self) -> Knobs {
        self.state().knobs
    }

    /// Makes the air so, for everything sent from now on; the MTU counts for new links.
    pub fn set_knobs(&self, knobs: Knobs) -> Result<(), BadKnobs> {
        self.state().knobs = knobs.checked()?;
        Ok(())
    }

    /// Begins chance anew.
    pub fn reseed(&self, seed: u64) {
        self.state().chance = Chance::new(seed);
    }

    /// Lets a plan decide the fate of each value, or the knobs again.
    pub fn set_plan(&self, plan: Option<Plan>) {
        self.state().plan = plan;
    }

    /// What went over the air since this was last asked.
    pub fn take_traffic(&self) -> Traffic {
        std::mem::take(&mut self.state().traffic)
    }

    /// Puts a lock on the air.
    pub fn add_lock(&self, peripheral: Weak<dyn Peripheral>) -> LockPlace {
        let mut state = self.state();
        state.locks.push(LockSide { peripheral, broadcast: None, beat: None });
        LockPlace(state.locks.len() - 1)
    }

    /// Puts a phone on the air.
    pub fn add_phone(&self, central: Weak<dyn Central>) -> PhonePlace {
        let mut state = self.state();
        state.phones.push(PhoneSide { central, scanning: false });
        PhonePlace(state.phones.len() - 1)
    }

    /// A lock begins to advertise, or stops.
    pub fn advertise(&self, lock: LockPlace, broadcast: Option<Broadcast>) {
        let mut state = self.state();
        let Some(side) = state.locks.get_mut(lock.0) else { return };
        side.broadcast = broadcast;
        let former = side.beat.take();
        drop(state);
        drop(former);
        self.beat_soon(lock);
    }

    /// A phone begins to listen for adverts, or stops.
    pub fn scan(&self, phone: PhonePlace, on: bool) {
        let mut state = self.state();
        let Some(side) = state.phones.get_mut(phone.0) else { return };
        let was = std::mem::replace(&mut side.scanning, on);
        state.traffic.searches += usize::from(on && !was);
        let locks = state.locks.len();
        drop(state);
        if on {
            (0..locks).for_each(|lock| self.beat_soon(LockPlace(lock)));
        }
    }

    /// Sends a lock's next advert after the usual time, where one advertises and somebody listens.
    fn beat_soon(&self, lock: LockPlace) {
        let mut state = self.state();
        let heard = state.phones.iter().any(|phone| phone.scanning);
        let usual = Duration::from_millis(state.knobs.advert_ms.into());
        let Some(side) = state.locks.get_mut(lock.0) else { return };
        let Some(broadcast) = side.broadcast.filter(|_| heard && side.beat.is_none()) else { return };
        let delay = if broadcast.seldom { usual * SELDOM } else { usual };
        let air = Arc::downgrade(&self.0);
        side.beat = Some(self.0.clock.after(delay, Pull::Yes, move || {
            if let Some(air) = air.upgrade() {
                Self(air).beat(lock);
            }
        }));
    }

    fn beat(&self, lock: LockPlace) {
        let mut state = self.state();
        let lost = state.knobs.lost;
        // The timer has done its work; letting it go later would lock the clock twice.
        let Some(side) = state.locks.get_mut(lock.0) else { return };
        if let Some(done) = side.beat.take() {
            done.let_go();
        }
        let Some(broadcast) = side.broadcast else { return };
        let State { phones, chance, .. } = &mut *state;
        let listening = phones.iter().filter(|phone| phone.scanning);
        let hearing: Vec<_> = listening
            .filter(|_| !chance.per_mille(lost))
            .filter_map(|phone| phone.central.upgrade())
            .collect();
        drop(state);
        for central in hearing {
            central.advert(&peer_name(broadcast.address), &broadcast.advert, RSSI);
        }
        self.beat_soon(lock);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something later, unless the air is gone by then.
    fn later(&self, delay: Duration, event: impl FnOnce(Self) + Send + 'static) {
        let air = Arc::downgrade(&self.0);
        let run = move || {
            if let Some(air) = air.upgrade() {
                event(Self(air));
            }
        };
        self.0.clock.after(delay, Pull::Yes, run).let_go();
    }
}

impl State {
    fn peripheral(&self, lock: LockPlace) -> Option<Arc<dyn Peripheral>> {
        self.locks.get(lock.0)?.peripheral.upgrade()
    }

    fn central(&self, phone: PhonePlace) -> Option<Arc<dyn Central>> {
        self.phones.get(phone.0)?.central.upgrade()
    }

    fn fate(&mut self, passing: Passing<'_>) -> Fate {
        match &mut self.plan {
            Some(plan) => plan(passing),
            None => self.knobs.fate(&mut self.chance),
        }
    }
}

/// How phones name a lock while it is awake: the radio's address, new at each press of ENT.
fn peer_name(address: [u8; 6]) -> String {
    address.map(|byte| format!("{byte:02x}")).join(":")
}
