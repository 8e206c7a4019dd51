//! A house that is built once and copied for each run of a test: the copy has its own server, data and phones.

use std::{collections::HashMap, sync::Arc};

use sentri_core::{api::types::App, open::PhoneChecks};
use sentri_sandbox::{
    phone::{Between, Device, Phone},
    story::cast,
    town::Town,
};

use crate::{
    House, Trouble,
    kept::{Kept, TownCopy},
};

/// How a house stood when its town was stopped.
pub struct Template {
    kept: Kept,
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
    /// Its data go with it.
    _copy: TownCopy,
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
        let kept = Kept::new().await?;
        let house = House::build_in(seed, Some(kept.folder()), kept.database()).await?;
        let others = furnish(&house).await?;
        house.agent.core.sync_now().await?;
        let template = Self {
            kept,
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
        let copy = self.kept.copy(seed, self.now, &[cast::BOXES[0]]).await?;
        let town = copy.town.clone();
        let agent = town.device(crate::AGENTS_PHONE, App::Agent, PhoneChecks::Enforced);
        let contractor = town.device(crate::CONTRACTORS_PHONE, App::Connect, PhoneChecks::Enforced);
        agent.keys().restore(self.agent_keys.clone());
        contractor.keys().restore(self.contractor_keys.clone());
        let others = self.others.iter().map(|it| it.device(&town)).collect();
        Ok(HouseCopy { town, agent, contractor, others, listing: self.listing.clone(), _copy: copy })
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
