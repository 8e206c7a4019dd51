//! A door that a hub reaches: refused while hub or lock is offline, on its way for as long as that takes, and there without
//! anybody at the door. [RES-4, RES-5]

use std::time::Duration;

use sentri_core::{
    CoreError,
    api::{
        error::OfflinePart,
        residence_records::{DoorCode, DoorCodeState, DoorReach, HubProgress},
    },
};
use sentri_server::operator::NewDoor;
use sentri_wire::residence::DoorKind;

use super::{Stage, StoryTrouble, Telling, opens, residence::COMMUNITY};
use crate::{phone::Phone, town::TownTrouble};

const GARAGE: &str = "D-10001";
const HUB: &str = "H-10001";
/// A lock that its hub has not heard for so long is offline.
const SILENT: Duration = Duration::from_secs(600);

pub(super) async fn play(stage: &Stage, tell: &mut Telling, phone: &Phone) -> Result<(), StoryTrouble> {
    let (town, core) = (&stage.town, &phone.core);
    let hub = town.hang_hub(HUB, COMMUNITY).await?;
    let door = town.add_door(&garage()).await?;
    core.sync_now().await?;
    let seen = core.doors().await?.into_iter().find(|it| it.lock == GARAGE);
    tell.say(
        "The garage, which all residents share, is reached by a hub in the cellar: nobody has to go there.",
    );
    tell.expect(
        "The app says so, and offers no code of one's own choice there",
        &seen.map(|it| (it.reach, it.may_pick)),
        &Some((DoorReach::Hub, false)),
    );
    let generate = async || core.generate_door_code(GARAGE.into(), None).await;
    let refused = |offline| Err(CoreError::LockUnreachable { offline });
    let no_hub = generate().await.map(drop);
    tell.expect("While the hub is offline, a new code is refused", &no_hub, &refused(OfflinePart::Hub));

    hub.turn().await?;
    let first = generate().await?;
    tell.say("The hub is plugged in and calls. Rae has a code generated.");
    tell.expect("The code waits for the hub", &first.progress, &Some(HubProgress::WaitingForHub));
    door.pull_battery();
    hub.turn().await?;
    let fetched = shown(phone).await?.and_then(|it| it.progress);
    tell.say("The hub fetches it, and does not hear the lock, whose battery is out.");
    tell.expect("The code is on its way", &fetched, &Some(HubProgress::OnItsWay));
    town.clock.advance(SILENT);
    hub.turn().await?;
    let no_lock = generate().await.map(drop);
    tell.expect("After ten minutes another one is refused", &no_lock, &refused(OfflinePart::Lock));

    door.insert_battery().map_err(TownTrouble::from)?;
    hub.turn().await?;
    let given = shown(phone).await?;
    tell.say("With a new battery in the lock the hub brings it the time, and the code.");
    let told = given.as_ref().map(|it| (it.state, it.progress));
    tell.expect("The app says that it works", &told, &Some((DoorCodeState::Works, None)));
    let working = given.and_then(|it| it.working);
    tell.check(
        "It is the code that Rae has, and opens the garage",
        working == first.next && opens(&door, working.as_ref()),
    );
    Ok(())
}

fn garage() -> NewDoor {
    NewDoor {
        serial: GARAGE.into(),
        community: COMMUNITY.into(),
        kind: DoorKind::AccessPoint,
        unit: None,
        name: "Garage".into(),
        hub: Some(HUB.into()),
    }
}

/// Rae's code for the garage, as the app has it after a sync.
async fn shown(phone: &Phone) -> Result<Option<DoorCode>, StoryTrouble> {
    phone.core.sync_now().await?;
    Ok(phone.core.door_codes(GARAGE.into()).await?.into_iter().next())
}
