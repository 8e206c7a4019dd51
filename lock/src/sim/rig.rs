//! A lock on a simulated board with time, phones and a backend around it, all in one thread.

use std::{collections::HashMap, vec::Vec};

use sentri_protocol::{
    KeyTree, Seed, Time,
    advert::Advert,
    audit::{Acknowledgement, Batch, Entry},
    clock::{FreshTime, LowerBound},
    codes::{kind::Profile, smart_pin::LockId},
    frame::{Reassembler, frames},
    hours::Schedule,
    open::{
        Operation, Request,
        channel::{LockMessage, PhoneMessage},
        phone::{Answer, PhoneError},
    },
    settings::Settings,
    status::Status,
    ticket::{CredentialId, Epoch, Rights, SubjectId, Ticket},
    time::Window,
};

use super::{
    SimFlash,
    board::{RadioOutput, SimBoard},
    phone::{Heard, SimPhone},
};
use crate::{
    BootError, Halt, Key, Lock, NotHeld, Provisioning,
    journal::tables::HeldCode,
    ports::{Connection, Uptime},
};

/// What the backend holds of one lock, and signs.
#[derive(Clone, Debug)]
pub struct Backend {
    seed: Seed,
    /// Its id.
    pub lock: LockId,
    /// Its keys as the backend has them.
    pub keys: KeyTree,
}

impl Backend {
    /// The backend of a lock whose seed is made of this byte.
    pub fn new(seed: u8) -> Self {
        let lock = LockId([seed; 16]);
        let seed = Seed::new([seed; 32]);
        let keys = KeyTree::new(&seed, sentri_protocol::Generation::FIRST);
        Self { seed, lock, keys }
    }

    /// What the factory gives the lock.
    pub fn provisioning(&self, settings: Settings, time: Time) -> Provisioning {
        Provisioning {
            seed: self.seed.clone(),
            id: self.lock,
            profile: Profile::Lockbox,
            association: None,
            programming_code: None,
            settings,
            time,
        }
    }

    /// Has the keys of another generation count.
    pub fn rotate(&mut self, generation: sentri_protocol::Generation) {
        self.keys = self.keys.at(&self.seed, generation);
    }

    /// A ticket to open, any hour, issued an hour before its window or at `now`, whichever is earlier.
    pub fn ticket(&self, credential: u64, window: Window, now: Time) -> Ticket {
        let [a, b, c, d, ..] = credential.to_be_bytes();
        Ticket {
            credential: CredentialId(credential.to_be_bytes()),
            subject: SubjectId([a, b, c, d]),
            epoch: Epoch(0),
            issued_at: now.min(window.not_before().minus(3600)),
            window,
            schedule: Schedule::ALWAYS,
            rights: Rights::OPEN,
            device_key: None,
        }
    }

    /// A phone that has fetched this ticket.
    pub fn phone(&self, ticket: Ticket, now: Time) -> SimPhone {
        let secret = self.keys.ticket_secret(&ticket.encode());
        SimPhone::new(ticket, secret, self.keys.lock_public_key(), now)
    }

    /// A lower bound for a lost clock.
    pub fn lower_bound(&self, time: Time) -> LowerBound {
        LowerBound::sign(&self.keys, time)
    }

    /// The time, for one session.
    pub fn fresh_time(&self, handshake_hash: &[u8; 32], time: Time, repair: bool) -> PhoneMessage {
        PhoneMessage::FreshTime(FreshTime::sign(&self.keys, handshake_hash, time, repair))
    }

    /// Opens a batch as the backend does on upload, and acknowledges its last record.
    pub fn read_batch(&self, bytes: &[u8]) -> Option<(Batch, Vec<Entry>, Option<Acknowledgement>)> {
        let (batch, entries) = Batch::open(&self.keys, bytes).ok()?;
        let acknowledgement =
            batch.last().map(|(number, tag)| Acknowledgement::sign(&self.keys, number, tag));
        Some((batch, entries, acknowledgement))
    }
}

/// A phone's connection after M1: what came back.
#[derive(Debug)]
pub struct Visit {
    /// The connection.
    pub connection: Connection,
    /// What M2 brought; the refusal where it was none; nothing where the lock has said nothing (yet).
    pub answer: Option<Result<Answer, PhoneError>>,
}

impl Visit {
    /// What the lock told a proved ticket.
    pub fn status(&self) -> Option<Status> {
        self.answer.as_ref()?.as_ref().ok().map(|answer| answer.status)
    }
}

