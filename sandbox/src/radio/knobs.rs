//! What can be wrong with the air: the knobs of the simulated radio, and the fate of a value on it.

use serde::{Deserialize, Serialize};

use crate::chance::Chance;

/// How the air is. Shares are in thousandths of all values (writes and notifications).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Knobs {
    /// ATT MTU that links agree on, 23 to 517.
    pub mtu: u16,
    /// Milliseconds that a value takes.
    pub latency_ms: u32,
    /// Up to so many milliseconds more, by chance.
    pub jitter_ms: u32,
    /// Milliseconds from the wish to connect to the subscribed link.
    pub connect_ms: u32,
    /// Milliseconds between two adverts.
    pub advert_ms: u32,
    /// Share that gets lost.
    pub lost: u16,
    /// Share that arrives twice.
    pub doubled: u16,
    /// Share that is overtaken by what comes after it.
    pub reordered: u16,
    /// Share at which the link breaks.
    pub cut: u16,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            mtu: 185,
            latency_ms: 8,
            jitter_ms: 0,
            connect_ms: 120,
            advert_ms: 100,
            lost: 0,
            doubled: 0,
            reordered: 0,
            cut: 0,
        }
    }
}

/// Why knobs can't be set so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKnobs {
    /// BLE knows no such MTU.
    #[error("mtu: must be 23 to 517")]
    Mtu,
    /// More than all values.
    #[error("lost, doubled, reordered, cut: each at most 1000 (thousandths)")]
    Share,
    /// Nothing on the air takes longer than a wake.
    #[error("latency_ms, jitter_ms, connect_ms, advert_ms: each at most 30000; advert_ms at least 20")]
    Time,
}

impl Knobs {
    /// The knobs, where the radio can be set so.
    pub fn checked(self) -> Result<Self, BadKnobs> {
        let shares = [self.lost, self.doubled, self.reordered, self.cut];
        let times = [self.latency_ms, self.jitter_ms, self.connect_ms, self.advert_ms];
        if !(23..=517).contains(&self.mtu) {
            Err(BadKnobs::Mtu)
        } else if shares.iter().any(|share| *share > 1000) {
            Err(BadKnobs::Share)
        } else if times.iter().any(|time| *time > 30_000) || self.advert_ms < 20 {
            Err(BadKnobs::Time)
        } else {
            Ok(self)
        }
    }

    pub(super) fn fate(&self, chance: &mut Chance) -> Fate {
        if chance.per_mille(self.cut) {
            Fate::Cut
        } else if chance.per_mille(self.lost) {
            Fate::Lost
        } else if chance.per_mille(self.doubled) {
            Fate::Doubled
        } else if chance.per_mille(self.reordered) {
            Fate::Overtaken
        } else {
            Fate::Arrives
        }
    }
}

/// What becomes of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It arrives in its turn.
    Arrives,
    /// It never arrives.
    Lost,
    /// It arrives twice.
    Doubled,
    /// It arrives after what was sent after it.
    Overtaken,
    /// The link breaks in its place.
    Cut,
}

/// A value about to go on the air, for a [`Plan`] to judge.
#[derive(Clone, Copy, Debug)]
pub struct Passing<'a> {
    /// Which way.
    pub direction: Direction,
    /// How many went the same way on this link before.
    pub index: usize,
    /// Its bytes.
    pub value: &'a [u8],
}

/// Which way a value goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From a phone to a lock: a write.
    ToLock,
    /// From a lock to a phone: a notification.
    ToPhone,
}

/// Decides the fate of each value in place of the knobs: for tests that want one certain fault.
pub type Plan = Box<dyn FnMut(Passing<'_>) -> Fate + Send>;
