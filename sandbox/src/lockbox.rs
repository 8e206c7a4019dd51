//! A virtual lockbox: the real lock logic on a simulated board, at the sandbox's radio and clock.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
    time::Duration,
};

use sentri_lock::{
    BootError, Capabilities, Counters, Halt, Key, Lock, ProvisionError, Provisioning,
    ports::{Connection, Indication},
    sim::{RadioOutput, SimBoard},
};
use sentri_protocol::{KeyTree, audit::Entry};
use sentri_wire::{Timestamp, agent::LockboxGeneration};

use crate::{
    clock::{Clock, Pull, Timer},
    radio::{Air, LockPlace, Peripheral},
};

/// How many of the last indications are kept for looking at.
const LIGHTS_KEPT: usize = 64;

/// A lockbox on its hook. Use it from any thread.
pub struct Lockbox {
    serial: String,
    generation: LockboxGeneration,
    clock: Clock,
    air: Air,
    place: OnceLock<LockPlace>,
    board: SimBoard,
    has_card_slot: bool,
    works: Mutex<Works>,
    me: Weak<Self>,
}

struct Works {
    /// Absent while the battery is out.
    lock: Option<Lock<SimBoard>>,
    /// Up to when the board has lived.
    lived: Duration,
    lights: Vec<Light>,
    tick: Option<Timer>,
    /// Where the flash is kept between runs of the sandbox, and after how many operations it was written.
    kept: Option<(PathBuf, u64)>,
    trouble: Option<String>,
}

/// What the lights showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Light {
    /// When, by the sandbox's clock.
    pub at: Timestamp,
    /// What.
    pub shown: Indication,
}

/// What a lockbox tells to those who run the sandbox; no person at the box sees this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Insight {
    /// Counted by the lock since its battery went in.
    pub counters: Counters,
    /// How often the motor ever ran: counted at the motor, not by the lock.
    pub motor_drives: u64,
    /// The lock's own clock; absent while the battery is out.
    pub clock: Option<Timestamp>,
    /// Whether that clock is lost.
    pub clock_lost: bool,
    /// Version of the revocation list that the lock has.
    pub revocation_version: u32,
    /// Version of the settings that the lock has.
    pub settings_version: u32,
    /// Whether it is on the air.
    pub advertising: bool,
    /// Why its flash could not be kept in the data folder, where it could not.
    pub trouble: Option<String>,
}

impl Lockbox {
    /// A lockbox fresh from the factory.
    pub fn provisioned(
        serial: &str,
        generation: LockboxGeneration,
        board: SimBoard,
        provisioning: Provisioning,
        (clock, air): (&Clock, &Air),
    ) -> Result<Arc<Self>, ProvisionError> {
        let lock = Lock::provision(board.clone(), provisioning)?;
        Ok(Self::on_hook(serial, generation, board, lock, (clock, air)))
    }

    /// A lockbox that was provisioned in its former life: its flash knows. Its clock is lost.
    pub fn booted(
        serial: &str,
        generation: LockboxGeneration,
        board: SimBoard,
        (clock, air): (&Clock, &Air),
    ) -> Result<Arc<Self>, BootError> {
        let lock = Lock::boot(board.clone())?;
        Ok(Self::on_hook(serial, generation, board, lock, (clock, air)))
    }

    fn on_hook(
        serial: &str,
        generation: LockboxGeneration,
        board: SimBoard,
        lock: Lock<SimBoard>,
        (clock, air): (&Clock, &Air),
    ) -> Arc<Self> {
        let has_card_slot = Capabilities::of(lock.state().profile).card_slot;
        let works = Works {
            lock: Some(lock),
            lived: clock.elapsed(),
            lights: Vec::new(),
            tick: None,
            kept: None,
            trouble: None,
        };
        let lockbox = Arc::new_cyclic(|me: &Weak<Self>| Self {
            serial: serial.to_owned(),
            generation,
            clock: clock.clone(),
            air: air.clone(),
            place: OnceLock::new(),
            board,
            has_card_slot,
            works: works.into(),
            me: me.clone(),
        });
        if generation == LockboxGeneration::Ble {
            let weak: Weak<dyn Peripheral> = lockbox.me.clone();
            lockbox.place.get_or_init(|| air.add_lock(weak));
        }
        lockbox.drive(|_| Ok(()));
        lockbox
    }

