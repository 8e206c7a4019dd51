//! Phones: the mobile core on a folder of its own, at the sandbox's clock, radio and network.

mod bare;
mod link;
mod network;
mod ports;

use std::{path::PathBuf, sync::Arc};

use sentri_core::{
    CoreError, Ports, SentriCore,
    api::{
        contractor::{OpenAttempt, OpenReport},
        device_key::DeviceKey,
        ports::SecureStore,
        types::{App, CoreConfig, Platform},
    },
    http::{Http, NoTls},
    open::PhoneChecks,
    store::{AlwaysOpen, WriteGate},
};

pub use bare::BarePhone;
pub use network::{Cuts, Exchanged, Meter};
pub use ports::KeyStore;

use crate::{clock::Clock, lockbox::Lockbox, radio::Air};
use link::RadioLink;
pub(crate) use network::Network;
use ports::{PhoneClock, PhoneRandom, PhoneWorkers};

/// The version that the sandbox's apps say they have.
const APP_VERSION: &str = "1.0.0";

/// A device: what stays when the app on it is killed.
pub struct Device {
    /// "Dana's phone".
    pub name: String,
    /// Which app is installed.
    pub app: App,
    /// Whether the app judges before the lock does. Only the sandbox and diagnosis can have it otherwise.
    pub checks: PhoneChecks,
    folder: PathBuf,
    keys: Arc<KeyStore>,
    seed: u64,
}

/// What a test puts between an app and its device; each part is the device's own where it is absent.
#[derive(Clone, Default)]
pub struct Between {
    /// Can kill the app at any write.
    pub gate: Option<Arc<dyn WriteGate>>,
    /// The network.
    pub http: Option<Arc<dyn Http>>,
    /// The key store.
    pub keys: Option<Arc<dyn SecureStore>>,
    /// The hardware's key.
    pub device_key: Option<Arc<dyn DeviceKey>>,
    /// By how many seconds the phone's clock is ahead of all others; negative where it is behind.
    pub ahead: i64,
    /// The app's version.
    pub version: Option<&'static str>,
}

/// Where a phone lives.
#[derive(Clone)]
pub struct Surroundings {
    /// The time.
    pub clock: Clock,
    /// The radio.
    pub air: Air,
    /// Counts what goes over the network.
    pub meter: Meter,
    /// How often the network was cut.
    pub cuts: Cuts,
    /// The backend's address.
    pub base_url: String,
}

/// An app that runs on a device.
pub struct Phone {
    /// The core.
    pub core: Arc<SentriCore>,
    clock: Clock,
    _link: Arc<RadioLink>,
}

impl Device {
    /// A new device whose app keeps its data in `folder`. Its random numbers follow from `seed`.
    pub fn new(name: &str, app: App, checks: PhoneChecks, folder: PathBuf, seed: u64) -> Self {
        Self { name: name.to_owned(), app, checks, folder, keys: Arc::default(), seed }
    }

    /// Starts the app, after a kill too.
    pub fn start(&mut self, around: &Surroundings) -> Result<Phone, CoreError> {
        self.start_between(around, Between::default())
    }

    /// The key store, which outlives the app.
    pub fn keys(&self) -> &Arc<KeyStore> {
        &self.keys
    }

    /// Starts the app with a gate that can kill it at any write.
    pub fn start_with_gate(
        &mut self,
        around: &Surroundings,
        gate: Arc<dyn WriteGate>,
    ) -> Result<Phone, CoreError> {
        self.start_between(around, Between { gate: Some(gate), ..Between::default() })
    }

    /// Starts the app with something between it and the device.
    pub fn start_between(&mut self, around: &Surroundings, between: Between) -> Result<Phone, CoreError> {
        // No two starts may draw the same numbers, as on a real device.
        self.seed = self.seed.wrapping_add(0x0100_0000_0000);
        let link = RadioLink::on_air(&around.air);
        let clock = around.clock.clone();
        let http = match between.http {
            Some(http) => http,
            None => Arc::new(network(around)?),
        };
        let gate = between.gate.unwrap_or_else(|| Arc::new(AlwaysOpen));
        let ports = Ports {
            clock: Arc::new(PhoneClock { clock: clock.clone(), ahead: between.ahead }),
            random: Arc::new(PhoneRandom::new(self.seed)),
            workers: Arc::new(PhoneWorkers(clock.clone())),
            http: Some(http),
            link: link.clone(),
            secure_store: between.keys.unwrap_or_else(|| self.keys.clone()),
            device_key: between.device_key,
            write_gate: gate,
        };
        let core =
            SentriCore::with_checks(self.config(&around.base_url, between.version), ports, self.checks)?;
        link.tell(core.link_events());
        Ok(Phone { core, clock, _link: link })
    }

    fn config(&self, base_url: &str, version: Option<&str>) -> CoreConfig {
        CoreConfig {
            base_url: base_url.to_owned(),
            data_dir: self.folder.to_string_lossy().into_owned(),
            app: self.app,
            app_version: version.unwrap_or(APP_VERSION).into(),
            device_name: self.name.clone(),
            platform: Platform::Desktop,
        }
    }
}

fn network(around: &Surroundings) -> Result<Network, CoreError> {
    let Surroundings { cuts, meter, clock, .. } = around.clone();
    Network::new(cuts, meter, clock).map_err(|NoTls| CoreError::DeviceTrouble)
}

/// How an open on ENT went.
#[derive(Debug)]
pub struct Opened {
    /// What the phone's user was told.
    pub told: Result<OpenReport, CoreError>,
    /// Simulated milliseconds from the press of ENT to that.
    pub ms: u128,
}

impl Phone {
    /// The user holds the app before the box and presses ENT on it; waits until the phone is done with the box.
    pub async fn open(&self, lockbox: &Lockbox, access: Option<&str>) -> Result<Opened, CoreError> {
        let scene = async {
            let attempt = self.core.open_on_ent(access.map(str::to_owned)).await?;
            Ok(self.press_and_wait(lockbox, &attempt).await)
        };
        self.clock.scene(scene).await
    }

    /// As `open`, to return a key after the account was deleted.
    pub async fn return_key(&self, lockbox: &Lockbox, key: &str) -> Result<Opened, CoreError> {
        let scene = async {
            let attempt = self.core.return_key(key.to_owned()).await?;
            Ok(self.press_and_wait(lockbox, &attempt).await)
        };
        self.clock.scene(scene).await
    }

    async fn press_and_wait(&self, lockbox: &Lockbox, attempt: &OpenAttempt) -> Opened {
        let begun = self.clock.elapsed();
        lockbox.press_ent();
        let told = attempt.result().await;
        let ms = self.clock.elapsed().saturating_sub(begun).as_millis();
        attempt.finished().await;
        Opened { told, ms }
    }
}
