//! Timers: an event that can be taken back, and a sleep that can be dropped.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError, Weak},
    task::{Context, Poll, Waker},
    time::Duration,
};

use super::{Clock, Place, Pull, Shared};

/// An event to come; dropped, it is taken back.
#[must_use = "a dropped timer takes its event back"]
pub struct Timer {
    clock: Weak<Shared>,
    place: Place,
}

impl Timer {
    pub(super) fn new(clock: &Clock, place: Place) -> Self {
        Self { clock: Arc::downgrade(&clock.0), place }
    }

    /// Lets the event happen without anyone holding on to it.
    pub fn let_go(mut self) {
        self.clock = Weak::new();
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if let Some(shared) = self.clock.upgrade() {
            Clock(shared).forget(self.place);
        }
    }
}

#[derive(Default)]
struct Bell {
    rung: bool,
    waker: Option<Waker>,
}

/// Ends once its time has passed.
pub struct Sleep {
    bell: Arc<Mutex<Bell>>,
    _timer: Timer,
}

impl Clock {
    /// Ends once that much time has passed on this clock.
    pub fn sleep(&self, time: Duration, pull: Pull) -> Sleep {
        let bell = Arc::new(Mutex::new(Bell::default()));
        let ring = bell.clone();
        let timer = self.after(time, pull, move || {
            let mut bell = ring.lock().unwrap_or_else(PoisonError::into_inner);
            bell.rung = true;
            if let Some(waker) = bell.waker.take() {
                waker.wake();
            }
        });
        Sleep { bell, _timer: timer }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut bell = self.bell.lock().unwrap_or_else(PoisonError::into_inner);
        if bell.rung {
            return Poll::Ready(());
        }
        bell.waker = Some(context.waker().clone());
        Poll::Pending
    }
}
