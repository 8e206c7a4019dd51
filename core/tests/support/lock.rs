//! A lock of the protocol's own responder side, which judges as it is told, behind a radio that fails as told.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use sentri_core::api::{
    link_events::LinkEvents,
    ports::{DisconnectReason, LinkError, LockLink},
};
use sentri_protocol::{
    Generation, KeyTree, Seed, Time,
    advert::{Advert, AdvertFlags, Wake},
    audit,
    clock::LowerBound,
    frame::{Reassembler, frames},
    hours::{AccessHours, Schedule},
    open::{
        OperationId, UNPROVED_ANSWER, Verdict,
        channel::{Applied, LockChannel, LockMessage, PhoneMessage},
        lock::read_m1,
    },
    revocation::RevocationList,
    status::{ClockQuality, Status, StatusFlags},
    ticket::{CredentialId, Epoch, Rights, SubjectId, Ticket},
    time::Window,
};
use sentri_wire::{
    credential::{Access, AdvertKey, Credential, Zone},
    sync::Change,
};
use uuid::Uuid;

use super::{Fuse, NOW, TestClock};

pub const SERIAL: &str = "SB-1001";
pub const PEER: &str = "aa:bb";

pub fn keys_of(seed: u8) -> KeyTree {
    KeyTree::new(&Seed::new([seed; 32]), Generation::FIRST)
}

/// What the radio does with one message of the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It is lost, and the link with it.
    Lost,
    /// It is lost, and the link stays.
    Silent,
    /// One bit is flipped.
    Flipped,
    /// Each frame comes twice.
    Doubled,
}

#[allow(clippy::struct_excessive_bools, reason = "independent switches of a test")]
pub struct State {
    pub verdict: Verdict,
    pub clock_lost: bool,
    /// After a fresh time token.
    pub verdict_with_time: Verdict,
    pub mtu: u16,
    pub motor: u32,
    pub operations: Vec<OperationId>,
    /// For the next messages of the lock, in order.
    pub troubles: Vec<Trouble>,
    pub refuse_connections: u32,
    pub hang_connections: u32,
    pub radio: Result<(), LinkError>,
    pub revocations: u32,
    pub acknowledged: u32,
    pub records: Vec<audit::Record>,
    pub scanning: bool,
    pub connections: u32,
    pressed: bool,
    presses: u32,
    stored: BTreeMap<[u8; 8], Verdict>,
    incoming: Reassembler,
    channel: Option<LockChannel>,
    last: Option<Status>,
    connected: bool,
}

pub struct Lock {
    seed: u8,
    pub state: Mutex<State>,
    clock: Arc<TestClock>,
    events: Mutex<Option<Arc<LinkEvents>>>,
}

impl Lock {
    pub fn new(seed: u8, clock: Arc<TestClock>) -> Arc<Self> {
        let state = State {
            verdict: Verdict::Opened,
            clock_lost: false,
            verdict_with_time: Verdict::Opened,
            mtu: 185,
            motor: 0,
            operations: Vec::new(),
            troubles: Vec::new(),
            refuse_connections: 0,
            hang_connections: 0,
            radio: Ok(()),
            revocations: 0,
            acknowledged: 0,
            records: Vec::new(),
            scanning: false,
            connections: 0,
            pressed: false,
            presses: 0,
            stored: BTreeMap::new(),
            incoming: Reassembler::new(),
            channel: None,
            last: None,
            connected: false,
        };
        Arc::new(Self { seed, state: Mutex::new(state), clock, events: Mutex::default() })
    }

    pub fn plug(&self, events: Arc<LinkEvents>) {
        *self.events.lock().unwrap() = Some(events);
    }

    pub fn events(&self) -> Arc<LinkEvents> {
        self.events.lock().unwrap().clone().unwrap()
    }

    /// Somebody presses ENT.
    pub fn press(&self) {
        let mut state = self.state.lock().unwrap();
        state.pressed = true;
        state.presses += 1;
        state.stored.clear();
        let scanning = state.scanning;
        drop(state);
        if scanning {
            self.advertise();
        }
    }

    pub fn advert(&self) -> Advert {
        let state = self.state.lock().unwrap();
        let flags = AdvertFlags { clock_lost: state.clock_lost, ..AdvertFlags::default() };
        Advert::new(&keys_of(self.seed), Wake { boot: 1, press: state.presses }, flags, self.now(), &[9; 16])
    }

    fn now(&self) -> Time {
        Time::from_unix(self.clock.truth()).unwrap()
    }

    fn advertise(&self) {
        self.events().advert(PEER.into(), self.advert().encode().to_vec(), -50);
    }

    fn disconnect(&self, reason: DisconnectReason) {
        let was = {
            let mut state = self.state.lock().unwrap();
            state.incoming = Reassembler::new();
            state.channel = None;
            std::mem::take(&mut state.connected)
        };
        if was {
            self.events().disconnected(PEER.into(), reason);
        }
    }

