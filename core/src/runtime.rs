//! The Tokio runtime under the core, for the few places that need one: timers, tasks and sockets.
//!
//! Swift and Kotlin poll the core's futures on threads of their own, which know no runtime. One that is entered here, and
//! not at every exported call, makes a phone's library a fiftieth smaller (docs/adr/0034).

use std::{
    pin::pin,
    task::{Context, Waker},
    time::Duration,
};

use async_compat::Compat;

/// The future, polled within the caller's runtime; where it has none, within one that the process keeps.
pub(crate) fn in_runtime<F: Future>(future: F) -> Compat<F> {
    Compat::new(future)
}

/// Goes on with the task in the background.
pub(crate) fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    let spawned = pin!(in_runtime(async { drop(tokio::spawn(task)) }));
    // It is ready at once: nothing in it waits.
    let _ready = spawned.poll(&mut Context::from_waker(Waker::noop()));
}

/// What the future gives, or nothing where it takes longer than the caller's patience.
pub(crate) async fn within<F: Future>(patience: Duration, future: F) -> Option<F::Output> {
    in_runtime(async { tokio::time::timeout(patience, future).await }).await.ok()
}
