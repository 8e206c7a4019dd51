//! The simulated board: every port of the lock, and a hand on each.

use std::{
    collections::VecDeque,
    fmt, mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    vec::Vec,
};

use super::flash::SimFlash;
use crate::ports::{
    Area, Battery, Broadcast, CardSlot, Connection, Entropy, Flash, FlashError, Indication, Lights, Motor,
    MotorError, Radio, Uptime,
};

/// What the lock's radio did, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RadioOutput {
    /// It advertises this from now on, or nothing.
    Advertise(Option<Broadcast>),
    /// It notified a frame.
    Frame(Connection, Vec<u8>),
    /// It closed a connection.
    Disconnect(Connection),
}

/// Indications that a board keeps until somebody looks.
const INDICATIONS_KEPT: usize = 1024;

/// A handle to a simulated board.
#[derive(Clone)]
pub struct SimBoard(Arc<Mutex<Device>>);

#[allow(clippy::struct_excessive_bools, reason = "each is a fault of its own, set by its own hand")]
struct Device {
    flash: SimFlash,
    /// In millionths of a millisecond, so that small drifts add up.
    uptime_ns: u64,
    drift_ppm: i32,
    powered: bool,
    seed: u64,
    random: u64,
    repeats_entropy: bool,
    jammed: bool,
    drives: u64,
    cut_while_driving: bool,
    indications: Vec<Indication>,
    broadcast: Option<Broadcast>,
    radio: VecDeque<RadioOutput>,
    card: Option<Vec<u8>>,
    battery: u8,
    used_without_power: u64,
}

impl fmt::Debug for SimBoard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SimBoard(…)")
    }
}

impl SimBoard {
    /// A board with blank flash, powered, whose entropy follows from `seed`.
    pub fn new(seed: u64) -> Self {
        Self::with(seed, SimFlash::default())
    }

    /// A board with this flash, powered, whose entropy follows from `seed`.
    pub fn with(seed: u64, flash: SimFlash) -> Self {
        Self(Arc::new(Mutex::new(Device {
            flash,
            uptime_ns: 0,
            drift_ppm: 0,
            powered: true,
            seed,
            random: seed,
            repeats_entropy: false,
            jammed: false,
            drives: 0,
            cut_while_driving: false,
            indications: Vec::new(),
            broadcast: None,
            radio: VecDeque::new(),
            card: None,
            battery: 100,
            used_without_power: 0,
        })))
    }

    /// Lets true time pass; the uptime counter follows it with the drift set.
    pub fn advance(&self, ms: u64) {
        let mut device = self.device();
        let per_ms = 1_000_000_i64 + i64::from(device.drift_ppm);
        device.uptime_ns += ms * per_ms.max(0).unsigned_abs();
    }

    /// Parts per million by which the uptime counter runs fast (or, negative, slow).
    pub fn set_drift_ppm(&self, ppm: i32) {
        self.device().drift_ppm = ppm;
    }

    /// Pulls the battery. The lock that ran on it is to be dropped.
    pub fn pull_battery(&self) {
        self.device().cut_power();
    }

    /// Puts the battery back: the uptime counter begins anew, and every connection is gone.
    pub fn restore_power(&self) {
        let mut device = self.device();
        device.cut_power();
        device.powered = true;
        device.uptime_ns = 0;
        device.radio.clear();
        if device.repeats_entropy {
            device.random = device.seed;
        }
    }

    /// Whether there is power.
    pub fn is_powered(&self) -> bool {
        self.device().powered
    }

    /// The flash, to look at or to have fail.
    pub fn with_flash<T>(&self, look: impl FnOnce(&mut SimFlash) -> T) -> T {
        look(&mut self.device().flash)
    }

    /// From the next reset on, the entropy source repeats itself.
    pub fn repeat_entropy_after_reset(&self) {
        self.device().repeats_entropy = true;
    }

    /// Blocks or frees the latch.
    pub fn set_jammed(&self, jammed: bool) {
        self.device().jammed = jammed;
    }

    /// Has the power go right after the motor has moved the latch, once.
    pub fn cut_while_driving(&self) {
        self.device().cut_while_driving = true;
    }

    /// How often the motor ever ran.
    pub fn drives(&self) -> u64 {
        self.device().drives
    }

