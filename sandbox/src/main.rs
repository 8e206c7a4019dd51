//! `cargo run`: plays the main job, or keeps a sandbox running.

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

use clap::Parser;
use sentri_sandbox::{
    cli::{Cli, Command, KeypadArgs, StoryArgs},
    keypad, serve,
    story::{self, Chapter, Played, Script, Stage, StoryTrouble, Style},
};
use tracing_subscriber::EnvFilter;

/// What all chance of the story follows from.
const SEED: u64 = 2026;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Ok(filter) = EnvFilter::try_from_default_env() {
        // What a person reads stays alone on standard output.
        let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
        log.with_ansi(io::stderr().is_terminal()).init();
    }
    let done = match cli.command {
        Some(Command::Serve(args)) => {
            serve::run(&args).await.map(|()| true).map_err(|error| (error.to_string(), 1))
        }
        Some(Command::Keypad(args)) => {
            stand_before(&args).map_err(|error| failure(&StoryTrouble::Output(error)))
        }
        None => tell(&cli.story).await.map_err(|error| failure(&error)),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err((error, status)) => {
            // A reader who has seen enough, `| head`, is told nothing more.
            if !error.is_empty() {
                eprintln!("sentri: {error}");
            }
            ExitCode::from(status)
        }
    }
}

/// A keypad at this terminal, or driven by a pipe; true where every line was understood.
fn stand_before(args: &KeypadArgs) -> io::Result<bool> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let now = sentri_protocol::Time(u32::try_from(now).unwrap_or(u32::MAX));
    let input = io::stdin();
    let prompt = input.is_terminal();
    keypad::run(args.profile.into(), now, input.lock(), io::stdout().lock(), prompt)
}

/// What to say of it, and the exit status.
fn failure(error: &StoryTrouble) -> (String, u8) {
    match error {
        StoryTrouble::Input { .. } => (error.to_string(), 2),
        StoryTrouble::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => (String::new(), 1),
        _ => (error.to_string(), 1),
    }
}

/// Plays the story and prints it; true where every step did what it says.
async fn tell(args: &StoryArgs) -> Result<bool, StoryTrouble> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let script = Script::new(args, i64::try_from(now).unwrap_or(i64::MAX))?;
    let mut stage = Stage::set(script, SEED).await?;
    let played = if args.json { as_data(&mut stage).await } else { as_text(&mut stage).await };
    stage.town.stop().await;
    Ok(played?.passed)
}

async fn as_data(stage: &mut Stage) -> Result<Played, StoryTrouble> {
    let played = story::play(stage, |_| Ok(())).await?;
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &played).map_err(io::Error::from)?;
    writeln!(out)?;
    Ok(played)
}

async fn as_text(stage: &mut Stage) -> Result<Played, StoryTrouble> {
    let mut out = io::stdout();
    let style =
        Style { color: out.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty()) };
    let mut opening = vec![
        format!(
            "A backend on {} with its SQLite in a temporary folder, three phones, three lockboxes: all real parts. \
             Only time and radio are simulated.",
            stage.town.base_url()
        ),
        "What is to try besides: cargo run -- --help".to_owned(),
    ];
    if stage.script.all {
        let titles = Chapter::ALL.map(Chapter::title).join("; ");
        opening.push(format!("After the main job come {} chapters: {titles}.", Chapter::ALL.len()));
    }
    story::print_opening(&mut out, style, &opening)?;
    let played = story::play(stage, |step| story::print_step(&mut io::stdout(), style, step)).await?;
    story::closing(&mut out, style, &played.steps, played.machine_ms)?;
    Ok(played)
}
