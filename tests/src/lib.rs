//! End-to-end tests across the parts, and what they share: a house with a lockbox, an agent and a contractor.
//!
//! Everything is real but time and radio. A test moves the clock itself, and nothing sleeps.

pub mod building;
pub mod database;
pub mod device_keys;
pub mod fuse;
pub mod home;
pub mod kept;
pub mod post;
pub mod seeds;
pub mod template;
pub mod wires;

use std::{path::PathBuf, sync::Arc};

use sentri_core::{
    CoreError,
    api::{
        grant_flow::GrantStep,
        signup::SignupForm,
        types::{AccessLogEntry, AccessLogFilter, App, DayHours, SyncStatus},
    },
    open::PhoneChecks,
};
use sentri_sandbox::{
    clock::Clock,
    letters,
    lockbox::Lockbox,
    phone::{Device, Phone},
    story::{cast, times::EVERY_DAY},
    town::{Plan, Town, TownTrouble},
};
use sentri_server::operator::NewAssociation;
use sentri_wire::agent::LockboxGeneration;

/// When every house begins: May 1, 2030, 10 AM in Chicago.
pub const BEGINS: i64 = 1_903_878_000;
/// Seconds of an hour.
pub const HOUR: i64 = 3600;

/// Access hours from a minute after midnight to midnight, every day.
pub fn daily(from: u16) -> Vec<DayHours> {
    EVERY_DAY.map(|weekday| DayHours { weekday, from, to: 1440 }).into()
}

/// The name of the agent's device.
pub const AGENTS_PHONE: &str = "Dana's phone";
/// The name of the contractor's device.
pub const CONTRACTORS_PHONE: &str = "Pat's phone";

/// Why a house could not be built.
#[derive(Debug)]
pub enum Trouble {
    /// The town failed.
    Town(TownTrouble),
    /// A phone failed.
    Phone(CoreError),
    /// Something was not as it should be.
    Unexpected(&'static str),
}

impl From<TownTrouble> for Trouble {
    fn from(trouble: TownTrouble) -> Self {
        Self::Town(trouble)
    }
}

impl From<std::io::Error> for Trouble {
    fn from(_: std::io::Error) -> Self {
        Self::Unexpected("a folder that can't be used")
    }
}

impl From<CoreError> for Trouble {
    fn from(error: CoreError) -> Self {
        Self::Phone(error)
    }
}

/// A house with a lockbox, an agent whose listing it is, and a contractor with an account.
pub struct House {
    /// The town that it stands in.
    pub town: Arc<Town>,
    /// The agent's device.
    pub agent_device: Device,
    /// The app on it, logged in.
    pub agent: Phone,
    /// The contractor's device.
    pub device: Device,
    /// The app on it, logged in.
    pub contractor: Phone,
    /// The lockbox.
    pub lockbox: Arc<Lockbox>,
    /// The listing.
    pub listing: String,
}

impl House {
    /// Builds it. All chance follows from `seed`.
    pub async fn build(seed: u64) -> Result<Self, Trouble> {
        Self::build_in(seed, None, database::fresh().await?).await
    }

    /// Builds it, with its data in that folder and that database.
    pub async fn build_in(
        seed: u64,
        data: Option<PathBuf>,
        database: Option<String>,
    ) -> Result<Self, Trouble> {
        let clock = Clock::simulated(BEGINS);
        let plan = Plan { clock, data, port: 0, database, seed: Some(seed) };
        let town = Arc::new(Town::found(plan).await?);
        populate(&town).await?;
        let lockbox = town.add_lockbox(&cast::lockbox(cast::BOX, LockboxGeneration::Ble, "always")).await?;
        let around = town.surroundings();
        let mut agent_device = town.device(AGENTS_PHONE, App::Agent, PhoneChecks::Enforced);
        let agent = agent_device.start(&around)?;
        let listing = put_up_listing(&agent).await?;
        let mut device = town.device(CONTRACTORS_PHONE, App::Connect, PhoneChecks::Enforced);
        let contractor = device.start(&around)?;
        let house = Self { town, agent_device, agent, device, contractor, lockbox, listing };
        // The first grant brings the invitation; it is over before any test begins.
        house.grant(BEGINS, BEGINS + 60).await?;
        house.sign_up().await?;
        house.town.clock.set(BEGINS + HOUR);
        house.sync().await?;
        Ok(house)
    }

