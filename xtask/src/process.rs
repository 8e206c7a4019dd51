//! Runs other programs: shown as a shell would take them, without standard input, failing by name.

use std::{
    borrow::Cow,
    env,
    ffi::OsStr,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::limit::{self, Limited};

/// `cargo`, as a user would call it from the shell.
pub fn cargo() -> Command {
    command("cargo")
}

/// A program that sees the environment this one was started from, without what `cargo run` added for this
/// package: it would make cargo build things anew, and README's commands run elsewhere than in a user's shell.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null());
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(is_of_this_package) {
            command.env_remove(name);
        }
    }
    if let Some(paths) = env::var_os(LIBRARY_PATH) {
        let built = env::current_exe().ok().and_then(|program| program.parent().map(Path::to_owned));
        let others =
            env::split_paths(&paths).filter(|path| built.as_ref().is_none_or(|it| !path.starts_with(it)));
        match env::join_paths(others) {
            Ok(others) if !others.is_empty() => command.env(LIBRARY_PATH, others),
            _ => command.env_remove(LIBRARY_PATH),
        };
    }
    command
}

/// Where libraries are looked for. `cargo run` puts the folder of debug builds first: a program that is to load the
/// library that ships would load another one.
const LIBRARY_PATH: &str =
    if cfg!(target_os = "macos") { "DYLD_FALLBACK_LIBRARY_PATH" } else { "LD_LIBRARY_PATH" };

fn is_of_this_package(variable: &str) -> bool {
    variable.starts_with("CARGO_PKG_") || variable.starts_with("CARGO_MANIFEST_")
}

/// Runs to the end, output shown.
pub fn run(command: &mut Command) -> Result<()> {
    println!("    $ {}", shown(command));
    ended_well(start(command)?, command)
}

/// Runs to the end, keeping what it printed to standard output.
pub fn capture(command: &mut Command) -> Result<String> {
    let mut running = start(command.stdout(Stdio::piped()))?;
    let mut printed = Vec::new();
    if let Some(mut stdout) = running.stdout() {
        stdout.read_to_end(&mut printed).context(UNREADABLE)?;
    }
    ended_well(running, command).inspect_err(|_| print!("{}", String::from_utf8_lossy(&printed)))?;
    String::from_utf8(printed).with_context(|| format!("{} printed no UTF-8", name(command)))
}

/// Runs to the end, output shown, and each line of standard output handed to `listen` as well.
pub fn overhear(command: &mut Command, mut listen: impl FnMut(&str)) -> Result<()> {
    println!("    $ {}", shown(command));
    let mut running = start(command.stdout(Stdio::piped()))?;
    if let Some(stdout) = running.stdout() {
        for line in BufReader::new(stdout).split(b'\n') {
            let line = line.context(UNREADABLE)?;
            let line = String::from_utf8_lossy(&line);
            println!("{}", shortened(&line));
            listen(&line);
        }
    }
    ended_well(running, command)
}

const UNREADABLE: &str = "can't read what it printed";

/// Whether this is CI, where nothing may be left out for want of a tool and nothing may hang.
pub fn is_ci() -> bool {
    env::var("CI").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
}

fn start(command: &mut Command) -> Result<Limited> {
    limit::start(command, is_ci()).with_context(|| format!("can't start {}", name(command)))
}

fn ended_well(running: Limited, command: &Command) -> Result<()> {
    let status = running.wait().with_context(|| format!("`{}`", shown(command)))?;
    if !status.success() {
        bail!("`{}` ended with {status}", shown(command));
    }
    Ok(())
}

/// Characters of a line that are shown.
const SHOWN: usize = 400;

/// A line as a person reads it: tests print what they were given, which may be a megabyte.
fn shortened(line: &str) -> Cow<'_, str> {
    match line.char_indices().nth(SHOWN) {
        None => line.into(),
        Some((end, _)) => {
            let rest = line[end..].chars().count();
            format!("{} … and {rest} characters more", &line[..end]).into()
        }
    }
}

/// Whether a program of that name is on the `PATH`.
pub fn on_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn name(command: &Command) -> String {
    Path::new(command.get_program()).display().to_string()
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_shortened_between_characters() {
        let long = "é".repeat(SHOWN + 2);
        assert_eq!(shortened(&long), format!("{} … and 2 characters more", "é".repeat(SHOWN)));
        assert_eq!(shortened(&long[..SHOWN * 2]), "é".repeat(SHOWN));
    }
}