    /// What is printed on the box.
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// What it can talk.
    pub fn generation(&self) -> LockboxGeneration {
        self.generation
    }

    /// Whether a card fits into it somewhere.
    pub fn has_card_slot(&self) -> bool {
        self.has_card_slot
    }

    /// Somebody presses a key. Nothing happens while the battery is out.
    pub fn press(&self, key: Key) {
        self.drive(|lock| lock.press(key));
    }

    /// Somebody presses ENT, which wakes the box.
    pub fn press_ent(&self) {
        self.press(Key::Enter);
    }

    /// Somebody presses one key after another: digits, `E` for ENT, `F` for FUNC, `C` for CLR; no key has anything else on it.
    pub fn press_all(&self, keys: &str) {
        keys.chars().filter_map(Key::from_char).for_each(|key| self.press(key));
    }

    /// Somebody types a code and presses ENT. How often the motor ran.
    pub fn type_code(&self, code: &str) -> u64 {
        let before = self.motor_drives();
        self.press_all(code);
        self.press_ent();
        self.motor_drives() - before
    }

    /// Somebody puts a card in. What is on it then.
    pub fn insert_card(&self, memory: &[u8]) -> Vec<u8> {
        self.drive(|lock| lock.insert_card(memory));
        self.board.take_card().unwrap_or_else(|| memory.to_vec())
    }

    /// The card is taken out.
    pub fn remove_card(&self) {
        self.drive(|lock| {
            lock.remove_card();
            Ok(())
        });
    }

    /// Pulls the battery: everything that is not in flash is gone, and every link.
    pub fn pull_battery(&self) {
        let mut works = self.works();
        self.catch_up(&mut works);
        self.board.pull_battery();
        works.lock = None;
        works.tick = None;
        if let Some(place) = self.place.get() {
            self.air.lose_lock(*place);
        }
    }

    /// Puts a battery in: the lock boots from its flash. Does nothing where one is in.
    pub fn insert_battery(&self) -> Result<(), BootError> {
        let mut works = self.works();
        if works.lock.is_some() {
            return Ok(());
        }
        works.lived = self.clock.elapsed();
        self.board.restore_power();
        works.lock = Some(Lock::boot(self.board.clone())?);
        drop(works);
        self.drive(|_| Ok(()));
        Ok(())
    }

