//! Sentri's task runner: every check, test, build and measurement that is more than one `cargo` command.

mod bench;
mod bindings;
mod check;
mod chroot;
mod ci;
mod limit;
mod link;
mod package;
mod postgres;
mod process;
mod shells;
mod sources;
mod steps;
mod test;
mod together;
mod tools;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{bench::BenchName, check::Check, steps::Steps, test::Suite, workspace::Workspace};

/// Checks, tests, builds and measures Sentri. Every command ends with status 0 only if all that it did is well.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Format, lints, documentation, licences, advisories and the project's own rules; all, or those named.
    Check { which: Vec<Check> },
    /// Tests: the Rust ones, again on PostgreSQL, peers that others wrote, Kotlin and Swift; all, or those named.
    Test { which: Vec<Suite> },
    /// Generates the Swift and Kotlin bindings from the mobile core.
    Bindings {
        /// Write the list of the exported API anew as well.
        #[arg(long)]
        bless: bool,
    },
    /// Builds the mobile core as a phone ships it, and weighs it.
    Package,
    /// Measures, and writes bench/RESULTS.md. With names: only those, on the terminal.
    Bench { which: Vec<BenchName> },
    /// All that must hold before a change lands.
    Ci,
}

fn main() -> ExitCode {
    if let Some(linker) = std::env::var_os(link::LINKER) {
        return link::run(&linker);
    }
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> anyhow::Result<()> {
    let workspace = Workspace::find()?;
    // What can't run here fails in CI; on a developer's machine it is only told.
    let mut steps = Steps::new(workspace.ci || matches!(task, Task::Ci));
    match task {
        Task::Check { which } => check::run(&workspace, &mut steps, &named_or_all(which)),
        Task::Test { which } => test::run(&workspace, &mut steps, &named_or_all(which)),
        Task::Bindings { bless } => steps.run("bindings", || {
            bindings::generate(&workspace)?;
            if bless { check::api::bless(&workspace) } else { Ok(()) }
        }),
        Task::Package => steps.run("package", || package::weigh_and_tell(&workspace)),
        Task::Bench { which } => bench::run(&workspace, &mut steps, &which),
        Task::Ci => ci::run(&workspace, &mut steps),
    }
    steps.finish()
}

fn named_or_all<T: clap::ValueEnum + Clone>(named: Vec<T>) -> Vec<T> {
    if named.is_empty() { T::value_variants().to_vec() } else { named }
}
