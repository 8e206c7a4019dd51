//! The access log by lockbox and by person, and as CSV. [GRT-5, CON-3]

use sentri_core::api::types::AccessLogFilter;

use super::{Stage, StoryTrouble, Telling};
use crate::story::cast;

pub(super) async fn play(stage: &mut Stage, tell: &mut Telling) -> Result<(), StoryTrouble> {
    let core = &stage.agent.core;
    let (from, to) = (stage.script.begins, stage.town.clock.now() + 1);
    let of_box = AccessLogFilter { lockbox: Some(cast::BOX.into()), ..AccessLogFilter::default() };
    let page = core.access_log(from, to, of_box.clone(), None).await?;
    tell.say(format!("Dana asks for {} alone: {} lines, the newest first.", cast::BOX, page.entries.len()));
    let ordered = page.entries.is_sorted_by(|a, b| a.at >= b.at);
    tell.check(
        "Each line is of that box, in order",
        ordered && page.entries.iter().all(|it| it.lockbox == cast::BOX),
    );
    let person = page.entries.iter().find_map(|it| it.person_id.clone());
    let of_person = AccessLogFilter { person_id: person.clone(), ..AccessLogFilter::default() };
    let visits = core.access_log(from, to, of_person, None).await?;
    let all_theirs = visits.entries.iter().all(|it| it.person_id == person);
    tell.check("Asked for one person, it is what that person did", person.is_some() && all_theirs);
    let table = core.access_log_csv(from, to, of_box).await?;
    tell.say("She shares it as a table.");
    tell.expect(
        "The table has a line for each, under its headings",
        &table.lines().count(),
        &(page.entries.len() + 1),
    );
    let none = core.access_log(0, 1, AccessLogFilter::default(), None).await?;
    tell.expect("A time in which nothing was has no lines", &none.entries.len(), &0);
    Ok(())
}
