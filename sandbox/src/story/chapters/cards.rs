//! Cards, at a lockbox without Bluetooth: a member opens by card and PIN, and its owner's card brings what was set.
//! [AGT-1, LST-6, COD-3, COD-5]

use sentri_core::api::types::{AccessLogFilter, AccessMethod};

use super::{Stage, StoryTrouble, Telling, opens};
use crate::{
    card::{CardReader, opens_by_card, put_in_and_out},
    story::{cast, times},
};

const BOX: &str = cast::KEYPAD_BOX;

pub(super) async fn play(stage: &Stage, tell: &mut Telling, member: &str) -> Result<(), StoryTrouble> {
    let (core, lockbox) = (&stage.agent.core, stage.lockbox(BOX)?);
    let is_pending = async || core.lockbox_settings(BOX.into()).await.map(|page| page.pending);
    let keypad = core.set_contractor_mode(BOX.into(), true).await?;
    let digits = keypad.contractor_codes.first().map(|it| it.code.clone());
    tell.say(format!("Dana switches contractor codes on at {BOX}, which has a keypad and a card slot only."));
    tell.check("The app shows Pending: no phone can tell that box", is_pending().await?);
    tell.check("The code opens nothing yet", !opens(&lockbox, digits.as_ref()));
    member_opens(stage, tell, member).await?;

    let desk = reader(stage, cast::SENTRIKEY_ID).await?;
    let card = desk.renew(cast::AGENT_PIN, None).await?;
    tell.say("Dana's card is renewed too, and the reader writes onto it what her box has not heard of.");
    tell.check("The reader says where to take it", card.carries_to.iter().any(|it| it == BOX));
    let back = put_in_and_out(&lockbox, card.memory.as_ref());
    tell.say("She puts it into the box, and takes it out again.");
    tell.check("The contractor code opens", opens(&lockbox, digits.as_ref()));
    tell.check("It is Pending until the box's own word is back", is_pending().await?);
    desk.renew(cast::AGENT_PIN, Some(back)).await?;
    tell.say("The next time that Dana renews her card, the reader hands in what the box wrote onto it.");
    tell.check("Nothing is Pending at that box", !is_pending().await?);
    let of_box = AccessLogFilter { lockbox: Some(BOX.into()), ..AccessLogFilter::default() };
    let log = core.access_log(stage.script.begins, stage.town.clock.now() + 1, of_box, None).await?;
    let by_card = |who: &str| log.entries.iter().any(|it| it.who == who && it.method == AccessMethod::Card);
    tell.check("Its log came along: Dana reads who opened by card", by_card("Robin Ellis"));
    Ok(())
}

async fn member_opens(stage: &Stage, tell: &mut Telling, member: &str) -> Result<(), StoryTrouble> {
    let (lockbox, desk) = (stage.lockbox(BOX)?, reader(stage, member).await?);
    let card = desk.renew(cast::AGENT_PIN, None).await?;
    tell.say(format!(
        "Robin has her card renewed at the association's reader, until {}, and takes it to {BOX}.",
        times::day_and_clock(card.good_until)
    ));
    let card = card.memory.as_ref();
    tell.check("With another PIN it opens nothing", !opens_by_card(&lockbox, card, cast::CONTRACTOR_PIN));
    tell.check("Card and PIN open the box", opens_by_card(&lockbox, card, cast::AGENT_PIN));
    Ok(())
}

async fn reader(stage: &Stage, sentrikey_id: &str) -> Result<CardReader, StoryTrouble> {
    Ok(CardReader::of(&stage.town.surroundings(), sentrikey_id, cast::AGENT_PASSWORD).await?)
}
