//! BLE: from a press of ENT to its end, with two phones at a time. In between, a door's lock can be reached for service.
//!
//! A stranger can cost the lock a handshake and its own connection, never the wake: whatever is not proved is
//! answered alike, late, and alone loses its link.

mod channel;
mod delivery;
mod links;
mod perform;
mod wake;

use alloc::vec::Vec;

use sentri_protocol::{
    advert::{Advert, AdvertFlags, Wake as WakeCounts},
    codes::kind::Profile,
    frame::frames,
    open::{UNPROVED_ANSWER, UNPROVED_ANSWERED, UNPROVED_DELAY_MS, lock::read_m1},
    random::WakeRandom,
};
use zeroize::Zeroizing;

use self::{
    links::{Added, Due, Link, Links, Stage},
    wake::Wake,
};
use crate::{
    lock::{Halt, Lock},
    ports::{Board, Broadcast, Connection, Indication},
};

/// Milliseconds for which phones may come after a press of ENT.
const WAKE_MS: u64 = 30_000;
/// Milliseconds for which a door's lock advertises for service under one address and nonce: no longer, so that a home
/// is not followed by it.
const BEACON_MS: u64 = 15 * 60_000;

/// The wake and its links.
#[derive(Debug)]
pub(crate) struct Session {
    presses: u32,
    wake: Option<Wake>,
    links: Links,
}

impl Session {
    pub(crate) fn new() -> Self {
        Self { presses: 0, wake: None, links: Links::default() }
    }

    pub(crate) fn next_deadline(&self) -> Option<u64> {
        let wake = self.wake.as_ref().and_then(Wake::deadline);
        [wake, self.links.next_deadline()].into_iter().flatten().min()
    }

    /// Whether nobody is connected, nor could be.
    fn is_asleep(&self) -> bool {
        !self.wake.as_ref().is_some_and(Wake::is_listening) && self.links.all().next().is_none()
    }

    fn is_beacon(&self) -> bool {
        self.wake.as_ref().is_some_and(Wake::is_beacon)
    }

    /// Whether nobody is at the lock: neither connected, nor expected after a press of ENT.
    pub(crate) fn is_alone(&self) -> bool {
        self.links.all().next().is_none() && (self.is_asleep() || self.is_beacon())
    }
}

impl<B: Board> Lock<B> {
    /// ENT on an empty keypad: ends the former wake and begins another, under a new address and nonce.
    pub(crate) fn wake(&mut self) {
        self.counters.wakes += 1;
        self.begin_wake(WAKE_MS, false);
        self.board.show(if self.battery_low() { Indication::BatteryLow } else { Indication::Awake });
    }

    fn begin_wake(&mut self, lasts_ms: u64, service_only: bool) {
        self.end_wake();
        self.session.presses = self.session.presses.wrapping_add(1);
        let counts = WakeCounts { boot: self.counters.boots, press: self.session.presses };
        let mut entropy = Zeroizing::new([0; 32]);
        self.board.entropy(&mut entropy);
        let mut random = WakeRandom::new(&self.keys, counts, &entropy);

        let now = self.now();
        let flags = AdvertFlags { clock_lost: now.is_lost(), battery_low: self.battery_low(), service_only };
        let mut for_nonce = [0; 16];
        for_nonce.copy_from_slice(&random.block()[..16]);
        let advert = Advert::new(&self.keys, counts, flags, now.time, &for_nonce);
        let mut address = [0; 6];
        address.copy_from_slice(&random.block()[..6]);
        // The two highest bits make it a static random address.
        address[5] |= 0xc0;

        self.board.advertise(Some(Broadcast { address, advert: advert.encode(), seldom: service_only }));
        let until = self.board.uptime_ms().saturating_add(lasts_ms);
        self.session.wake = Some(Wake::new(advert, random, until));
    }

    /// Whether a door's lock is to advertise for service: all who were connected are gone, so that none of them is
    /// judged by another wake than their own.
    pub(crate) fn beacon_is_due(&self) -> bool {
        self.journal.state().profile == Profile::Residential && self.session.is_asleep()
    }

    /// A phone connected; `mtu` is 23 until it asks for more. A third one is turned away, unless one of the two
    /// has proved nothing and sent nothing for a second: then that one has to go.
    pub fn connected(&mut self, connection: Connection, mtu: u16) -> Result<(), Halt> {
        let now_ms = self.board.uptime_ms();
        let listening = self.session.wake.as_ref().is_some_and(Wake::is_listening);
        let added = if listening {
            self.session.links.add(Link::new(connection, mtu, now_ms), now_ms)
        } else {
            Added::No
        };
        match added {
            Added::Yes => {}
            Added::InPlaceOf(silent) => self.board.disconnect(silent),
            Added::No => self.board.disconnect(connection),
        }
        self.counters.connections += u32::from(added != Added::No);
        Ok(())
    }

