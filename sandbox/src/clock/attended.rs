//! Work that simulated time waits for: a task is at work from the moment it is woken until it waits again.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Wake, Waker},
};

use super::{Busy, Clock};

/// A task that keeps simulated time from passing while it has anything to do.
pub struct Attended<F> {
    task: Pin<Box<F>>,
    calls: Arc<Calls>,
}

/// Between the task and whatever wakes it.
struct Calls {
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// From the call to the look that follows it.
    called: Option<Busy>,
    /// Where calls go on to.
    waker: Option<Waker>,
    over: bool,
}

impl<F: Future> Attended<F> {
    /// At work from now on.
    pub fn new(clock: &Clock, task: F) -> Self {
        let state = State { called: Some(clock.busy()), ..State::default() };
        Self { task: Box::pin(task), calls: Arc::new(Calls { clock: clock.clone(), state: state.into() }) }
    }
}

impl Calls {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self) {
        let mut state = self.state();
        state.over = true;
        let last = (state.called.take(), state.waker.take());
        // Outside of the lock: to drop them may be to act.
        drop(state);
        drop(last);
    }
}

impl Wake for Calls {
    fn wake(self: Arc<Self>) {
        let mut state = self.state();
        if state.over {
            return;
        }
        if state.called.is_none() {
            state.called = Some(self.clock.busy());
        }
        let waker = state.waker.clone();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<F: Future> Future for Attended<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let at_work = self.calls.clock.busy();
        let mut state = self.calls.state();
        state.waker = Some(context.waker().clone());
        let called = state.called.take();
        drop(state);
        drop(called);
        let waker = Waker::from(self.calls.clone());
        let polled = self.task.as_mut().poll(&mut Context::from_waker(&waker));
        if polled.is_ready() {
            self.calls.end();
        }
        drop(at_work);
        polled
    }
}

impl<F> Drop for Attended<F> {
    fn drop(&mut self) {
        self.calls.end();
    }
}
