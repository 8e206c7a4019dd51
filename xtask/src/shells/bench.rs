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
    Ok(report(&rows))
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

    fn kotlin(&self) -> Result<Measured> {
        let results = self.workspace.target.join("home-kotlin.json");
        let mut maven = kotlin::maven(self.workspace)?;
        maven.args(["--activate-profiles", "bench", "-Dtest=HomeBench"]);
        maven.arg(format!("-Dsentri.library.dir={}", self.library.display()));
        process::run(maven.arg("test").envs(self.variables(&results)))?;
        read(&results)
    }

    fn swift(&self) -> Result<Measured> {
        let results = self.workspace.target.join("home-swift.json");
        let toolchain = swift::Toolchain::find(self.workspace)?;
        let variables = self.variables(&results);
        let swift = swift::Swift { toolchain: &toolchain, workspace: self.workspace, variables };
        swift.prepare("release")?;
        let build = ["build", "--configuration", "release", "--product", "SentriBench"];
        process::run(&mut swift.command(&build))?;
        let program = swift::scratch(self.workspace).join("release/SentriBench");
        process::run(&mut toolchain.program(self.workspace, &swift.variables, &program))?;
        read(&results)
    }
}

fn read(results: &Path) -> Result<Measured> {
    let text = fs::read_to_string(results).with_context(|| format!("can't read {}", results.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no measurement", results.display()))
}

fn report(rows: &[(&str, Measured)]) -> Report {
    let passed = rows.iter().all(|(_, it)| it.calls <= MOST_CALLS && it.core_ns <= MOST * it.bare_ns);
    let row = |(language, it): &(&str, Measured)| {
        let micros = |nanos: f64| format!("{:.1}", nanos / 1_000.0).into();
        let times = format!("{:.2}", it.core_ns / it.bare_ns).into();
        vec![(*language).into(), it.calls.into(), micros(it.core_ns), micros(it.bare_ns), times]
    };
    let pages = rows.iter().map(|(_, it)| it.pages).min().unwrap_or_default();
    Report {
        title: "Home page with 20 accesses".into(),
        columns: ["", "calls", "core, µs", "bare calls, µs", "times"].map(String::from).to_vec(),
        rows: rows.iter().map(row).collect(),
        notes: vec![
            "Profile, sync status and 20 accesses, asked of the library as a phone ships it (profile `phone`)."
                .into(),
            format!(
                "Bare calls: UniFFI calls that carry equal records out of memory and do nothing else, from a library \
                 built the same way. In turn in one run, median of {pages} pages each, after a warm-up."
            ),
            format!("At most {MOST_CALLS} calls, and {MOST} times the bare calls."),
        ],
        passed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_takes_too_long_or_too_many_calls_fails() {
        let measured = |calls, core_ns| Measured { calls, core_ns, bare_ns: 100.0, pages: 10 };
        assert!(report(&[("Kotlin", measured(3, 130.0))]).passed);
        assert!(!report(&[("Kotlin", measured(3, 130.0)), ("Swift", measured(3, 131.0))]).passed);
        assert!(!report(&[("Kotlin", measured(4, 100.0))]).passed);
    }
}
