//! A year of somebody who types codes as fast as the lock lets them, through keys and lights alone, against the odds of
//! `docs/codes.md`, section 9; also one who holds something that opens. [PIN-7]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

mod support;

use sentri_lock::{Key, lockout::CodeKind, ports::Indication, sim::Rig};
use sentri_protocol::{
    card::{Card, CardSerial, PinCheck, SentriKeyId},
    codes::{
        contractor, one_day,
        smart_pin::{SmartPinKey, Variant, window::PinWindow},
    },
    open::{Operation, Verdict},
    ticket::Rights,
};
use support::{
    AGENT, DAY, DAY_MS, HOUR, NOW, OWNER, PROGRAMMING_CODE, association, backend, image, phone_in,
    provisioning, smac, window,
};

/// What is guessed at, and with how many digits.
const KINDS: [(CodeKind, usize); 5] = [
    (CodeKind::Stored, 6),
    (CodeKind::Contractor, 7),
    (CodeKind::OneDay, 8),
    (CodeKind::Smac, 9),
    (CodeKind::SmartPin, 10),
];
/// Tries that the page allows in a month and a year; where the owner ends a wait every day.
const TRIES: [u32; 2] = [90, 760];
const TRIES_OF_OWNER: [u32; 2] = [121, 1126];
/// Beyond the end of a wait or a quiet day, so as not to come a moment before it.
const PATIENCE_MS: u64 = 1000;
const GUESTS_CODE: &[u8] = b"407162";

/// What the guesser may use besides, each day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    Nothing,
    ContractorCodeAndTicket,
    /// Picks short PINs by it, to find out whose codes they meet.
    SmartPin,
    SmacAndOneDayCode,
    AgentsCard,
    GuestsCode,
    ProgrammingCode,
    OwnersTicket,
    OwnersCard,
}

impl Holds {
    const HOLDERS: [Self; 6] = [
        Self::ContractorCodeAndTicket,
        Self::SmartPin,
        Self::SmacAndOneDayCode,
        Self::AgentsCard,
        Self::GuestsCode,
        Self::ProgrammingCode,
    ];
    const OWNERS: [Self; 2] = [Self::OwnersTicket, Self::OwnersCard];

    /// Kinds that the holder needs, and never has wait.
    fn spares(self, kind: CodeKind) -> bool {
        match self {
            Self::SmartPin => kind == CodeKind::SmartPin,
            Self::SmacAndOneDayCode => matches!(kind, CodeKind::Smac | CodeKind::OneDay),
            _ => false,
        }
    }

    /// A right code of the kind that is guessed at, typed before each guess: it must not take the count back.
    fn right_code(self, kind: CodeKind) -> Option<Vec<u8>> {
        match (self, kind) {
            (Self::ContractorCodeAndTicket, CodeKind::Contractor) => {
                Some(contractor::code(&backend().keys, 0, 1).as_ascii().to_vec())
            }
            (Self::GuestsCode, CodeKind::Stored) => Some(GUESTS_CODE.to_vec()),
            // A pick that meets a code is refused: as good a way to find one as any.
            (Self::SmartPin, CodeKind::Stored) => Some(year_long_pin().to_vec()),
            _ => None,
        }
    }
}

/// When to rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    /// At the end of each wait.
    Greedy,
    /// No more wrong tries than the next quiet days take back, once the waits are long.
    Patient,
}

struct Guesser {
    rig: Rig,
    holds: Holds,
    drawn: u64,
    /// For each kind: tries that were looked at, hits, and when to try again, in milliseconds.
    tries: [u32; 5],
    hits: [u32; 5],
    again_at: [u64; 5],
    /// When the wait that was told last ends by itself, and guesses that were looked at before that.
    waits_until: [u64; 5],
    ended: u32,
    now: u64,
    /// Things held that were used and did what they do.
    used: u32,
}

impl Guesser {
    fn new(holds: Holds) -> Self {
        let mut made = provisioning();
        made.settings.switches.contractor_mode = true;
        let mut rig = Rig::provisioned(made);
        let held = sentri_lock::journal::tables::HeldCode {
            id: 2,
            role: sentri_lock::journal::tables::Role::Guest,
            code: sentri_protocol::codes::stored::StoredCode::parse(GUESTS_CODE).expect("digits"),
            validity: sentri_protocol::codes::validity::Validity::Permanent,
        };
        rig.hold_code(held).expect("power").expect("it fits");
        Self {
            rig,
            holds,
            drawn: 99,
            tries: [0; 5],
            hits: [0; 5],
            again_at: [0; 5],
            waits_until: [0; 5],
            ended: 0,
            now: 0,
            used: 0,
        }
    }