    fn receive(&self, frame: &[u8]) {
        let whole = self.state.lock().unwrap().incoming.push(frame).expect("frames as the protocol says");
        if let Some(message) = whole {
            let channel = self.state.lock().unwrap().channel.take();
            match channel {
                None => self.judge(&message),
                Some(channel) => self.serve(channel, &message),
            }
        }
    }

    fn judge(&self, m1: &[u8]) {
        let keys = keys_of(self.seed);
        let Ok(proved) = read_m1(&keys, &self.advert(), m1, &[3; 32]) else {
            self.send(&UNPROVED_ANSWER);
            self.disconnect(DisconnectReason::ByLock);
            return;
        };
        let operation = proved.request.operation_id;
        let status = {
            let mut state = self.state.lock().unwrap();
            let verdict = if state.clock_lost { Verdict::ClockLost } else { state.verdict };
            state.operations.push(operation);
            let known = state.stored.get(&operation.0).copied();
            let verdict = known.unwrap_or(verdict);
            if known.is_none() && verdict == Verdict::Opened {
                state.motor += 1;
            }
            state.stored.insert(operation.0, verdict);
            let status = self.status(&state, verdict, operation);
            state.last = Some(status);
            status
        };
        let answered = proved.answer(&keys, &status).unwrap();
        self.state.lock().unwrap().channel = Some(answered.channel);
        self.send(&answered.m2);
    }

    fn status(&self, state: &State, verdict: Verdict, operation_id: OperationId) -> Status {
        Status {
            verdict,
            operation_id,
            clock: self.now(),
            quality: if state.clock_lost { ClockQuality::Lost } else { ClockQuality::Good { days: 1 } },
            epoch: Epoch(1),
            revocation_version: state.revocations,
            settings_version: 1,
            log_head: u32::try_from(state.records.len()).unwrap(),
            unacknowledged: u16::try_from(state.records.len()).unwrap()
                - u16::try_from(state.acknowledged).unwrap(),
            battery: 81,
            firmware: 1,
            retry_after: 0,
            flags: StatusFlags::default(),
        }
    }

    fn serve(&self, mut channel: LockChannel, message: &[u8]) {
        let keys = keys_of(self.seed);
        let hash = *channel.handshake_hash();
        let asked = channel.open(message).expect("of this channel").expect("well formed");
        let answer = {
            let mut state = self.state.lock().unwrap();
            match asked {
                PhoneMessage::FreshTime(token) => {
                    assert!(token.verify(&keys, &hash));
                    state.clock_lost = false;
                    let verdict = state.verdict_with_time;
                    state.motor += u32::from(verdict == Verdict::Opened);
                    let operation = state.last.unwrap().operation_id;
                    LockMessage::Judged(self.status(&state, verdict, operation).sign(&keys))
                }
                PhoneMessage::Revocations(list) => {
                    state.revocations = RevocationList::open(&keys, &list).expect("authentic").version;
                    LockMessage::Revocations { result: Applied::Now, version: state.revocations }
                }
                PhoneMessage::Settings(_) => LockMessage::Settings { result: Applied::Already, version: 1 },
                // No phone brings codes yet.
                PhoneMessage::Codes(_) => LockMessage::Malformed,
                PhoneMessage::ReadAudit { from, at_most } => {
                    LockMessage::Audit(batch(&keys, &state.records, from, at_most).sign(&keys))
                }
                PhoneMessage::Acknowledge(acknowledgement) => {
                    assert!(acknowledgement.verify(&keys));
                    state.acknowledged = acknowledgement.up_to;
                    LockMessage::Acknowledged { result: Applied::Now, up_to: acknowledgement.up_to }
                }
            }
        };
        let sealed = channel.seal(&answer).unwrap();
        self.state.lock().unwrap().channel = Some(channel);
        self.send(&sealed);
    }

    fn send(&self, message: &[u8]) {
        let (mtu, trouble) = {
            let mut state = self.state.lock().unwrap();
            let trouble = (!state.troubles.is_empty()).then(|| state.troubles.remove(0));
            (state.mtu, trouble)
        };
        let mut message = message.to_vec();
        match trouble {
            Some(Trouble::Lost) => return self.disconnect(DisconnectReason::Lost),
            Some(Trouble::Silent) => return,
            Some(Trouble::Flipped) => message[0] ^= 1,
            Some(Trouble::Doubled) | None => {}
        }
        let times = if trouble == Some(Trouble::Doubled) { 2 } else { 1 };
        for frame in frames(&message, mtu) {
            for _ in 0..times {
                self.events().received(PEER.into(), frame.clone());
            }
        }
    }
}

fn batch(keys: &KeyTree, records: &[audit::Record], from: u32, at_most: u8) -> audit::Batch {
    let skip = usize::try_from(from - 1).unwrap();
    let previous = skip.checked_sub(1).map_or(audit::CHAIN_START, |last| records[last].tag());
    let _ = keys;
    let records =
        records.iter().skip(skip).take(at_most.into()).map(|it| audit::Record::from_bytes(*it.as_bytes()));
    audit::Batch { first: from, lost: 0, previous, records: records.collect() }
}

