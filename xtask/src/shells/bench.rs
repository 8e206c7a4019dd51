//! What the home page costs an app: the core's calls from Kotlin and from Swift, beside calls that do nothing but carry
//! the same records.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::{folder_of, kotlin, swift};
use crate::{
    bench::report::Report,
    bindings::{self, Exporting, Generator},
    package, process,
    workspace::Workspace,
};

/// Calls that carry the core's records and do nothing else.
const BARE: Exporting<'static> = Exporting {
    package: "sentri-bare",
    library: "sentri_bare",
    swift_module: "SentriBare",
    swift_ffi_module: "BareFFI",
};

/// The core may take this many times what bare calls take, in hundredths.
const MOST: f64 = 1.3;
/// Calls that draw the page.
const MOST_CALLS: u32 = 3;
/// So often each program runs, anew each time: the same library's figure in Kotlin has differed by a fifth from run to
/// run. The middle of them counts.
const RUNS: usize = 5;

/// What a language's program measured.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Measured {
    /// Calls that draw the page once.
    calls: u32,
    /// What they take, in nanoseconds, median.
    core_ns: f64,
    /// What bare calls take, in nanoseconds, median.
    bare_ns: f64,
    /// How many pages each median is of.
    pages: u32,
}

impl Measured {
    fn times(&self) -> f64 {
        self.core_ns / self.bare_ns
    }
}

/// A language's program, run some times; by what the core took of bare calls.
struct Runs(Vec<Measured>);

impl Runs {
    fn of(run: impl Fn(usize) -> Result<Measured>) -> Result<Self> {
        let runs: Result<Vec<Measured>> = (0..RUNS).map(run).collect();
        Ok(Self::ordered(runs?))
    }

    fn ordered(mut runs: Vec<Measured>) -> Self {
        runs.sort_by(|one, other| one.times().total_cmp(&other.times()));
        Self(runs)
    }

    /// The run in the middle.
    fn median(&self) -> Result<&Measured> {
        self.0.get(self.0.len() / 2).context("no program ran")
    }

    fn spread(&self) -> String {
        let times = |run: Option<&Measured>| format!("{:.2}", run.map_or(f64::NAN, Measured::times));
        format!("{} to {}", times(self.0.first()), times(self.0.last()))
    }
}

/// Builds both libraries as a phone ships them, and has each language measure.
pub fn measure(workspace: &Workspace) -> Result<Report> {
    bindings::generate(workspace)?;
    let bare = Generator::build(workspace, &BARE)?;
    bare.kotlin(&workspace.path("bindings/kotlin/target/bare"))?;
    bare.swift(&bindings::swift_folder(workspace))?;
    let library = folder_of(&package::build(workspace)?);
    package::build_as_shipped(workspace, &BARE)?;

    let bench = Bench { workspace, library, store: fill_store(workspace)? };
    let rows = [("Kotlin", bench.kotlin()?), ("Swift", bench.swift()?)];
    report(&rows)
}

/// A phone's folder with 20 accesses in it, at no network.
fn fill_store(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.target.join("home-store");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("can't empty {}", folder.display()))?;
    }
    let mut cargo = process::cargo();
    cargo.args(["run", "--package", "sentri-core", "--example", "home_store", "--"]).arg(&folder);
    process::run(cargo.current_dir(&workspace.root))?;
    Ok(folder)
}

struct Bench<'a> {
    workspace: &'a Workspace,
    library: PathBuf,
    store: PathBuf,
}

