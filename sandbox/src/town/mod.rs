//! A town in a process: one backend, lockboxes on their hooks, a radio, a clock. The story plays in one, and
//! `serve` keeps one running.

mod backend;
mod cards;
mod folder;
mod hubs;
mod look;
pub mod market;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sentri_core::{api::types::App, http::NoTls, open::PhoneChecks};
use sentri_feed::Feed;
use sentri_lock::{
    BootError, ProvisionError, Provisioning,
    sim::{SimBoard, SimFlash},
};
use sentri_protocol::{
    Generation, KeyTree, Seed, Time,
    codes::{kind::Profile, smart_pin::LockId},
    settings::Settings,
};
use sentri_server::{
    Mailbox, Refusal, Running, StartError,
    operator::{NewDoor, NewLockbox, Operator},
};
use sentri_wire::{Binary, agent::LockboxGeneration};
use tokio::sync::MappedMutexGuard;

pub use cards::{CardSeen, CardTrouble};
pub use folder::FolderTrouble;
pub use look::{LetterSeen, Person, TownSeen};

use crate::{
    clock::Clock,
    hub::VirtualHub,
    lockbox::Lockbox,
    phone::{Device, Meter, Surroundings},
    radio::Air,
};
use backend::Backend;
use cards::Cards;
use folder::Folder;

/// How to make a town.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The time there.
    pub clock: Clock,
    /// Where its data are kept; absent for a temporary folder that goes with the town.
    pub data: Option<PathBuf>,
    /// Port of the backend; 0 takes a free one.
    pub port: u16,
    /// URL of the backend's database; absent for a file among the data.
    pub database: Option<String>,
    /// What all chance follows from; absent for the system's own, which is right for whatever is kept.
    pub seed: Option<u64>,
}