    /// Lets the lock's own clock run ahead of all others.
    pub fn run_ahead(&self, time: Duration) {
        self.board.advance(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        self.drive(Lock::tick);
    }

    /// The board, to have something fail.
    pub fn board(&self) -> &SimBoard {
        &self.board
    }

    /// What is known of it inside of the sandbox.
    pub fn insight(&self) -> Insight {
        let mut works = self.works();
        self.catch_up(&mut works);
        let lock = works.lock.as_ref();
        Insight {
            counters: lock.map(Lock::counters).unwrap_or_default(),
            motor_drives: self.board.drives(),
            clock: lock.map(|lock| lock.now().time.unix()),
            clock_lost: lock.is_none_or(|lock| lock.now().is_lost()),
            revocation_version: lock.map_or(0, |lock| lock.state().revocations.version),
            settings_version: lock.map_or(0, |lock| lock.state().settings.version),
            advertising: self.board.broadcast().is_some(),
            trouble: works.trouble.clone(),
        }
    }

    /// What the lock has written down and not been told is safe, oldest first, each with its number. Nothing while the
    /// battery is out.
    pub fn records(&self) -> Vec<(u32, Entry)> {
        let works = self.works();
        let Some(state) = works.lock.as_ref().map(Lock::state) else { return Vec::new() };
        let keys = KeyTree::new(&state.seed, state.settings.generation);
        let start = state.audit.start();
        let mut previous = start.previous;
        let opened = (start.first..).zip(state.audit.records()).filter_map(|(number, record)| {
            let entry = record.open(&keys, number, &previous);
            previous = record.tag();
            Some((number, entry?))
        });
        opened.collect()
    }

    /// Keeps the flash in this file from now on, so that the box outlives the sandbox.
    pub fn keep_in(&self, file: &Path) {
        self.works().kept = Some((file.to_owned(), 0));
        self.drive(|_| Ok(()));
    }

    /// How often the motor ever ran.
    pub fn motor_drives(&self) -> u64 {
        self.board.drives()
    }

    /// What the lights showed lately, oldest first.
    pub fn lights(&self) -> Vec<Light> {
        self.works().lights.clone()
    }

    /// Has the lock do something at the present moment, then carries out what its radio and lights did.
    fn drive(&self, input: impl FnOnce(&mut Lock<SimBoard>) -> Result<(), Halt>) {
        let mut works = self.works();
        self.catch_up(&mut works);
        let Some(lock) = &mut works.lock else { return };
        if input(lock).is_err() {
            // The simulated power went by a fault that was asked for.
            works.lock = None;
        }
        self.carry_out(&mut works);
        works.tick = self.next_tick(&works);
        self.keep(&mut works);
    }

    /// Writes the flash to its file where it has changed: to a new file first, so that a kill leaves a whole one.
    fn keep(&self, works: &mut Works) {
        let Some((file, written)) = &mut works.kept else { return };
        let (operations, image) = self.board.with_flash(|flash| (flash.operations(), flash.image()));
        if operations == *written {
            return;
        }
        let new = file.with_extension("new");
        match fs::write(&new, image).and_then(|()| fs::rename(&new, &*file)) {
            Ok(()) => {
                *written = operations;
                works.trouble = None;
            }
            Err(error) => works.trouble = Some(format!("{} can't be written: {error}", file.display())),
        }
    }

    fn catch_up(&self, works: &mut Works) {
        let passed = self.clock.elapsed().saturating_sub(works.lived);
        // Whole milliseconds only; the rest is lived next time.
        let whole = Duration::from_millis(u64::try_from(passed.as_millis()).unwrap_or(u64::MAX));
        works.lived += whole;
        if works.lock.is_some() {
            self.board.advance(u64::try_from(whole.as_millis()).unwrap_or(u64::MAX));
        }
    }

    fn carry_out(&self, works: &mut Works) {
        while let Some(output) = self.board.next_radio_output() {
            // A box without Bluetooth has no radio that could do it.
            let Some(place) = self.place.get() else { continue };
            match output {
                RadioOutput::Advertise(broadcast) => self.air.advertise(*place, broadcast),
                RadioOutput::Frame(connection, frame) => self.air.notify(*place, connection, &frame),
                RadioOutput::Disconnect(connection) => self.air.drop_link(*place, connection),
            }
        }
        if let (None, Some(place)) = (&works.lock, self.place.get()) {
            self.air.lose_lock(*place);
        }
        let at = self.clock.now();
        works.lights.extend(self.board.take_indications().into_iter().map(|shown| Light { at, shown }));
        let surplus = works.lights.len().saturating_sub(LIGHTS_KEPT);
        works.lights.drain(..surplus);
    }

    fn next_tick(&self, works: &Works) -> Option<Timer> {
        let lock = works.lock.as_ref()?;
        let due_ms = lock.next_deadline().saturating_sub(sentri_lock::ports::Uptime::uptime_ms(&self.board));
        let me = self.me.clone();
        // Nobody waits for a lock's own work: a phone that waits has deadlines of its own.
        Some(self.clock.after(Duration::from_millis(due_ms.max(1)), Pull::No, move || {
            if let Some(lockbox) = me.upgrade() {
                lockbox.drive(Lock::tick);
            }
        }))
    }

    fn works(&self) -> MutexGuard<'_, Works> {
        self.works.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Peripheral for Lockbox {
    fn connected(&self, connection: Connection, mtu: u16) {
        self.drive(|lock| lock.connected(connection, mtu));
    }

    fn received(&self, connection: Connection, value: &[u8]) {
        self.drive(|lock| lock.received(connection, value));
    }

    fn disconnected(&self, connection: Connection) {
        self.drive(|lock| lock.disconnected(connection));
    }
}
