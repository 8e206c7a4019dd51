//! What must hold at the lock, from nothing but what people did and were told, who came by when, and how often the motor
//! ran. No rule of the product's is asked.

use std::collections::{BTreeMap, BTreeSet};

use sentri_core::api::types::AccessMethod;
use sentri_tests::HOUR;
use sentri_wire::Secret;

/// By how much a lock may take a window's ends for later or earlier, at most.
pub const TOLERANCE: i64 = 30 * 60;
/// For how long a key may be brought back once the window is over.
const RETURN: i64 = 4 * HOUR;
/// A ticket may end that long after its access began, when nobody renewed it.
const TICKET: i64 = DAY;
/// Chicago's clock is that far behind, from March to November.
pub const BEHIND: i64 = 5 * HOUR;
pub const DAY: i64 = 24 * HOUR;
/// By how much a lock's clock may be late when it was set a while ago.
const LATE: i64 = 20;
/// How long a phone is held before the box, at most.
const VISIT: i64 = 120;

/// Something that the agent was told is done, which the lock has to hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// The access that begins then is taken back.
    Revoked(i64),
    /// The box opens from this minute of each day on.
    Hours(u16),
    /// The SmartPIN with this number is blocked.
    Blocked(usize),
}

/// The motor ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drive {
    pub at: i64,
    pub by: AccessMethod,
}

/// A SmartPIN that the agent was shown.
#[derive(Clone, Debug)]
pub struct Pin {
    pub id: String,
    pub code: Secret,
    pub from: i64,
    pub to: i64,
}

/// What must come of a code that is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    Opens,
    Stays,
    Either,
}

/// As what somebody is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opens {
    Within,
    /// Once, to bring the key back.
    ToReturn,
}

/// Who opens by which right: whose phone, and when the access begins.
pub type Holder = (usize, i64);

#[derive(Debug)]
pub struct Oracle {
    /// By their beginning, which no two share; with their end.
    rights: BTreeMap<i64, i64>,
    /// Those of them that the agent was told of.
    granted: BTreeSet<i64>,
    acts: Vec<Act>,
    /// What was tried, whether or not the agent heard that it was done.
    tried: Vec<Act>,
    pub pins: Vec<Pin>,
    /// So many of the acts has the lock surely heard of.
    heard: usize,
    /// The lock may not know the time, since it had no power.
    pub may_have_no_time: bool,
    /// Who may have opened last and not brought the key back.
    last: Vec<Holder>,
    pub drives: Vec<Drive>,
    /// When the battery went in the middle of a visit: what was written down then may not have happened.
    pub cuts: Vec<i64>,
    /// Codes that the lock refused.
    pub refusals: u32,
}

impl Oracle {
    /// A lock that is open at all hours, where these accesses were granted before, and the first phone opened by the last.
    pub fn new(rights: impl IntoIterator<Item = (i64, i64)>) -> Self {
        let rights: BTreeMap<_, _> = rights.into_iter().collect();
        Self {
            granted: rights.keys().copied().collect(),
            last: rights.keys().last().map(|it| (0, *it)).into_iter().collect(),
            rights,
            acts: vec![Act::Hours(0)],
            tried: vec![Act::Hours(0)],
            pins: Vec::new(),
            heard: 1,
            may_have_no_time: true,
            drives: Vec::new(),
            cuts: Vec::new(),
            refusals: 0,
        }
    }

    /// The agent tries to grant an access from then to then.
    pub fn grants(&mut self, starts_at: i64, ends_at: i64) {
        self.rights.insert(starts_at, ends_at);
    }

    /// The agent was told that it is granted.
    pub fn granted(&mut self, starts_at: i64) {
        self.granted.insert(starts_at);
    }

    /// The agent tries that.
    pub fn tries(&mut self, act: Act) {
        self.tried.push(act);
    }

    /// The agent was told that it is done.
    pub fn done(&mut self, act: Act) {
        self.acts.push(act);
    }

    /// How many acts are done: whoever syncs after it has heard of so many.
    pub fn acts(&self) -> usize {
        self.acts.len()
    }

    /// Whoever had heard of so many acts came by, and nothing was in the way.
    pub fn hears(&mut self, acts: usize) {
        self.heard = self.heard.max(acts);
    }

    pub fn was_tried(&self, starts_at: i64) -> bool {
        self.rights.contains_key(&starts_at)
    }

    /// Whether an access has this window.
    pub fn knows(&self, starts_at: i64, ends_at: i64) -> bool {
        self.rights.get(&starts_at) == Some(&ends_at)
    }

    /// Beginnings of the accesses that the agent was told of.
    pub fn told(&self) -> &BTreeSet<i64> {
        &self.granted
    }

