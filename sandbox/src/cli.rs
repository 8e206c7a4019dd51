//! The command line: what `cargo run --` takes.

use std::path::PathBuf;

use chrono::{Days, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use clap::{Args, Parser, Subcommand, ValueEnum};
use sentri_protocol::codes::kind::Profile;

use crate::story::times;

/// Plays the main job on real parts: an agent grants access, a contractor presses ENT, the key bin opens.
///
/// Without a command the whole story is told, step by step, with what each step took. A backend is started on
/// this machine, filled by the operator's commands, and reached over real HTTP; three phones run the mobile core;
/// the lockboxes run the lock's own logic on a simulated board. Only time and radio are simulated, so that hours
/// pass in a second. Nothing is left behind.
///
/// Exit status: 0 every step did what it says, 1 one did not, 2 the input is not right.
#[derive(Debug, Parser)]
#[command(name = "sentri", version, after_help = EXAMPLES)]
pub struct Cli {
    /// The story's options.
    #[command(flatten)]
    pub story: StoryArgs,
    /// What to do instead.
    #[command(subcommand)]
    pub command: Option<Command>,
}

const EXAMPLES: &str = "Examples:
  cargo run
  cargo run -- --email pat@plumbing.example --address \"7 Elm Street\"
  cargo run -- --start \"tomorrow 09:00\" --end \"tomorrow 17:00\"
  cargo run -- --all
  cargo run -- --json
  cargo run -- keypad --profile residential
  cargo run -- serve --data sandbox-data --port 8080 --control-port 8081";

/// The reader's own input to the story.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "The story")]
pub struct StoryArgs {
    /// Go on after the main job, with a chapter each on listings and lockbox settings, grant and revoke, messages, the
    /// access log, the contractor's home, a member who opens, codes, and a resident's doors
    #[arg(long)]
    pub all: bool,
    /// Print the story as one JSON document
    #[arg(long)]
    pub json: bool,
    /// Whom access is granted to
    #[arg(long, value_name = "ADDRESS")]
    pub email: Option<String>,
    /// Street address of the listing
    #[arg(long, value_name = "STREET")]
    pub address: Option<String>,
    /// When the access begins, by the property's clock (Chicago), as "tomorrow 09:00" or "2027-05-01 09:00"
    #[arg(long, value_name = "WHEN", value_parser = local_time)]
    pub start: Option<NaiveDateTime>,
    /// When the access ends, likewise; two hours after its start if left out
    #[arg(long, value_name = "WHEN", value_parser = local_time)]
    pub end: Option<NaiveDateTime>,
}

/// What else there is.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Keep the sandbox running for app developers: backend, lockboxes, and a control API
    Serve(ServeArgs),
    /// Stand before one virtual lock: type codes, see its lights; lines from a pipe work as well
    Keypad(KeypadArgs),
}

/// Which keypad.
#[derive(Clone, Debug, Args)]
pub struct KeypadArgs {
    /// What sort of lock it is on
    #[arg(long, value_enum, default_value_t = LockSort::Lockbox)]
    pub profile: LockSort,
}

/// Sorts of locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LockSort {
    /// A realtor's lockbox: key bin, shackle, card slot
    Lockbox,
    /// A door lock
    Residential,
}

impl From<LockSort> for Profile {
    fn from(sort: LockSort) -> Self {
        match sort {
            LockSort::Lockbox => Self::Lockbox,
            LockSort::Residential => Self::Residential,
        }
    }
}

/// How to serve.
#[derive(Clone, Debug, Default, Args)]
pub struct ServeArgs {
    /// Keep the data in this folder; else they are in a temporary one that goes when the sandbox stops
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Port of the backend; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// Port of the control API; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    pub control_port: u16,
}

fn local_time(text: &str) -> Result<NaiveDateTime, String> {
    read_time(text, Utc::now().with_timezone(&times::ZONE).date_naive())
}

/// `tomorrow 09:00`, `today 15:30`, `2027-05-01 09:00`; a date also with a T behind it, a time also with seconds.
fn read_time(text: &str, today: NaiveDate) -> Result<NaiveDateTime, String> {
    let text = text.trim();
    let (day, time) = text.split_once(' ').or_else(|| text.split_once('T')).unwrap_or_default();
    let day = match day.to_ascii_lowercase().as_str() {
        "today" => Some(today),
        "tomorrow" => today.checked_add_days(Days::new(1)),
        date => NaiveDate::parse_from_str(date, "%Y-%m-%d").ok(),
    };
    let read = |format: &&str| NaiveTime::parse_from_str(time.trim(), format).ok();
    let time = ["%H:%M", "%H:%M:%S"].iter().find_map(read);
    let when = day.zip(time).map(|(day, time)| day.and_time(time));
    when.ok_or_else(|| "write it as \"tomorrow 09:00\" or \"2027-05-01 09:00\"".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        let today = NaiveDate::from_ymd_opt(2026, 12, 31).unwrap();
        for (text, read) in [
            ("2030-05-01 09:00", "2030-05-01T09:00:00"),
            ("2030-05-01T09:00", "2030-05-01T09:00:00"),
            (" 2030-05-01 09:00:30 ", "2030-05-01T09:00:30"),
            ("today 9:05", "2026-12-31T09:05:00"),
            ("Tomorrow 17:00", "2027-01-01T17:00:00"),
        ] {
            let read: NaiveDateTime = read.parse().unwrap();
            assert_eq!(read_time(text, today), Ok(read), "{text}");
        }
        for bad in ["", "tomorrow", "2030-02-30 09:00", "2030-05-01", "2030-05-01 25:00", "09:00", "T", " "] {
            assert!(read_time(bad, today).is_err(), "{bad}");
        }
    }
}
