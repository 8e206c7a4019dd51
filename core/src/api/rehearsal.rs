//! A bug of the core's, on purpose: what an app does then can be tried before there is one.

use super::{core_object::SentriCore, error::CoreError};

#[uniffi::export]
impl SentriCore {
    /// Fails as a bug in the core would: with an error that is no `CoreError`. Nothing else happens, and the core goes
    /// on. For an app's own tests. Returns at once, from any thread.
    pub fn rehearse_bug(&self) -> Result<(), CoreError> {
        Err(bug())
    }
}

#[uniffi::export]
impl SentriCore {
    /// As `rehearse_bug`, in a call that could have waited.
    pub async fn rehearse_bug_later(&self) -> Result<(), CoreError> {
        tokio::task::yield_now().await;
        Err(bug())
    }
}

fn bug() -> CoreError {
    panic!("a bug, rehearsed");
}
