//! What the lock's tests share: one lock, its backend, phones that hold tickets for it.

#![allow(dead_code, reason = "each test file uses its own part of this")]

use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use sentri_lock::{
    Provisioning,
    sim::{Backend, Rig, SimPhone},
};
use sentri_protocol::{
    Time,
    audit::{Entry, Kind},
    card::{Card, CardSerial, PinCheck, SentriKeyId},
    codes::{
        smac::{DayKey, Slot},
        smart_pin::{
            SmartPinKey, Variant,
            window::{LocalHour, PinWindow},
        },
        stored::StoredCode,
    },
    open::{Verdict, channel::LockMessage, channel::PhoneMessage},
    settings::Settings,
    status::Status,
    time::Window,
};

/// Monday, 21 September 2026, 14:13:20 UTC.
pub const NOW: Time = Time(1_790_000_000);
pub const HOUR: u32 = 3600;
pub const DAY: u32 = 86_400;
pub const HOUR_MS: u64 = 3_600_000;
pub const DAY_MS: u64 = 86_400_000;

pub fn backend() -> Backend {
    static BACKEND: std::sync::LazyLock<Backend> = std::sync::LazyLock::new(|| Backend::new(0x5e));
    BACKEND.clone()
}

pub fn rig() -> Rig {
    rig_with(Settings::default())
}

pub fn rig_with(settings: Settings) -> Rig {
    Rig::new(&backend(), settings, NOW)
}

/// The owner of the locks of the tests, and another agent of the association.
pub const OWNER: u32 = 123_456_789;
pub const AGENT: u32 = 987_654_321;
pub const PROGRAMMING_CODE: &[u8] = b"864213";

/// A lockbox with all there is: an owner, an association, a programming code, SmartPINs.
pub fn provisioning() -> Provisioning {
    let mut settings = Settings { owner: SentriKeyId::new(OWNER), ..Settings::default() };
    settings.switches.smart_pins = true;
    let association = association().verifying_key().to_sec1_point(true);
    Provisioning {
        association: association.as_bytes().try_into().ok(),
        programming_code: StoredCode::parse(PROGRAMMING_CODE).ok(),
        ..backend().provisioning(settings, NOW)
    }
}

pub fn association() -> SigningKey {
    SigningKey::from_slice(&[7; 32]).expect("a key")
}

/// A card whose PIN is 2468, good for three days from an hour before the start of a test.
pub fn card(serial: u8, holder: u32) -> Card {
    let serial = CardSerial([serial; 8]);
    Card {
        serial,
        holder: SentriKeyId::new(holder).expect("nine digits"),
        window: window(NOW.minus(HOUR), NOW.plus(3 * DAY - HOUR)),
        pin: PinCheck::new(serial, b"2468", [3; 16]),
    }
}

pub fn image(card: &Card, signer: &SigningKey) -> Vec<u8> {
    let signature: Signature = signer.sign(&card.to_sign());
    card.signed(&signature.to_bytes().into()).to_vec()
}

/// A SmartPIN from so many hours after the start of a test, for so many hours.
pub fn smart_pin(from: i64, hours: u32, variant: u8) -> [u8; 10] {
    let start = u32::try_from(NOW.unix() / 3600 + from).expect("after 1970");
    let hour =
        |count: u32| LocalHour::new(count / 24, u8::try_from(count % 24).expect("an hour")).expect("in time");
    let window = PinWindow::hourly(hour(start), hour(start + hours)).expect("a window");
    let key = SmartPinKey::of(&backend().keys, backend().lock);
    *key.generate(window, Variant::new(variant).expect("a variant")).digits().as_ascii()
}

/// The SMAC of a slot at a time.
pub fn smac(slot: u16, at: Time) -> [u8; 9] {
    let slot = Slot::new(slot).expect("a slot");
    *DayKey::derive(&backend().keys, at.0 / DAY, slot).code(at).expect("its day").as_ascii()
}

/// From an hour before the start of a test to eight hours after it.
pub fn today() -> Window {
    window(NOW.minus(HOUR), NOW.plus(8 * HOUR))
}

pub fn window(from: Time, to: Time) -> Window {
    Window::new(from, to).expect("a window that is not empty")
}

/// A phone whose ticket is good for [`today`].
pub fn phone(credential: u64) -> SimPhone {
    phone_in(credential, today())
}

pub fn phone_in(credential: u64, window: Window) -> SimPhone {
    let backend = backend();
    backend.phone(backend.ticket(credential, window, NOW), NOW)
}

/// Presses ENT and asks to open; what the lock told the proved phone.
pub fn open(rig: &mut Rig, phone: &mut SimPhone) -> Status {
    rig.open(phone).expect("no power cut").expect("the lock proved the ticket")
}

pub fn verdict(rig: &mut Rig, phone: &mut SimPhone) -> Verdict {
    open(rig, phone).verdict
}

/// All records that the lock holds, opened as the backend does.
pub fn audit(rig: &mut Rig, phone: &mut SimPhone) -> Vec<Entry> {
    let backend = backend();
    let mut visit = rig.operate(phone, sentri_protocol::open::Operation::Service).expect("no power cut");
    let (mut from, mut all) = (0, Vec::new());
    loop {
        let ask = PhoneMessage::ReadAudit { from, at_most: 24 };
        let Some(LockMessage::Audit(bytes)) = rig.ask(&mut visit, &ask).expect("no power cut") else {
            panic!("no audit batch");
        };
        let (batch, entries, _) = backend.read_batch(&bytes).expect("an authentic batch");
        if entries.is_empty() {
            return all;
        }
        from = batch.first + u32::try_from(entries.len()).expect("a small batch");
        all.extend(entries);
    }
}

/// Kind and result of each record.
pub fn told(entries: &[Entry]) -> Vec<(Kind, u8)> {
    entries.iter().map(|entry| (entry.kind, entry.result)).collect()
}
