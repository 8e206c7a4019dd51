//! The contractor's home: what can be used, whether it will open, and ENT from anywhere in the app. [CON-1, CON-2, NEW-2]

use sentri_core::api::types::AccessState;

use super::{Stage, StoryTrouble, Telling, Whose};
use crate::story::{
    cast,
    granting::grant_again,
    script::Span,
    times::{self, HOUR},
};

pub(super) async fn play(stage: &mut Stage, tell: &mut Telling) -> Result<(), StoryTrouble> {
    let now = stage.town.clock.now();
    let (active, _) = grant_again(stage, Span { from: now, to: now + 3 * HOUR }).await?;
    grant_again(stage, Span { from: now + 24 * HOUR, to: now + 26 * HOUR }).await?;
    stage.sync(Whose::Contractor).await?;
    let core = &stage.contractor.core;
    let accesses = core.accesses().await?;
    let count = |state| accesses.iter().filter(|it| it.state == state).count();
    tell.say(format!(
        "Pat's home page: {} active, {} upcoming, {} past, {} taken back.",
        count(AccessState::Active),
        count(AccessState::Upcoming),
        count(AccessState::Past),
        count(AccessState::Revoked)
    ));
    let first = accesses.first().map(|it| it.id.clone());
    tell.expect("What can be used now comes first", &first, &Some(active.id.clone()));
    tell.check(
        "What is to come and what is over are there too",
        count(AccessState::Upcoming) > 0 && count(AccessState::Past) > 0,
    );
    let answer = core.will_it_open(active.id.clone(), None).await?;
    tell.check("“Will it open?” says yes, before the trip", answer.opens && answer.obstacles.is_empty());
    let later = core.will_it_open(active.id.clone(), Some(now + 12 * HOUR)).await?;
    tell.check(
        format!("At {} it says no, and why", times::clock(now + 12 * HOUR)),
        !later.opens && !later.obstacles.is_empty(),
    );

    let lockbox = stage.lockbox(cast::BOX)?;
    stage.town.cut_network().await;
    let opened = stage.contractor.open(&lockbox, None).await?;
    stage.town.restore_network().await?;
    tell.pressed(opened.ms);
    tell.say(
        "Pat presses ENT with the app anywhere but on the access's page, and no network: the key bin opens.",
    );
    let used = opened.told.map(|report| report.access_id);
    tell.expect("The one active access was used", &used, &Ok(active.id));
    stage.sync(Whose::Contractor).await?;
    stage.sync(Whose::Agent).await?;
    let pending =
        stage.agent.core.lockboxes().await?.iter().any(|it| it.serial == cast::BOX && it.settings_pending);
    tell.check("That visit brought the box its new hours: nothing is Pending", !pending);
    Ok(())
}
