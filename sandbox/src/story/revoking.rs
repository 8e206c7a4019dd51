//! What an agent can take back, and what not.

use sentri_core::{
    CoreError,
    api::types::{AccessState, GrantState, Invitee, MessageTopic, Readiness},
};

use super::{
    StoryTrouble, Telling,
    granting::grant_again,
    stage::{Stage, Whose},
    times::{self, MINUTE},
};

pub(super) async fn grants_more(stage: &mut Stage, tell: &mut Telling) -> Result<(), StoryTrouble> {
    stage.wait_until(stage.script.later);
    stage.sync(Whose::Agent).await?;
    let script = stage.script.clone();
    let spans = [script.second, script.third, script.tomorrow, script.overnight];
    let mut granted = Vec::new();
    for span in spans {
        let (grant, invitee) = grant_again(stage, span).await?;
        tell.say(format!("{}.", times::window(span.from, span.to)));
        granted.push((grant.id, invitee));
    }
    stage.sync(Whose::Contractor).await?;
    stage.sync(Whose::Unchecked).await?;
    let told = granted.iter().all(|(_, invitee)| *invitee == Invitee::Existing);
    tell.check("Pat has an account now, and is told in the app", told);
    let core = &stage.contractor.core;
    let messages = core.messages().await?;
    let received = messages.iter().filter(|it| it.topic == MessageTopic::AccessGranted).count();
    tell.expect("Pat has four messages", &received, &4);
    let accesses = core.accesses().await?;
    let ready = accesses.iter().filter(|it| matches!(it.readiness, Readiness::Ready { .. })).count();
    tell.check("Pat's phone is ready for each of them", ready >= granted.len());
    let mut ids = granted.into_iter().map(|(id, _)| id);
    let left = &mut stage.left;
    for place in [&mut left.second, &mut left.third, &mut left.tomorrow, &mut left.overnight] {
        *place = ids.next().unwrap_or_default();
    }
    Ok(())
}

pub(super) async fn revokes_second(stage: &mut Stage, tell: &mut Telling) -> Result<(), StoryTrouble> {
    stage.wait_until(stage.script.later + 2 * MINUTE);
    let revoked = stage.agent.core.revoke(stage.left.second.clone()).await?;
    stage.sync(Whose::Contractor).await?;
    let core = &stage.contractor.core;
    let accesses = core.accesses().await?;
    let seen = accesses.iter().find(|it| it.id == stage.left.second).map(|it| it.state);
    let messages = core.messages().await?;
    tell.say(format!("{}: Revoke Access.", times::window(revoked.starts_at, revoked.ends_at)));
    tell.say("Pat's second phone is not opened: it does not hear of it, and keeps what it fetched before.");
    tell.expect("Dana sees it as revoked", &revoked.state, &GrantState::Revoked);
    tell.expect("So does Pat", &seen, &Some(AccessState::Revoked));
    tell.check("Pat is told", messages.iter().any(|it| it.topic == MessageTopic::AccessRevoked));
    Ok(())
}

pub(super) async fn third_has_begun(stage: &mut Stage, tell: &mut Telling) -> Result<(), StoryTrouble> {
    stage.wait_until(stage.script.later + 5 * MINUTE);
    let refused = stage.agent.core.revoke(stage.left.third.clone()).await;
    let since = Some(stage.script.third.from);
    if let Err(error) = &refused {
        tell.say(format!("{error} It began at {}.", times::clock(stage.script.third.from)));
    }
    tell.expect(
        "Revoking is refused, since the key may be out",
        &refused,
        &Err(CoreError::AlreadyBegun { since }),
    );
    stage.sync(Whose::Agent).await?;
    let grants = stage.agent.core.grants().await?;
    let seen = grants.iter().find(|it| it.id == stage.left.third).map(|it| it.state);
    tell.expect("The access stands", &seen, &Some(GrantState::Granted));
    Ok(())
}
