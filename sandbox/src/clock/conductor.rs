//! The thread that lets time pass: it sleeps until the next event at the real pace, and jumps to it at the
//! simulated one once nobody is at work.

use std::{
    sync::{Arc, PoisonError, Weak},
    thread,
    time::Duration,
};

use super::{Clock, Pace, Pull, Shared, State};

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
        Pace::Simulated => simulated(state),
    }
}

/// Where anybody waits for anything, time goes on to the very next event, so that there is a chance to react to
/// each before the one after it.
fn simulated(state: &State) -> Next {
    let waited_for = state.events.values().any(|(pull, _)| *pull == Pull::Yes);
    let first = state.events.first_key_value().filter(|_| waited_for && state.scenes > 0 && state.busy == 0);
    match first {
        Some(((at, _), _)) => Next::Run(*at),
        None => Next::Wait(LOOK),
    }
}
