//! What a user can show to support.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::core_object::SentriCore;
use crate::diagnostic;

#[uniffi::export]
impl SentriCore {
    /// How the core stands, as plain English text of a few lines: versions, platform, sync, counts, and the names
    /// of the last errors. No ids, names, addresses, places or keys are in it. It goes nowhere by itself: show it
    /// to the user, who may share it. Needs no network and never fails.
    pub async fn diagnostic(self: Arc<Self>) -> String {
        // On its own, since a call that never fails has no error to give where it does.
        let (tell, told) = oneshot::channel();
        let workers = self.core.ports.workers.clone();
        workers.spawn(Box::pin(async move {
            // Whoever asked may have gone.
            let _ = tell.send(diagnostic::text(&self.core).await);
        }));
        told.await.unwrap_or_else(|_| "Sentri diagnostic\nerror: no diagnostic can be made\n".to_owned())
    }
}