/// The radio of one run of the app.
pub struct Radio {
    lock: Arc<Lock>,
    fuse: Arc<Fuse>,
}

impl Radio {
    pub fn new(lock: Arc<Lock>, fuse: Arc<Fuse>) -> Self {
        Self { lock, fuse }
    }

    fn alive(&self, step: &str) -> Result<(), LinkError> {
        if !self.fuse.alive(step) {
            return Err(LinkError::Failed);
        }
        self.lock.state.lock().unwrap().radio
    }
}

impl LockLink for Radio {
    fn start_scan(&self) -> Result<(), LinkError> {
        self.alive("start_scan")?;
        let pressed = {
            let mut state = self.lock.state.lock().unwrap();
            state.scanning = true;
            state.pressed
        };
        if pressed {
            self.lock.advertise();
        }
        Ok(())
    }

    fn stop_scan(&self) -> Result<(), LinkError> {
        self.lock.state.lock().unwrap().scanning = false;
        self.alive("stop_scan")
    }

    fn connect(&self, peer: String) -> Result<(), LinkError> {
        self.alive("connect")?;
        let mut state = self.lock.state.lock().unwrap();
        if state.hang_connections > 0 {
            state.hang_connections -= 1;
            return Ok(());
        }
        if state.refuse_connections > 0 {
            state.refuse_connections -= 1;
            drop(state);
            self.lock.events().disconnected(peer, DisconnectReason::NotConnected);
            return Ok(());
        }
        state.connected = true;
        state.connections += 1;
        let mtu = state.mtu;
        drop(state);
        self.lock.events().connected(peer, mtu);
        Ok(())
    }

    fn write(&self, _: String, value: Vec<u8>) -> Result<(), LinkError> {
        self.alive("write")?;
        assert!(value.len() + 3 <= usize::from(self.lock.state.lock().unwrap().mtu));
        self.lock.receive(&value);
        Ok(())
    }

    fn disconnect(&self, _: String) -> Result<(), LinkError> {
        self.lock.disconnect(DisconnectReason::Requested);
        self.alive("disconnect")
    }
}

/// An access to a lock, with all that a phone is given for it.
#[derive(Clone)]
pub struct Granted {
    pub access: Access,
    pub credential: Credential,
}

impl Granted {
    /// Window and hours of a box with that seed.
    pub fn new(id: u8, seed: u8, starts_at: i64, ends_at: i64, hours: AccessHours) -> Self {
        let lockbox = if seed == 7 { SERIAL.to_owned() } else { format!("SB-{seed}") };
        let keys = keys_of(seed);
        let time = |at: i64| Time::from_unix(at).unwrap();
        let ticket = Ticket {
            credential: CredentialId([id; 8]),
            subject: SubjectId([1; 4]),
            epoch: Epoch(1),
            issued_at: time(NOW - 60),
            window: Window::new(time(starts_at), time(ends_at)).unwrap(),
            schedule: Schedule::ALWAYS,
            rights: Rights::OPEN,
            device_key: None,
        }
        .encode();
        let access_id = Uuid::from_u128(id.into());
        let week = time(NOW).week().0;
        let weeks = (week - 1..=week + 1).map(|week| AdvertKey {
            week: Some(week),
            key: keys.advert_key(sentri_protocol::time::Week(week)).expose().to_vec().into(),
        });
        let lost = AdvertKey { week: None, key: keys.advert_key_lost().expose().to_vec().into() };
        let credential = Credential {
            id: format!("{id:02x}").repeat(8),
            access_id,
            lockbox: lockbox.clone(),
            secret: keys.ticket_secret(&ticket).expose().to_vec().into(),
            ticket: ticket.into(),
            lock_public_key: keys.lock_public_key().into(),
            advert_keys: weeks.chain([lost]).collect(),
            lower_bound: LowerBound::sign(&keys, time(NOW - 60)).encode().into(),
            zone: Zone { offset: 0, next_at: 0, next_offset: 0, after_at: 0, after_offset: 0 },
            access_hours: hours.encode().into(),
            renew_at: ends_at,
        };
        let access = Access {
            id: access_id,
            lockbox,
            address: "12 Oak Street".into(),
            locality: "Cary, NC 27511".into(),
            time_zone: "America/New_York".into(),
            granted_by: "Dana Realtor".into(),
            starts_at,
            ends_at,
            revoked: false,
            on_hold: false,
            battery_percent: None,
            ready_from: starts_at - 86_400,
        };
        Self { access, credential }
    }

    /// From an hour ago for two hours, at the lock of the tests.
    pub fn now() -> Self {
        Self::new(1, 7, NOW - 3600, NOW + 3600, AccessHours::ALWAYS)
    }

    pub fn changes(&self) -> [Change; 2] {
        [Change::upsert(&self.access), Change::upsert(&self.credential)]
    }
}
