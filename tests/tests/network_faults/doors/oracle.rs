//! What must come of each code at a door, from nothing but what residents did and were shown, who came by when, and what the
//! bolt did. No rule of the product's is asked.

use sentri_core::api::residence_records::{DoorCode, DoorCodeState};
use sentri_wire::Secret;

use crate::oracle::{BEHIND, DAY, Expected, TOLERANCE};

/// By how much a lock's clock may be off when its day is looked at.
const MINUTE: i64 = 60;

/// When a code opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    Always,
    Between(i64, i64),
    /// From and to these seconds of each day in Chicago.
    Daily(i64, i64),
}

impl Times {
    fn at(self, now: i64) -> Expected {
        let (at, surely, perhaps) = match self {
            Self::Always => return Expected::Opens,
            Self::Between(from, to) => (now, from..to, from - TOLERANCE..to + TOLERANCE),
            Self::Daily(from, to) => {
                let at = (now - BEHIND).rem_euclid(DAY);
                (at, from + MINUTE..to - MINUTE, from - TOLERANCE..to + TOLERANCE)
            }
        };
        if surely.contains(&at) {
            Expected::Opens
        } else if perhaps.contains(&at) {
            Expected::Either
        } else {
            Expected::Stays
        }
    }

    /// Whether it ends by itself before then.
    pub fn are_over(self, now: i64) -> bool {
        matches!(self, Self::Between(_, to) if to <= now)
    }
}

/// Something that a resident asks for at a door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A new code of their own, in place of the one they have.
    Own,
    /// That their own code goes.
    NoOwn,
    /// A code for a guest of this name, which no two share.
    Guest(String),
    /// That the code with this number, a guest's, goes.
    NoGuest(usize),
}

#[derive(Clone, Debug)]
struct Act {
    door: usize,
    resident: usize,
    what: What,
    /// When the code opens that it asks for.
    times: Times,
    /// The resident was told that it is done.
    done: bool,
    /// The resident was told that it is not, and nothing of it is on its way any more.
    refused: bool,
}

/// A code that a resident was shown.
#[derive(Clone, Debug)]
pub struct Code {
    pub door: usize,
    pub resident: usize,
    pub guest: Option<String>,
    pub digits: Secret,
    times: Times,
    /// The act that made it; absent where nobody was told which.
    made_by: Option<usize>,
    /// So many acts had been tried when it was shown at first.
    since: usize,
    /// A phone has shown that it works.
    has_worked: bool,
    /// A phone has shown that it is gone, which was asked for.
    is_gone: bool,
    /// The same digits were given again, to somebody else perhaps: nothing can be said of it any more.
    pub is_void: bool,
}

/// What a door's lock may know, as counts of the acts that were tried.
#[derive(Clone, Copy, Debug, Default)]
pub struct Knows {
    /// Of these it has surely heard, as far as they were told to be done.
    pub surely: usize,
    /// Of those that came later it can't have heard.
    pub at_most: usize,
    /// It may not know the time, since it had no power.
    pub may_have_no_time: bool,
    /// Codes that it refused.
    pub refusals: u32,
}

impl Act {
    /// Whether it takes this code away, where the code was there before.
    fn is_against(&self, code: &Code, number: usize) -> bool {
        match self.what {
            What::Own | What::NoOwn => {
                code.guest.is_none() && (self.door, self.resident) == (code.door, code.resident)
            }
            What::NoGuest(which) => which == number,
            What::Guest(_) => false,
        }
    }
}

#[derive(Debug, Default)]
pub struct Oracle {
    acts: Vec<Act>,
    pub codes: Vec<Code>,
    pub locks: [Knows; 2],
    /// Codes of which nobody was told, and which somebody was shown.
    pub adopted: u32,
}

impl Oracle {
    /// A resident tries that; the act's number.
    pub fn tries(&mut self, door: usize, resident: usize, what: What, times: Times) -> usize {
        self.acts.push(Act { door, resident, what, times, done: false, refused: false });
        self.acts.len() - 1
    }

