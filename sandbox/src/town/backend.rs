//! The town's backend: started, cut off, killed and started again, always on the same data and port.

use std::{net::SocketAddr, path::Path, sync::Arc};

use sentri_server::{
    Config, Mailbox, Ports, Running, Server, StartError, Vault,
    config::ListingsFeed,
    ports::{Randomness, SeededRandomness, SystemRandomness},
};
use sentri_wire::Timestamp;
use tokio::sync::{MappedMutexGuard, Mutex, MutexGuard};

use super::Plan;
use crate::{clock::Clock, phone::Cuts};

/// Start of the links in mails. No such host exists.
const PUBLIC_URL: &str = "https://connect.sentri.example";

/// The oldest version of either app that is served, so that "please update" can be seen.
const OLDEST_APP: &str = "1.0.0";

/// The shared clock, as the backend asks it.
struct BackendClock(Clock);

impl sentri_server::ports::Clock for BackendClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

pub(super) struct Backend {
    config: Config,
    ports: Ports,
    mailbox: Mailbox,
    address: SocketAddr,
    state: Mutex<Option<Running>>,
    up: std::sync::atomic::AtomicBool,
    cuts: Cuts,
}

impl Backend {
    pub(super) async fn start(folder: &Path, plan: &Plan, feed: ListingsFeed) -> Result<Self, StartError> {
        let mut config = Config { public_url: PUBLIC_URL.into(), ..Config::in_folder(folder) };
        config.minimum_versions = ["agent", "connect"].map(|app| (app.into(), OLDEST_APP.into())).into();
        // A feed is read when somebody says so, by whatever clock the town has.
        (config.listings_feed, config.import_listings) = (vec![feed], false);
        config.bind.set_port(plan.port);
        if let Some(database) = &plan.database {
            config.database.clone_from(database);
        }
        let mailbox = Mailbox::new();
        let randomness = randomness(plan.seed);
        ensure_master_key(&config, &*randomness)?;
        let clock = Arc::new(BackendClock(plan.clock.clone()));
        let ports = Ports { randomness, ..Ports::with_mailbox(clock, &mailbox) };
        let running = Server::start(config.clone(), ports.clone()).await?;
        let address = running.addr();
        // Phones know the port: it stays.
        config.bind = address;
        let (state, up, cuts) = (Mutex::new(Some(running)), true.into(), Cuts::default());
        Ok(Self { config, ports, mailbox, address, state, up, cuts })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    pub(super) fn cuts(&self) -> &Cuts {
        &self.cuts
    }

    pub(super) fn is_up(&self) -> bool {
        self.up.load(std::sync::atomic::Ordering::SeqCst)
    }

    /// Either way, what was connected is so no more.
    fn set_up(&self, up: bool) {
        self.cuts.note();
        self.up.store(up, std::sync::atomic::Ordering::SeqCst);
    }

    pub(super) async fn running(&self) -> Option<MappedMutexGuard<'_, Running>> {
        MutexGuard::try_map(self.state.lock().await, Option::as_mut).ok()
    }

    pub(super) async fn cut(&self) {
        if let Some(running) = &mut *self.state.lock().await {
            running.stop_listener().await;
        }
        self.set_up(false);
    }

    pub(super) async fn restore(&self) -> Result<(), StartError> {
        if let Some(running) = &mut *self.state.lock().await {
            running.start_listener().await?;
            self.set_up(true);
        }
        Ok(())
    }

    pub(super) async fn kill(&self) {
        // Dropped, it stops at once.
        drop(self.state.lock().await.take());
        self.set_up(false);
    }

    pub(super) async fn restart(&self, deliver: bool) -> Result<(), StartError> {
        let mut state = self.state.lock().await;
        drop(state.take());
        let config = Config { deliver, ..self.config.clone() };
        *state = Some(Server::start(config, self.ports.clone()).await?);
        self.set_up(true);
        Ok(())
    }

    pub(super) async fn stop(&self) {
        let running = self.state.lock().await.take();
        if let Some(running) = running {
            running.stop().await;
        }
        self.set_up(false);
    }
}

fn randomness(seed: Option<u64>) -> Arc<dyn Randomness> {
    let Some(seed) = seed else { return Arc::new(SystemRandomness) };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_be_bytes());
    SeededRandomness::new(bytes)
}

/// A deployment's operator makes this key once; a sandbox makes its own.
fn ensure_master_key(config: &Config, randomness: &dyn Randomness) -> Result<(), StartError> {
    match &config.master_key_file {
        Some(file) if !file.exists() => Ok(Vault::create_file(file, randomness)?),
        _ => Ok(()),
    }
}
