//! Another agent of the association opens boxes at active listings, by app, by mobile access code and by card. [AGT-1, COD-1]

use std::time::Duration;

use sentri_core::{
    api::types::{AccessLogFilter, App},
    open::PhoneChecks,
};

use super::{Stage, StoryTrouble, Telling, Whose, cards, opens};
use crate::story::cast;

/// After that long a box is asleep again.
const ASLEEP: Duration = Duration::from_secs(60);

pub(super) async fn play(stage: &mut Stage, tell: &mut Telling) -> Result<(), StoryTrouble> {
    let town = &stage.town;
    town.operate(async |operator| operator.add_agent(&cast::member()).await).await?;
    let mut device = town.device("Robin's phone", App::Agent, PhoneChecks::Enforced);
    let phone = device.start(&town.surroundings())?;
    phone.core.login_agent(cast::MEMBER_ID.into(), cast::AGENT_PASSWORD.into()).await?;
    phone.core.sync_now().await?;
    let lockbox = stage.lockbox(cast::BOX)?;
    let opened = phone.open(&lockbox, None).await?;
    tell.pressed(opened.ms);
    tell.say("Robin Ellis, another agent of the association, shows the house, and presses ENT on a box that her phone never saw.");
    tell.check("It opens for a member", opened.told.is_ok());

    let smac = phone.core.make_mobile_access_code(cast::BOX.into()).await?;
    town.clock.advance(ASLEEP);
    tell.say("She types a mobile access code in place of the card, too.");
    tell.check("The app says that the code is never given to anyone", smac.warning.contains("never give it"));
    tell.check("The code opens the box", opens(&lockbox, Some(&smac.code)));
    town.clock.advance(ASLEEP);
    tell.check("It opens once", !opens(&lockbox, Some(&smac.code)));
    phone.core.sync_now().await?;
    stage.sync(Whose::Agent).await?;
    let of_box = AccessLogFilter { lockbox: Some(cast::BOX.into()), ..AccessLogFilter::default() };
    let page = stage.agent.core.access_log(stage.script.begins, town.clock.now() + 1, of_box, None).await?;
    tell.check("Dana reads her name in the log", page.entries.iter().any(|it| it.who == "Robin Ellis"));
    cards::play(stage, tell, cast::MEMBER_ID).await
}