    /// The resident was told that it is done.
    pub fn done(&mut self, act: usize) {
        self.acts[act].done = true;
    }

    /// The resident was told that nothing was changed.
    pub fn refused(&mut self, act: usize) {
        self.acts[act].refused = true;
    }

    /// How many acts were tried: whoever syncs after it has heard of so many.
    pub fn acts(&self) -> usize {
        self.acts.len()
    }

    /// The act has made a code of these digits.
    pub fn made(&mut self, act: usize, digits: Secret) {
        self.done(act);
        self.add(Some(act), self.acts[act].clone(), digits);
    }

    fn add(&mut self, made_by: Option<usize>, act: Act, digits: Secret) {
        for code in self.codes.iter_mut().filter(|it| it.door == act.door && it.digits == digits) {
            code.is_void = true;
        }
        self.codes.push(Code {
            door: act.door,
            resident: act.resident,
            guest: if let What::Guest(name) = act.what { Some(name) } else { None },
            digits,
            times: act.times,
            made_by,
            since: made_by.map_or(self.acts.len(), |act| act + 1),
            has_worked: false,
            is_gone: false,
            is_void: false,
        });
    }

    pub fn of_guest(&self, name: &str) -> Option<usize> {
        self.codes.iter().position(|it| it.guest.as_deref() == Some(name))
    }

    /// A resident's phone shows these codes of theirs at a door; `synced_at` that time, where it has just synced.
    pub fn shown(&mut self, door: usize, resident: usize, view: &[DoorCode], synced_at: Option<i64>) {
        for entry in view {
            for (digits, works) in [(&entry.working, true), (&entry.next, false)] {
                let Some(digits) = digits else { continue };
                let is_it = |it: &Code| {
                    (it.door, it.resident, &it.guest) == (door, resident, &entry.guest)
                        && it.digits == *digits
                };
                let number = self.codes.iter().rposition(is_it).unwrap_or_else(|| {
                    self.adopt(door, resident, entry, digits);
                    self.codes.len() - 1
                });
                self.codes[number].has_worked |= works;
            }
        }
        if let Some(now) = synced_at {
            self.those_that_left(door, resident, view, now);
        }
    }

    /// A code whose making was answered to nobody.
    fn adopt(&mut self, door: usize, resident: usize, entry: &DoorCode, digits: &Secret) {
        self.adopted += 1;
        let Some(name) = &entry.guest else {
            let own =
                Act { door, resident, what: What::Own, times: Times::Always, done: true, refused: false };
            return self.add(None, own, digits.clone());
        };
        let asked = What::Guest(name.clone());
        let act = self.acts.iter().position(|it| it.what == asked && it.door == door);
        let act = act.unwrap_or_else(|| panic!("a code for a guest that nobody asked for: {name}"));
        self.made(act, digits.clone());
    }

    /// What was asked to go, and is not shown any more. A code that is over by itself is not shown either.
    fn those_that_left(&mut self, door: usize, resident: usize, view: &[DoorCode], now: i64) {
        for number in 0..self.codes.len() {
            let code = &self.codes[number];
            let is_theirs = code.guest.is_some() && (code.door, code.resident) == (door, resident);
            let is_shown = code.times.are_over(now) || view.iter().any(|it| it.guest == code.guest);
            if is_theirs && !is_shown && self.may_be_asked_to_go(number) {
                self.codes[number].is_gone = true;
            }
        }
    }

    /// Whether a resident tried to delete a guest's code.
    fn may_be_asked_to_go(&self, number: usize) -> bool {
        self.acts.iter().any(|act| !act.refused && act.what == What::NoGuest(number))
    }

    /// Whether a lock that has heard of the act may have the code no more. What had no answer may happen at any time.
    fn may_remove(&self, nth: usize, number: usize) -> bool {
        let (act, code) = (&self.acts[nth], &self.codes[number]);
        let may_be_later = !act.done || code.made_by.is_none() || nth >= code.since;
        !act.refused && code.made_by != Some(nth) && act.is_against(code, number) && may_be_later
    }

