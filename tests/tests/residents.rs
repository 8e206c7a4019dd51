//! Residents: a new code goes by phone to the real lock, and works there from then on; the old one until then.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

use std::sync::Arc;

use sentri_core::{
    CoreError,
    api::{
        residence::VisitReport,
        residence_records::{CodeValidity, DoorCode, DoorCodeState},
        types::App,
    },
    open::PhoneChecks,
};
use sentri_lock::Key;
use sentri_sandbox::{
    clock::Clock,
    lockbox::Lockbox,
    phone::{Device, Phone},
    radio::{Direction, Fate},
    story::cast,
    town::{Plan, Town},
};
use sentri_server::operator::{NewCommunity, NewDoor, NewPerson};
use sentri_tests::{BEGINS, database};
use sentri_wire::{Secret, residence::DoorKind};

const COMMUNITY: &str = "Maple Court";
const DOOR: &str = "DOOR-0001";
const EMAIL: &str = "rae@home.example";

/// A resident before their door, the phone synced.
struct Home {
    town: Arc<Town>,
    door: Arc<Lockbox>,
    phone: Phone,
    _device: Device,
}

impl Home {
    async fn build(seed: u64) -> Self {
        let clock = Clock::simulated(BEGINS);
        let database = database::fresh().await.unwrap();
        let plan = Plan { clock, data: None, port: 0, database, seed: Some(seed) };
        let town = Arc::new(Town::found(plan).await.unwrap());
        let community = NewCommunity {
            name: COMMUNITY.into(),
            management: "Oak Homes".into(),
            time_zone: "America/Chicago".into(),
            six_digit_codes: false,
            custom_codes: true,
        };
        let person = NewPerson {
            first_name: "Rae".into(),
            last_name: "Holm".into(),
            email: EMAIL.into(),
            phone: "503-555-0171".into(),
            password: Some(Secret::new(cast::CONTRACTOR_PASSWORD)),
            pin: Some(Secret::new(cast::AGENT_PIN)),
        };
        town.operate(async |operator| {
            operator.add_community(&community).await?;
            operator.add_resident(COMMUNITY, "1", &person).await
        })
        .await
        .unwrap();
        let new = NewDoor {
            serial: DOOR.into(),
            community: COMMUNITY.into(),
            kind: DoorKind::Unit,
            unit: Some("1".into()),
            name: "Unit 1".into(),
            hub: None,
        };
        let door = town.add_door(&new).await.unwrap();
        let mut device = town.device("Rae's phone", App::Connect, PhoneChecks::Enforced);
        let phone = device.start(&town.surroundings()).unwrap();
        phone.core.login_contractor(EMAIL.into(), cast::CONTRACTOR_PASSWORD.into()).await.unwrap();
        town.clock.scene(phone.core.sync_now()).await.unwrap();
        Self { town, door, phone, _device: device }
    }

    async fn generate(&self) -> DoorCode {
        let made = self.phone.core.generate_door_code(DOOR.into(), None);
        self.town.clock.scene(made).await.unwrap()
    }

    async fn code(&self) -> DoorCode {
        self.phone.core.door_codes(DOOR.into()).await.unwrap().remove(0)
    }

    /// The resident holds the phone before the door and presses ENT on it.
    async fn deliver(&self) -> Result<VisitReport, CoreError> {
        let scene = async {
            let visit = self.phone.core.deliver_codes(Some(DOOR.into())).await?;
            self.door.press_ent();
            let told = visit.result().await;
            visit.finished().await;
            told
        };
        self.town.clock.scene(scene).await
    }

    /// Whether the bolt turns on this code.
    fn opens(&self, code: Option<&Secret>) -> bool {
        let before = self.door.motor_drives();
        for key in code.unwrap().expose().chars().chain(['E']) {
            self.door.press(Key::from_char(key).unwrap());
        }
        self.door.motor_drives() > before
    }
}

/// RES-1, RES-5: view, generate, deliver over the BLE session, and type it.
#[tokio::test(flavor = "multi_thread")]
async fn res_5_a_phone_in_range_brings_the_new_code_and_the_old_one_works_until_then() {
    let home = Home::build(171).await;
    assert_eq!(home.phone.core.doors().await.unwrap()[0].lock, DOOR);
    let first = home.generate().await;
    assert_eq!((first.state, &first.working), (DoorCodeState::Pending, &None));
    assert!(!home.opens(first.next.as_ref()));
    let report = home.deliver().await.unwrap();
    assert_eq!((report.delivered, report.not_taken), (true, false));
    let now = home.code().await;
    assert_eq!((now.state, &now.working, &now.next), (DoorCodeState::Works, &first.next, &None));
    assert!(home.opens(now.working.as_ref()));

    let second = home.generate().await;
    assert_eq!((second.state, &second.working), (DoorCodeState::Pending, &first.next));
    assert!(home.opens(first.next.as_ref()) && !home.opens(second.next.as_ref()));
    home.deliver().await.unwrap();
    assert_eq!(home.code().await.working, second.next);
    assert!(home.opens(second.next.as_ref()) && !home.opens(first.next.as_ref()));
    assert!(!home.phone.core.doors().await.unwrap()[0].has_delivery);
}

