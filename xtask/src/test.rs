//! The test suites.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::{
    postgres::{Durability, Postgres},
    process, shells,
    steps::Steps,
    together, tools,
    workspace::Workspace,
};

/// What can be tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Suite {
    /// Everything written in Rust.
    Rust,
    /// The backend's and the end-to-end tests again, on a PostgreSQL that is started for them.
    Postgres,
    /// A thousand seeds of a network, a radio and a lock that fail between phones and backend, a thousand deaths of the
    /// backend while access is granted, and a thousand while something is delivered; the Rust tests play the first of them.
    Faults,
    /// Schemathesis over the whole OpenAPI document.
    Schemathesis,
    /// The protocol against a peer written in Python from `docs/protocol.md` alone.
    Interop,
    /// The Kotlin module against the sandbox.
    Kotlin,
    /// The Swift package against the sandbox.
    Swift,
}

/// Runs these suites, one after the other.
pub fn run(workspace: &Workspace, steps: &mut Steps, suites: &[Suite]) {
    for suite in suites {
        match suite {
            Suite::Rust => steps.run("test rust", || rust(workspace)),
            Suite::Postgres => steps.run("test postgres", || postgres(workspace)),
            Suite::Faults => steps.run("test faults", || faults(workspace)),
            Suite::Schemathesis => steps.run("test schemathesis", || schemathesis(workspace)),
            Suite::Interop => steps.run("test interop", || interop(workspace)),
            Suite::Kotlin => steps.run("test kotlin", || shells::kotlin(workspace)),
            Suite::Swift => steps.run("test swift", || shells::swift(workspace)),
        }
    }
}

/// The package of the backend's binary.
const OPERATOR: &str = "sentri-operator";

/// `cargo test`, as a user would call it, and what it leaves out.
fn rust(workspace: &Workspace) -> Result<()> {
    let mut by_default = process::cargo();
    by_default.args(["test", "--no-fail-fast"]).current_dir(&workspace.root);
    rust_tests(&mut [by_default, left_out(workspace)])
}

/// What `cargo test` leaves out: packages with a binary of their own.
pub fn beside_cargo_test(workspace: &Workspace) -> Result<()> {
    rust_tests(&mut [left_out(workspace)])
}

fn left_out(workspace: &Workspace) -> Command {
    let mut cargo = together::test(workspace);
    cargo.arg("--bins").args(workspace.tests_of(OPERATOR).flat_map(|it| ["--test", it]));
    cargo
}

fn rust_tests(commands: &mut [Command]) -> Result<()> {
    let mut tally = Tally::default();
    for cargo in commands {
        process::overhear(cargo, |line| tally.hear(line))?;
    }
    tally.close("rust")
}

/// How many seeds of network faults are played on PostgreSQL too: what they are about is the phone.
const SEEDS_ON_POSTGRES: &str = "30";

/// What runs on a database: the backend's tests, the operator's, and those across the parts. Each test makes its own
/// database on the server that this variable names.
fn postgres(workspace: &Workspace) -> Result<()> {
    let server = Postgres::start(Durability::None)?;
    let mut tally = Tally::default();
    let mut cargo = together::test(workspace);
    cargo.env("SENTRI_TEST_DATABASE", server.url()).env("SENTRI_SEEDS", SEEDS_ON_POSTGRES);
    let ran = process::overhear(&mut cargo, |line| tally.hear(line));
    let closed = tally.close("postgres");
    ran.and(closed)
}

/// How many seeds of network faults are played before a change lands.
const FAULT_SEEDS: &str = "1000";

/// How often the backend is killed while access is granted, and while something is delivered, before a change lands.
const KILLS: &str = "1000";

/// A seed that fails is printed, with the command that plays it again.
fn faults(workspace: &Workspace) -> Result<()> {
    let mut tally = Tally::default();
    let mut networks = together::test(workspace);
    networks.args(["--test", "network_faults", "--", "--nocapture"]).env("SENTRI_SEEDS", FAULT_SEEDS);
    let mut deaths = together::test(workspace);
    // The two run at one time, each on a core.
    let both = ["granting_kills::", "delivery_kills::"];
    deaths.args(["--test", "api", "--", "--nocapture"]).args(both).env("SENTRI_KILLS", KILLS);
    let held = process::overhear(&mut networks, |line| tally.hear(line));
    let lived = process::overhear(&mut deaths, |line| tally.hear(line));
    let closed = tally.close("faults");
    held.and(lived).and(closed)
}