    /// A phone and the radio agreed on another MTU.
    pub fn mtu_changed(&mut self, connection: Connection, mtu: u16) {
        if let Some(link) = self.session.links.get(connection) {
            link.mtu = mtu;
        }
    }

    /// A link is gone.
    pub fn disconnected(&mut self, connection: Connection) -> Result<(), Halt> {
        self.session.links.remove(connection);
        Ok(())
    }

    /// A phone wrote a frame.
    pub fn received(&mut self, connection: Connection, frame: &[u8]) -> Result<(), Halt> {
        let now_ms = self.board.uptime_ms();
        let Some(link) = self.session.links.get(connection) else { return Ok(()) };
        self.counters.frames_in += 1;
        match link.take_frame(frame, now_ms) {
            Ok(None) => Ok(()),
            Ok(Some(message)) => self.message(connection, &message),
            Err(_) => {
                self.hang_up(connection);
                Ok(())
            }
        }
    }

    fn message(&mut self, connection: Connection, message: &[u8]) -> Result<(), Halt> {
        let Some(link) = self.session.links.get(connection) else { return Ok(()) };
        match link.stage {
            Stage::Handshake => self.m1(connection, message),
            Stage::Unproved { .. } => Ok(()),
            Stage::Channel(_) => self.request(connection, message),
        }
    }

    fn m1(&mut self, connection: Connection, m1: &[u8]) -> Result<(), Halt> {
        let Some(wake) = &mut self.session.wake else { return Ok(()) };
        self.counters.m1_seen += 1;
        let ephemeral = Zeroizing::new(wake.random.block());
        let Ok(proved) = read_m1(&self.keys, &wake.advert, m1, &ephemeral) else {
            self.unproved(connection);
            return Ok(());
        };
        let outcome = self.perform(&proved.request)?;
        let status = outcome.complete(self.status(), proved.request.operation_id);
        let request = proved.request.clone();
        match proved.answer(&self.keys, &status) {
            Ok(answered) => {
                self.send(connection, &answered.m2);
                let now_ms = self.board.uptime_ms();
                if let Some(link) = self.session.links.get(connection) {
                    link.begin_channel(answered.channel, request, now_ms);
                }
            }
            // The phone's ephemeral was a point of low order: nothing more can be said to it.
            Err(_) => self.hang_up(connection),
        }
        Ok(())
    }

    fn unproved(&mut self, connection: Connection) {
        self.counters.m1_unproved += 1;
        let answer_at = self.board.uptime_ms().saturating_add(UNPROVED_DELAY_MS);
        let Some(wake) = &mut self.session.wake else { return };
        wake.unproved = wake.unproved.saturating_add(1);
        if wake.unproved > UNPROVED_ANSWERED {
            self.hang_up(connection);
        } else if let Some(link) = self.session.links.get(connection) {
            link.stage = Stage::Unproved { answer_at };
        }
    }

    /// Does what links and wake are due for.
    pub(crate) fn session_tick(&mut self, now_ms: u64) {
        while let Some((connection, due)) = self.session.links.due(now_ms) {
            if due == Due::Unproved {
                self.send(connection, &UNPROVED_ANSWER);
            }
            self.hang_up(connection);
        }
        if self.session.wake.as_ref().and_then(Wake::deadline).is_some_and(|ends| now_ms >= ends) {
            let was_pressed = !self.session.is_beacon();
            self.stop_listening();
            if was_pressed {
                self.board.show(Indication::Asleep);
            }
        }
        if self.beacon_is_due() {
            self.begin_wake(BEACON_MS, true);
        }
    }

    /// Ends the advert, and links that have proved nothing. Channels go on.
    fn stop_listening(&mut self) {
        if let Some(wake) = &mut self.session.wake {
            wake.stop_listening();
        }
        self.board.advertise(None);
        for connection in self.session.links.without_channel() {
            self.hang_up(connection);
        }
    }

    fn end_wake(&mut self) {
        let connections: Vec<Connection> = self.session.links.all().collect();
        for connection in connections {
            self.hang_up(connection);
        }
        if self.session.wake.take().is_some_and(|wake| wake.is_listening()) {
            self.board.advertise(None);
        }
    }

    fn hang_up(&mut self, connection: Connection) {
        self.session.links.remove(connection);
        self.board.disconnect(connection);
    }

    fn send(&mut self, connection: Connection, message: &[u8]) {
        let Some(mtu) = self.session.links.get(connection).map(|link| link.mtu) else { return };
        for frame in frames(message, mtu) {
            self.counters.frames_out += 1;
            self.board.send(connection, &frame);
        }
    }
}
