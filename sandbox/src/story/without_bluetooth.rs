//! A lockbox without Bluetooth: the way to a grant leads to the offer of a one day code.

use sentri_core::api::grant_flow::GrantStep;

use crate::phone::BarePhone;

use super::{
    StoryTrouble, Telling, cast,
    granting::add,
    stage::{Stage, Whose},
};

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
    // The other boxes, woken a moment ago, go back to sleep.
    stage.town.clock.advance(std::time::Duration::from_secs(60));
    lockbox.press_ent();
    let heard = BarePhone::on_air(&stage.town.air, &stage.town.clock).hear();
    tell.check("ENT on that box puts nothing on the air", heard.is_none());
    Ok(())
}
