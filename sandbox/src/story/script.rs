//! What the story is about: the reader's own input, or what stands in for it, and the times that follow.

use sentri_wire::Timestamp;

use super::{
    StoryTrouble, cast,
    times::{self, HOUR, HOURS, MINUTE},
};
use crate::cli::StoryArgs;

/// A span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First second.
    pub from: Timestamp,
    /// First second after.
    pub to: Timestamp,
}

/// The story's input and its times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// When it begins.
    pub begins: Timestamp,
    /// Whom access is granted to.
    pub email: String,
    /// Where.
    pub address: String,
    /// The access.
    pub access: Span,
    /// Whether its end was entered, and does not just follow from its start.
    pub end_entered: bool,
    /// When the contractor presses ENT.
    pub visit: Timestamp,
    /// When the agent grants four more accesses.
    pub later: Timestamp,
    /// A second access, which is taken back before it begins.
    pub second: Span,
    /// A third one, which begins at once.
    pub third: Span,
    /// One for tomorrow, used too early.
    pub tomorrow: Span,
    /// One through the night, used while the box is closed.
    pub overnight: Span,
    /// When the box is closed, and the third access long over.
    pub night: Timestamp,
}

impl Script {
    /// From the command line; the story begins `now`.
    pub fn new(args: &StoryArgs, now: Timestamp) -> Result<Self, StoryTrouble> {
        let begins = now - now.rem_euclid(MINUTE);
        let typed = |flag: &'static str, at: Option<_>| match at {
            Some(at) => times::typed(at).map(Some).ok_or_else(|| StoryTrouble::Input {
                flag,
                reason: "On that day the clocks are put past this time.".into(),
            }),
            None => Ok(None),
        };
        let from = typed("--start", args.start)?.unwrap_or_else(|| times::next_at_hour(begins + HOUR, 10));
        let to = typed("--end", args.end)?.unwrap_or(from + 2 * HOUR);
        let visit = times::next_within(from + (5 * MINUTE).min((to - from).max(0) / 2), HOURS);
        // The rest of the story takes a working day.
        let later = times::next_within(visit + 10 * MINUTE, (8, 14));
        Ok(Self {
            begins,
            email: args.email.clone().unwrap_or_else(|| cast::CONTRACTOR_EMAIL.into()),
            address: args.address.clone().unwrap_or_else(|| cast::ADDRESS.into()),
            access: Span { from, to },
            end_entered: args.end.is_some(),
            visit,
            later,
            second: Span { from: later + 4 * HOUR, to: later + 6 * HOUR },
            third: Span { from: later, to: later + 3 * HOUR },
            tomorrow: Span { from: later + 20 * HOUR, to: later + 22 * HOUR },
            overnight: Span { from: later + 3 * HOUR, to: later + 20 * HOUR },
            night: times::next_at_hour(later, 22) + 30 * MINUTE,
        })
    }

    /// The box must be open at some time of the access, or nobody could use it.
    pub fn check_hours(&self) -> Result<(), StoryTrouble> {
        // A window that is none is refused by the app itself, in its own words.
        if self.visit < self.access.to || self.access.to <= self.access.from {
            return Ok(());
        }
        Err(StoryTrouble::Input {
            flag: "--start",
            reason: "The lockbox opens from 7 AM to 9 PM only, and this access lies wholly in the night."
                .into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDateTime;

    const NOW: Timestamp = 1_795_200_000;

    fn script(start: &str, end: &str) -> Result<Script, StoryTrouble> {
        let at = |text: &str| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").ok();
        Script::new(&StoryArgs { start: at(start), end: at(end), ..StoryArgs::default() }, NOW)
    }

    /// Whatever the reader enters, each later access lies where its step needs it.
    #[test]
    fn the_times_of_the_steps_follow_from_any_start() {
        for start in ["2026-11-24 10:00", "2026-11-24 20:30", "2026-11-25 05:00", "2027-03-13 23:00"] {
            let script = script(start, "").unwrap_or_else(|error| panic!("{start}: {error}"));
            assert!(script.later > script.visit);
            assert!(script.night > script.third.to + 4 * HOUR, "past the right to return the key");
            assert!(script.night > script.overnight.from && script.night < script.overnight.to);
            assert!(
                script.tomorrow.from - script.later < 24 * HOUR,
                "within the time in which tickets are fetched"
            );
            assert!(script.second.to < script.night);
        }
    }

    #[test]
    fn an_access_wholly_in_the_night_is_refused_before_anything_is_played() {
        assert!(script("2026-11-24 22:00", "2026-11-25 02:00").unwrap().check_hours().is_err());
        assert!(script("2026-11-24 22:00", "2026-11-25 08:00").unwrap().check_hours().is_ok());
    }
}
