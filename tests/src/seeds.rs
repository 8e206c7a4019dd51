//! Which seeds a test draws its faults from: many by default, one to replay a failure.
//!
//! `SENTRI_SEED=4711` plays that one alone, and tells each step; `SENTRI_SEEDS=50` plays fewer, or more.

use std::{
    env,
    fmt::Write as _,
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, PoisonError},
};

/// Runs at a time: the machine's two cores.
const WORKERS: u64 = 2;
/// How many failing seeds are named.
const NAMED: usize = 10;

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

    /// Plays each, some at a time: what the runs gave, or which failed and how that test plays them again.
    pub fn play<T: Send>(&self, test: &str, run: impl Fn(u64) -> T + Sync) -> Result<Vec<T>, String> {
        let (gave, failed) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
        std::thread::scope(|scope| {
            for worker in 0..WORKERS {
                let (gave, failed, run) = (&gave, &failed, &run);
                scope.spawn(move || {
                    for seed in self.range.clone().filter(|seed| seed % WORKERS == worker) {
                        match catch_unwind(AssertUnwindSafe(|| run(seed))) {
                            Ok(it) => gave.lock().unwrap_or_else(PoisonError::into_inner).push(it),
                            Err(_) => failed.lock().unwrap_or_else(PoisonError::into_inner).push(seed),
                        }
                    }
                });
            }
        });
        let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
        if failed.is_empty() {
            Ok(gave.into_inner().unwrap_or_else(PoisonError::into_inner))
        } else {
            Err(how_to_replay(test, &failed))
        }
    }
}

fn how_to_replay(test: &str, failed: &[u64]) -> String {
    let mut told = format!("{} seeds failed. Replay one by\n", failed.len());
    for seed in failed.iter().take(NAMED) {
        let _ =
            writeln!(told, "    SENTRI_SEED={seed} cargo test -p sentri-tests --test {test} -- --nocapture");
    }
    told
}
