//! Refusals, each twice: by the phone from what it knows, and by the lock to a phone whose checks are off.

use sentri_core::{
    CoreError,
    api::{
        contractor::OpenReport,
        error::Judge,
        types::{AccessLogFilter, AccessOutcome},
    },
};
use sentri_lock::ports::Indication;

use super::{
    StoryTrouble, Telling,
    battery::last_light,
    cast,
    stage::{Stage, Whose},
    times::{self, MINUTE},
};

/// Who refused, where that is what happened.
type RefusedBy = fn(&CoreError) -> Option<Judge>;

/// One access, put to a box by either phone.
struct Case<'a> {
    serial: &'a str,
    access: &'a str,
    refused_by: RefusedBy,
}

/// Puts it to the box twice, and checks that each refuses by itself and the motor stays still.
async fn refused_twice(stage: &Stage, tell: &mut Telling, case: &Case<'_>) -> Result<(), StoryTrouble> {
    let lockbox = stage.lockbox(case.serial)?;
    let before = lockbox.insight();
    let by_phone = stage.press_ent(Whose::Contractor, case.serial, case.access).await?;
    let asked = lockbox.insight().counters.m1_seen - before.counters.m1_seen;
    told(tell, "Pat's phone says", &by_phone.told);
    tell.check("The phone refuses by itself", judge(&by_phone.told, case.refused_by) == Some(Judge::Phone));
    tell.expect("It does not even ask the lock", &asked, &0);

    let by_lock = stage.press_ent(Whose::Unchecked, case.serial, case.access).await?;
    tell.pressed(by_lock.ms);
    let after = lockbox.insight();
    told(tell, "The phone without checks asks all the same, and says", &by_lock.told);
    tell.check("The lock refuses", judge(&by_lock.told, case.refused_by) == Some(Judge::Lock));
    tell.check("It was asked", after.counters.m1_seen > before.counters.m1_seen);
    tell.expect("The motor did not run, by its own count", &after.motor_drives, &before.motor_drives);
    Ok(())
}

fn told(tell: &mut Telling, who: &str, told: &Result<OpenReport, CoreError>) {
    if let Err(error) = told {
        tell.say(format!("{who}: “{error}”"));
    }
}

fn judge(told: &Result<OpenReport, CoreError>, refused_by: RefusedBy) -> Option<Judge> {
    told.as_ref().err().and_then(refused_by)
}

/// The lights tell a person at the box no more than no.
fn lights_say_no(stage: &Stage, tell: &mut Telling, serial: &str) -> Result<(), StoryTrouble> {
    let light = last_light(&*stage.lockbox(serial)?);
    tell.expect("The lights on the box say no, and not why", &light, &Some(Indication::Refused));
    Ok(())
}

pub(super) async fn too_early(stage: &mut Stage, tell: &mut Telling) -> Result<(), StoryTrouble> {
    stage.wait_until(stage.script.later + 40 * MINUTE);
    tell.say(format!(
        "Pat comes today with tomorrow's access, from {}.",
        times::day_and_clock(stage.script.tomorrow.from)
    ));
    let refused_by: RefusedBy = |error| match error {
        CoreError::NotYetValid { by, .. } => Some(*by),
        _ => None,
    };
    let access = stage.left.tomorrow.clone();
    refused_twice(stage, tell, &Case { serial: cast::BOX, access: &access, refused_by }).await?;
    lights_say_no(stage, tell, cast::BOX)
}

pub(super) async fn wrong_box(stage: &mut Stage, tell: &mut Telling) -> Result<(), StoryTrouble> {
    stage.wait_until(stage.script.later + 50 * MINUTE);
    tell.say(format!("Pat presses ENT on {}, next door, with an access for {}.", cast::OTHER_BOX, cast::BOX));
    let refused_by: RefusedBy = |error| match error {
        CoreError::WrongBox { by } => Some(*by),
        _ => None,
    };
    let access = stage.left.third.clone();
    refused_twice(stage, tell, &Case { serial: cast::OTHER_BOX, access: &access, refused_by }).await?;
    let unproved = stage.lockbox(cast::OTHER_BOX)?.insight().counters.m1_unproved;
    tell.check("To that lock it proved nothing, and it was told nothing", unproved > 0);
    Ok(())
}

