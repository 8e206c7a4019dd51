//! The main job, step by step, on real parts: each step tells what happened, checks it, and says what it took.
//!
//! [`cast`] and [`script`] are who and when, `stage` holds the parts, then come the steps: `granting`, `opening`,
//! `revoking`, `battery`, `refusals`, `without_bluetooth`; with `--all`, the `chapters`.

mod battery;
pub mod cast;
mod chapters;
mod granting;
mod opening;
mod print;
mod refusals;
mod revoking;
pub mod script;
mod stage;
mod step;
pub mod times;
mod without_bluetooth;

use std::{io, time::Instant};

use sentri_core::CoreError;
use serde::Serialize;

pub use chapters::Chapter;
pub use print::{Style, closing, opening as print_opening, step as print_step};
pub use script::Script;
pub use stage::Stage;
pub use step::{Fact, Step, Telling, Took};

use crate::{calls::CallTrouble, town::TownTrouble};

/// Why the story could not be told to its end.
#[derive(Debug, thiserror::Error)]
pub enum StoryTrouble {
    /// The reader's input is not right.
    #[error("{flag}: {reason}")]
    Input {
        /// Which option.
        flag: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A part of the town failed.
    #[error(transparent)]
    Town(#[from] TownTrouble),
    /// A phone failed at something that should have worked.
    #[error("A phone could not go on: {0}")]
    Phone(#[from] CoreError),
    /// A hub or a card reader failed at something that should have worked.
    #[error("A hub or a card reader could not go on: {0}")]
    Call(#[from] CallTrouble),
    /// Something did not come that should have.
    #[error("{0}")]
    Missing(String),
    /// The output can't be written.
    #[error("the output can't be written: {0}")]
    Output(#[from] io::Error),
}

/// The story as it was played.
#[derive(Clone, Debug, Serialize)]
pub struct Played {
    /// Whether every step did what it says.
    pub passed: bool,
    /// Milliseconds of the machine.
    pub machine_ms: u128,
    /// The steps.
    pub steps: Vec<Step>,
}

/// Plays the story; `told` is called with each step as soon as it is over.
pub async fn play(
    stage: &mut Stage,
    mut told: impl FnMut(&Step) -> io::Result<()>,
) -> Result<Played, StoryTrouble> {
    let begun = Instant::now();
    let parts = Part::of(&stage.script);
    let mut steps: Vec<Step> = Vec::new();
    for part in &parts {
        let number = steps.len() + 1;
        let step = stage.play(*part, number).await?;
        told(&step)?;
        let broken_off = step.facts.iter().any(|fact| fact.claim == BROKEN_OFF);
        steps.push(step);
        if broken_off {
            break;
        }
    }
    let passed = steps.len() == parts.len() && steps.iter().all(|step| step.passed);
    Ok(Played { passed, machine_ms: begun.elapsed().as_millis(), steps })
}

/// What a step claims that could not be played to its end: the ones after it have nothing to stand on.
const BROKEN_OFF: &str = "The step could be played to its end";

/// What a story is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Scene(Scene),
    Chapter(Chapter),
}

impl Part {
    fn of(script: &Script) -> Vec<Self> {
        let chapters = Chapter::ALL.map(Self::Chapter).into_iter().filter(|_| script.all);
        Scene::ALL.map(Self::Scene).into_iter().chain(chapters).collect()
    }

    fn title(self) -> &'static str {
        match self {
            Self::Scene(scene) => scene.title(),
            Self::Chapter(chapter) => chapter.title(),
        }
    }

    async fn play(self, stage: &mut Stage, tell: &mut Telling) -> Result<(), StoryTrouble> {
        match self {
            Self::Scene(scene) => scene.play(stage, tell).await,
            Self::Chapter(chapter) => chapter.play(stage, tell).await,
        }
    }
}

/// The scenes, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scene {
    Setup,
    AgentLogsIn,
    AddsListing,
    Grants,
    Invitation,
    SignsUp,
    GetsReady,
    NetworkCut,
    Opens,
    Uploads,
    AgentSees,
    GrantsMore,
    RevokesSecond,
    ThirdHasBegun,
    BatteryOffline,
    BatteryOnline,
    TooEarly,
    WrongBox,
    Revoked,
    TooLate,
    OutsideHours,
    WithoutBluetooth,
    AllInTheLog,
}

impl Scene {
    const ALL: [Self; 23] = [
        Self::Setup,
        Self::AgentLogsIn,
        Self::AddsListing,
        Self::Grants,
        Self::Invitation,
        Self::SignsUp,
        Self::GetsReady,
        Self::NetworkCut,
        Self::Opens,
        Self::Uploads,
        Self::AgentSees,
        Self::GrantsMore,
        Self::RevokesSecond,
        Self::ThirdHasBegun,
        Self::BatteryOffline,
        Self::BatteryOnline,
        Self::TooEarly,
        Self::WrongBox,
        Self::Revoked,
        Self::TooLate,
        Self::OutsideHours,
        Self::WithoutBluetooth,
        Self::AllInTheLog,
    ];

    fn title(self) -> &'static str {
        match self {
            Self::Setup => "An association, an agent, three lockboxes",
            Self::AgentLogsIn => "The agent logs in with the SentriKey ID",
            Self::AddsListing => "The agent adds a listing",
            Self::Grants => "The agent grants SentriConnect access by email",
            Self::Invitation => "The invitation is in the contractor's mail",
            Self::SignsUp => "The contractor makes an account and logs in",
            Self::GetsReady => "Before leaving, the contractor's phone gets ready",
            Self::NetworkCut => "At the house there is no network",
            Self::Opens => "ENT: the key bin opens",
            Self::Uploads => "Back in the network, the visit is told",
            Self::AgentSees => "The agent sees who was there",
            Self::GrantsMore => "The agent grants four more, for later",
            Self::RevokesSecond => "The second access is taken back before it begins",
            Self::ThirdHasBegun => "The third has begun, so it can't be taken back",
            Self::BatteryOffline => "A battery is pulled, and there is no network",
            Self::BatteryOnline => "The same with network",
            Self::TooEarly => "Refused: too early",
            Self::WrongBox => "Refused: the box next door",
            Self::Revoked => "Refused: taken back",
            Self::TooLate => "Refused: too late",
            Self::OutsideHours => "Refused: outside the lockbox's hours",
            Self::WithoutBluetooth => "A lockbox without Bluetooth",
            Self::AllInTheLog => "Every try is in the access log",
        }
    }

    async fn play(self, stage: &mut Stage, tell: &mut Telling) -> Result<(), StoryTrouble> {
        match self {
            Self::Setup => granting::setup(stage, tell).await,
            Self::AgentLogsIn => granting::agent_logs_in(stage, tell).await,
            Self::AddsListing => granting::adds_listing(stage, tell).await,
            Self::Grants => granting::grants(stage, tell).await,
            Self::Invitation => granting::invitation(stage, tell).await,
            Self::SignsUp => granting::signs_up(stage, tell).await,
            Self::GetsReady => opening::gets_ready(stage, tell).await,
            Self::NetworkCut => opening::network_cut(stage, tell).await,
            Self::Opens => opening::opens(stage, tell).await,
            Self::Uploads => opening::uploads(stage, tell).await,
            Self::AgentSees => opening::agent_sees(stage, tell).await,
            Self::GrantsMore => revoking::grants_more(stage, tell).await,
            Self::RevokesSecond => revoking::revokes_second(stage, tell).await,
            Self::ThirdHasBegun => revoking::third_has_begun(stage, tell).await,
            Self::BatteryOffline => battery::offline(stage, tell).await,
            Self::BatteryOnline => battery::online(stage, tell).await,
            Self::TooEarly => refusals::too_early(stage, tell).await,
            Self::WrongBox => refusals::wrong_box(stage, tell).await,
            Self::Revoked => refusals::revoked(stage, tell).await,
            Self::TooLate => refusals::too_late(stage, tell).await,
            Self::OutsideHours => refusals::outside_hours(stage, tell).await,
            Self::WithoutBluetooth => without_bluetooth::offers_a_code(stage, tell).await,
            Self::AllInTheLog => refusals::all_in_the_log(stage, tell).await,
        }
    }
}
