//! Something changed: a bell that any number of readers hear, each in its own time.

use tokio::sync::watch;

/// Rings when something that is shown may have changed. Rings that nobody took in between are one.
#[derive(Debug)]
pub struct Changes(watch::Sender<u64>);

impl Default for Changes {
    fn default() -> Self {
        Self(watch::channel(0).0)
    }
}

impl Changes {
    /// Rings.
    pub fn note(&self) {
        self.0.send_modify(|rings| *rings = rings.wrapping_add(1));
    }

    /// How often it has rung: what was read before the last ring may be old.
    pub fn count(&self) -> u64 {
        *self.0.borrow()
    }

    /// Hears every ring from now on.
    pub fn listen(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}
