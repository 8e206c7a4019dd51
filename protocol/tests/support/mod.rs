//! One lock's world, fixed: what the tests and the vectors of this crate are made from.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "each test file uses its own part")]

pub mod described;
pub mod splitmix;
pub mod vectors;
pub mod zones;

use sentri_protocol::{
    Generation, KeyTree, Seed, Time,
    advert::{Advert, AdvertFlags, Wake},
    hours::{Schedule, Span},
    open::{
        Operation, OperationId, PhoneClock, Request, Verdict,
        lock::{self, Answered, NotProved},
        phone::{self, Waiting},
    },
    status::{ClockQuality, Status, StatusFlags},
    ticket::{Caveat, CredentialId, DeviceKey, Epoch, Rights, SubjectId, Ticket, TicketSecret},
    time::Window,
};

/// 2026-11-21 12:00:00 UTC, a Saturday.
pub const NOW: Time = Time(1_795_262_400);
pub const PHONE_EPHEMERAL: [u8; 32] = [0x11; 32];
pub const LOCK_EPHEMERAL: [u8; 32] = [0x22; 32];

pub fn seed() -> Seed {
    Seed::new(core::array::from_fn(|index| u8::try_from(index).unwrap()))
}

pub fn keys() -> KeyTree {
    KeyTree::new(&seed(), Generation::FIRST)
}

pub fn advert(keys: &KeyTree) -> Advert {
    let wake = Wake { boot: 7, press: 3 };
    Advert::new(keys, wake, AdvertFlags::default(), NOW, &[0x5a; 16])
}

pub fn ticket(device_key: Option<DeviceKey>) -> Ticket {
    Ticket {
        credential: CredentialId(*b"cred-001"),
        subject: SubjectId(*b"dana"),
        epoch: Epoch(4),
        issued_at: NOW.minus(3600),
        window: Window::new(NOW.minus(1800), NOW.plus(1800)).unwrap(),
        schedule: Schedule::new(0b0111_1111, Span::new(28, 88).unwrap()).unwrap(),
        rights: Rights::OPEN,
        device_key,
    }
}

pub fn request(ticket: Ticket) -> Request {
    Request {
        ticket,
        operation: Operation::OpenKeyBin,
        operation_id: OperationId(*b"oper-001"),
        clock: PhoneClock { time: NOW.plus(2), uncertainty: 1 },
        caveats: Vec::new(),
        lower_bound: None,
    }
}

pub fn caveat(worker: [u8; 3]) -> Caveat {
    Caveat { kind: Caveat::WORKER, not_before: NOW.minus(60), not_after: NOW.plus(60), worker }
}

pub fn status() -> Status {
    Status {
        verdict: Verdict::Opened,
        operation_id: OperationId(*b"oper-001"),
        clock: NOW,
        quality: ClockQuality::Good { days: 2 },
        epoch: Epoch(4),
        revocation_version: 9,
        settings_version: 5,
        log_head: 77,
        unacknowledged: 12,
        battery: 81,
        firmware: 0x0102,
        retry_after: 0,
        flags: StatusFlags { motor_driven: true, ..StatusFlags::default() },
    }
}

/// The ticket's secret as the backend hands it out.
pub fn secret(keys: &KeyTree, request: &Request) -> TicketSecret {
    keys.ticket_secret(&request.ticket.encode())
}

/// M1 of a phone whose ticket needs no device's signature.
pub fn m1(keys: &KeyTree, advert: &Advert, request: Request) -> (Waiting, Vec<u8>) {
    let secret = secret(keys, &request);
    phone::begin(advert, &keys.lock_public_key(), &secret, request, &PHONE_EPHEMERAL)
        .unwrap()
        .seal(None)
        .unwrap()
}

/// The lock's answer to M1.
pub fn answer(keys: &KeyTree, advert: &Advert, m1: &[u8]) -> Result<Answered, NotProved> {
    lock::read_m1(keys, advert, m1, &LOCK_EPHEMERAL)?.answer(keys, &status())
}
