//! What follows the story with `--all`: a chapter for each thing that agents, contractors, members and residents do besides.

mod access_log;
mod cards;
mod codes;
mod granting;
mod home;
mod hub;
mod listings;
mod member;
mod messages;
mod residence;

use sentri_wire::Secret;

use super::{
    StoryTrouble, Telling,
    stage::{Stage, Whose},
    times,
};
use crate::lockbox::Lockbox;

/// When people meet again, by the clock on the property's wall: all boxes are open.
const MORNING: u32 = 10;

/// The chapters, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chapter {
    /// Listings and lockboxes.
    Listings,
    /// Grant, revoke, review.
    Granting,
    /// The Message Center.
    Messages,
    /// The access log.
    AccessLog,
    /// What a contractor sees first.
    Home,
    /// A member opens.
    Member,
    /// Codes for the keypad.
    Codes,
    /// Residents and their doors.
    Residence,
}

impl Chapter {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Listings,
        Self::Granting,
        Self::Messages,
        Self::AccessLog,
        Self::Home,
        Self::Member,
        Self::Codes,
        Self::Residence,
    ];

    /// In a realtor's words.
    pub fn title(self) -> &'static str {
        match self {
            Self::Listings => "Listings come from the MLS, and a lockbox gets its hours",
            Self::Granting => "Granted, granted twice, taken back",
            Self::Messages => "The Message Center",
            Self::AccessLog => "The access log, by lockbox and as a table",
            Self::Home => "The contractor's home page",
            Self::Member => "A member opens, by app, by code and by card",
            Self::Codes => "Codes for the keypad",
            Self::Residence => "A resident's doors, by phone and by hub",
        }
    }

    pub(super) async fn play(self, stage: &mut Stage, tell: &mut Telling) -> Result<(), StoryTrouble> {
        next_morning(stage).await?;
        match self {
            Self::Listings => listings::play(stage, tell).await,
            Self::Granting => granting::play(stage, tell).await,
            Self::Messages => messages::play(stage, tell).await,
            Self::AccessLog => access_log::play(stage, tell).await,
            Self::Home => home::play(stage, tell).await,
            Self::Member => member::play(stage, tell).await,
            Self::Codes => codes::play(stage, tell).await,
            Self::Residence => residence::play(stage, tell).await,
        }
    }
}

/// Everybody has slept, and has network.
async fn next_morning(stage: &Stage) -> Result<(), StoryTrouble> {
    stage.wait_until(times::next_at_hour(stage.town.clock.now(), MORNING));
    for whose in [Whose::Agent, Whose::Contractor] {
        stage.sync(whose).await?;
    }
    Ok(())
}

/// Whether a code opens.
fn opens(lockbox: &Lockbox, code: Option<&Secret>) -> bool {
    lockbox.type_code(code.map_or("", Secret::expose)) > 0
}
