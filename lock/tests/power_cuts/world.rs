//! A lock in a scenario, and the phones, people and hours that happen to it.

use sentri_lock::{
    BootError, Halt, Key,
    sim::{Rig, SimFlash, SimPhone, Visit},
};
use sentri_protocol::{
    Time,
    advert::Advert,
    audit::Acknowledgement,
    clock::LowerBound,
    codes::{
        delivery::{Delivery, Holder, Order},
        derived::{contractor, one_day},
        smart_pin::SmartPin,
        stored::StoredCode,
        validity::Validity,
    },
    open::{
        Operation, Request,
        channel::{LockMessage, PhoneMessage},
    },
    revocation::{Entry as RevokedEntry, RevocationList, Revoked},
    settings::{Settings, Switches},
    ticket::{CredentialId, Epoch},
    zone::Zone,
};

use crate::support::{self, DAY, HOUR, HOUR_MS, NOW, backend, window};

/// One thing that happens to a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Power comes back.
    Boot,
    /// A phone brings the time.
    BringTime,
    /// A phone brings a time below the floor, with the right to.
    Repair,
    /// A phone brings a lower bound so many hours ahead.
    LowerBound(u32),
    /// A good ticket opens.
    Open(u64),
    /// The last M1 is asked again after a lost M2.
    Retry,
    /// A ticket that is too early is refused.
    Refused(u64),
    /// A ticket of this epoch opens.
    OpenInEpoch(u16),
    /// A wrong contractor code.
    WrongCode,
    /// A right contractor code.
    ContractorCode,
    /// The one day code with this index.
    OneDayCode(u8),
    /// A wrong stored code.
    WrongStored,
    /// A wrong code as long as the programming code.
    WrongProgramming,
    /// A phone brings codes up to this version: another guest's code, and a block.
    Deliver(u32),
    /// A SMAC of this slot.
    Smac(u16),
    /// A SmartPIN of this variant.
    SmartPin(u8),
    /// A SmartPIN of this variant, then a short PIN.
    Pick(u8, [u8; 4]),
    /// A code in the table.
    Stored([u8; 4]),
    /// Programming code, 128, the SmartPIN of this variant.
    Block(u8),
    /// The owner's card, PIN, FUNC 6 1 or FUNC 6 0.
    ContractorMode(bool),
    /// A card with a wrong PIN.
    WrongCardPin,
    /// A card, PIN, ENT.
    Card,
    /// So many hours pass.
    Hours(u64),
    /// A list of 64 revocations with this version.
    Revocations(u32),
    /// Settings with this version.
    Settings(u32),
    /// A phone reads all records, and brings the backend's acknowledgement.
    BackUp,
}

/// A lock in a scenario, and all that the world did to it.
pub struct World {
    pub rig: Rig,
    /// Every M1 that was ever on the air.
    pub sent: Vec<Vec<u8>>,
    last: Option<(SimPhone, Advert, Request)>,
    /// Records up to this one were acknowledged by the backend.
    pub acknowledged: u32,
}

impl World {
    pub fn new(flash: SimFlash) -> Self {
        Self { rig: Rig::with_flash(flash, NOW), sent: Vec::new(), last: None, acknowledged: 0 }
    }

    pub fn run(&mut self, step: Step) -> Result<(), Halt> {
        match step {
            Step::Boot => match self.rig.reboot() {
                Ok(()) => Ok(()),
                Err(BootError::Halt(halt)) => Err(halt),
                Err(error) => panic!("does not boot: {error}"),
            },
            Step::BringTime => self.bring_time(self.rig.time(), false),
            Step::Repair => self.bring_time(self.rig.time().minus(HOUR), true),
            Step::LowerBound(hours) => {
                let bound = backend().lower_bound(self.rig.time().plus(hours * HOUR));
                self.ask(long_lived(80), Operation::Service, Some(bound)).map(drop)
            }
            Step::Open(credential) => self.ask(long_lived(credential), Operation::OpenKeyBin, None).map(drop),
            Step::Retry => self.retry(),
            Step::Refused(credential) => {
                let early = window(NOW.plus(900 * DAY), NOW.plus(901 * DAY));
                self.ask(support::phone_in(credential, early), Operation::OpenKeyBin, None).map(drop)
            }
            Step::OpenInEpoch(epoch) => {
                let mut ticket = long_lived(60).ticket;
                ticket.epoch = Epoch(epoch);
                self.ask(backend().phone(ticket, NOW), Operation::OpenKeyBin, None).map(drop)
            }
            Step::WrongCode => self.rig.type_code(&wrong_code()),
            Step::ContractorCode => self.rig.type_code(contractor(&backend().keys, 1, 1).as_ascii()),
            Step::OneDayCode(index) => {
                self.rig.type_code(one_day(&backend().keys, today(), index).as_ascii())
            }
            Step::WrongStored => self.rig.type_code(b"7361"),
            Step::WrongProgramming => self.rig.type_code(b"736154"),
            Step::Deliver(version) => self.hand_over(&PhoneMessage::Codes(delivery(version))),
            Step::Smac(slot) => {
                let smac = support::smac(slot, self.rig.time());
                self.rig.type_code(&smac)
            }
            Step::SmartPin(variant) => self.rig.type_code(&support::smart_pin(-1, 700, variant)),
            Step::Pick(variant, code) => {
                self.rig.type_code(&support::smart_pin(-1, 700, variant))?;
                self.rig.type_code(&code)
            }
            Step::Stored(code) => self.rig.type_code(&code),
            Step::Block(variant) => {
                self.rig.type_code(support::PROGRAMMING_CODE)?;
                self.rig.type_code(b"128")?;
                self.rig.type_code(&support::smart_pin(-1, 700, variant))
            }
            Step::ContractorMode(on) => {
                self.card(b"2468")?;
                self.rig.press(Key::Func)?;
                self.rig.type_code(if on { b"61" } else { b"60" })?;
                self.rig.remove_card()
            }
            Step::WrongCardPin => {
                self.card(b"2469")?;
                self.rig.remove_card()
            }
            Step::Card => {
                self.card(b"2468")?;
                self.rig.press(Key::Enter)?;
                self.rig.remove_card()
            }
            Step::Hours(hours) => self.rig.pass(hours * HOUR_MS),
            Step::Revocations(version) => self.hand_over(&PhoneMessage::Revocations(revocations(version))),
            Step::Settings(version) => {
                let settings = Settings { version, ..contractor_mode() };
                self.hand_over(&PhoneMessage::Settings(settings.sign(&backend().keys)))
            }
            Step::BackUp => self.back_up(),
        }
    }

