//! A house that is built once and copied for each run of a test: the copy has its own server, data and phones.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use sentri_core::{api::types::App, open::PhoneChecks};
use sentri_sandbox::{
    clock::Clock,
    phone::{Between, Device, Phone},
    story::cast,
    town::{Plan, Town},
};

use crate::{House, Trouble, database};

/// How a house stood when its town was stopped.
pub struct Template {
    folder: tempfile::TempDir,
    /// On a server; absent where it is a file in the folder.
    database: Option<String>,
    now: i64,
    listing: String,
    agent_keys: HashMap<String, Vec<u8>>,
    contractor_keys: HashMap<String, Vec<u8>>,
    others: Vec<Other>,
}

/// Another device of the contractor's.
struct Other {
    name: String,
    checks: PhoneChecks,
    keys: HashMap<String, Vec<u8>>,
}

/// A copy of the house, with nobody's app started yet.
pub struct HouseCopy {
    /// The town that it stands in.
    pub town: Arc<Town>,
    /// The agent's device, logged in.
    pub agent: Device,
    /// The contractor's device, logged in.
    pub contractor: Device,
    /// What other devices the contractor has.
    pub others: Vec<Device>,
    /// The listing.
    pub listing: String,
    /// Removed with the copy.
    _folder: tempfile::TempDir,
    /// Likewise.
    _database: Option<database::Copy>,
}

impl Template {
    /// Builds the house, has both phones synced, and stops its town.
    pub async fn build(seed: u64) -> Result<Self, Trouble> {
        Self::build_with(seed, async |_| Ok(Vec::new())).await
    }

    /// The same, once it is furnished: with what other devices of the contractor's.
    pub async fn build_with(
        seed: u64,
        furnish: impl AsyncFnOnce(&House) -> Result<Vec<Device>, Trouble>,
    ) -> Result<Self, Trouble> {
        let folder = scratch()?;
        let database = database::fresh().await?;
        let house = House::build_in(seed, Some(folder.path().to_owned()), database.clone()).await?;
        let others = furnish(&house).await?;
        house.agent.core.sync_now().await?;
        let template = Self {
            folder,
            database,
            now: house.town.clock.now(),
            listing: house.listing.clone(),
            agent_keys: house.agent_device.keys().items(),
            contractor_keys: house.device.keys().items(),
            others: others.into_iter().map(Other::of).collect(),
        };
        house.town.stop().await;
        Ok(template)
    }

    /// Copies it. All chance in the copy follows from `seed`.
    pub async fn copy(&self, seed: u64) -> Result<HouseCopy, Trouble> {
        let folder = scratch()?;
        copy_all(self.folder.path(), folder.path())?;
        let database = match &self.database {
            Some(original) => Some(database::Copy::of(original).await?),
            None => None,
        };
        // No number of the template's may be drawn again: ids and tokens would meet.
        let seed = Some(seed.wrapping_add(1) << 20);
        let data = Some(folder.path().to_owned());
        let plan = Plan {
            clock: Clock::simulated(self.now),
            data,
            port: 0,
            database: database.as_ref().map(|copy| copy.url().to_owned()),
            seed,
        };
        let town = Arc::new(Town::found(plan).await?);
        town.bring_back(cast::BOX, cast::BOXES[0].1)?
            .ok_or(Trouble::Unexpected("a lockbox without flash"))?;
        let agent = town.device(crate::AGENTS_PHONE, App::Agent, PhoneChecks::Enforced);
        let contractor = town.device(crate::CONTRACTORS_PHONE, App::Connect, PhoneChecks::Enforced);
        agent.keys().restore(self.agent_keys.clone());
        contractor.keys().restore(self.contractor_keys.clone());
        let others = self.others.iter().map(|it| it.device(&town)).collect();
        Ok(HouseCopy {
            town,
            agent,
            contractor,
            others,
            listing: self.listing.clone(),
            _folder: folder,
            _database: database,
        })
    }
}

impl Other {
    fn of(device: Device) -> Self {
        Self { checks: device.checks, keys: device.keys().items(), name: device.name }
    }

    fn device(&self, town: &Town) -> Device {
        let device = town.device(&self.name, App::Connect, self.checks);
        device.keys().restore(self.keys.clone());
        device
    }
}

impl HouseCopy {
    /// Starts the agent's app.
    pub fn start_agent(&mut self, between: Between) -> Result<Phone, Trouble> {
        Ok(self.agent.start_between(&self.town.surroundings(), between)?)
    }

    /// Starts the contractor's app.
    pub fn start_contractor(&mut self, between: Between) -> Result<Phone, Trouble> {
        Ok(self.contractor.start_between(&self.town.surroundings(), between)?)
    }

    /// Starts the app on another device of the contractor's.
    pub fn start_other(&mut self, number: usize, between: Between) -> Result<Phone, Trouble> {
        let around = self.town.surroundings();
        let device = self.others.get_mut(number).ok_or(Trouble::Unexpected("no such device"))?;
        Ok(device.start_between(&around, between)?)
    }
}

/// A folder in memory, where the system has a place for that: an app or a server dies here, never the machine, so that
/// nothing needs a disk.
fn scratch() -> io::Result<tempfile::TempDir> {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir())
}

fn copy_all(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target: PathBuf = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_all(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