    /// The agent grants access from and to so many seconds from now; its id.
    pub async fn grant(&self, from: i64, to: i64) -> Result<String, Trouble> {
        let flow = self.agent.core.start_grant(self.listing.clone()).await?;
        flow.fill_form(cast::CONTRACTOR_EMAIL.into(), from, to)?;
        match flow.authenticate(cast::AGENT_PIN.into()).await? {
            GrantStep::Done { grant, .. } => Ok(grant.id),
            _ => Err(Trouble::Unexpected("the grant did not come to its end")),
        }
    }

    /// The contractor gets an access that has begun and lasts for some hours, ready on the phone; its id.
    pub async fn open_house(&self, hours: i64) -> Result<String, Trouble> {
        let now = self.town.clock.now();
        let access = self.grant(now, now + hours * HOUR).await?;
        self.sync().await?;
        Ok(access)
    }

    /// The contractor opens the app with network.
    pub async fn sync(&self) -> Result<SyncStatus, Trouble> {
        Ok(self.town.clock.scene(self.contractor.core.sync_now()).await?)
    }

    /// The app is killed and started again, with the radio and network as they are.
    pub fn restart_app(&mut self) -> Result<(), Trouble> {
        self.contractor = self.device.start(&self.town.surroundings())?;
        Ok(())
    }

    /// A second phone of the contractor's, whose app does not judge by itself, logged in and synced.
    pub async fn unchecked_phone(&self) -> Result<Phone, Trouble> {
        let mut device =
            self.town.device("Pat's second phone", App::Connect, PhoneChecks::SkippedForDiagnosis);
        let phone = device.start(&self.town.surroundings())?;
        phone.core.login_contractor(cast::CONTRACTOR_EMAIL.into(), cast::CONTRACTOR_PASSWORD.into()).await?;
        self.town.clock.scene(phone.core.sync_now()).await?;
        Ok(phone)
    }

    /// All of the agent's access log, newest first.
    pub async fn log(&self) -> Result<Vec<AccessLogEntry>, Trouble> {
        let (mut entries, mut after) = (Vec::new(), None);
        loop {
            let page =
                self.agent.core.access_log(0, i64::from(u32::MAX), AccessLogFilter::default(), after).await?;
            entries.extend(page.entries);
            after = page.next;
            if after.is_none() {
                return Ok(entries);
            }
        }
    }

    async fn sign_up(&self) -> Result<(), Trouble> {
        let mailbox = self.town.mailbox();
        let mail = mailbox.mail_to(cast::CONTRACTOR_EMAIL).await;
        let token = letters::invitation_in(&mail.body).ok_or(Trouble::Unexpected("a mail without a link"))?;
        let form = SignupForm {
            invitation: Some(token.into()),
            email: cast::CONTRACTOR_EMAIL.into(),
            email_again: cast::CONTRACTOR_EMAIL.into(),
            phone: cast::CONTRACTOR_PHONE.into(),
            phone_again: cast::CONTRACTOR_PHONE.into(),
        };
        let core = &self.contractor.core;
        let signup = core.start_signup(form).await?;
        let text = mailbox.text_to(cast::CONTRACTOR_PHONE).await;
        signup.verify(letters::code_in(&text.body), None).await?;
        signup.complete(cast::contractor()).await?;
        core.login_contractor(cast::CONTRACTOR_EMAIL.into(), cast::CONTRACTOR_PASSWORD.into()).await?;
        Ok(())
    }
}

async fn populate(town: &Town) -> Result<(), TownTrouble> {
    town.operate(async |operator| {
        let association = NewAssociation { name: cast::ASSOCIATION.into(), ..NewAssociation::default() };
        operator.add_association(&association).await?;
        operator.add_brokerage(cast::ASSOCIATION, cast::BROKERAGE).await?;
        operator.add_agent(&cast::agent()).await
    })
    .await?;
    Ok(())
}

/// The agent logs in, adds a listing, and hangs the lockbox there.
async fn put_up_listing(agent: &Phone) -> Result<String, Trouble> {
    let core = &agent.core;
    core.login_agent(cast::SENTRIKEY_ID.into(), cast::AGENT_PASSWORD.into()).await?;
    core.sync_now().await?;
    let listing = core.add_listing(cast::listing(cast::ADDRESS)).await?.id;
    core.assign_lockbox(listing.clone(), cast::BOX.into(), BEGINS, cast::REGION.into()).await?;
    Ok(listing)
}
