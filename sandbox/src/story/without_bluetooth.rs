//! A lockbox without Bluetooth: the way to a grant leads to the offer of a one day code.

use sentri_core::api::grant_flow::GrantStep;

use super::{StoryTrouble, Telling, granting::add, script::cast, stage::{Stage, Whose}};

pub(super) async fn offers_a_code(stage: &mut Stage, tell: &mut Telling) -> Result<(), StoryTrouble> {
    stage.sync(Whose::Agent).await?;
    let listing = add(stage, cast::OTHER_ADDRESS.into()).await?;
    let core = &stage.agent.core;
    let flow = core.start_grant(listing.id.clone()).await?;
    let step = flow.choose_lockbox(cast::KEYPAD_BOX.into(), stage.script.begins, cast::REGION.into()).await?;
    tell.say(format!(
        "At {} Dana wants to grant access too, and chooses {}, which has a keypad only.",
        listing.unparsed_address,
        cast::KEYPAD_BOX
    ));
    tell.say("The app offers to make a one day code instead.");
    let offer = GrantStep::OfferOneDayCode { lockbox: cast::KEYPAD_BOX.into() };
    tell.expect("The next step is the offer of a one day code", &step, &offer);
    let again = core.start_grant(listing.id).await?.step();
    tell.expect("It is so the next time too", &again, &offer);
    let lockbox = stage.lockbox(cast::KEYPAD_BOX)?;
    lockbox.press_ent();
    tell.expect("ENT puts nothing on the air", &lockbox.insight().counters.connections, &0);
    Ok(())
}