/// Why a town can't be made, or something in it can't be done.
#[derive(Debug, thiserror::Error)]
pub enum TownTrouble {
    /// The folder can't be used.
    #[error(transparent)]
    Folder(#[from] FolderTrouble),
    /// The backend does not start.
    #[error("The backend can't start: {0}. Another --port may be free.")]
    Port(StartError),
    /// The backend does not start.
    #[error("The backend can't start: {0}.")]
    Backend(StartError),
    /// The listings feed can't listen.
    #[error("The listings feed can't listen on this machine: {0}.")]
    Feed(std::io::Error),
    /// The backend is not running.
    #[error("The backend is not running.")]
    NoBackend,
    /// The backend refused an operator's command.
    #[error("The backend refused: {0}")]
    Refused(#[from] Refusal),
    /// What the backend made for the factory is not as documented.
    #[error("The backend made no lockbox that the factory could build.")]
    BadProvisioning,
    /// The lock could not be provisioned.
    #[error("The lock can't be provisioned: {0}.")]
    Provision(#[from] ProvisionError),
    /// A hub's network can't be set up.
    #[error(transparent)]
    Network(#[from] NoTls),
    /// The lock does not start.
    #[error("The lockbox does not start from its kept flash: {0}.")]
    Boot(#[from] BootError),
}

impl From<StartError> for TownTrouble {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Listen { .. } => Self::Port(error),
            error => Self::Backend(error),
        }
    }
}

/// The town.
pub struct Town {
    /// Its time.
    pub clock: Clock,
    /// Its radio.
    pub air: Air,
    /// Counts what its phones exchange with the backend.
    pub meter: Meter,
    /// Its MLS.
    pub feed: Feed,
    folder: Folder,
    backend: Backend,
    lockboxes: Mutex<Vec<Arc<Lockbox>>>,
    people: Mutex<Vec<Person>>,
    hubs: Mutex<BTreeMap<String, Arc<VirtualHub>>>,
    cards: Cards,
    seed: Option<u64>,
}

impl Town {
    /// Makes the town and starts its backend.
    pub async fn found(plan: Plan) -> Result<Self, TownTrouble> {
        let folder = Folder::open(plan.data.as_deref())?;
        let feed = market::open(plan.clock.now()).await.map_err(TownTrouble::Feed)?;
        let backend = Backend::start(folder.path(), &plan, market::configured(&feed)).await?;
        Ok(Self {
            air: Air::new(&plan.clock, plan.seed.unwrap_or(1)),
            clock: plan.clock,
            meter: Meter::default(),
            feed,
            folder,
            backend,
            lockboxes: Mutex::default(),
            people: Mutex::default(),
            hubs: Mutex::default(),
            cards: Cards::default(),
            seed: plan.seed,
        })
    }

    /// Where phones reach the backend.
    pub fn base_url(&self) -> String {
        self.backend.url()
    }

    /// The folder of all data.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What went out to people.
    pub fn mailbox(&self) -> &Mailbox {
        self.backend.mailbox()
    }

    /// The operator's commands, one at a time, by the given function.
    pub async fn operate<T>(
        &self,
        command: impl AsyncFnOnce(Operator<'_>) -> Result<T, Refusal>,
    ) -> Result<T, TownTrouble> {
        let running = self.running().await?;
        Ok(command(running.operator()).await?)
    }

    /// The backend itself, for what no operator's command does.
    pub async fn running(&self) -> Result<MappedMutexGuard<'_, Running>, TownTrouble> {
        self.backend.running().await.ok_or(TownTrouble::NoBackend)
    }

    /// Has the backend make a lockbox, and the factory build it.
    pub async fn add_lockbox(&self, new: &NewLockbox) -> Result<Arc<Lockbox>, TownTrouble> {
        let made = self.operate(async |operator| operator.provision_lockbox(new).await).await?;
        let secrets = (&made.seed, made.key_generation, &made.settings);
        let provisioning = Provisioning {
            association: made.card_key.array(),
            ..self.provisioning(Profile::Lockbox, LockId(made.lockbox.id.into_bytes()), secrets)?
        };
        let board = SimBoard::new(self.chance()?);
        let lockbox =
            Lockbox::provisioned(&new.serial, new.generation, board, provisioning, (&self.clock, &self.air))?;
        Ok(self.hang(lockbox))
    }

    /// Has the backend make a door, and the factory build its lock.
    pub async fn add_door(&self, new: &NewDoor) -> Result<Arc<Lockbox>, TownTrouble> {
        let made = self.operate(async |operator| operator.provision_door(new).await).await?;
        let secrets = (&made.seed, made.key_generation, &made.settings);
        let id = LockId(made.door.id.into_bytes());
        let provisioning = self.provisioning(Profile::Residential, id, secrets)?;
        let (board, around) = (SimBoard::new(self.chance()?), (&self.clock, &self.air));
        let lock = Lockbox::provisioned(&new.serial, LockboxGeneration::Ble, board, provisioning, around)?;
        Ok(self.hang(lock))
    }

    /// Puts a lockbox of a former run back on its hook; nothing where its flash was not kept.
    pub fn bring_back(
        &self,
        serial: &str,
        generation: LockboxGeneration,
    ) -> Result<Option<Arc<Lockbox>>, TownTrouble> {
        let Some(image) = self.folder.flash(serial)? else { return Ok(None) };
        let flash = SimFlash::from_image(&image).ok_or(TownTrouble::BadProvisioning)?;
        let board = SimBoard::with(self.chance()?, flash);
        let lockbox = Lockbox::booted(serial, generation, board, (&self.clock, &self.air))?;
        Ok(Some(self.hang(lockbox)))
    }

    fn hang(&self, lockbox: Arc<Lockbox>) -> Arc<Lockbox> {
        if self.folder.is_kept() {
            lockbox.keep_in(&self.folder.flash_file(lockbox.serial()));
        }
        self.locked().push(lockbox.clone());
        lockbox
    }

    /// What the backend says the factory should write, in the factory's own terms.
    fn provisioning(
        &self,
        profile: Profile,
        id: LockId,
        (seed, generation, settings): (&Binary, u32, &Binary),
    ) -> Result<Provisioning, TownTrouble> {
        let seed = Seed::new(seed.array().ok_or(TownTrouble::BadProvisioning)?);
        let keys = KeyTree::new(&seed, Generation(generation));
        let settings = Settings::open(&keys, settings.as_ref()).ok_or(TownTrouble::BadProvisioning)?;
        let time = Time::from_unix(self.clock.now()).ok_or(TownTrouble::BadProvisioning)?;
        Ok(Provisioning { seed, id, profile, association: None, programming_code: None, settings, time })
    }

    /// A seed for one device's own chance.
    fn chance(&self) -> Result<u64, TownTrouble> {
        let place = self.locked().len() as u64 + 1;
        match self.seed {
            Some(seed) => Ok(seed.wrapping_mul(0x0001_0000_0001).wrapping_add(place)),
            None => getrandom::u64().map_err(|_| TownTrouble::BadProvisioning),
        }
    }

    /// All lockboxes.
    pub fn lockboxes(&self) -> Vec<Arc<Lockbox>> {
        self.locked().clone()
    }

    /// The lockbox with this serial number.
    pub fn lockbox(&self, serial: &str) -> Option<Arc<Lockbox>> {
        self.locked().iter().find(|lockbox| lockbox.serial() == serial).cloned()
    }

    /// What surrounds a phone in this town.
    pub fn surroundings(&self) -> Surroundings {
        Surroundings {
            clock: self.clock.clone(),
            air: self.air.clone(),
            meter: self.meter.clone(),
            cuts: self.backend.cuts().clone(),
            base_url: self.base_url(),
        }
    }

    /// A new device, with a folder of its own.
    pub fn device(&self, name: &str, app: App, checks: PhoneChecks) -> Device {
        let folder = self.folder.phone(name);
        let seed = name.bytes().fold(self.seed.unwrap_or(1), |seed, byte| {
            seed.wrapping_mul(0x0100_0000_01b3).wrapping_add(byte.into())
        });
        Device::new(name, app, checks, folder, seed)
    }

    /// Cuts the network where phones can't see why: the backend's listener is closed.
    pub async fn cut_network(&self) {
        self.backend.cut().await;
    }

    /// Opens the backend's listener again, on the same port.
    pub async fn restore_network(&self) -> Result<(), TownTrouble> {
        Ok(self.backend.restore().await?)
    }

    /// Whether the backend listens.
    pub fn network_is_up(&self) -> bool {
        self.backend.is_up()
    }

    /// Kills the backend: nothing that was not committed remains.
    pub async fn kill_backend(&self) {
        self.backend.kill().await;
    }

    /// Starts the backend again, on the same data and port. It delivers what waits only where `deliver` is set.
    pub async fn restart_backend(&self, deliver: bool) -> Result<(), TownTrouble> {
        Ok(self.backend.restart(deliver).await?)
    }

    /// Stops everything; what is kept is whole.
    pub async fn stop(&self) {
        self.backend.stop().await;
    }

    /// Adds somebody whom app developers can log in as.
    pub fn introduce(&self, person: Person) {
        self.people.lock().unwrap_or_else(PoisonError::into_inner).push(person);
    }

    fn locked(&self) -> MutexGuard<'_, Vec<Arc<Lockbox>>> {
        self.lockboxes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
