//! Something changed: a bell that any number of readers hear, each in its own time.

use tokio::sync::watch;

/// Rings when something that is shown may have changed. Rings that nobody took in between are one.
#[derive(Debug)]
pub struct Changes(watch::Sender<()>);

impl Default for Changes {
    fn default() -> Self {
        Self(watch::channel(()).0)
    }
}

impl Changes {
    /// Rings.
    pub fn note(&self) {
        self.0.send_replace(());
    }

    /// Hears every ring from now on.
    pub fn listen(&self) -> watch::Receiver<()> {
        self.0.subscribe()
    }
}