pub(super) async fn revoked(stage: &mut Stage, tell: &mut Telling) -> Result<(), StoryTrouble> {
    stage.wait_until(stage.script.second.from + 10 * MINUTE);
    tell.say("Pat comes in the time of the second access, which was taken back this morning.");
    let refused_by: RefusedBy = |error| match error {
        CoreError::Revoked { by } => Some(*by),
        _ => None,
    };
    let access = stage.left.second.clone();
    refused_twice(stage, tell, &Case { serial: cast::BOX, access: &access, refused_by }).await?;
    tell.say("The lock has no network: it heard of it from Pat's first phone, at the visit before.");
    lights_say_no(stage, tell, cast::BOX)
}

pub(super) async fn too_late(stage: &mut Stage, tell: &mut Telling) -> Result<(), StoryTrouble> {
    stage.wait_until(stage.script.night);
    tell.say(format!(
        "Pat comes with the third access, which ended at {}; the four hours to return a key are over too.",
        times::clock(stage.script.third.to)
    ));
    let refused_by: RefusedBy = |error| match error {
        CoreError::Expired { by, .. } => Some(*by),
        _ => None,
    };
    let access = stage.left.third.clone();
    refused_twice(stage, tell, &Case { serial: cast::BOX, access: &access, refused_by }).await?;
    lights_say_no(stage, tell, cast::BOX)
}

pub(super) async fn outside_hours(stage: &mut Stage, tell: &mut Telling) -> Result<(), StoryTrouble> {
    stage.wait_until(stage.script.night + MINUTE);
    tell.say("Pat comes with the access that lasts through the night; the box opens from 7 AM to 9 PM.");
    let refused_by: RefusedBy = |error| match error {
        CoreError::OutsideHours { by, .. } => Some(*by),
        _ => None,
    };
    let access = stage.left.overnight.clone();
    refused_twice(stage, tell, &Case { serial: cast::BOX, access: &access, refused_by }).await?;
    lights_say_no(stage, tell, cast::BOX)
}

pub(super) async fn all_in_the_log(stage: &mut Stage, tell: &mut Telling) -> Result<(), StoryTrouble> {
    stage.sync(Whose::Contractor).await?;
    stage.sync(Whose::Unchecked).await?;
    let entries = whole_log(stage).await?;
    let count = |outcome| entries.iter().filter(|it| it.outcome == outcome).count();
    let opened = count(AccessOutcome::Opened);
    let drives = stage.lockbox(cast::BOX)?.motor_drives();
    tell.say(format!("Dana looks at the log of the listing: {} entries.", entries.len()));
    tell.expect("As many opens as the motor ran", &(opened as u64), &drives);
    for (outcome, words) in [
        (AccessOutcome::TooEarly, "too early"),
        (AccessOutcome::WrongBox, "the wrong box"),
        (AccessOutcome::Revoked, "taken back"),
        (AccessOutcome::TooLate, "too late"),
        (AccessOutcome::OutsideHours, "outside the hours"),
    ] {
        tell.expect(format!("Refused as {words}: by the phone and by the lock"), &count(outcome), &2);
    }
    tell.expect("Refused for the lost clock: once", &count(AccessOutcome::ClockLost), &1);
    Ok(())
}

async fn whole_log(stage: &Stage) -> Result<Vec<sentri_core::api::types::AccessLogEntry>, StoryTrouble> {
    let (from, to) = (stage.script.begins, stage.town.clock.now() + 1);
    let (mut entries, mut after) = (Vec::new(), None);
    loop {
        let filter = AccessLogFilter { listing_id: Some(stage.left.listing.clone()), ..Default::default() };
        let page = stage.agent.core.access_log(from, to, filter, after).await?;
        entries.extend(page.entries);
        after = page.next;
        if after.is_none() {
            return Ok(entries);
        }
    }
}
