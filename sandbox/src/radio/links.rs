//! Links of the simulated radio: who is connected to whom, and what is on its way between them.

use std::{collections::HashMap, time::Duration};

use sentri_lock::ports::Connection;

use super::{Air, Direction, Fate, Gone, LockPlace, Passing, PhonePlace, State, ValueTooLong, peer_name};

/// Links that a lock's radio has: one more than the lock keeps, so that it decides itself who has to go.
const LINKS_OF_A_LOCK: usize = 3;
/// How much longer than the others an overtaken value takes, in latencies.
const OVERTAKEN: u32 = 4;
/// Bytes of a value that ATT takes for itself.
const ATT_HEADER: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct LinkId(u64);

#[derive(Default)]
pub(super) struct Links {
    made: u64,
    up: HashMap<LinkId, Link>,
}

struct Link {
    lock: LockPlace,
    phone: PhonePlace,
    peer: String,
    connection: Connection,
    mtu: u16,
    /// The lock has ended it; what it sent before still arrives.
    ending: bool,
    to_lock: Lane,
    to_phone: Lane,
}

/// One direction of a link.
#[derive(Default)]
struct Lane {
    sent: usize,
    /// When the last value in turn arrives.
    last: Duration,
}

impl Links {
    fn of_phone(&self, phone: PhonePlace, peer: &str) -> Option<LinkId> {
        self.up.iter().find(|(_, link)| link.phone == phone && link.peer == peer).map(|(id, _)| *id)
    }

    fn of_lock(&self, lock: LockPlace, connection: Connection) -> Option<LinkId> {
        self.up.iter().find(|(_, link)| link.lock == lock && link.connection == connection).map(|(id, _)| *id)
    }
}

impl Air {
    /// A phone wishes for a link to what it heard as `peer`.
    pub fn connect(&self, phone: PhonePlace, peer: &str) {
        let delay = Duration::from_millis(self.state().knobs.connect_ms.into());
        let peer = peer.to_owned();
        self.later(delay, move |air| air.establish(phone, &peer));
    }

    fn establish(&self, phone: PhonePlace, peer: &str) {
        let mut state = self.state();
        if state.links.of_phone(phone, peer).is_some() {
            return;
        }
        let central = state.central(phone);
        let Some((peripheral, connection, mtu)) = state.link(phone, peer) else {
            drop(state);
            if let Some(central) = central {
                central.disconnected(peer, Gone::NotConnected);
            }
            return;
        };
        drop(state);
        peripheral.connected(connection, mtu);
        if let Some(central) = central {
            central.connected(peer, mtu);
        }
    }

    /// A phone writes a value. To a link that is gone it is lost.
    pub fn write(&self, phone: PhonePlace, peer: &str, value: &[u8]) -> Result<(), ValueTooLong> {
        let mut state = self.state();
        let Some(id) = state.links.of_phone(phone, peer) else { return Ok(()) };
        let mtu = state.links.up.get(&id).map_or(0, |link| link.mtu);
        if value.is_empty() || value.len() + ATT_HEADER > usize::from(mtu) {
            return Err(ValueTooLong);
        }
        let fate = state.send(id, Direction::ToLock, value, self.0.clock.elapsed());
        drop(state);
        self.carry(id, Direction::ToLock, value, fate);
        Ok(())
    }

    /// A lock notifies a value. To a link that is gone it is lost.
    pub fn notify(&self, lock: LockPlace, connection: Connection, value: &[u8]) {
        let mut state = self.state();
        let Some(id) = state.links.of_lock(lock, connection) else { return };
        let fate = state.send(id, Direction::ToPhone, value, self.0.clock.elapsed());
        drop(state);
        self.carry(id, Direction::ToPhone, value, fate);
    }

    fn carry(&self, id: LinkId, direction: Direction, value: &[u8], (fate, delay): (Fate, Duration)) {
        match fate {
            Fate::Lost => {}
            Fate::Cut => self.later(delay, move |air| air.lose(id)),
            Fate::Arrives | Fate::Overtaken => self.deliver(id, direction, value, delay),
            Fate::Doubled => (0..2).for_each(|_| self.deliver(id, direction, value, delay)),
        }
    }

    fn deliver(&self, id: LinkId, direction: Direction, value: &[u8], delay: Duration) {
        let value = value.to_vec();
        self.later(delay, move |air| air.arrive(id, direction, &value));
    }

    fn arrive(&self, id: LinkId, direction: Direction, value: &[u8]) {
        let state = self.state();
        let Some(link) = state.links.up.get(&id) else { return };
        match direction {
            Direction::ToLock if link.ending => {}
            Direction::ToLock => {
                let (peripheral, connection) = (state.peripheral(link.lock), link.connection);
                drop(state);
                if let Some(peripheral) = peripheral {
                    peripheral.received(connection, value);
                }
            }
            Direction::ToPhone => {
                let (central, peer) = (state.central(link.phone), link.peer.clone());
                drop(state);
                if let Some(central) = central {
                    central.notified(&peer, value);
                }
            }
        }
    }

