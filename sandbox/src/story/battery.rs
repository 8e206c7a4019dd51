//! A battery is pulled: the lock loses its clock, and says so.

use sentri_core::CoreError;
use sentri_lock::ports::Indication;

use super::{
    StoryTrouble, Telling, cast,
    stage::{Stage, Whose},
    times::{self, MINUTE},
};

/// How far a lock's clock may be off right after it was set, in seconds.
const SET_WITHIN: i64 = 3;

pub(super) async fn offline(stage: &mut Stage, tell: &mut Telling) -> Result<(), StoryTrouble> {
    let lockbox = stage.lockbox(cast::BOX)?;
    let drives = lockbox.motor_drives();
    stage.town.cut_network().await;
    lockbox.pull_battery();
    let dead = stage.press_ent(Whose::Contractor, cast::BOX, &stage.left.third).await?;
    tell.say("Without a battery the box is dark; Pat presses ENT, and the phone hears nothing.");
    tell.expect("The phone says that it hears no lockbox", &dead.told, &Err(CoreError::NoLockboxHeard));

    stage.town.clock.advance(std::time::Duration::from_secs(120));
    lockbox.insert_battery().map_err(crate::town::TownTrouble::from)?;
    tell.check("With a battery in, the box does not know the time", lockbox.insight().clock_lost);
    let opened = stage.press_ent(Whose::Contractor, cast::BOX, &stage.left.third).await?;
    tell.pressed(opened.ms);
    if let Err(error) = &opened.told {
        tell.say(format!("With a new battery it wakes, but it has lost its clock. Pat reads: “{error}”"));
    }
    tell.expect("The lock refuses, and the phone tells why", &opened.told, &Err(CoreError::ClockUntrusted));
    tell.expect("The lights on the box say no", &last_light(&lockbox), &Some(Indication::Refused));
    tell.expect("The motor did not run", &lockbox.motor_drives(), &drives);
    Ok(())
}

pub(super) async fn online(stage: &mut Stage, tell: &mut Telling) -> Result<(), StoryTrouble> {
    let lockbox = stage.lockbox(cast::BOX)?;
    let drives = lockbox.motor_drives();
    stage.town.clock.advance(std::time::Duration::from_secs(MINUTE.unsigned_abs()));
    stage.town.restore_network().await?;
    let opened = stage.press_ent(Whose::Contractor, cast::BOX, &stage.left.third).await?;
    tell.pressed(opened.ms);
    let insight = lockbox.insight();
    let off = insight.clock.map(|clock| (clock - stage.town.clock.now()).abs());
    tell.say(
        "Pat connects and presses ENT again. In the same wake the phone fetches a time token for this very session, \
         the lock sets its clock by it, judges again, and opens.",
    );
    if let Some(clock) = insight.clock {
        tell.say(format!("The lock's clock shows {} again.", times::clock(clock)));
    }
    tell.check("The phone says that it is open", opened.told.is_ok());
    tell.expect("The motor ran once more", &insight.motor_drives, &(drives + 1));
    tell.check("The lock knows the time", !insight.clock_lost && off.is_some_and(|off| off <= SET_WITHIN));
    tell.check(
        "The phone handed over on the way that the second access is revoked",
        insight.revocation_version > 0,
    );
    Ok(())
}

/// What the lights said last of a try.
pub(super) fn last_light(lockbox: &crate::lockbox::Lockbox) -> Option<Indication> {
    let lights = lockbox.lights();
    let of_a_try = |shown: &Indication| matches!(shown, Indication::Opened | Indication::Refused);
    lights.iter().rev().map(|light| light.shown).find(of_a_try)
}