    pub fn is_revoked(&self, starts_at: i64) -> bool {
        self.acts.contains(&Act::Revoked(starts_at))
    }

    pub fn may_be_revoked(&self, starts_at: i64) -> bool {
        self.tried.contains(&Act::Revoked(starts_at))
    }

    /// Accesses that surely stand, and go on for a while.
    pub fn standing(&self, now: i64) -> Vec<i64> {
        let goes_on = |it: &&i64| **it <= now && self.rights[it] > now + HOUR;
        self.granted.iter().filter(goes_on).copied().filter(|it| !self.may_be_revoked(*it)).collect()
    }

    /// The minutes from which the box may open at present, as far as its lock could have heard.
    fn opens_from(&self, heard: usize) -> Vec<u16> {
        let hours = |act: &Act| if let Act::Hours(minute) = act { Some(*minute) } else { None };
        let surely = self.acts[..heard].iter().rfind(|it| hours(it).is_some());
        let since = self.acts[heard..].iter().chain(surely);
        // What the agent had no answer to may happen at any time.
        let unanswered = self.tried.iter().filter(|it| !self.acts.contains(it));
        since.chain(unanswered).filter_map(hours).collect()
    }

    /// What the box may be set to, once everybody has synced.
    pub fn may_be_set(&self) -> Vec<u16> {
        self.opens_from(self.acts.len())
    }

    /// The motor ran for a phone that used one of these rights. Fails where none of them was one.
    pub fn opened(&mut self, by: &[Holder], at: i64) {
        let judged: Vec<_> = by.iter().map(|holder| (*holder, self.judge(*holder, at))).collect();
        let fitting: Vec<_> = judged.iter().filter(|(_, it)| it.is_ok()).collect();
        assert!(!fitting.is_empty(), "{at}: opened without a right: {judged:?}");
        // Whoever has brought the key back has no more of that.
        let opened = fitting.into_iter().filter(|(_, it)| *it == Ok(Opens::Within));
        self.last = opened.map(|(holder, _)| *holder).collect();
        self.drives.push(Drive { at, by: AccessMethod::Ble });
    }

    fn judge(&self, holder: Holder, at: i64) -> Result<Opens, &'static str> {
        let (_, starts_at) = holder;
        let ends_at = *self.rights.get(&starts_at).ok_or("nobody granted it")?;
        if self.acts[..self.heard].contains(&Act::Revoked(starts_at)) {
            return Err("the lock had heard that it is taken back");
        }
        let is_within = at + VISIT >= starts_at - TOLERANCE && at < ends_at + TOLERANCE;
        let minutes = [at - LATE, at + VISIT].map(|it| (it - BEHIND).rem_euclid(DAY) / 60);
        let opens_from = self.opens_from(self.heard);
        let is_in_hours = opens_from.iter().any(|from| minutes.iter().any(|it| *it >= i64::from(*from)));
        if is_within && is_in_hours {
            return Ok(Opens::Within);
        }
        let ticket_ends = ends_at.min(starts_at + TICKET);
        let returns = self.last.contains(&holder) && at + VISIT >= ticket_ends && at < ends_at + RETURN;
        if returns {
            Ok(Opens::ToReturn)
        } else if is_within {
            Err("outside the hours")
        } else {
            Err("outside its window")
        }
    }

    /// The battery went, perhaps while a phone used one of these rights, and is in again.
    pub fn lost_power(&mut self, by: &[Holder], at: i64) {
        self.may_have_no_time = true;
        // It may have been written down that it opens.
        self.last.extend(by);
        self.cuts.push(at);
    }

    /// What must come of a SmartPIN.
    pub fn expects(&self, number: usize, at: i64) -> Expected {
        let (pin, block) = (&self.pins[number], Act::Blocked(number));
        let is_over = at < pin.from - TOLERANCE || at >= pin.to + TOLERANCE;
        if is_over || self.acts[..self.heard].contains(&block) {
            Expected::Stays
        } else if at < pin.from || at >= pin.to || self.tried.contains(&block) || self.may_have_no_time {
            Expected::Either
        } else {
            Expected::Opens
        }
    }

    /// A SmartPIN was typed, and the motor ran or not. Fails where it should have been the other way.
    pub fn typed(&mut self, number: usize, at: i64, opened: bool) {
        let expected = self.expects(number, at);
        let is_right = match expected {
            Expected::Opens => opened,
            Expected::Stays => !opened,
            Expected::Either => true,
        };
        assert!(is_right, "{at}: {expected:?}, and it opened: {opened}: {:?}", self.pins[number]);
        if opened {
            self.drives.push(Drive { at, by: AccessMethod::Code });
        } else {
            self.refusals += 1;
        }
    }
}
