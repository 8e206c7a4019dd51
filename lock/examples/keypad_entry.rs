//! The bench of an entry: what a lock whose lists are all full computes from ENT to the light.
//!
//! Under callgrind `cargo xtask bench codes` counts what each function named `decides_…` costs: attempt written, looked at,
//! use and record written, motor, light. Run by itself, it only tells whether each entry ended as it should.
//!
//! The lock has a whole table, 32 blocked and 32 used SmartPINs, 16 first uses of one day codes and 31 used SMACs. It is
//! just past midnight, so that codes of two days count, and those used late on the day before them.
#![allow(clippy::expect_used, reason = "a bench that can't be set up measures nothing")]

use std::hint::black_box;

use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use sentri_lock::{
    Halt, Key, Provisioning,
    journal::tables::{HeldCode, Role},
    ports::Indication,
    sim::{Backend, Rig},
};
use sentri_protocol::{
    Time,
    card::{Card, CardSerial, PinCheck, SentriKeyId},
    codes::{
        contractor,
        one_day::{self, INDICES},
        smac::{DayKey, Slot},
        smart_pin::{
            Rules, SmartPinKey, Variant,
            window::{LocalHour, PinWindow},
        },
        stored::StoredCode,
        validity::Validity,
    },
    settings::Settings,
    time::{DAY, Window},
};
use serde_json::json;

/// The first day, 2027-06-01.
const DAY_ONE: u32 = 20_970;
/// When codes are used each day: ten minutes to midnight.
const LATE: u32 = DAY - 600;
/// Days on each of which all one day codes are used.
const DAYS: u32 = 4;
/// As many as fill the pages of flash more than once.
const ENTRIES: u32 = 250;
const PROGRAMMING_CODE: &[u8] = b"864213";
const CARD_PIN: &[u8] = b"2468";
const HOLDER: u32 = 123_456_789;

/// Each in a function of its own, so that callgrind tells them apart.
macro_rules! entries {
    ($($function:ident),* $(,)?) => {
        $(
            #[inline(never)]
            fn $function(rig: &mut Rig) -> Result<(), Halt> {
                // Else equal functions become one.
                black_box(stringify!($function));
                rig.press(Key::Enter)
            }
        )*
    };
}

entries!(
    decides_contractor,
    decides_wrong_contractor,
    decides_one_day,
    decides_wrong_one_day,
    decides_smac,
    decides_wrong_smac,
    decides_smart_pin,
    decides_wrong_smart_pin,
    decides_stored,
    decides_wrong_stored,
    decides_programming,
    decides_short_pin,
    decides_card_pin,
    decides_after_page_turns,
);

type Decides = fn(&mut Rig) -> Result<(), Halt>;

fn main() {
    let mut bench = Bench::new();
    bench.fill();
    let (now, today) = (bench.rig.time(), bench.rig.time().0 / DAY);
    let step_before = now.minus(299);
    let contractor = contractor::code(&bench.backend.keys, 2, 1).as_ascii().to_vec();
    let one_day = one_day::code(&bench.backend.keys, today, 3).as_ascii().to_vec();
    let smac = bench.smac(999, step_before);
    let smart_pin = bench.smart_pin(100);
    let entries: [(Decides, Vec<u8>, Indication); 12] = [
        (decides_contractor, contractor.clone(), Indication::Opened),
        (decides_wrong_contractor, but_one(&contractor), Indication::Refused),
        (decides_one_day, one_day.clone(), Indication::Opened),
        (decides_wrong_one_day, but_one(&one_day), Indication::Refused),
        (decides_smac, smac.clone(), Indication::Opened),
        (decides_wrong_smac, but_one(&smac), Indication::Refused),
        (decides_stored, b"400064".to_vec(), Indication::Opened),
        (decides_wrong_stored, b"400065".to_vec(), Indication::Refused),
        (decides_smart_pin, smart_pin.clone(), Indication::Opened),
        (decides_short_pin, b"759135".to_vec(), Indication::Done),
        (decides_wrong_smart_pin, but_one(&smart_pin), Indication::Refused),
        (decides_programming, PROGRAMMING_CODE.to_vec(), Indication::Ready),
    ];
    let mut passed = true;
    for (decides, entry, expected) in entries {
        passed &= bench.enter(decides, &entry) == Some(expected);
    }
    bench.insert_card();
    passed &= bench.enter(decides_card_pin, CARD_PIN) == Some(Indication::Ready);
    passed &= pages_turn_between(&contractor);
    println!("{}", report(passed));
}

fn report(passed: bool) -> serde_json::Value {
    json!({
        "title": "Keypad, from ENT to the light",
        "columns": ["entries"],
        "rows": [],
        "notes": [
            "On a lock whose lists are all full (96 codes, 32 blocked and 32 used SmartPINs, 16 first uses, 31 used SMACs), just past midnight, when codes of two days count.",
            "In each: the attempt and its outcome written to flash and read back, an audit record sealed, the motor. The simulated board's own work is in it.",
            "Flash turns its pages between entries: none of 250, one after another, waits for it.",
            "The number of digits tells the kind, so that no entry is ever tried against two.",
        ],
        "passed": passed,
    })
}

