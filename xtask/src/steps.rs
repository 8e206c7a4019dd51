//! Progress: one line when a step starts, one with its duration when it ends, a table at the end of many.

use std::{
    fmt,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

/// What a step needs and can't get: a step that is left out on a developer's machine, and fails in CI.
#[derive(Debug)]
pub struct Missing(pub String);

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Missing {}

enum Outcome {
    Passed,
    LeftOut(String),
    Failed(String),
}

struct Step {
    name: String,
    outcome: Outcome,
    took: Duration,
}

/// The steps of one command, in the order they ran.
pub struct Steps {
    ci: bool,
    started: Instant,
    done: Vec<Step>,
}

impl Steps {
    /// None yet. In CI nothing may be left out.
    pub fn new(ci: bool) -> Self {
        Self { ci, started: Instant::now(), done: Vec::new() }
    }

    /// Runs one step, and keeps how it went.
    pub fn run(&mut self, name: &str, work: impl FnOnce() -> Result<()>) {
        println!("==> {name}");
        let started = Instant::now();
        let outcome = self.judge(work());
        let took = started.elapsed();
        match &outcome {
            Outcome::Passed => println!("    {name}: ok, {}", Shown(took)),
            Outcome::LeftOut(why) => println!("!!! {name}: LEFT OUT after {}: {why}", Shown(took)),
            Outcome::Failed(why) => println!("!!! {name}: FAILED after {}: {why}", Shown(took)),
        }
        self.done.push(Step { name: name.to_owned(), outcome, took });
    }

    fn judge(&self, result: Result<()>) -> Outcome {
        match result {
            Ok(()) => Outcome::Passed,
            Err(error) if !self.ci && error.is::<Missing>() => Outcome::LeftOut(error.to_string()),
            Err(error) => Outcome::Failed(format!("{error:#}")),
        }
    }

    /// Prints the table where there was more than one step; an error if any failed.
    pub fn finish(&self) -> Result<()> {
        if self.done.len() > 1 {
            println!("\n{self}");
        }
        let failed = self.done.iter().filter(|step| matches!(step.outcome, Outcome::Failed(_))).count();
        if failed > 0 {
            bail!("{failed} of {} steps failed", self.done.len());
        }
        Ok(())
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.done {
            let (word, why) = match &step.outcome {
                Outcome::Passed => ("ok", ""),
                Outcome::LeftOut(why) => ("LEFT OUT", why.as_str()),
                Outcome::Failed(why) => ("FAILED", why.as_str()),
            };
            let why = why.lines().next().unwrap_or_default();
            let took = Shown(step.took).to_string();
            writeln!(f, "{}", format!("{:<16} {word:<8} {took:>12}  {why}", step.name).trim_end())?;
        }
        let well = self.done.iter().all(|step| !matches!(step.outcome, Outcome::Failed(_)));
        write!(f, "{} in {}", if well { "PASS" } else { "FAIL" }, Shown(self.started.elapsed()))
    }
}

/// A duration as a person reads it.
struct Shown(Duration);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_secs() {
            0..60 => write!(f, "{:.1} s", self.0.as_secs_f64()),
            seconds => write!(f, "{} min {} s", seconds / 60, seconds % 60),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_one_missing(ci: bool) -> Steps {
        let mut steps = Steps::new(ci);
        steps.run("there", || Ok(()));
        steps.run("missing", || Err(Missing("no valgrind here".into()).into()));
        steps
    }

    #[test]
    fn a_missing_tool_is_told_on_a_developers_machine_and_fails_in_ci() {
        let steps = with_one_missing(false);
        assert!(steps.finish().is_ok());
        assert!(steps.to_string().contains("LEFT OUT"));
        assert!(steps.to_string().contains("PASS"));

        let steps = with_one_missing(true);
        assert!(steps.finish().is_err());
        assert!(steps.to_string().contains("no valgrind here"));
        assert!(steps.to_string().contains("FAIL in"));
    }

    #[test]
    fn a_failed_step_does_not_stop_the_next_and_fails_the_whole() {
        let mut steps = Steps::new(false);
        steps.run("first", || bail!("broken"));
        steps.run("second", || Ok(()));
        assert_eq!(steps.finish().unwrap_err().to_string(), "1 of 2 steps failed");
    }

    #[test]
    fn durations_are_read_by_a_person() {
        assert_eq!(Shown(Duration::from_millis(1_240)).to_string(), "1.2 s");
        assert_eq!(Shown(Duration::from_secs(125)).to_string(), "2 min 5 s");
    }
}
