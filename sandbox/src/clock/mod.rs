//! The one clock that backend, phones, radio and locks of a sandbox share.
//!
//! It runs at one of two paces. *Simulated*, it stands still between scenes; within a scene ([`Clock::scene`])
//! it jumps to the next thing that somebody waits for as soon as nobody is at work: a month passes in a second,
//! and nothing depends on how fast the machine is. Who is at work is counted, not guessed: every task of a phone
//! and the scene itself from being woken until it waits again ([`Attended`]), every exchange with the backend and
//! every wait for a disk ([`Clock::busy`]). *Real*, it is the machine's clock, which can be
//! moved.

mod attended;
mod conductor;
mod timer;

use std::{
    collections::BTreeMap,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use sentri_wire::Timestamp;

pub use attended::Attended;
pub use timer::Timer;

/// How time passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Only within scenes, and as fast as they allow.
    Simulated,
    /// As everywhere.
    Real,
}

/// Whether an event may pull simulated time towards itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pull {
    /// Somebody waits for it: a value on the air, a deadline of a session.
    Yes,
    /// It happens when its time has come, and nobody waits: a lock's hourly work.
    No,
}

/// The clock. Clones show the same time.
#[derive(Clone)]
pub struct Clock(Arc<Shared>);

struct Shared {
    pace: Pace,
    begun: Instant,
    state: Mutex<State>,
    changed: Condvar,
    /// Held while events run: they run one after the other, in order.
    turn: Mutex<()>,
}

type Event = Box<dyn FnOnce() + Send>;
/// When, and which of those at the same instant was asked for first.
type Place = (Duration, u64);

struct State {
    /// Wall time at the moment 0 of the monotonic time.
    epoch: Duration,
    /// All of the monotonic time at the simulated pace, what was skipped at the real one.
    skipped: Duration,
    events: BTreeMap<Place, (Pull, Event)>,
    asked: u64,
    scenes: usize,
    busy: usize,
}

impl Clock {
    /// A clock that stands still at `now` until a scene begins.
    pub fn simulated(now: Timestamp) -> Self {
        Self::new(Pace::Simulated, Duration::from_secs(u64::try_from(now).unwrap_or_default()))
    }

