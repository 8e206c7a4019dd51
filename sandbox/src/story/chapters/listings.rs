//! Listings out of the MLS's feed, and settings that wait for a phone. [LST-1, LST-3, LST-4, LST-6]

use sentri_core::api::types::{BoxSettings, DayHours};
use sentri_server::operator::Wanted;

use super::{Stage, StoryTrouble, Telling, Whose};
use crate::story::{cast, times::EVERY_DAY};

const FROM: u16 = 8 * 60;
const TO: u16 = 20 * 60;

pub(super) async fn play(stage: &mut Stage, tell: &mut Telling) -> Result<(), StoryTrouble> {
    let core = &stage.agent.core;
    let before = core.listings().await?.len();
    let import = async || {
        let wanted = Wanted::default();
        stage.town.operate(async |operator| operator.import_listings(cast::ASSOCIATION, wanted).await).await
    };
    let first = import().await?;
    let again = import().await?;
    stage.sync(Whose::Agent).await?;
    let listings = core.listings().await?;
    tell.say(format!("The backend reads the MLS's feed: {} listings of Dana's are new.", first.added));
    tell.check("The feed was read to its end", first.finished && again.finished);
    tell.expect("Read once more, nothing is new", &(again.added, again.changed), &(0, 0));
    tell.expect("They are in My Listings", &((listings.len() - before) as u64), &first.added);

    let access_hours = EVERY_DAY.map(|weekday| DayHours { weekday, from: FROM, to: TO }).into();
    let hours = BoxSettings { access_hours, contractor_mode: false, time_zone: None };
    let page = core.set_lockbox_settings(cast::BOX.into(), Some(hours)).await?;
    tell.say(format!("Dana has {} open from 8 AM to 8 PM. The app shows Pending.", cast::BOX));
    tell.check("The new hours are Pending, since the box has no network", page.pending);
    let working = page.working.access_hours.first().map(|day| day.from);
    tell.expect("Until a phone has brought them, the old ones work", &working, &Some(7 * 60));
    Ok(())
}