    /// Whether a lock that has heard of the act has the code no more.
    fn removes(&self, nth: usize, number: usize) -> bool {
        let (act, code) = (&self.acts[nth], &self.codes[number]);
        act.done && nth >= code.since && act.is_against(code, number)
    }

    /// What must come of a code that is typed.
    pub fn expects(&self, number: usize, now: i64) -> Expected {
        let code = &self.codes[number];
        let (lock, on_time) = (&self.locks[code.door], code.times.at(now));
        let may_be_there = code.has_worked || code.made_by.is_none_or(|act| act < lock.at_most);
        let is_removed = code.is_gone || (0..lock.surely).any(|act| self.removes(act, number));
        if !may_be_there || is_removed || on_time == Expected::Stays {
            return Expected::Stays;
        }
        let is_brought = |act: usize| act < lock.surely && self.acts[act].done;
        let is_there = code.has_worked || code.made_by.is_some_and(is_brought);
        let may_be_removed = (0..lock.at_most).any(|act| self.may_remove(act, number));
        let has_time = code.times == Times::Always || !lock.may_have_no_time;
        if is_there && !may_be_removed && has_time { on_time } else { Expected::Either }
    }

    /// A code was typed, and the bolt turned or not. Fails where it should have been the other way.
    pub fn typed(&mut self, number: usize, now: i64, opened: bool) {
        let (expected, code) = (self.expects(number, now), &self.codes[number]);
        let is_right = match expected {
            Expected::Opens => opened,
            Expected::Stays => !opened,
            Expected::Either => true,
        };
        let lock = &mut self.locks[code.door];
        assert!(is_right, "{now}: {expected:?}, and it opened: {opened}: {code:?}, {lock:?}");
        lock.refusals += u32::from(!opened);
    }

    /// Fails where a phone that has synced, at the end, does not show what its resident was told.
    pub fn must_be_all(&self, door: usize, resident: usize, view: &[DoorCode], now: i64) {
        for entry in view {
            let settled = (entry.state, entry.progress, &entry.next);
            assert_eq!(settled, (DoorCodeState::Works, None, &None), "{entry:?}");
        }
        let theirs = |it: &&Act| (it.door, it.resident) == (door, resident) && !it.refused;
        for act in self.acts.iter().filter(theirs) {
            if let What::Guest(name) = &act.what {
                let shown = view.iter().any(|it| it.guest.as_ref() == Some(name));
                self.must_be_listed(act, self.of_guest(name), shown, now);
            }
        }
        let is_own = |it: &&(usize, &Act)| matches!(it.1.what, What::Own | What::NoOwn);
        let own: Vec<_> = self.acts.iter().enumerate().filter(|(_, it)| theirs(it)).collect();
        let own: Vec<_> = own.iter().filter(is_own).collect();
        let shown = view.iter().find(|it| it.guest.is_none()).and_then(|it| it.working.as_ref());
        if own.iter().all(|(_, it)| it.what == What::Own) {
            assert!(shown.is_some(), "the code of resident {resident} is lost");
        }
        if let (Some((nth, last)), true) = (own.last(), own.iter().all(|(_, it)| it.done)) {
            let made = self.codes.iter().find(|it| it.made_by == Some(*nth)).map(|it| &it.digits);
            assert_eq!(shown, made, "resident {resident}: {last:?}");
        }
    }

    fn must_be_listed(&self, act: &Act, number: Option<usize>, is_shown: bool, now: i64) {
        let against = |it: &&Act| number.is_some_and(|number| it.what == What::NoGuest(number));
        let is_deleted = self.acts.iter().filter(against).any(|it| it.done);
        assert!(!(is_deleted && is_shown), "a deleted code is there: {act:?}");
        let may_be_deleted = number.is_some_and(|number| self.may_be_asked_to_go(number));
        let must_stay = act.done && !may_be_deleted && !act.times.are_over(now);
        assert!(is_shown || !must_stay, "a guest's code is lost: {act:?}");
    }
}