    /// The machine's clock.
    pub fn real() -> Self {
        Self::new(Pace::Real, SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
    }

    fn new(pace: Pace, epoch: Duration) -> Self {
        let begun = Instant::now();
        let state =
            State { epoch, skipped: Duration::ZERO, events: BTreeMap::new(), asked: 0, scenes: 0, busy: 0 };
        let shared = Shared { pace, begun, state: state.into(), changed: Condvar::new(), turn: ().into() };
        let clock = Self(Arc::new(shared));
        conductor::start(&clock);
        clock
    }

    /// How its time passes.
    pub fn pace(&self) -> Pace {
        self.0.pace
    }

    /// Whole seconds since 1970-01-01 UTC.
    pub fn now(&self) -> Timestamp {
        let (state, elapsed) = self.read();
        Timestamp::try_from((state.epoch + elapsed).as_secs()).unwrap_or(Timestamp::MAX)
    }

    /// Time since the clock was made; never goes back.
    pub fn elapsed(&self) -> Duration {
        self.read().1
    }

    /// Runs `event` once that much time has passed. Dropping the timer takes the event back.
    pub fn after(&self, delay: Duration, pull: Pull, event: impl FnOnce() + Send + 'static) -> Timer {
        let elapsed = self.elapsed();
        self.at(elapsed.saturating_add(delay), pull, event)
    }

    /// Runs `event` once [`Self::elapsed`] has reached `when`; at once where it has.
    pub fn at(&self, when: Duration, pull: Pull, event: impl FnOnce() + Send + 'static) -> Timer {
        let mut state = self.state();
        state.asked += 1;
        let place = (when, state.asked);
        state.events.insert(place, (pull, Box::new(event)));
        self.0.changed.notify_all();
        Timer::new(self, place)
    }

    /// Lets time pass: everything that falls due on the way happens, in order.
    pub fn advance(&self, time: Duration) {
        let target = self.elapsed().saturating_add(time);
        self.run_until(target);
    }

    /// Shows this time from now on. Forward, time passes; backward, only what the clock shows is set.
    pub fn set(&self, now: Timestamp) {
        let target = Duration::from_secs(u64::try_from(now).unwrap_or_default());
        let (state, elapsed) = self.read();
        let shown = state.epoch + elapsed;
        drop(state);
        if target >= shown {
            self.advance(target.saturating_sub(shown));
        } else {
            let mut state = self.state();
            state.epoch = state.epoch.saturating_sub(shown.saturating_sub(target));
        }
    }

    /// Plays a scene: while it lasts, simulated time may pass.
    pub async fn scene<T>(&self, scene: impl Future<Output = T>) -> T {
        let _playing = Playing::begin(self);
        Attended::new(self, scene).await
    }

    /// While the guard lives, somebody is at work and simulated time stands still.
    pub fn busy(&self) -> Busy {
        self.state().busy += 1;
        Busy(self.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Events run without this lock held, so that a poisoned one still holds a whole state.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> (MutexGuard<'_, State>, Duration) {
        let state = self.state();
        let elapsed = self.elapsed_of(&state);
        (state, elapsed)
    }

    fn elapsed_of(&self, state: &State) -> Duration {
        match self.0.pace {
            Pace::Simulated => state.skipped,
            Pace::Real => state.skipped + self.0.begun.elapsed(),
        }
    }

    /// Runs all events up to `target` in order, each at its own time, then shows `target`.
    fn run_until(&self, target: Duration) {
        let _turn = self.0.turn.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(event) = self.next_until(target) {
            event();
        }
        self.0.changed.notify_all();
    }

    fn next_until(&self, target: Duration) -> Option<Event> {
        let (mut state, elapsed) = self.read();
        let due = state.events.first_entry().filter(|first| first.key().0 <= target);
        let (at, event) = match due {
            Some(first) => (first.key().0, Some(first.remove())),
            None => (target, None),
        };
        state.skipped += at.saturating_sub(elapsed);
        event.map(|(_, event)| event)
    }

    fn forget(&self, place: Place) {
        let event = self.state().events.remove(&place);
        // Outside of the lock: what the event holds may itself hold a timer.
        drop(event);
        self.0.changed.notify_all();
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Clock({:?}, {})", self.0.pace, self.now())
    }
}

/// Somebody at work; see [`Clock::busy`].
pub struct Busy(Clock);

impl Drop for Busy {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.busy -= 1;
        self.0.0.changed.notify_all();
    }
}

struct Playing(Clock);

impl Playing {
    fn begin(clock: &Clock) -> Self {
        let mut state = clock.state();
        state.scenes += 1;
        clock.0.changed.notify_all();
        Self(clock.clone())
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        self.0.state().scenes -= 1;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn events_run_in_order_each_at_its_own_time() {
        let clock = Clock::simulated(1_000);
        let (told, heard) = mpsc::channel();
        let mut kept = Vec::new();
        for (delay, name) in [(20, "third"), (10, "first"), (10, "second"), (40, "later")] {
            let (told, watch) = (told.clone(), clock.clone());
            let say = move || told.send((name, watch.now())).unwrap();
            kept.push(clock.after(Duration::from_secs(delay), Pull::No, say));
        }
        clock.advance(Duration::from_secs(30));
        let said: Vec<_> = heard.try_iter().collect();
        assert_eq!(said, [("first", 1_010), ("second", 1_010), ("third", 1_020)]);
        assert_eq!(clock.now(), 1_030);
    }

    #[test]
    fn setting_back_moves_only_what_is_shown() {
        let clock = Clock::simulated(1_000_000);
        clock.set(1_001_000);
        assert_eq!((clock.now(), clock.elapsed().as_secs()), (1_001_000, 1_000));
        clock.set(999_500);
        assert_eq!((clock.now(), clock.elapsed().as_secs()), (999_500, 1_000));
    }

    #[tokio::test]
    async fn a_scene_skips_what_it_waits_for_and_leaves_the_rest_alone() {
        let clock = Clock::simulated(0);
        let _hourly = clock.after(Duration::from_secs(3600), Pull::No, || {});
        let taken_back = clock.sleep(Duration::from_secs(50), Pull::Yes);
        drop(taken_back);
        clock.scene(clock.sleep(Duration::from_secs(100), Pull::Yes)).await;
        assert_eq!(clock.now(), 100);
    }
}
