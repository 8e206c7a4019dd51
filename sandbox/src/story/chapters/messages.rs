//! The Message Center: titles, the unread count, read, delete. [CON-5]

use super::{Stage, StoryTrouble, Telling};

pub(super) async fn play(stage: &mut Stage, tell: &mut Telling) -> Result<(), StoryTrouble> {
    let core = &stage.contractor.core;
    let messages = core.messages().await?;
    let unread = core.unread_messages().await?;
    let newest = messages
        .iter()
        .find(|it| !it.read)
        .ok_or_else(|| StoryTrouble::Missing("Pat has no unread message.".into()))?;
    tell.say(format!(
        "Pat has {} messages, {unread} of them unread. The newest of these: “{}”.",
        messages.len(),
        newest.title
    ));
    let titled = messages.iter().all(|it| it.title.starts_with("SentriConnect Access"));
    tell.check("Each says at the start that it is about SentriConnect Access", titled);
    core.mark_message_read(newest.id.clone()).await?;
    tell.expect(
        "Once it is read, one less is unread",
        &core.unread_messages().await?,
        &unread.saturating_sub(1),
    );
    core.delete_message(newest.id.clone()).await?;
    let left = core.messages().await?;
    tell.check(
        "Deleted, it is gone",
        left.len() + 1 == messages.len() && left.iter().all(|it| it.id != newest.id),
    );
    let grants = stage.agent.core.messages().await?;
    tell.check("Dana has her own messages: who used an access is among them", !grants.is_empty());
    Ok(())
}
