//! A year of somebody who types codes as fast as the lock lets them, through keys and lights alone, against the odds of
//! `docs/codes.md`, section 9. [PIN-7]

mod support;

use sentri_lock::{Provisioning, ports::Indication, sim::Rig};
use sentri_protocol::{
    codes::contractor,
    open::{Operation, Verdict},
};
use support::{DAY, DAY_MS, NOW, backend, phone_in, provisioning, window};

/// Digits of each kind that is guessed at: stored, contractor, one day, SMAC, SmartPIN.
const KINDS: [usize; 5] = [6, 7, 8, 9, 10];
/// Tries that the page allows in a month and a year.
const MONTH: u32 = 90;
const YEAR: u32 = 760;

/// What the guesser may use besides.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    Nothing,
    /// A contractor code and a ticket, both used each day.
    CodeAndTicket,
}

/// When to rest.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// At the end of each wait.
    Greedy,
    /// No more wrong tries than the next quiet days take back, once the waits are long.
    Patient,
}

struct Guesser {
    rig: Rig,
    drawn: u64,
    /// For each kind: tries, hits, and when to try again, in milliseconds.
    tries: [u32; 5],
    hits: [u32; 5],
    again_at: [u64; 5],
    now: u64,
}

impl Guesser {
    fn new() -> Self {
        let mut made = provisioning();
        made.settings.switches.contractor_mode = true;
        let rig = Rig::provisioned(Provisioning { ..made });
        Self { rig, drawn: 99, tries: [0; 5], hits: [0; 5], again_at: [0; 5], now: 0 }
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

    /// Tries a kind once, and learns from the lights when to come back.
    fn guess(&mut self, kind: usize, pace: Pace) {
        let entry = self.random_entry(KINDS[kind]);
        self.rig.type_code(&entry).expect("power");
        match self.rig.board.take_indications().last() {
            Some(Indication::Refused) => {
                self.tries[kind] += 1;
                let rests =
                    pace == Pace::Patient && self.tries[kind] >= 12 && self.tries[kind].is_multiple_of(2);
                self.again_at[kind] = self.now + if rests { DAY_MS } else { 0 };
            }
            Some(Indication::Wait { seconds }) => self.again_at[kind] = self.now + u64::from(*seconds) * 1000,
            Some(Indication::Opened) => {
                self.hits[kind] += 1;
                // What comes next must not be taken for a short PIN.
                self.again_at[kind] = self.now + 11_000;
            }
            other => panic!("{other:?}"),
        }
    }

    fn pass_to(&mut self, then: u64) {
        self.rig.pass(then - self.now).expect("power");
        self.now = then;
    }

    fn use_what_is_held(&mut self) {
        let code = contractor::code(&backend().keys, 0, 1);
        self.rig.type_code(code.as_ascii()).expect("power");
        let mut phone = phone_in(7, window(NOW, NOW.plus(400 * DAY)));
        let visit = self.rig.operate(&mut phone, Operation::OpenKeyBin).expect("power");
        assert_eq!(visit.status().expect("a proved ticket").verdict, Verdict::Opened);
        self.rig.board.take_indications();
    }

    fn run(mut self, days: u64, holds: Holds, pace: Pace) -> Self {
        let mut next_use = DAY_MS / 2;
        loop {
            let (kind, at) = (0..KINDS.len())
                .map(|kind| (kind, self.again_at[kind]))
                .min_by_key(|it| it.1)
                .expect("kinds");
            if at.min(next_use) >= days * DAY_MS {
                return self;
            }
            if holds == Holds::CodeAndTicket && next_use <= at {
                self.pass_to(next_use.max(self.now));
                self.use_what_is_held();
                next_use += DAY_MS;
                continue;
            }
            if at >= days * DAY_MS {
                return self;
            }
            self.pass_to(at.max(self.now));
            self.guess(kind, pace);
        }
    }
}

#[test]
fn a_year_of_guessing_gets_no_more_tries_than_the_page_says() {
    let mut most = 0;
    for pace in [Pace::Greedy, Pace::Patient] {
        let month = Guesser::new().run(30, Holds::Nothing, pace);
        let year = Guesser::new().run(365, Holds::Nothing, pace);
        println!("tries in a month {:?}, in a year {:?}, hits {:?}", month.tries, year.tries, year.hits);
        for (digits, (month, year)) in KINDS.iter().zip(month.tries.iter().zip(year.tries)) {
            assert!(*month <= MONTH, "{digits} digits: {month} tries in a month");
            assert!(year <= YEAR, "{digits} digits: {year} tries in a year");
        }
        most = most.max(year.tries[0]);
        // A year hits SmartPINs of one variant with 2.7 %, everything else together with less.
        assert!(year.hits.iter().sum::<u32>() <= 1, "{:?}", year.hits);
    }
    assert!(most > YEAR / 2, "the page's figure is no empty bound: {most}");
}

#[test]
fn a_right_code_and_a_ticket_buy_no_more_tries() {
    let without = Guesser::new().run(60, Holds::Nothing, Pace::Greedy);
    let with = Guesser::new().run(60, Holds::CodeAndTicket, Pace::Greedy);
    println!("tries in 60 days without {:?}, with {:?}", without.tries, with.tries);
    for (without, with) in without.tries.iter().zip(with.tries) {
        assert!(with <= *without, "{with} tries instead of {without}");
    }
}
