//! What the story is about: the reader's own input, or what stands in for it, and the times that follow.

use sentri_protocol::grant;
use sentri_server::{Refusal, config::Policy, rules};
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
    /// Whether the chapters follow.
    pub all: bool,
}

impl Script {
    /// From the command line; the story begins `now`. All that the reader entered is judged here, by the app's and
    /// the backend's own rules, before anything is told.
    pub fn new(args: &StoryArgs, now: Timestamp) -> Result<Self, StoryTrouble> {
        let script = Self::written(args, now)?;
        script.check_people_and_place()?;
        script.check_window()?;
        script.check_hours()?;
        Ok(script)
    }

    fn written(args: &StoryArgs, now: Timestamp) -> Result<Self, StoryTrouble> {
        let begins = now - now.rem_euclid(MINUTE);
        let typed = |flag: &'static str, at: Option<_>| match at {
            Some(at) => times::typed(at).map(Some).ok_or_else(|| {
                input(flag, "On that day the clocks are put past this time. Write another one.")
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
            all: args.all,
        })
    }

    fn check_people_and_place(&self) -> Result<(), StoryTrouble> {
        let email =
            rules::Email::parse(&self.email, "email").map_err(|refusal| refused("--email", &refusal, ""))?;
        if email.key() == cast::AGENT_EMAIL {
            return Err(input("--email", "This address is the agent's own. Write another person's."));
        }
        let how = " Write number and street, as \"7 Elm Street\".";
        rules::street_address(&self.address, "address")
            .map_err(|refusal| refused("--address", &refusal, how))?;
        Ok(())
    }

    /// The grant is made as the story begins.
    fn check_window(&self) -> Result<(), StoryTrouble> {
        const HOW: &str = "Write a time from now on and within a year, as \"tomorrow 09:00\".";
        let Span { from, to } = self.access;
        grant::window(self.begins, from, to).map_err(|refusal| {
            let flag = if refusal.field() == "ends_at" && self.end_entered { "--end" } else { "--start" };
            input(flag, format!("{} {HOW}", refusal.reason()))
        })?;
        let longest = i64::from(Policy::default().longest_grant_seconds);
        if to - from > longest {
            let days = longest / (24 * HOUR);
            return Err(input(
                "--end",
                format!("An access lasts at most {days} days. Write an earlier end."),
            ));
        }
        Ok(())
    }

    /// The box must be open at some time of the access, or nobody could use it.
    fn check_hours(&self) -> Result<(), StoryTrouble> {
        if self.visit < self.access.to {
            return Ok(());
        }
        Err(input(
            "--start",
            "The lockbox opens from 7 AM to 9 PM only, and this access lies wholly in the night. Write another time.",
        ))
    }
}

fn input(flag: &'static str, reason: impl Into<String>) -> StoryTrouble {
    StoryTrouble::Input { flag, reason: reason.into() }
}

/// What the backend would say of it, and what to do about it.
fn refused(flag: &'static str, refusal: &Refusal, how: &str) -> StoryTrouble {
    let said = match refusal {
        Refusal::Problem(problem) => problem.detail.as_deref().unwrap_or(&problem.title),
        Refusal::Fault(fault) => fault,
    };
    input(flag, format!("{said}{how}"))
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
        for (start, end) in [
            ("2026-11-24 10:00", ""),
            ("2026-11-24 20:30", ""),
            ("2026-11-25 06:00", ""),
            ("2027-03-13 23:00", "2027-03-14 09:00"),
        ] {
            let script = script(start, end).unwrap_or_else(|error| panic!("{start}: {error}"));
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

    /// GRT-2 and the rest, each with its flag and what to write.
    #[test]
    fn bad_input_is_refused_before_anything_is_played() {
        let flag = |args: StoryArgs| match Script::new(&args, NOW) {
            Err(StoryTrouble::Input { flag, .. }) => flag,
            other => panic!("{other:?}"),
        };
        for email in ["", "nonsense", "a@b", "Dana.Reyes@Harbor-Realty.example"] {
            assert_eq!(flag(StoryArgs { email: Some(email.into()), ..StoryArgs::default() }), "--email");
        }
        for address in ["", " ", "7 Elm\nStreet", &"x".repeat(201)] {
            assert_eq!(
                flag(StoryArgs { address: Some(address.into()), ..StoryArgs::default() }),
                "--address"
            );
        }
        for (start, end, wrong) in [
            ("2001-01-01 09:00", "", "--start"),
            ("2040-01-01 09:00", "", "--start"),
            ("", "2001-01-01 09:00", "--end"),
            ("2026-11-25 09:00", "2026-11-24 09:00", "--end"),
            ("2026-11-24 09:00", "2027-03-24 09:00", "--end"),
            ("2027-03-14 02:30", "", "--start"),
            ("2026-11-24 22:00", "2026-11-25 02:00", "--start"),
        ] {
            match script(start, end) {
                Err(StoryTrouble::Input { flag, reason }) => {
                    assert!(flag == wrong && reason.contains("Write"), "{start} to {end}: {flag}: {reason}");
                }
                other => panic!("{start} to {end}: {other:?}"),
            }
        }
        assert!(script("2026-11-24 22:00", "2026-11-25 08:00").is_ok());
    }
}