/// Many entries, one after another: the pages of flash are turned between them, never while somebody waits for the
/// light. The last one of them is measured.
fn pages_turn_between(code: &[u8]) -> bool {
    let mut bench = Bench::new();
    bench.fill();
    let erases = |bench: &Bench| bench.rig.board.with_flash(|flash| flash.erases());
    let before = erases(&bench);
    let mut waited_for = 0;
    for _ in 0..ENTRIES {
        let earlier = erases(&bench);
        bench.type_code(code, Indication::Opened);
        waited_for += erases(&bench) - earlier;
        bench.rig.pass(1000).expect("power");
    }
    waited_for == 0
        && erases(&bench) > before + 1
        && bench.enter(decides_after_page_turns, code) == Some(Indication::Opened)
}

fn but_one(code: &[u8]) -> Vec<u8> {
    let mut code = code.to_vec();
    if let Some(last) = code.last_mut() {
        *last = if *last == b'9' { b'0' } else { *last + 1 };
    }
    code
}

struct Bench {
    rig: Rig,
    backend: Backend,
    association: SigningKey,
}

impl Bench {
    fn new() -> Self {
        let backend = Backend::new(0x5e);
        let association = SigningKey::from_slice(&[7; 32]).expect("a key");
        let mut settings = Settings { owner: SentriKeyId::new(HOLDER), ..Settings::default() };
        settings.switches.smart_pins = true;
        settings.switches.contractor_mode = true;
        settings.smart_pin_rules = Rules { first_use_within_a_day: true, ..Rules::default() };
        let point = association.verifying_key().to_sec1_point(true);
        let rig = Rig::provisioned(Provisioning {
            association: point.as_bytes().try_into().ok(),
            programming_code: StoredCode::parse(PROGRAMMING_CODE).ok(),
            ..backend.provisioning(settings, Time(DAY_ONE * DAY + LATE))
        });
        Self { rig, backend, association }
    }

    /// A SmartPIN from twenty hours ago on, for so many hours.
    fn smart_pin(&self, hours: u32) -> Vec<u8> {
        let start = (DAY_ONE + DAYS) * 24 - 20;
        let hour = |count: u32| {
            LocalHour::new(count / 24, u8::try_from(count % 24).expect("an hour"))
                .expect("before the horizon")
        };
        let window = PinWindow::hourly(hour(start), hour(start + hours)).expect("a window");
        let key = SmartPinKey::of(&self.backend.keys, self.backend.lock);
        key.generate(window, Variant::FIRST).digits().as_ascii().to_vec()
    }

    fn smac(&self, slot: u16, at: Time) -> Vec<u8> {
        let slot = Slot::new(slot).expect("a slot");
        let key = DayKey::derive(&self.backend.keys, at.0 / DAY, slot);
        key.code(at).expect("its day").as_ascii().to_vec()
    }

    fn type_code(&mut self, entry: &[u8], expected: Indication) {
        self.rig.type_code(entry).expect("power");
        assert_eq!(self.rig.board.take_indications().last(), Some(&expected));
    }

    /// What the lights say last, of an entry whose ENT is measured.
    fn enter(&mut self, decides: Decides, entry: &[u8]) -> Option<Indication> {
        entry.iter().try_for_each(|digit| self.rig.type_digit(*digit)).expect("power");
        decides(&mut self.rig).expect("power");
        self.rig.board.take_indications().last().copied()
    }

    fn insert_card(&mut self) {
        let (serial, now) = (CardSerial([1; 8]), self.rig.time());
        let holder = SentriKeyId::new(HOLDER).expect("nine digits");
        let window = Window::new(now.minus(60), now.plus(DAY)).expect("a window");
        let card = Card { serial, holder, window, pin: PinCheck::new(serial, CARD_PIN, [3; 16]) };
        let signature: Signature = self.association.sign(&card.to_sign());
        self.rig.insert_card(&card.signed(&signature.to_bytes().into())).expect("power");
    }

    /// Fills every list.
    fn fill(&mut self) {
        for day in DAY_ONE..DAY_ONE + DAYS {
            for index in 0..INDICES {
                let code = *one_day::code(&self.backend.keys, day, index).as_ascii();
                self.type_code(&code, Indication::Opened);
            }
            let seconds = if day == DAY_ONE + DAYS - 1 { 600 } else { 86_400 };
            self.rig.pass(seconds * 1000).expect("power");
        }
        for id in 2..=64_u8 {
            let code = StoredCode::parse(format!("4{id:05}").as_bytes()).expect("digits");
            let held = HeldCode { id, role: Role::Resident, code, validity: Validity::Permanent };
            self.rig.hold_code(held).expect("power").expect("room");
        }
        for hours in 33..65 {
            self.type_code(PROGRAMMING_CODE, Indication::Ready);
            self.type_code(b"128", Indication::Code);
            self.type_code(&self.smart_pin(hours), Indication::Blocked);
        }
        for hours in 65..97 {
            self.type_code(&self.smart_pin(hours), Indication::Opened);
            // One place stays free for the short PIN that is measured.
            if hours > 65 {
                self.type_code(format!("75{hours:04}").as_bytes(), Indication::Done);
            }
        }
        for slot in 0..31 {
            let smac = self.smac(slot, self.rig.time());
            self.type_code(&smac, Indication::Opened);
        }
    }
}
