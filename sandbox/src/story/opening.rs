//! The visit: the phone gets ready, the network goes, ENT opens the bin, and the visit is told afterwards.

use sentri_core::api::types::{AccessLogFilter, AccessOutcome, MessageTopic, Readiness, SyncState};
use sentri_lock::ports::Indication;
use tokio::net::TcpStream;

use super::{
    StoryTrouble, Telling, cast,
    stage::{Stage, Whose},
    times::{self, MINUTE},
};

/// What the protocol promises: bytes of M1, and of M1 and M2.
const MOST_M1: u32 = 112;
const MOST_EXCHANGE: u32 = 204;

pub(super) async fn gets_ready(stage: &mut Stage, tell: &mut Telling) -> Result<(), StoryTrouble> {
    stage.wait_until(stage.script.visit - 20 * MINUTE);
    let synced = stage.sync(Whose::Contractor).await?;
    stage.log_in(Whose::Unchecked).await?;
    stage.sync(Whose::Unchecked).await?;
    stage.sync(Whose::Agent).await?;
    let accesses = stage.contractor.core.accesses().await?;
    let readiness = accesses.iter().find(|it| it.id == stage.left.access).map(|it| it.readiness);
    tell.say("Pat opens the app at home: it renews its credentials by itself.");
    if let Some(Readiness::Ready { from, until }) = readiness {
        tell.say(format!("The app says: ready offline, {}.", times::window(from, until)));
    }
    tell.say(
        "For the refusals to come Pat has a second phone, on which the app's own checks are switched off. No app \
         that ships can do that; the box must refuse by itself.",
    );
    let covers = |readiness| match readiness {
        Readiness::Ready { from, until } => from <= stage.script.visit && until > stage.script.visit,
        _ => false,
    };
    tell.check("The phone holds what opens the box at the time of the visit", readiness.is_some_and(covers));
    tell.check("The green check mark is shown", matches!(synced.state, SyncState::Current { .. }));
    let grants = stage.agent.core.grants().await?;
    let ready = grants.iter().find(|it| it.id == stage.left.access).map(|it| it.phone_ready);
    tell.expect("Dana sees that the phone is ready", &ready, &Some(true));
    Ok(())
}

pub(super) async fn network_cut(stage: &mut Stage, tell: &mut Telling) -> Result<(), StoryTrouble> {
    stage.wait_until(stage.script.visit);
    stage.town.cut_network().await;
    let address = stage.town.base_url().replace("http://", "");
    tell.say("The backend's listener is closed, outside of the app: no phone reaches it any more.");
    tell.check("Nobody answers at the backend's port", TcpStream::connect(address).await.is_err());
    let synced = stage.sync(Whose::Contractor).await?;
    tell.check("The app says that it is offline", matches!(synced.state, SyncState::Offline { .. }));
    Ok(())
}

pub(super) async fn opens(stage: &mut Stage, tell: &mut Telling) -> Result<(), StoryTrouble> {
    let lockbox = stage.lockbox(cast::BOX)?;
    let opened = stage.press_ent(Whose::Contractor, cast::BOX, &stage.left.access).await?;
    tell.pressed(opened.ms);
    tell.say(format!("Pat holds the phone, presses ENT on {}, and the key bin opens.", cast::BOX));
    let insight = lockbox.insight();
    match &opened.told {
        Ok(report) => {
            let figures = &report.figures;
            tell.say(format!(
                "One message of {} bytes opened it, {} bytes came back: in {} + {} fragments at MTU {}.",
                figures.m1_bytes, figures.m2_bytes, figures.m1_frames, figures.m2_frames, figures.mtu
            ));
            tell.check(
                format!("At most {MOST_M1} bytes opened it, {MOST_EXCHANGE} with the answer"),
                figures.m1_bytes <= MOST_M1 && figures.m1_bytes + figures.m2_bytes <= MOST_EXCHANGE,
            );
            tell.expect("It took one connection", &figures.tries, &1);
        }
        Err(error) => tell.check(format!("The phone says that it is open, and not: {error}"), false),
    }
    tell.expect("The motor ran once, by its own count", &insight.motor_drives, &1);
    tell.expect("The lock counts one open", &insight.counters.opens, &1);
    let green = lockbox.lights().iter().any(|light| light.shown == Indication::Opened);
    tell.check("The lights on the box show it", green);
    let status = stage.contractor.core.sync_status().await?;
    tell.expect("One entry waits on the phone to be told", &status.events_queued, &1);
    Ok(())
}

pub(super) async fn uploads(stage: &mut Stage, tell: &mut Telling) -> Result<(), StoryTrouble> {
    stage.town.restore_network().await?;
    let synced = stage.sync(Whose::Contractor).await?;
    tell.say("The listener is open again, on the same port. Pat's phone tells what it queued.");
    tell.expect("Nothing waits any more", &synced.events_queued, &0);
    tell.check("The green check mark is shown", matches!(synced.state, SyncState::Current { .. }));
    Ok(())
}

pub(super) async fn agent_sees(stage: &mut Stage, tell: &mut Telling) -> Result<(), StoryTrouble> {
    stage.sync(Whose::Agent).await?;
    let core = &stage.agent.core;
    let messages = core.messages().await?;
    let used = messages.iter().find(|it| it.topic == MessageTopic::AccessUsed);
    if let Some(message) = used {
        tell.say(format!("{}: {}", message.title, message.body));
    }
    let named = used.is_some_and(|it| it.body.contains(cast::CONTRACTOR.1));
    tell.check("Dana has a message that says who used it", named);
    let (from, to) = (stage.script.begins, stage.town.clock.now() + 1);
    let filter = AccessLogFilter { listing_id: Some(stage.left.listing.clone()), ..Default::default() };
    let log = core.access_log(from, to, filter, None).await?;
    let opened: Vec<_> = log.entries.iter().filter(|it| it.outcome == AccessOutcome::Opened).collect();
    tell.expect("The access log has the visit, once", &opened.len(), &1);
    if let Some(entry) = opened.first() {
        tell.say(format!(
            "Access log: {}, {}, {}, opened.",
            times::day_and_clock(entry.at),
            entry.who,
            entry.lockbox
        ));
        tell.check("It names Pat", entry.who.contains(cast::CONTRACTOR.1));
        tell.check("The lock's own word confirms it", entry.confirmed_by_lock);
    }
    let grants = core.grants().await?;
    let used_at = grants.iter().find(|it| it.id == stage.left.access).and_then(|it| it.last_used_at);
    tell.check("The access shows when it was used", used_at.is_some());
    Ok(())
}