    /// A phone ends a link, or an attempt at one.
    pub fn disconnect(&self, phone: PhonePlace, peer: &str) {
        let mut state = self.state();
        let Some(link) = state.links.of_phone(phone, peer).and_then(|id| state.links.up.remove(&id)) else {
            return;
        };
        let latency = Duration::from_millis(state.knobs.latency_ms.into());
        let (peripheral, central) = (state.peripheral(link.lock), state.central(phone));
        drop(state);
        self.later(latency, move |_| {
            if let Some(peripheral) = peripheral {
                peripheral.disconnected(link.connection);
            }
            if let Some(central) = central {
                central.disconnected(&link.peer, Gone::Requested);
            }
        });
    }

    /// A phone leaves the air for good, with its links.
    pub fn remove_phone(&self, phone: PhonePlace) {
        self.scan(phone, false);
        let state = self.state();
        let peers: Vec<_> = state
            .links
            .up
            .values()
            .filter(|link| link.phone == phone)
            .map(|link| link.peer.clone())
            .collect();
        drop(state);
        for peer in peers {
            self.disconnect(phone, &peer);
        }
    }

    /// A lock ends a link; what it sent before still arrives.
    pub fn drop_link(&self, lock: LockPlace, connection: Connection) {
        let mut state = self.state();
        let latency = Duration::from_millis(state.knobs.latency_ms.into());
        let Some(id) = state.links.of_lock(lock, connection) else { return };
        let Some(link) = state.links.up.get_mut(&id) else { return };
        link.ending = true;
        let delay = link.to_phone.last.saturating_sub(self.0.clock.elapsed()).max(latency);
        drop(state);
        self.later(delay, move |air| air.end(id, Gone::ByLock));
    }

    /// A lock's power is gone: its links are lost, with all that is on its way.
    pub fn lose_lock(&self, lock: LockPlace) {
        self.advertise(lock, None);
        let state = self.state();
        let of_lock = state.links.up.iter().filter(|(_, link)| link.lock == lock);
        let lost: Vec<_> = of_lock.map(|(id, _)| *id).collect();
        drop(state);
        for id in lost {
            self.lose(id);
        }
    }

    /// Breaks all links at once, as a phone carried out of range does.
    pub fn cut_all(&self) {
        let all: Vec<_> = self.state().links.up.keys().copied().collect();
        for id in all {
            self.lose(id);
        }
    }

    fn lose(&self, id: LinkId) {
        self.later(Duration::ZERO, move |air| air.end(id, Gone::Lost));
    }

    fn end(&self, id: LinkId, why: Gone) {
        let mut state = self.state();
        let Some(link) = state.links.up.remove(&id) else { return };
        let (peripheral, central) = (state.peripheral(link.lock), state.central(link.phone));
        drop(state);
        if let Some(peripheral) = peripheral.filter(|_| !link.ending) {
            peripheral.disconnected(link.connection);
        }
        if let Some(central) = central {
            central.disconnected(&link.peer, why);
        }
    }
}

impl State {
    /// Makes a link, where the lock is still there under that name and has one left.
    fn link(
        &mut self,
        phone: PhonePlace,
        peer: &str,
    ) -> Option<(std::sync::Arc<dyn super::Peripheral>, Connection, u16)> {
        let named = |side: &super::LockSide| side.broadcast.is_some_and(|it| peer_name(it.address) == peer);
        let lock = LockPlace(self.locks.iter().position(named)?);
        if self.links.up.values().filter(|link| link.lock == lock).count() >= LINKS_OF_A_LOCK {
            return None;
        }
        let peripheral = self.peripheral(lock)?;
        self.links.made += 1;
        let connection = Connection(u16::try_from(self.links.made % u64::from(u16::MAX)).unwrap_or_default());
        let link = Link {
            lock,
            phone,
            peer: peer.to_owned(),
            connection,
            mtu: self.knobs.mtu,
            ending: false,
            to_lock: Lane::default(),
            to_phone: Lane::default(),
        };
        self.links.up.insert(LinkId(self.links.made), link);
        Some((peripheral, connection, self.knobs.mtu))
    }

    /// Counts a value, and decides what becomes of it and how long it takes.
    fn send(&mut self, id: LinkId, direction: Direction, value: &[u8], now: Duration) -> (Fate, Duration) {
        self.traffic.count(direction, value);
        let index = self.links.up.get(&id).map_or(0, |link| link.lane(direction).sent);
        let fate = self.fate(Passing { direction, index, value });
        let jitter = self.chance.below(u64::from(self.knobs.jitter_ms) + 1);
        let latency = Duration::from_millis(u64::from(self.knobs.latency_ms) + jitter);
        let Some(link) = self.links.up.get_mut(&id) else { return (Fate::Lost, latency) };
        let lane = link.lane_mut(direction);
        lane.sent += 1;
        if fate == Fate::Overtaken {
            return (fate, latency * OVERTAKEN);
        }
        lane.last = lane.last.max(now + latency);
        (fate, lane.last.saturating_sub(now))
    }
}

impl Link {
    fn lane(&self, direction: Direction) -> &Lane {
        match direction {
            Direction::ToLock => &self.to_lock,
            Direction::ToPhone => &self.to_phone,
        }
    }

    fn lane_mut(&mut self, direction: Direction) -> &mut Lane {
        match direction {
            Direction::ToLock => &mut self.to_lock,
            Direction::ToPhone => &mut self.to_phone,
        }
    }
}
