//! Measurements: runs each bench, and writes what they tell into `bench/RESULTS.md`.

mod callgrind;
mod list;
mod machine;
pub mod report;

use std::fs;

use anyhow::{Context, Result, bail};

pub use self::list::BenchName;
use self::{
    list::{Example, How},
    report::Report,
};
use crate::{
    package,
    postgres::{Durability, Postgres},
    process, shells,
    steps::Steps,
    workspace::Workspace,
};

/// Runs these benches, or all where none is named; only all of them make a new `bench/RESULTS.md`.
pub fn run(workspace: &Workspace, steps: &mut Steps, named: &[BenchName]) {
    let benches = if named.is_empty() { BenchName::ALL } else { named };
    let mut sections = Vec::new();
    for bench in benches {
        let mut section = format!("## {}\n\n- Not measured.\n", bench.name());
        steps.run(&format!("bench {}", bench.name()), || {
            let reports =
                bench.how().iter().map(|how| measure(workspace, how)).collect::<Result<Vec<_>>>()?;
            section = reports.iter().map(Report::to_string).collect::<Vec<_>>().join("\n");
            println!("\n{section}");
            if reports.iter().all(|report| report.passed) {
                Ok(())
            } else {
                bail!("the figure was not reached")
            }
        });
        sections.push(section);
    }
    if named.is_empty() {
        steps.run("bench/RESULTS.md", || write(workspace, &sections));
    }
}

fn measure(workspace: &Workspace, how: &How) -> Result<Report> {
    match how {
        How::Prints(example) => printed(workspace, example, None),
        How::PrintsOnPostgres(example) => {
            let server = Postgres::start(Durability::Full)?;
            printed(workspace, example, Some(&server.url()))
        }
        How::Counts(example, figure) => {
            need_example(workspace, example.package, example.name)?;
            callgrind::measure(workspace, example.package, example.name, figure)
        }
        How::CountsEach(example, each) => {
            need_example(workspace, example.package, example.name)?;
            callgrind::measure_each(workspace, example.package, example.name, each)
        }
        How::WeighsThePhoneLibrary => package::report(workspace),
        How::AsksTheShells => shells::bench(workspace),
    }
}

/// Runs an example, and reads the report that it prints.
fn printed(workspace: &Workspace, example: &Example, postgres: Option<&str>) -> Result<Report> {
    need_example(workspace, example.package, example.name)?;
    let mut cargo = process::cargo();
    cargo.args(["run", "--package", example.package, "--example", example.name]);
    if example.timed {
        cargo.arg("--release");
    }
    if let Some(url) = postgres {
        cargo.env("SENTRI_BENCH_POSTGRES", url);
    }
    Report::parse(&process::capture(cargo.current_dir(&workspace.root))?)
}

fn need_example(workspace: &Workspace, package: &str, example: &str) -> Result<()> {
    if !workspace.has_example(package, example) {
        bail!("{package} has no example {example}; bench/README.md says what it has to print");
    }
    Ok(())
}

fn write(workspace: &Workspace, sections: &[String]) -> Result<()> {
    let text = format!(
        "# Results\n\nWritten by `cargo xtask bench`; `bench/README.md` says how. Never edited by hand.\n\n{}\n{}",
        machine::described()?,
        sections.join("\n")
    );
    let file = workspace.path("bench/RESULTS.md");
    fs::write(&file, text).with_context(|| format!("can't write {}", file.display()))
}