/// The lock, its board, and what is in the air.
#[derive(Debug)]
pub struct Rig {
    /// The board.
    pub board: SimBoard,
    lock: Option<Lock<SimBoard>>,
    started: Time,
    passed_ms: u64,
    connections: u16,
    mtus: HashMap<Connection, (u16, Reassembler)>,
    heard: Vec<(Connection, Heard)>,
}

impl Rig {
    /// A lock that has just left the factory, with a good clock.
    pub fn new(backend: &Backend, settings: Settings, time: Time) -> Self {
        Self::provisioned(backend.provisioning(settings, time))
    }

    /// A lock that has just left the factory as this says, with a good clock.
    pub fn provisioned(provisioning: Provisioning) -> Self {
        let mut rig = Self::with_flash(SimFlash::default(), provisioning.time);
        rig.lock = Lock::provision(rig.board.clone(), provisioning).ok();
        rig
    }

    /// A board with this flash, at this true time, and no lock on it yet: [`Rig::reboot`] boots one.
    pub fn with_flash(flash: SimFlash, time: Time) -> Self {
        Self {
            board: SimBoard::with(7, flash),
            lock: None,
            started: time,
            passed_ms: 0,
            connections: 0,
            mtus: HashMap::new(),
            heard: Vec::new(),
        }
    }

    /// The true time.
    pub fn time(&self) -> Time {
        self.started.plus(u32::try_from(self.passed_ms / 1000).unwrap_or(u32::MAX))
    }

    /// The lock; nothing between a power cut and [`Rig::reboot`].
    pub fn lock(&self) -> Option<&Lock<SimBoard>> {
        self.lock.as_ref()
    }

    /// Lets true time pass, with the lock doing what is due when it is due.
    pub fn pass(&mut self, ms: u64) -> Result<(), Halt> {
        let end = self.passed_ms + ms;
        while self.passed_ms < end {
            let due = self.lock.as_ref().map_or(u64::MAX, Lock::next_deadline);
            let step = due.saturating_sub(self.board.uptime_ms()).max(1).min(end - self.passed_ms);
            self.board.advance(step);
            self.passed_ms += step;
            self.drive(Lock::tick)?;
        }
        Ok(())
    }

    /// Pulls the battery, if it is in, and puts it back.
    pub fn reboot(&mut self) -> Result<(), BootError> {
        self.lock = None;
        self.mtus.clear();
        self.heard.clear();
        self.board.restore_power();
        self.lock = Some(Lock::boot(self.board.clone())?);
        Ok(())
    }

    /// Presses ENT; what is then on the air.
    pub fn press_enter(&mut self) -> Result<Option<Advert>, Halt> {
        self.drive(|lock| lock.press(Key::Enter))?;
        Ok(self.board.broadcast().and_then(|broadcast| Advert::decode(&broadcast.advert).ok()))
    }

    /// Types a code, then ENT.
    pub fn type_code(&mut self, digits: &[u8]) -> Result<(), Halt> {
        digits.iter().try_for_each(|digit| self.type_digit(*digit))?;
        self.drive(|lock| lock.press(Key::Enter))
    }

    /// Presses the key with this character on it.
    pub fn type_digit(&mut self, digit: u8) -> Result<(), Halt> {
        Key::from_char(char::from(digit)).map_or(Ok(()), |key| self.drive(|lock| lock.press(key)))
    }

    /// Presses any key.
    pub fn press(&mut self, key: Key) -> Result<(), Halt> {
        self.drive(|lock| lock.press(key))
    }

    /// Puts a card in.
    pub fn insert_card(&mut self, image: &[u8]) -> Result<(), Halt> {
        self.drive(|lock| lock.insert_card(image))
    }

    /// Takes the card out.
    pub fn remove_card(&mut self) -> Result<(), Halt> {
        self.drive(|lock| {
            lock.remove_card();
            Ok(())
        })
    }

    /// Has the lock keep a code in its table.
    pub fn hold_code(&mut self, code: HeldCode) -> Result<Result<(), NotHeld>, Halt> {
        let mut held = Ok(());
        self.drive(|lock| {
            held = lock.hold_code(code)?;
            Ok(())
        })?;
        Ok(held)
    }

