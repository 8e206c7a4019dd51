//! Grant, revoke and review, as steps that an app only draws. [GRT-1, GRT-3, GRT-4, GRT-6]

use sentri_core::{
    CoreError,
    api::types::{GrantState, Invitee, Revocation},
};

use super::{Stage, StoryTrouble, Telling, Whose};
use crate::story::{
    granting::grant_again,
    script::Span,
    times::{self, HOUR},
};

pub(super) async fn play(stage: &mut Stage, tell: &mut Telling) -> Result<(), StoryTrouble> {
    let core = &stage.agent.core;
    let now = stage.town.clock.now();
    let span = Span { from: now + 2 * HOUR, to: now + 4 * HOUR };
    let flow = core.start_grant(stage.left.listing.clone()).await?;
    let backwards = flow.fill_form(stage.script.email.clone(), span.to, span.from);
    let names_the_end =
        matches!(&backwards, Err(CoreError::InvalidField { field, .. }) if field == "ends_at");
    tell.check("A window that ends before it begins is refused, and the end is named", names_the_end);

    let (grant, invitee) = grant_again(stage, span).await?;
    tell.say(format!(
        "Dana grants Pat {}. Pat is known by now: no invitation.",
        times::window(span.from, span.to)
    ));
    tell.expect("An existing user: told by push and message", &invitee, &Invitee::Existing);
    let (again, _) = grant_again(stage, span).await?;
    tell.expect("Granted twice for one window, it is one access", &again.id, &grant.id);
    stage.sync(Whose::Contractor).await?;
    stage.sync(Whose::Agent).await?;
    let ready = core.grants().await?.iter().any(|it| it.id == grant.id && it.phone_ready);
    tell.check("Dana sees that Pat's phone is ready", ready);

    let revoked = core.revoke(grant.id).await?;
    tell.say("Dana takes it back before it begins. The app says how far that has come.");
    tell.expect("It is revoked", &revoked.state, &GrantState::Revoked);
    let on_its_way = matches!(revoked.revocation, Some(Revocation::OnItsWay { .. }));
    tell.check("The box has not heard of it: that is on its way, and until when is told", on_its_way);
    Ok(())
}
