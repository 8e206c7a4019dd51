//! Which seeds a test draws its faults from: many by default, one to replay a failure.
//!
//! `SENTRI_SEED=4711` plays that one alone, and tells each step; `SENTRI_SEEDS=50` plays fewer, or more.

use std::{env, ops::Range};

/// The seeds to play.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seeds {
    range: Range<u64>,
    /// Whether one seed is replayed, so that each step should be told.
    pub replayed: bool,
}

impl Seeds {
    /// As the environment says; `by_default` seeds from 0 on where it says nothing.
    pub fn from_env(by_default: u64) -> Self {
        let number = |name| env::var(name).ok().and_then(|text| text.trim().parse::<u64>().ok());
        match number("SENTRI_SEED") {
            Some(seed) => Self { range: seed..seed.saturating_add(1), replayed: true },
            None => Self { range: 0..number("SENTRI_SEEDS").unwrap_or(by_default), replayed: false },
        }
    }

    /// How many.
    pub fn count(&self) -> u64 {
        self.range.end - self.range.start
    }

    /// Those that fall to one of several workers.
    pub fn of_worker(&self, worker: u64, workers: u64) -> impl Iterator<Item = u64> + use<> {
        self.range.clone().filter(move |seed| seed % workers == worker)
    }
}