impl Bench<'_> {
    fn variables(&self, results: &Path) -> Vec<(&'static str, PathBuf)> {
        vec![
            ("SENTRI_LIBRARY_DIR", self.library.clone()),
            ("SENTRI_HOME_STORE", self.store.clone()),
            ("SENTRI_RESULTS", results.to_path_buf()),
        ]
    }

    fn kotlin(&self) -> Result<Runs> {
        let results = self.workspace.target.join("home-kotlin.json");
        Runs::of(|run| {
            let mut maven = kotlin::maven(self.workspace)?;
            maven.args(["--activate-profiles", "bench", "-Dtest=HomeBench"]);
            maven.arg(format!("-Dsentri.library.dir={}", self.library.display()));
            // All but the first have nothing to compile.
            maven.arg(if run == 0 { "test" } else { "surefire:test" });
            process::run(maven.envs(self.variables(&results)))?;
            read(&results)
        })
    }

    fn swift(&self) -> Result<Runs> {
        let results = self.workspace.target.join("home-swift.json");
        let toolchain = swift::Toolchain::find(self.workspace)?;
        let variables = self.variables(&results);
        let swift = swift::Swift { toolchain: &toolchain, workspace: self.workspace, variables };
        swift.prepare("release")?;
        let build = ["build", "--configuration", "release", "--product", "SentriBench"];
        process::run(&mut swift.command(&build))?;
        let program = swift::scratch(self.workspace).join("release/SentriBench");
        Runs::of(|_| {
            process::run(&mut toolchain.program(self.workspace, &swift.variables, &program))?;
            read(&results)
        })
    }
}

fn read(results: &Path) -> Result<Measured> {
    let text = fs::read_to_string(results).with_context(|| format!("can't read {}", results.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no measurement", results.display()))
}

fn report(rows: &[(&str, Runs)]) -> Result<Report> {
    let micros = |nanos: f64| format!("{:.1}", nanos / 1_000.0).into();
    let (mut lines, mut passed, mut pages) = (Vec::new(), true, u32::MAX);
    for (language, runs) in rows {
        let it = runs.median()?;
        passed &= it.calls <= MOST_CALLS && it.times() <= MOST;
        pages = pages.min(it.pages);
        let times = format!("{:.2}", it.times()).into();
        let (core, bare) = (micros(it.core_ns), micros(it.bare_ns));
        lines.push(vec![(*language).into(), it.calls.into(), core, bare, times, runs.spread().into()]);
    }
    Ok(Report {
        title: "Home page with 20 accesses".into(),
        columns: ["", "calls", "core, µs", "bare calls, µs", "times", "all runs"].map(String::from).to_vec(),
        rows: lines,
        notes: vec![
            "Profile, sync status and 20 accesses, asked of the library as a phone ships it (profile `phone`)."
                .into(),
            format!(
                "Bare calls: UniFFI calls that carry equal records out of memory and do nothing else, from a library \
                 built the same way. In turn in one run, median of {pages} pages each, after a warm-up; of {RUNS} \
                 runs the one in the middle, by the times."
            ),
            format!("At most {MOST_CALLS} calls, and {MOST} times the bare calls."),
        ],
        passed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(calls: u32, core_ns: [f64; RUNS]) -> Runs {
        Runs::ordered(core_ns.map(|core_ns| Measured { calls, core_ns, bare_ns: 100.0, pages: 10 }).into())
    }

    fn passed(rows: &[(&str, Runs)]) -> bool {
        report(rows).unwrap().passed
    }

    #[test]
    fn a_page_that_takes_too_long_or_too_many_calls_fails() {
        let good = || runs(3, [130.0; RUNS]);
        assert!(passed(&[("Kotlin", good())]));
        assert!(!passed(&[("Kotlin", good()), ("Swift", runs(3, [131.0; RUNS]))]));
        assert!(!passed(&[("Kotlin", runs(4, [100.0; RUNS]))]));
    }

    #[test]
    fn the_run_in_the_middle_counts_and_all_are_told() {
        let report = report(&[("Kotlin", runs(3, [190.0, 110.0, 140.0, 104.0, 105.0]))]).unwrap();
        assert!(report.passed);
        assert_eq!(report.rows[0][4..], ["1.10", "1.04 to 1.90"]);
        assert!(!passed(&[("Kotlin", runs(3, [190.0, 110.0, 140.0, 104.0, 135.0]))]));
    }
}
