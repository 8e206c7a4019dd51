//! The bench of an open: what the lock computes from M1 to M2, and what it allocates.
//!
//! Under callgrind `cargo xtask bench lock` counts what [`lock_takes_m1_and_answers_m2`] costs and what of that is
//! X25519. Run by itself, it tells the heap that a lock holds after start-up and at most during an open.
#![allow(clippy::expect_used, reason = "a bench that can't go on ends by it")]

use peak_alloc::PeakAlloc;
use sentri_lock::{
    Halt, Key, Lock,
    ports::Connection,
    sim::{Backend, RadioOutput, SimBoard},
};
use sentri_protocol::{
    Time,
    advert::Advert,
    frame::{Reassembler, frames},
    open::{Operation, Verdict, phone::Waiting},
    settings::Settings,
    time::Window,
};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

const NOW: Time = Time(1_790_000_000);
const MTU: u16 = 247;
const PHONE: Connection = Connection(1);

/// From the first frame of M1 to the last of M2: proof, judgement, journal, motor, answer.
#[inline(never)]
fn lock_takes_m1_and_answers_m2(lock: &mut Lock<SimBoard>, m1: &[Vec<u8>]) -> Result<(), Halt> {
    m1.iter().try_for_each(|frame| lock.received(PHONE, frame))
}

fn main() {
    let report = measure();
    println!("{report}");
}

fn measure() -> serde_json::Value {
    let backend = Backend::new(0x5e);
    let after_start = heap_after_start(&backend);

    let board = SimBoard::new(8);
    // As it leaves the factory, with a good clock.
    let mut lock = Lock::provision(board.clone(), backend.provisioning(Settings::default(), NOW))
        .expect("a blank board");
    let (waiting, m1) = wake_and_make_m1(&mut lock, &board, &backend);
    lock.connected(PHONE, MTU).expect("power");
    let at_rest = HEAP.current_usage();
    HEAP.reset_peak_usage();
    lock_takes_m1_and_answers_m2(&mut lock, &m1).expect("power");
    let during_open = HEAP.peak_usage() - at_rest;

    let m2 = first_message(&board).expect("M2");
    let status = waiting.read(&m2).expect("the lock's answer").status;
    serde_json::json!({
        "title": "Lock, from M1 to M2",
        "columns": ["what", "bytes of heap"],
        "rows": [
            ["held after start-up, room for 256 audit records included", after_start],
            ["taken at most during an open", during_open],
        ],
        "notes": [
            format!("Heap held after start-up: {after_start} bytes, of which 8192 are room for 256 audit records."),
            format!("An open takes at most {during_open} bytes more, what the simulated radio keeps included."),
        ],
        "passed": status.verdict == Verdict::Opened && lock.counters().opens == 1,
    })
}

/// Bytes that a lock holds once it has booted, its board not counted.
fn heap_after_start(backend: &Backend) -> usize {
    let board = SimBoard::new(7);
    let provisioned = Lock::provision(board.clone(), backend.provisioning(Settings::default(), NOW));
    drop(provisioned.expect("a blank board"));
    board.restore_power();
    let before = HEAP.current_usage();
    let lock = Lock::boot(board).expect("a provisioned board");
    let held = HEAP.current_usage() - before;
    drop(lock);
    held
}

fn wake_and_make_m1(
    lock: &mut Lock<SimBoard>,
    board: &SimBoard,
    backend: &Backend,
) -> (Waiting, Vec<Vec<u8>>) {
    lock.press(Key::Enter).expect("power");
    let advert = Advert::decode(&board.broadcast().expect("on the air").advert).expect("an advert");
    let window = Window::new(NOW.minus(3600), NOW.plus(3600)).expect("a window");
    let mut phone = backend.phone(backend.ticket(1, window, NOW), NOW);
    let request = phone.request(Operation::OpenKeyBin);
    let (waiting, m1) = phone.m1(&advert, request).expect("M1");
    (waiting, frames(&m1, MTU).collect())
}

fn first_message(board: &SimBoard) -> Option<Vec<u8>> {
    let mut reassembler = Reassembler::new();
    while let Some(output) = board.next_radio_output() {
        if let RadioOutput::Frame(_, frame) = output
            && let Ok(Some(message)) = reassembler.push(&frame)
        {
            return Some(message);
        }
    }
    None
}