    /// What the lock wrote onto the card since this was last asked.
    pub fn take_card(&self) -> Option<Vec<u8>> {
        self.device().card.take()
    }

    /// Sets the battery's charge, in percent.
    pub fn set_battery(&self, percent: u8) {
        self.device().battery = percent.min(100);
    }

    /// Everything that the lights have shown since this was last asked.
    pub fn take_indications(&self) -> Vec<Indication> {
        mem::take(&mut self.device().indications)
    }

    /// What is on the air.
    pub fn broadcast(&self) -> Option<Broadcast> {
        self.device().broadcast
    }

    /// The oldest thing that the radio did and nobody has taken yet.
    pub fn next_radio_output(&self) -> Option<RadioOutput> {
        self.device().radio.pop_front()
    }

    /// How often a port was used with no power: 0 in firmware that is right.
    pub fn used_without_power(&self) -> u64 {
        self.device().used_without_power
    }

    fn device(&self) -> MutexGuard<'_, Device> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The device, for a port that must not be used without power.
    fn powered(&self) -> MutexGuard<'_, Device> {
        let mut device = self.device();
        device.used_without_power += u64::from(!device.powered);
        device
    }
}

impl Device {
    fn cut_power(&mut self) {
        self.powered = false;
        self.broadcast = None;
    }

    fn note(&mut self, result: Result<(), FlashError>) -> Result<(), FlashError> {
        if result == Err(FlashError::PowerLost) {
            self.cut_power();
        }
        result
    }
}

impl Flash for SimBoard {
    fn read(&self, area: Area, offset: usize, into: &mut [u8]) {
        self.powered().flash.read(area, offset, into);
    }

    fn program(&mut self, area: Area, offset: usize, bytes: &[u8]) -> Result<(), FlashError> {
        let mut device = self.powered();
        if !device.powered {
            return Err(FlashError::PowerLost);
        }
        let result = device.flash.program(area, offset, bytes);
        device.note(result)
    }

    fn erase(&mut self, area: Area) -> Result<(), FlashError> {
        let mut device = self.powered();
        if !device.powered {
            return Err(FlashError::PowerLost);
        }
        let result = device.flash.erase(area);
        device.note(result)
    }
}

impl Uptime for SimBoard {
    fn uptime_ms(&self) -> u64 {
        self.device().uptime_ns / 1_000_000
    }
}

impl Entropy for SimBoard {
    fn entropy(&mut self, into: &mut [u8; 32]) {
        let mut device = self.powered();
        for chunk in into.chunks_mut(8) {
            // SplitMix64: good enough to be different each time.
            device.random = device.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut word = device.random;
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(word ^ (word >> 31)).to_be_bytes());
        }
    }
}

impl Motor for SimBoard {
    fn open_key_bin(&mut self) -> Result<(), MotorError> {
        let mut device = self.powered();
        if !device.powered {
            return Err(MotorError::PowerLost);
        }
        if device.jammed {
            return Err(MotorError::Stuck);
        }
        device.drives += 1;
        if mem::take(&mut device.cut_while_driving) {
            device.cut_power();
            return Err(MotorError::PowerLost);
        }
        Ok(())
    }
}

impl Lights for SimBoard {
    fn show(&mut self, indication: Indication) {
        let mut device = self.powered();
        if device.indications.len() >= INDICATIONS_KEPT {
            device.indications.remove(0);
        }
        device.indications.push(indication);
    }
}

impl Radio for SimBoard {
    fn advertise(&mut self, broadcast: Option<Broadcast>) {
        let mut device = self.powered();
        device.broadcast = broadcast;
        device.radio.push_back(RadioOutput::Advertise(broadcast));
    }

    fn send(&mut self, connection: Connection, frame: &[u8]) {
        self.powered().radio.push_back(RadioOutput::Frame(connection, frame.to_vec()));
    }

    fn disconnect(&mut self, connection: Connection) {
        self.powered().radio.push_back(RadioOutput::Disconnect(connection));
    }
}

impl CardSlot for SimBoard {
    fn write_card(&mut self, memory: &[u8]) {
        self.powered().card = Some(memory.to_vec());
    }
}

impl Battery for SimBoard {
    fn battery_percent(&self) -> u8 {
        self.device().battery
    }
}
