//! The command line: what `cargo run --` takes.

use std::path::PathBuf;

use chrono::NaiveDateTime;
use clap::{Args, Parser, Subcommand, ValueEnum};
use sentri_protocol::codes::kind::Profile;

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
  cargo run -- --start \"2030-05-01 09:00\" --end \"2030-05-01 17:00\"
  cargo run -- --json
  cargo run -- keypad --profile residential
  cargo run -- serve --data sandbox-data --port 8080 --control-port 8081";

/// The reader's own input to the story.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "The story")]
pub struct StoryArgs {
    /// Print the story as one JSON document
    #[arg(long)]
    pub json: bool,
    /// Whom access is granted to
    #[arg(long, value_name = "ADDRESS")]
    pub email: Option<String>,
    /// Street address of the listing
    #[arg(long, value_name = "STREET")]
    pub address: Option<String>,
    /// When the access begins, by the property's clock (Chicago), as "2030-05-01 09:00"
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

/// `2030-05-01 09:00`, also with a T in between and with seconds.
fn local_time(text: &str) -> Result<NaiveDateTime, String> {
    const FORMATS: [&str; 4] = ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"];
    let read = |format: &&str| NaiveDateTime::parse_from_str(text.trim(), format).ok();
    FORMATS.iter().find_map(read).ok_or_else(|| "not a date and time like \"2030-05-01 09:00\"".to_owned())
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
        for good in ["2030-05-01 09:00", "2030-05-01T09:00", " 2030-05-01 09:00:30 "] {
            assert!(local_time(good).is_ok(), "{good}");
        }
        for bad in ["", "tomorrow", "2030-02-30 09:00", "2030-05-01", "2030-05-01 25:00"] {
            assert!(local_time(bad).is_err(), "{bad}");
        }
    }
}
