//! What the lock's tests share: one lock, its backend, phones that hold tickets for it.

#![allow(dead_code, reason = "each test file uses its own part of this")]

use sentri_lock::sim::{Backend, Rig, SimPhone};
use sentri_protocol::{
    Time,
    audit::{Entry, Kind},
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
