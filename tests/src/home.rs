//! A resident's home in Maple Court: a door with a real lock, which a phone comes to or a hub reaches, and the resident's
//! phone. Every test of residents lives here.

use std::sync::Arc;

use sentri_core::{
    CoreError,
    api::{
        residence::VisitReport,
        residence_records::{CodeValidity, DoorCode},
        types::App,
    },
    open::PhoneChecks,
};
use sentri_sandbox::{
    clock::Clock,
    hub::VirtualHub,
    lockbox::Lockbox,
    phone::{Between, Device, Phone},
    story::cast,
    town::{Plan, Town},
};
use sentri_server::operator::{NewCommunity, NewDoor, NewPerson};
use sentri_wire::{Secret, residence::DoorKind};

use crate::{BEGINS, Trouble, database};

/// The community.
pub const COMMUNITY: &str = "Maple Court";
/// Serial number of the lock of the home.
pub const DOOR: &str = "DOOR-0001";
/// Serial number of the community's hub.
pub const HUB: &str = "HUB-0001";
/// First names of the residents, with their emails and phones; both live in one home.
pub const RAE: (&str, &str, &str) = ("Rae", "rae@home.example", "503-555-0171");
/// The other.
pub const SAM: (&str, &str, &str) = ("Sam", "sam@home.example", "503-555-0172");

/// A resident's home, the phone synced.
pub struct Home {
    /// Where it stands.
    pub town: Arc<Town>,
    /// The lock of its door.
    pub door: Arc<Lockbox>,
    /// The resident's.
    pub phone: Phone,
    device: Device,
}

impl Home {
    /// One whose codes come by phone.
    pub async fn build(seed: u64) -> Result<Self, Trouble> {
        let town = found(seed).await?;
        Self::move_in(town, None).await
    }

    /// One that a hub reaches, and the hub.
    pub async fn with_hub(seed: u64) -> Result<(Self, Arc<VirtualHub>), Trouble> {
        let town = found(seed).await?;
        let hub = town.hang_hub(HUB, COMMUNITY).await?;
        Ok((Self::move_in(town, Some(HUB.into())).await?, hub))
    }

    async fn move_in(town: Arc<Town>, hub: Option<String>) -> Result<Self, Trouble> {
        let new = NewDoor {
            serial: DOOR.into(),
            community: COMMUNITY.into(),
            kind: DoorKind::Unit,
            unit: Some("1".into()),
            name: "Unit 1".into(),
            hub,
        };
        let door = town.add_door(&new).await?;
        let mut device = town.device("Rae's phone", App::Connect, PhoneChecks::Enforced);
        let phone = device.start(&town.surroundings())?;
        phone.core.login_contractor(RAE.1.into(), cast::CONTRACTOR_PASSWORD.into()).await?;
        town.clock.scene(phone.core.sync_now()).await?;
        Ok(Self { town, door, phone, device })
    }

    /// The app is updated to this version, and started.
    pub fn update(&mut self, version: &'static str) -> Result<(), Trouble> {
        let between = Between { version: Some(version), ..Between::default() };
        self.phone = self.device.start_between(&self.town.surroundings(), between)?;
        Ok(())
    }

    /// The resident picks a code.
    pub async fn pick(&self, digits: &str) -> Result<DoorCode, CoreError> {
        let picked = self.phone.core.pick_door_code(DOOR.into(), Secret::new(digits));
        self.town.clock.scene(picked).await
    }

    /// The resident has a new code made.
    pub async fn generate(&self) -> Result<DoorCode, CoreError> {
        self.town.clock.scene(self.phone.core.generate_door_code(DOOR.into(), None)).await
    }

    /// The resident has a code made for Kim.
    pub async fn make_for_guest(&self, validity: CodeValidity) -> Result<DoorCode, CoreError> {
        let made = self.phone.core.make_guest_code(DOOR.into(), "Kim".into(), validity, None);
        self.town.clock.scene(made).await
    }

    /// The first code of the door, as the phone has it.
    pub async fn code(&self) -> Result<DoorCode, CoreError> {
        let codes = self.phone.core.door_codes(DOOR.into()).await?;
        codes.into_iter().next().ok_or(CoreError::NotFound)
    }

    /// The resident holds the phone before the door and presses ENT on it.
    pub async fn deliver(&self) -> Result<VisitReport, CoreError> {
        deliver(&self.town, &self.phone, &self.door).await
    }

    /// Whether the bolt turns on this code. Without one it does not.
    pub fn opens(&self, code: Option<&Secret>) -> bool {
        self.door.type_code(code.map_or("", Secret::expose)) > 0
    }
}

/// A resident holds the phone before a door and presses ENT on it; waits until the phone is done with the lock.
pub async fn deliver(town: &Town, phone: &Phone, door: &Lockbox) -> Result<VisitReport, CoreError> {
    let scene = async {
        let visit = phone.core.deliver_codes(Some(door.serial().to_owned())).await?;
        door.press_ent();
        let told = visit.result().await;
        visit.finished().await;
        told
    };
    town.clock.scene(scene).await
}

/// A town with the community, in which Rae lives in unit 1.
async fn found(seed: u64) -> Result<Arc<Town>, Trouble> {
    let (clock, database) = (Clock::simulated(BEGINS), database::fresh().await?);
    let plan = Plan { clock, data: None, port: 0, database, seed: Some(seed) };
    let town = Arc::new(Town::found(plan).await?);
    let moved_in = town.operate(async |operator| {
        operator.add_community(&community()).await?;
        operator.add_resident(COMMUNITY, "1", &resident(RAE)).await
    });
    moved_in.await?;
    Ok(town)
}

/// The community, as the operator adds it.
pub fn community() -> NewCommunity {
    NewCommunity {
        name: COMMUNITY.into(),
        management: "Oak Homes".into(),
        time_zone: "America/Chicago".into(),
        six_digit_codes: false,
        custom_codes: true,
    }
}

/// A resident, as the operator adds them.
pub fn resident((name, email, phone): (&str, &str, &str)) -> NewPerson {
    NewPerson {
        first_name: name.into(),
        last_name: "Holm".into(),
        email: email.into(),
        phone: phone.into(),
        password: Some(Secret::new(cast::CONTRACTOR_PASSWORD)),
        pin: Some(Secret::new(cast::AGENT_PIN)),
    }
}