/// RES-5: at the door there is no network. The code works once it is delivered, and shows as working once the lock's
/// word has gone up; a second delivery changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn res_5_it_is_delivered_with_no_network_and_twice_changes_nothing() {
    let home = Home::build(172).await;
    let first = home.generate().await;
    home.town.cut_network().await;
    assert!(home.deliver().await.unwrap().delivered);
    assert!(home.opens(first.next.as_ref()));
    assert_eq!(home.code().await.state, DoorCodeState::Pending);
    assert!(home.deliver().await.unwrap().delivered);
    home.town.restore_network().await.unwrap();
    home.town.clock.scene(home.phone.core.sync_now()).await.unwrap();
    assert_eq!((home.code().await.state, home.code().await.working), (DoorCodeState::Works, first.next));
}

/// RES-5: the link breaks before anything is handed over: the old code works, and the next visit brings the new one.
#[tokio::test(flavor = "multi_thread")]
async fn res_5_a_visit_that_finds_no_lock_changes_nothing() {
    let home = Home::build(173).await;
    let first = home.generate().await;
    home.deliver().await.unwrap();
    let second = home.generate().await;
    home.door.pull_battery();
    assert_eq!(home.deliver().await, Err(CoreError::NoLockboxHeard));
    home.door.insert_battery().unwrap();
    assert!(home.opens(first.next.as_ref()));
    assert_eq!(home.code().await.state, DoorCodeState::Pending);
    home.deliver().await.unwrap();
    assert!(home.opens(second.next.as_ref()));
}

/// RES-5: the link is lost midway. Where the code had not come, the old one works; where it had and only the answer was
/// lost, the new one does. The app tells of neither before the lock's own word is there, which the next visit brings.
#[tokio::test(flavor = "multi_thread")]
async fn res_5_a_phone_that_loses_the_link_midway_tells_nothing_that_is_not_so() {
    for (seed, direction) in [(175, Direction::ToLock), (176, Direction::ToPhone)] {
        let home = Home::build(seed).await;
        let first = home.generate().await;
        home.deliver().await.unwrap();
        let second = home.generate().await;
        // The first message and its answer are one value each; all that comes after it is lost.
        let mut values = 0;
        home.town.air.set_plan(Some(Box::new(move |passing| {
            values += u32::from(passing.direction == direction);
            if values > 1 && passing.direction == direction { Fate::Cut } else { Fate::Arrives }
        })));
        let told = home.deliver().await;
        assert!(!told.is_ok_and(|report| report.delivered), "{direction:?}");
        home.town.air.set_plan(None);
        let has_come = direction == Direction::ToPhone;
        assert_eq!(
            (home.opens(first.next.as_ref()), home.opens(second.next.as_ref())),
            (!has_come, has_come)
        );
        let shown = home.code().await;
        assert_eq!((shown.state, &shown.working), (DoorCodeState::Pending, &first.next));

        let report = home.deliver().await.unwrap();
        assert_eq!((report.delivered, report.not_taken), (true, false));
        let shown = home.code().await;
        assert_eq!((shown.state, &shown.working), (DoorCodeState::Works, &second.next));
        assert!(home.opens(second.next.as_ref()) && !home.opens(first.next.as_ref()));
    }
}

/// RES-3: a guest's code goes the same way.
#[tokio::test(flavor = "multi_thread")]
async fn res_3_a_guests_code_is_delivered_and_leaves_again() {
    let home = Home::build(174).await;
    let core = &home.phone.core;
    let made = core.make_guest_code(DOOR.into(), "Kim".into(), CodeValidity::Permanent, None);
    let guest = home.town.clock.scene(made).await.unwrap();
    home.deliver().await.unwrap();
    assert!(home.opens(guest.next.as_ref()));
    home.town.clock.scene(core.delete_door_code(guest.id.clone())).await.unwrap();
    assert_eq!(home.code().await.state, DoorCodeState::Leaving);
    home.deliver().await.unwrap();
    assert!(!home.opens(guest.next.as_ref()));
    assert_eq!(core.door_codes(DOOR.into()).await.unwrap(), []);
}