    fn random_entry(&mut self, digits: usize) -> Vec<u8> {
        let mut draw = || {
            // SplitMix64.
            self.drawn = self.drawn.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let word = (self.drawn ^ (self.drawn >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            b'0' + u8::try_from((word ^ (word >> 31)) % 10).expect("a digit")
        };
        (0..digits).map(|_| draw()).collect()
    }

    fn enter(&mut self, digits: &[u8]) -> Indication {
        self.rig.board.take_indications();
        self.rig.type_code(digits).expect("power");
        *self.rig.board.take_indications().last().expect("the lights showed something")
    }

    fn count(&self, kind: CodeKind) -> u16 {
        self.rig.lock().expect("a lock").state().wrong_tries.of(kind)
    }

    /// Tries a kind once, and learns from the lights when to come back.
    fn guess(&mut self, index: usize, pace: Pace) {
        let (kind, digits) = KINDS[index];
        let entry = self.random_entry(digits);
        if let Some(right) = self.holds.right_code(kind) {
            self.used += u32::from(self.enter(&right) == Indication::Opened);
        }
        let before = self.count(kind);
        let shown = self.enter(&entry);
        let counted = self.count(kind) > before;
        self.tries[index] += u32::from(counted);
        self.ended += u32::from(counted && self.now < self.waits_until[index]);
        let rests = pace == Pace::Patient && self.tries[index] >= 12 && self.tries[index].is_multiple_of(2);
        match shown {
            Indication::Wait { seconds } => {
                self.waits_until[index] = self.now + u64::from(seconds) * 1000;
                self.again_at[index] = self.waits_until[index] + PATIENCE_MS;
            }
            Indication::Opened => {
                self.hits[index] += 1;
                // What comes next must not be taken for a short PIN.
                self.pass_to(self.now + 11_000);
            }
            Indication::Ready => self.hits[index] += 1,
            _ if counted => self.again_at[index] = self.now + if rests { DAY_MS + PATIENCE_MS } else { 0 },
            // The first pick of a SmartPIN is free, and so is one that is too easy.
            Indication::Done | Indication::Error => self.again_at[index] = self.now,
            other => panic!("{other:?}"),
        }
    }

    fn pass_to(&mut self, then: u64) {
        self.rig.pass(then - self.now).expect("power");
        self.now = then;
    }

    fn use_what_is_held(&mut self) {
        let (time, keys) = (self.rig.time(), backend().keys);
        let shown = match self.holds {
            Holds::Nothing => return,
            Holds::ContractorCodeAndTicket => {
                let mut phone = phone_in(7, window(NOW, NOW.plus(400 * DAY)));
                let visit = self.rig.operate(&mut phone, Operation::OpenKeyBin).expect("power");
                assert_eq!(visit.status().expect("a proved ticket").verdict, Verdict::Opened);
                self.enter(contractor::code(&keys, 0, 1).as_ascii())
            }
            Holds::SmartPin => self.enter(&year_long_pin()),
            Holds::SmacAndOneDayCode => {
                self.enter(&smac(42, time));
                self.enter(one_day::code(&keys, time.0 / DAY, 0).as_ascii())
            }
            Holds::AgentsCard => self.use_card(AGENT),
            Holds::GuestsCode => self.enter(GUESTS_CODE),
            Holds::ProgrammingCode => self.enter(PROGRAMMING_CODE),
            Holds::OwnersTicket => {
                let mut ticket = backend().ticket(5, window(NOW.minus(HOUR), NOW.plus(400 * DAY)), NOW);
                ticket.rights = Rights::OWNER;
                let visit = self.rig.operate(&mut backend().phone(ticket, NOW), Operation::Service);
                assert!(visit.expect("power").status().is_some());
                Indication::Done
            }
            Holds::OwnersCard => self.use_card(OWNER),
        };
        self.used += u32::from(matches!(shown, Indication::Opened | Indication::Ready | Indication::Done));
        // The sequence is left, and no guess taken for a short PIN.
        self.pass_to(self.now + 31_000);
        if Holds::OWNERS.contains(&self.holds) {
            // The waits are over.
            self.again_at = [self.now; 5];
        }
    }

    fn use_card(&mut self, holder: u32) -> Indication {
        let (serial, time) = (CardSerial([9; 8]), self.rig.time());
        let card = Card {
            serial,
            holder: SentriKeyId::new(holder).expect("nine digits"),
            window: window(time.minus(HOUR), time.plus(2 * DAY)),
            pin: PinCheck::new(serial, b"2468", [3; 16]),
        };
        self.rig.insert_card(&image(&card, &association())).expect("power");
        assert_eq!(self.enter(b"2468"), Indication::Ready);
        self.rig.press(Key::Enter).expect("power");
        let shown = *self.rig.board.take_indications().last().expect("a light");
        self.rig.remove_card().expect("power");
        shown
    }

    fn run(mut self, days: u64, pace: Pace) -> Self {
        let mut next_use = if self.holds == Holds::Nothing { u64::MAX } else { DAY_MS / 2 };
        loop {
            let tried = (0..KINDS.len()).filter(|kind| !self.holds.spares(KINDS[*kind].0));
            let next = tried.map(|kind| (kind, self.again_at[kind])).min_by_key(|it| it.1);
            let (kind, at) = next.expect("kinds");
            if at.min(next_use) >= days * DAY_MS {
                return self;
            }
            if next_use <= at {
                self.pass_to(next_use.max(self.now));
                self.use_what_is_held();
                // A day later by the lock's clock, and not a second before.
                next_use = self.now + DAY_MS;
            } else {
                self.pass_to(at.max(self.now));
                self.guess(kind, pace);
            }
        }
    }

    fn check(&self, what: &str, most: u32) {
        let (holds, tries, hits) = (self.holds, self.tries, self.hits);
        println!("{holds:?}, {what}: tries {tries:?}, hits {hits:?}");
        for ((kind, _), tries) in KINDS.iter().zip(tries) {
            assert!(tries <= most, "{holds:?}, {kind:?}: {tries} tries in {what}");
        }
    }
}

/// A guest's, for 365 days.
fn year_long_pin() -> [u8; 10] {
    let today = NOW.0 / DAY;
    let window = PinWindow::daily(today, today + 364).expect("365 days");
    let key = SmartPinKey::of(&backend().keys, backend().lock);
    *key.generate(window, Variant::FIRST).digits().as_ascii()
}

#[test]
fn a_year_of_guessing_gets_no_more_tries_than_the_page_says() {
    let mut most = 0;
    for pace in [Pace::Greedy, Pace::Patient] {
        Guesser::new(Holds::Nothing).run(30, pace).check("a month", TRIES[0]);
        let year = Guesser::new(Holds::Nothing).run(365, pace);
        year.check("a year", TRIES[1]);
        most = most.max(year.tries[0]);
        // A year hits SmartPINs of one variant with 2.7 %, everything else together with less.
        assert!(year.hits.iter().sum::<u32>() <= 1, "{:?}", year.hits);
    }
    assert!(most > TRIES[1] / 2, "the page's figure is no empty bound: {most}");
}

#[test]
fn whoever_holds_something_that_opens_gets_no_more_tries_at_anything_else() {
    for holds in Holds::HOLDERS {
        for pace in [Pace::Greedy, Pace::Patient] {
            Guesser::new(holds).run(30, pace).check("a month", TRIES[0]);
            let year = Guesser::new(holds).run(365, pace);
            year.check("a year", TRIES[1]);
            assert!(year.hits.iter().sum::<u32>() <= 1, "{holds:?}: {:?}", year.hits);
            assert!(year.used > 200 && year.ended == 0, "{holds:?}: used {} times", year.used);
        }
    }
}

#[test]
fn the_owner_who_ends_a_wait_every_day_gets_at_most_one_more_try_a_day() {
    for holds in Holds::OWNERS {
        for pace in [Pace::Greedy, Pace::Patient] {
            Guesser::new(holds).run(30, pace).check("a month", TRIES_OF_OWNER[0]);
            let year = Guesser::new(holds).run(365, pace);
            year.check("a year", TRIES_OF_OWNER[1]);
            assert!(pace == Pace::Patient || year.ended > 300, "{holds:?}: {} waits ended", year.ended);
        }
    }
}

/// Somebody after the programming code alone, who types every minute, wait or not: its own count bounds what the waits of
/// stored codes leave open.
#[test]
fn the_programming_code_is_tried_on_two_counts_and_no_more() {
    let (kinds, mut tries) = ([CodeKind::Stored, CodeKind::Programming], [0; 2]);
    let mut guesser = Guesser::new(Holds::Nothing);
    for minute in 1..=365 * 24 * 60 {
        let entry = guesser.random_entry(PROGRAMMING_CODE.len());
        let before = kinds.map(|kind| guesser.count(kind));
        guesser.enter(&entry);
        for ((tries, kind), before) in tries.iter_mut().zip(kinds).zip(before) {
            *tries += u32::from(guesser.count(kind) > before);
        }
        guesser.pass_to(minute * 60_000);
        if minute == 30 * 24 * 60 {
            assert!(tries.iter().all(|tries| *tries <= TRIES[0]), "{tries:?} in a month");
        }
    }
    println!("programming code: {tries:?} tries in a year");
    assert!(tries.iter().all(|tries| (TRIES[1] / 3..=TRIES[1]).contains(tries)), "{tries:?} in a year");
}
