//! The stage: the town, the people's phones, and what one step leaves for the next.

use std::{sync::Arc, time::Duration};

use sentri_core::{
    CoreError,
    api::types::{App, BlockedWhy, SyncState, SyncStatus},
    open::PhoneChecks,
};

use super::{
    BROKEN_OFF, Part, StoryTrouble, cast,
    script::Script,
    step::{Step, Telling},
    times,
};
use crate::{
    clock::Clock,
    lockbox::Lockbox,
    phone::{Device, Opened, Phone},
    town::{Plan, Town},
};

/// How long a mail or text may take on this machine before something is wrong.
const DELIVERY: Duration = Duration::from_secs(20);

/// Everything that the story is played with.
pub struct Stage {
    /// The town.
    pub town: Arc<Town>,
    /// Who and when.
    pub script: Script,
    pub(super) agent: Phone,
    pub(super) contractor: Phone,
    /// A second phone of the contractor's, whose app does not judge by itself.
    pub(super) unchecked: Phone,
    pub(super) left: Left,
}

/// What earlier steps leave for later ones.
#[derive(Default)]
pub(super) struct Left {
    pub listing: String,
    pub invitation: String,
    pub access: String,
    pub second: String,
    pub third: String,
    pub tomorrow: String,
    pub overnight: String,
}

/// Whose phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    Agent,
    Contractor,
    Unchecked,
}

impl Stage {
    /// Sets the stage: a town with nobody in it yet, and three phones with their apps installed.
    pub async fn set(script: Script, seed: u64) -> Result<Self, StoryTrouble> {
        let clock = Clock::simulated(script.begins);
        let town = Arc::new(
            Town::found(Plan { clock, data: None, port: 0, database: None, seed: Some(seed) }).await?,
        );
        let around = town.surroundings();
        let start = |mut device: Device| device.start(&around);
        let agent = start(town.device("Dana's phone", App::Agent, PhoneChecks::Enforced))?;
        let contractor = start(town.device("Pat's phone", App::Connect, PhoneChecks::Enforced))?;
        let unchecked =
            start(town.device("Pat's second phone", App::Connect, PhoneChecks::SkippedForDiagnosis))?;
        Ok(Self { town, script, agent, contractor, unchecked, left: Left::default() })
    }

    /// Plays one part. What goes wrong in it is a fact that does not hold; only bad input is an error.
    pub(super) async fn play(&mut self, part: Part, number: usize) -> Result<Step, StoryTrouble> {
        self.town.meter.take();
        self.town.air.take_traffic();
        let mut tell = Telling::begin(part.title());
        // Within it time may pass: a phone that tries a broken call again waits a little between its tries.
        let clock = self.town.clock.clone();
        match clock.scene(part.play(self, &mut tell)).await {
            Ok(()) => {}
            Err(trouble @ StoryTrouble::Input { .. }) => return Err(trouble),
            Err(trouble) => {
                tell.say(trouble.to_string());
                tell.check(BROKEN_OFF, false);
            }
        }
        let when = times::day_and_clock(self.town.clock.now());
        Ok(tell.end(number, when, self.town.meter.take(), self.town.air.take_traffic()))
    }

    pub(super) fn phone(&self, whose: Whose) -> &Phone {
        match whose {
            Whose::Agent => &self.agent,
            Whose::Contractor => &self.contractor,
            Whose::Unchecked => &self.unchecked,
        }
    }

    pub(super) fn lockbox(&self, serial: &str) -> Result<Arc<Lockbox>, StoryTrouble> {
        self.town
            .lockbox(serial)
            .ok_or_else(|| StoryTrouble::Missing(format!("There is no lockbox {serial}.")))
    }

    /// Lets time pass up to that moment; never back.
    pub(super) fn wait_until(&self, at: i64) {
        if at > self.town.clock.now() {
            self.town.clock.set(at);
        }
    }

    pub(super) async fn log_in(&self, whose: Whose) -> Result<(), CoreError> {
        let core = &self.phone(whose).core;
        match whose {
            Whose::Agent => {
                core.login_agent(cast::SENTRIKEY_ID.into(), cast::AGENT_PASSWORD.into()).await?;
            }
            Whose::Contractor | Whose::Unchecked => {
                core.login_contractor(self.script.email.clone(), cast::CONTRACTOR_PASSWORD.into()).await?;
            }
        }
        Ok(())
    }

    /// Opens the app with network. One that was closed for months asks for the password again.
    pub(super) async fn sync(&self, whose: Whose) -> Result<SyncStatus, StoryTrouble> {
        let phone = self.phone(whose);
        let status = phone.core.sync_now().await?;
        if status.state != (SyncState::Blocked { why: BlockedWhy::SignInAgain }) {
            return Ok(status);
        }
        self.log_in(whose).await?;
        Ok(phone.core.sync_now().await?)
    }

    /// Somebody holds their phone before a box and presses ENT.
    pub(super) async fn press_ent(
        &self,
        whose: Whose,
        serial: &str,
        access: &str,
    ) -> Result<Opened, StoryTrouble> {
        let lockbox = self.lockbox(serial)?;
        Ok(self.phone(whose).open(&lockbox, Some(access)).await?)
    }

    /// Waits for something to be delivered, which happens by itself once it is due.
    pub(super) async fn delivered<T>(
        &self,
        what: &str,
        coming: impl Future<Output = T>,
    ) -> Result<T, StoryTrouble> {
        // The mail takes the machine's time, not the story's.
        let _busy = self.town.clock.busy();
        let waited = tokio::time::timeout(DELIVERY, coming).await;
        waited.map_err(|_| StoryTrouble::Missing(format!("{what} did not come.")))
    }
}
