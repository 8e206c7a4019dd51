//! What time it is, as well as a phone can know: its own clock, set right by what the backend said last.
//!
//! A phone's clock may be a day off, or be moved by its user. What the phone judges and shows by itself goes by this
//! time; the lock judges by its own clock, and is told the phone's as it is.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sentri_wire::Timestamp;

use crate::ports::Clock;

/// The phone's clock, set right.
pub struct TrueTime {
    clock: Arc<dyn Clock>,
    known: Mutex<Known>,
}

#[derive(Clone, Copy, Default)]
struct Known {
    /// The backend's clock minus the phone's, in seconds, when it was heard last.
    skew: i64,
    /// What the backend's clock showed in this run, and when that was.
    heard: Option<(Timestamp, Duration)>,
}

impl TrueTime {
    /// With the difference that a former run found.
    pub fn new(clock: Arc<dyn Clock>, skew: i64) -> Self {
        Self { clock, known: Mutex::new(Known { skew, heard: None }) }
    }

    /// The backend's clock shows this now.
    pub fn hear(&self, server_time: Timestamp) {
        let skew = server_time.saturating_sub(self.clock.now());
        let heard = Some((server_time, self.clock.monotonic()));
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Known { skew, heard };
    }

    /// Whole seconds since 1970-01-01 UTC. Setting the phone's clock back does not set this back; setting it forward
    /// does move it, until the backend is heard again, since a phone that slept looks the same.
    pub fn now(&self) -> Timestamp {
        let known = *self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = self.clock.now().saturating_add(known.skew);
        let Some((at, heard)) = known.heard else { return shown };
        let passed = self.clock.monotonic().saturating_sub(heard).as_secs();
        shown.max(at.saturating_add(Timestamp::try_from(passed).unwrap_or(Timestamp::MAX)))
    }
}