    fn card(&mut self, pin: &[u8]) -> Result<(), Halt> {
        let image = support::image(&support::card(1, support::OWNER), &support::association());
        self.rig.insert_card(&image)?;
        self.rig.type_code(pin)
    }

    pub fn ask(
        &mut self,
        mut phone: SimPhone,
        operation: Operation,
        lower_bound: Option<LowerBound>,
    ) -> Result<Visit, Halt> {
        let advert = self.rig.press_enter()?.expect("an advert");
        let mut request = phone.request(operation);
        request.lower_bound = lower_bound;
        self.last = Some((phone.clone(), advert, request.clone()));
        let mut copy = phone.clone();
        let (_, m1) = copy.m1(&advert, request.clone()).expect("M1");
        self.sent.push(m1);
        self.rig.visit(&mut phone, &advert, request)
    }

    pub fn retry(&mut self) -> Result<(), Halt> {
        let Some((mut phone, advert, request)) = self.last.clone() else { panic!("nothing to retry") };
        self.rig.visit(&mut phone, &advert, request).map(drop)
    }

    pub fn bring_time(&mut self, time: Time, repair: bool) -> Result<(), Halt> {
        let mut visit = self.ask(long_lived(81), Operation::Service, None)?;
        let hash = *visit
            .answer
            .as_ref()
            .expect("an answer")
            .as_ref()
            .expect("a proved ticket")
            .channel
            .handshake_hash();
        self.rig.ask(&mut visit, &backend().fresh_time(&hash, time, repair)).map(drop)
    }

    pub fn hand_over(&mut self, message: &PhoneMessage) -> Result<(), Halt> {
        let mut visit = self.ask(long_lived(82), Operation::Service, None)?;
        self.rig.ask(&mut visit, message).map(drop)
    }

    pub fn back_up(&mut self) -> Result<(), Halt> {
        let mut visit = self.ask(long_lived(83), Operation::Service, None)?;
        let mut from = 0;
        let mut last: Option<Acknowledgement> = None;
        loop {
            let ask = PhoneMessage::ReadAudit { from, at_most: 24 };
            let Some(LockMessage::Audit(bytes)) = self.rig.ask(&mut visit, &ask)? else { panic!("no batch") };
            let (batch, entries, acknowledgement) = backend().read_batch(&bytes).expect("an authentic batch");
            if entries.is_empty() {
                break;
            }
            from = batch.first + u32::try_from(entries.len()).expect("a small batch");
            last = acknowledgement;
        }
        let Some(acknowledgement) = last else { return Ok(()) };
        self.acknowledged = acknowledgement.up_to;
        self.rig.ask(&mut visit, &PhoneMessage::Acknowledge(acknowledgement)).map(drop)
    }
}

pub fn long_lived(credential: u64) -> SimPhone {
    support::phone_in(credential, window(NOW.minus(DAY), NOW.plus(800 * DAY)))
}

pub fn today() -> u32 {
    Zone::UTC.local(NOW).day
}

pub fn wrong_code() -> [u8; 7] {
    let mut digits = *contractor(&backend().keys, 1, 1).as_ascii();
    digits[6] = if digits[6] == b'9' { b'0' } else { digits[6] + 1 };
    digits
}

pub fn contractor_mode() -> Settings {
    let settings = support::provisioning().settings;
    let switches = Switches { contractor_mode: true, ..settings.switches };
    Settings { switches, ..settings }
}

/// Each version has another code for the guest in place 2, and blocks another variant.
pub fn delivery(version: u32) -> Vec<u8> {
    let digits = format!("{}", 40_710 + version);
    let code = StoredCode::parse(digits.as_bytes()).expect("digits");
    let put = Order::Put { place: 2, holder: Holder::Guest, code, validity: Validity::Permanent };
    let variant = u8::try_from(version % 3).expect("a variant");
    let pin = SmartPin::parse(&support::smart_pin(-1, 700, variant)).expect("ten digits");
    let delivery = Delivery::new(0, version, vec![put, Order::Block(pin)]);
    delivery.expect("a delivery").seal(&backend().keys)
}

pub fn revocations(version: u32) -> Vec<u8> {
    let entry = |id: u64| RevokedEntry {
        what: Revoked::Credential(CredentialId((1_000_000 + u64::from(version) * 100 + id).to_be_bytes())),
        until: NOW.plus(1000 * DAY),
    };
    let list = RevocationList::new(version, Epoch(0), (0..64).map(entry).collect());
    list.expect("64 entries").sign(&backend().keys)
}
