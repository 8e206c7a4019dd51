//! Codes through the apps: one day code, contractor codes, SmartPIN. [COD-2 to COD-5, PIN-0, PIN-7]

use std::time::Duration;

use sentri_core::api::keypad_records::CodeState;
use sentri_wire::Secret;

use super::{Stage, StoryTrouble, Telling, Whose, opens};
use crate::story::{
    cast,
    granting::grant_again,
    script::Span,
    times::{self, HOUR},
};

/// After that long a keypad takes a code for a new one.
const RESTED: Duration = Duration::from_secs(180);

pub(super) async fn play(stage: &mut Stage, tell: &mut Telling) -> Result<(), StoryTrouble> {
    let (core, town, lockbox) = (&stage.agent.core, &stage.town, stage.lockbox(cast::BOX)?);
    let now = town.clock.now();
    let hour = now - now.rem_euclid(HOUR);
    let tries = |code: &Secret| {
        town.clock.advance(RESTED);
        opens(&lockbox, Some(code))
    };
    let today = core.make_one_day_code(cast::BOX.into(), times::date(now)).await?;
    tell.say(format!("Dana makes a one day code for today. The app says: {}", today.times.says));
    tell.check(
        "It opens the box, which has not heard of it: lock and app reckon the same",
        tries(&today.code),
    );

    core.set_contractor_mode(cast::BOX.into(), true).await?;
    let keypad = core.set_smart_pins(cast::BOX.into(), true, 1).await?;
    let slot = keypad.contractor_codes.first().map(|it| it.code.clone());
    let slot = slot.ok_or_else(|| StoryTrouble::Missing("The keypad has no contractor code.".into()))?;
    let guest = core.make_smart_pin(cast::BOX.into(), "Gus Park".into(), hour, hour + 6 * HOUR).await?;
    tell.say("She switches contractor codes and SmartPINs on, and makes a SmartPIN for a guest until this afternoon.");
    tell.expect("All of it is Pending: the box has no network", &guest.times.state, &CodeState::Pending);
    tell.check("The SmartPIN opens nothing yet", !tries(&guest.code));

    grant_again(stage, Span { from: town.clock.now(), to: now + 5 * HOUR }).await?;
    stage.sync(Whose::Contractor).await?;
    town.clock.advance(RESTED);
    let visit = stage.contractor.open(&lockbox, None).await?;
    stage.sync(Whose::Contractor).await?;
    stage.sync(Whose::Agent).await?;
    tell.say("Pat comes by for an access of the day. Pat's phone brings the box what Dana has set.");
    tell.check("Pat's access opened", visit.told.is_ok());
    let keypad = core.keypad(cast::BOX.into()).await?;
    tell.check(
        "Dana's app shows that both are on",
        keypad.contractor_mode.at_lock && keypad.smart_pins.at_lock,
    );
    tell.check("The contractor code opens", tries(&slot));
    tell.check("The guest's SmartPIN opens", tries(&guest.code));

    let rotated = core.rotate_contractor_code(cast::BOX.into(), 1).await?;
    let pending = rotated.contractor_codes.first().and_then(|it| it.pending.clone());
    tell.say(
        "A contractor code is made anew: the app shows the new one as Pending beside the one that works.",
    );
    tell.check("The old one works until a phone has told the box", pending.is_some() && tries(&slot));
    Ok(())
}
