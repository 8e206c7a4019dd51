//! A resident's doors: a new code is Pending until a phone in range has delivered it, or a hub. [RES-0, RES-1, RES-5]

use sentri_core::{
    CoreError,
    api::{residence::VisitReport, residence_records::DoorCodeState, types::App},
    open::PhoneChecks,
};
use sentri_server::operator::{NewCommunity, NewDoor, NewPerson};
use sentri_wire::{Secret, residence::DoorKind};

use super::{Stage, StoryTrouble, Telling, hub, opens};
use crate::{
    lockbox::Lockbox,
    phone::Phone,
    story::{cast, times},
};

pub(super) const COMMUNITY: &str = "Maple Court";
const DOOR: &str = "D-10012";
const EMAIL: &str = "rae.holm@maple-court.example";

pub(super) async fn play(stage: &mut Stage, tell: &mut Telling) -> Result<(), StoryTrouble> {
    let town = &stage.town;
    move_in(stage).await?;
    let door = town.add_door(&unit()).await?;
    let mut device = town.device("Rae's phone", App::Connect, PhoneChecks::Enforced);
    let phone = device.start(&town.surroundings())?;
    let core = &phone.core;
    core.login_contractor(EMAIL.into(), cast::CONTRACTOR_PASSWORD.into()).await?;
    core.sync_now().await?;
    let doors = core.doors().await?;
    tell.say(format!("Rae Holm lives in unit 12 of {COMMUNITY}, and has the app for its door."));
    tell.check("The app shows Rae's door", doors.iter().map(|it| it.lock.as_str()).eq([DOOR]));

    let first = core.generate_door_code(DOOR.into(), None).await?;
    tell.expect("A new code is Pending", &first.state, &DoorCodeState::Pending);
    tell.check("It opens nothing yet", !opens(&door, first.next.as_ref()));
    town.cut_network().await;
    let brought = deliver(&phone, &door).await;
    town.restore_network().await?;
    tell.say("Rae holds the phone before the door and presses ENT on it, with no network.");
    tell.check("The lock takes the code from the phone", brought.is_ok_and(|report| report.delivered));
    tell.check("The code opens the door", opens(&door, first.next.as_ref()));
    core.sync_now().await?;
    let codes = core.door_codes(DOOR.into()).await?;
    tell.expect(
        "Back in the network the app says that it works",
        &codes.first().map(|it| it.state),
        &Some(DoorCodeState::Works),
    );

    let second = core.generate_door_code(DOOR.into(), None).await?;
    tell.check(
        "The old one works until the next is delivered",
        second.working == first.next && opens(&door, first.next.as_ref()),
    );
    let brought = deliver(&phone, &door).await;
    tell.check(
        "After that the new one opens, and the old one no more",
        brought.is_ok() && opens(&door, second.next.as_ref()) && !opens(&door, first.next.as_ref()),
    );
    hub::play(stage, tell, &phone).await
}

/// The operator enters the community and its resident.
async fn move_in(stage: &Stage) -> Result<(), StoryTrouble> {
    let community = NewCommunity {
        name: COMMUNITY.into(),
        management: "Oak Homes".into(),
        time_zone: times::ZONE.name().into(),
        six_digit_codes: false,
        custom_codes: true,
    };
    let rae = NewPerson {
        first_name: "Rae".into(),
        last_name: "Holm".into(),
        email: EMAIL.into(),
        phone: "(312) 555-0171".into(),
        password: Some(Secret::new(cast::CONTRACTOR_PASSWORD)),
        pin: Some(Secret::new(cast::CONTRACTOR_PIN)),
    };
    let enter = stage.town.operate(async |operator| {
        operator.add_community(&community).await?;
        operator.add_resident(COMMUNITY, "12", &rae).await
    });
    enter.await?;
    Ok(())
}

fn unit() -> NewDoor {
    NewDoor {
        serial: DOOR.into(),
        community: COMMUNITY.into(),
        kind: DoorKind::Unit,
        unit: Some("12".into()),
        name: "Unit 12".into(),
        hub: None,
    }
}

/// The phone is held before the door, and ENT is pressed there.
async fn deliver(phone: &Phone, door: &Lockbox) -> Result<VisitReport, CoreError> {
    let visit = phone.core.deliver_codes(Some(DOOR.into())).await?;
    door.press_ent();
    let told = visit.result().await;
    visit.finished().await;
    told
}