/// Lets Schemathesis, which others wrote, call the server as it is deployed.
fn schemathesis(workspace: &Workspace) -> Result<()> {
    let folder = workspace.path("tests/schemathesis");
    let python = virtual_environment(workspace, "schemathesis-venv", &folder.join("requirements.txt"))?;
    // The binary comes with the tests that run it.
    let mut build = together::test(workspace);
    process::run(build.arg("--no-run").args(workspace.tests_of(OPERATOR).flat_map(|it| ["--test", it])))?;
    let mut script = process::command(python);
    script.arg(folder.join("run.py")).env("SENTRI_SERVER", workspace.target.join("debug/sentri-server"));
    process::run(script.current_dir(&workspace.target))
}

/// The sum of cargo's closing lines, one of which ends each test binary.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    passed: u32,
    failed: u32,
    ignored: u32,
}

impl Tally {
    /// Tells the sum; nothing at all is an error.
    fn close(&self, suite: &str) -> Result<()> {
        println!("{suite}: {} passed, {} failed, {} skipped", self.passed, self.failed, self.ignored);
        if self.passed == 0 {
            bail!("no test was run");
        }
        Ok(())
    }

    /// `test result: ok. 12 passed; 0 failed; 1 ignored; …`
    fn hear(&mut self, line: &str) {
        let Some(counts) = line.strip_prefix("test result: ") else { return };
        let counts = counts.split_once(". ").map_or("", |(_, counts)| counts);
        for count in counts.split("; ") {
            match count.split_once(' ').map(|(number, what)| (number.parse::<u32>().unwrap_or(0), what)) {
                Some((number, "passed")) => self.passed += number,
                Some((number, "failed")) => self.failed += number,
                Some((number, "ignored")) => self.ignored += number,
                _ => {}
            }
        }
    }
}

/// Runs the Python parts of `tests/interop` in a virtual environment that holds their pinned requirements: the codes of
/// the keypad, also against OATH's own tool, then `run.py` with the path of
/// the Rust peer, the example `interop_peer` of `sentri-protocol`, in `SENTRI_INTEROP_PEER`.
fn interop(workspace: &Workspace) -> Result<()> {
    let entry = workspace.path("tests/interop/run.py");
    if !entry.is_file() {
        bail!("tests/interop/run.py is missing");
    }
    let requirements = workspace.path("tests/interop/requirements.txt");
    let python = virtual_environment(workspace, "interop-venv", &requirements)?;
    tools::need("oathtool", "oathtool")?;
    for codes in ["tests/interop/codes/run_codes.py", "tests/interop/codes/run_oathtool.py"] {
        process::run(process::command(&python).arg(workspace.path(codes)).current_dir(&workspace.root))?;
    }
    let mut script = process::command(python);
    script.arg(entry).current_dir(&workspace.root);
    if workspace.has_example("sentri-protocol", "interop_peer") {
        process::run(together::build(workspace, &["sentri-protocol"]).args(["--example", "interop_peer"]))?;
        script.env("SENTRI_INTEROP_PEER", workspace.target.join("debug/examples/interop_peer"));
    }
    process::run(&mut script)
}

/// Makes the environment where it is not there yet; answers its Python.
fn virtual_environment(workspace: &Workspace, name: &str, requirements: &Path) -> Result<PathBuf> {
    let home = workspace.target.join(name);
    let python = home.join("bin/python");
    if !home.join("bin/pip").is_file() {
        tools::need("python3", "python3")?;
        let create = || process::run(process::command("python3").args(["-m", "venv", "--clear"]).arg(&home));
        if create().is_err() {
            // Debian splits the module that brings pip from Python itself.
            tools::install_debian("python3-venv")?;
            create()?;
        }
    }
    process::run(
        process::command(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
            .arg(requirements),
    )?;
    Ok(python)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_summed() {
        let mut tally = Tally::default();
        tally.hear("running 14 tests");
        tally.hear(
            "test result: ok. 12 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.10s",
        );
        tally.hear(
            "test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1s",
        );
        assert_eq!(tally, Tally { passed: 15, failed: 1, ignored: 2 });
    }
}