    /// Connects a phone.
    pub fn connect(&mut self, mtu: u16) -> Result<Connection, Halt> {
        self.connections += 1;
        let connection = Connection(self.connections);
        self.mtus.insert(connection, (mtu, Reassembler::new()));
        self.drive(|lock| lock.connected(connection, mtu))?;
        Ok(connection)
    }

    /// The phone goes away.
    pub fn disconnect(&mut self, connection: Connection) -> Result<(), Halt> {
        self.mtus.remove(&connection);
        self.drive(|lock| lock.disconnected(connection))
    }

    /// Writes one frame, as it is.
    pub fn write_frame(&mut self, connection: Connection, frame: &[u8]) -> Result<(), Halt> {
        self.drive(|lock| lock.received(connection, frame))
    }

    /// Writes a message in frames.
    pub fn write(&mut self, connection: Connection, message: &[u8]) -> Result<(), Halt> {
        let mtu = self.mtus.get(&connection).map_or(23, |(mtu, _)| *mtu);
        frames(message, mtu).try_for_each(|frame| self.write_frame(connection, &frame))
    }

    /// What has been heard on this connection and not yet taken.
    pub fn heard(&mut self, connection: Connection) -> Vec<Heard> {
        let (ours, others) = self.heard.drain(..).partition(|(on, _)| *on == connection);
        self.heard = others;
        let ours: Vec<(Connection, Heard)> = ours;
        ours.into_iter().map(|(_, heard)| heard).collect()
    }

    /// Connects, sends M1, reads what comes back at once.
    pub fn visit(&mut self, phone: &mut SimPhone, advert: &Advert, request: Request) -> Result<Visit, Halt> {
        let connection = self.connect(247)?;
        let (waiting, m1) = match phone.m1(advert, request) {
            Ok(made) => made,
            Err(error) => return Ok(Visit { connection, answer: Some(Err(error)) }),
        };
        self.write(connection, &m1)?;
        let answer = self.heard(connection).into_iter().find_map(|heard| match heard {
            Heard::Message(m2) => Some(m2),
            Heard::HungUp => None,
        });
        Ok(Visit { connection, answer: answer.map(|m2| waiting.read(&m2)) })
    }

    /// Presses ENT and asks the lock to open; the status, where it told one.
    pub fn open(&mut self, phone: &mut SimPhone) -> Result<Option<Status>, Halt> {
        self.operate(phone, Operation::OpenKeyBin).map(|visit| visit.status())
    }

    /// Presses ENT and asks for an operation.
    pub fn operate(&mut self, phone: &mut SimPhone, operation: Operation) -> Result<Visit, Halt> {
        let Some(advert) = self.press_enter()? else { return Err(Halt) };
        let request = phone.request(operation);
        self.visit(phone, &advert, request)
    }

    /// Asks something in the channel of a visit; the answer, unless the lock hung up.
    pub fn ask(&mut self, visit: &mut Visit, message: &PhoneMessage) -> Result<Option<LockMessage>, Halt> {
        let Some(Ok(answer)) = &mut visit.answer else { return Ok(None) };
        let Ok(sealed) = answer.channel.seal(message) else { return Ok(None) };
        self.write(visit.connection, &sealed)?;
        let heard = self.heard(visit.connection).into_iter().find_map(|heard| match heard {
            Heard::Message(sealed) => Some(sealed),
            Heard::HungUp => None,
        });
        Ok(heard.and_then(|sealed| answer.channel.open(&sealed).ok()))
    }

    /// Gives the lock an input, then takes what its radio did.
    fn drive(&mut self, input: impl FnOnce(&mut Lock<SimBoard>) -> Result<(), Halt>) -> Result<(), Halt> {
        let Some(lock) = &mut self.lock else { return Err(Halt) };
        let result = input(lock);
        while let Some(output) = self.board.next_radio_output() {
            self.hear(output);
        }
        if result.is_err() || !self.board.is_powered() {
            self.lock = None;
            return Err(Halt);
        }
        Ok(())
    }

    fn hear(&mut self, output: RadioOutput) {
        match output {
            RadioOutput::Advertise(_) => {}
            RadioOutput::Frame(connection, frame) => {
                let Some((_, reassembler)) = self.mtus.get_mut(&connection) else { return };
                if let Ok(Some(message)) = reassembler.push(&frame) {
                    self.heard.push((connection, Heard::Message(message)));
                }
            }
            RadioOutput::Disconnect(connection) => {
                self.mtus.remove(&connection);
                self.heard.push((connection, Heard::HungUp));
            }
        }
    }
}
