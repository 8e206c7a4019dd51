//! The thread that lets time pass: it sleeps until the next event at the real pace, and jumps to it at the
//! simulated one once nobody is at work.

use std::{
    sync::{Arc, PoisonError, Weak},
    thread,
    time::{Duration, Instant},
};

use super::{Clock, Pace, Pull, Shared, State};

/// How long nobody may have done anything before simulated time jumps, at most. Jumps of less than fifty times
/// this wait less: a value on the air is not worth a wait, giving up on a lock is.
const PATIENCE: Duration = Duration::from_millis(150);
const SPEED: u32 = 50;
/// How often the thread looks whether its clock is still there.
const LOOK: Duration = Duration::from_millis(200);

enum Next {
    /// Let time pass up to here.
    Run(Duration),
    /// Look again after this, or once something changes.
    Wait(Duration),
}

pub(super) fn start(clock: &Clock) {
    let shared = Arc::downgrade(&clock.0);
    // Ends by itself when the last clone of the clock is gone.
    thread::spawn(move || conduct(&shared));
}

fn conduct(shared: &Weak<Shared>) {
    while let Some(shared) = shared.upgrade() {
        let clock = Clock(shared);
        let state = clock.state();
        match next(&clock, &state) {
            Next::Run(target) => {
                drop(state);
                clock.run_until(target);
            }
            Next::Wait(time) => {
                let waited = clock.0.changed.wait_timeout(state, time.min(LOOK));
                drop(waited.unwrap_or_else(PoisonError::into_inner));
            }
        }
    }
}

fn next(clock: &Clock, state: &State) -> Next {
    let elapsed = clock.elapsed_of(state);
    match clock.pace() {
        Pace::Real => match state.events.first_key_value() {
            Some(((at, _), _)) if *at <= elapsed => Next::Run(elapsed),
            Some(((at, _), _)) => Next::Wait(at.saturating_sub(elapsed)),
            None => Next::Wait(LOOK),
        },
        Pace::Simulated => simulated(state, elapsed),
    }
}

/// Where anybody waits for anything, time goes on to the very next event, so that there is a chance to react to
/// each before the one after it.
fn simulated(state: &State, elapsed: Duration) -> Next {
    let waited_for = state.events.values().any(|(pull, _)| *pull == Pull::Yes);
    let first = state.events.first_key_value().filter(|_| waited_for && state.scenes > 0 && state.busy == 0);
    let Some(((at, _), _)) = first else { return Next::Wait(LOOK) };
    let patience = (at.saturating_sub(elapsed) / SPEED).min(PATIENCE);
    let idle = Instant::now().saturating_duration_since(state.last_activity);
    match patience.checked_sub(idle) {
        Some(left) if !left.is_zero() => Next::Wait(left),
        _ => Next::Run(*at),
    }
}
