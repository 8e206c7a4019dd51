//! How long a program may take in CI: one that hangs would take the whole run with it, and nobody would learn which.

use std::{
    io,
    os::unix::process::CommandExt,
    process::{Child, ChildStdout, Command, ExitStatus},
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Context, Result, bail};

/// Three times what the longest takes on two cores.
const LONGEST: Duration = Duration::from_secs(25 * 60);

/// A program that runs, for as long as it may.
pub struct Limited {
    child: Child,
    watch: Option<Watch>,
}

/// Starts a program. Where it has a limit it leads a process group of its own: what it has started ends with it.
pub fn start(command: &mut Command, ci: bool) -> io::Result<Limited> {
    start_within(command, ci.then_some(LONGEST))
}

fn start_within(command: &mut Command, limit: Option<Duration>) -> io::Result<Limited> {
    if limit.is_some() {
        command.process_group(0);
    }
    let child = command.spawn()?;
    let watch = limit.map(|limit| Watch::begin(child.id(), limit));
    Ok(Limited { child, watch })
}

impl Limited {
    /// What it prints, where that is piped.
    pub fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Waits for its end; an error where that was its limit.
    pub fn wait(mut self) -> Result<ExitStatus> {
        let status = self.child.wait().context("can't wait for it")?;
        if let Some(watch) = self.watch
            && watch.end()
        {
            bail!("it hung, and was ended");
        }
        Ok(status)
    }
}

/// Waits beside a program.
struct Watch {
    ended: Sender<()>,
    has_killed: JoinHandle<bool>,
}

impl Watch {
    fn begin(leader: u32, limit: Duration) -> Self {
        let (ended, end) = mpsc::channel();
        let has_killed = thread::spawn(move || {
            let is_overdue = end.recv_timeout(limit) == Err(RecvTimeoutError::Timeout);
            is_overdue && kill_group(leader).is_ok_and(|it| it.success())
        });
        Self { ended, has_killed }
    }

    /// Whether it had to end the program.
    fn end(self) -> bool {
        drop(self.ended);
        self.has_killed.join().unwrap_or(false)
    }
}

/// By the shell's own `kill`: the program of that name is not everywhere.
fn kill_group(leader: u32) -> io::Result<ExitStatus> {
    Command::new("sh").args(["-c", "kill -s KILL -- \"-$0\"", &leader.to_string()]).status()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `sh` and a program that it waits for.
    fn sleeper(seconds: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("sleep {seconds}; exit 3")]);
        command
    }

    #[test]
    fn a_program_that_hangs_is_ended_with_what_it_started() {
        let mut command = sleeper("3600");
        let mut hung =
            start_within(command.stdout(std::process::Stdio::piped()), Some(Duration::from_millis(10)))
                .unwrap();
        // The pipe is closed once nobody has it any more: `sleep` too is gone.
        let mut printed = Vec::new();
        io::Read::read_to_end(&mut hung.stdout().unwrap(), &mut printed).unwrap();
        assert_eq!(hung.wait().unwrap_err().to_string(), "it hung, and was ended");
    }

    #[test]
    fn a_program_that_ends_in_time_says_how() {
        for limit in [None, Some(Duration::from_secs(600))] {
            assert_eq!(start_within(&mut sleeper("0"), limit).unwrap().wait().unwrap().code(), Some(3));
        }
    }
}
