//! The Swift package and the Kotlin module: built on fresh bindings, and driven against the sandbox.

mod bench;
mod docs;
mod kotlin;
mod reasons;
mod stale;
mod swift;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::{bindings, package, process, together, workspace::Workspace};

pub use self::{bench::measure as bench, kotlin::test as kotlin, swift::test as swift};

/// What the tests of either language stand on.
struct Stand {
    /// The folder of the library that a phone ships.
    library: PathBuf,
    /// The folders of libraries that the bindings don't belong to.
    stale: stale::Stale,
    /// The sandbox's program.
    sandbox: PathBuf,
    /// A program that takes the right to open from every ticket in a backend's database.
    narrow_rights: PathBuf,
    /// The protocol's vectors.
    vectors: PathBuf,
    /// The version that the bindings have.
    version: String,
}

impl Stand {
    /// Generates the bindings and builds the rest. The library is the one whose size is weighed.
    fn build(workspace: &Workspace) -> Result<Self> {
        bindings::generate(workspace)?;
        let library = package::build(workspace)?;
        let mut programs = together::build(workspace, &["sentri-core", "sentri-sandbox"]);
        process::run(programs.args(["--bin", "sentri", "--example", "narrow_rights"]))?;
        let built = workspace.target.join("debug");
        let program = |name: &str| format!("{name}{}", std::env::consts::EXE_SUFFIX);
        Ok(Self {
            library: folder_of(&library),
            stale: stale::build(workspace)?,
            sandbox: built.join(program("sentri")),
            narrow_rights: built.join("examples").join(program("narrow_rights")),
            vectors: workspace.path("protocol/vectors"),
            version: workspace.version_of("sentri-core")?,
        })
    }

    fn variables(&self) -> Vec<(&'static str, PathBuf)> {
        vec![
            ("SENTRI_LIBRARY_DIR", self.library.clone()),
            ("SENTRI_SANDBOX", self.sandbox.clone()),
            ("SENTRI_NARROW_RIGHTS", self.narrow_rights.clone()),
            ("SENTRI_STALE_LIBRARY_DIR", self.stale.other.clone()),
            ("SENTRI_OLDER_LIBRARY_DIR", self.stale.older.clone()),
            ("SENTRI_VECTORS", self.vectors.clone()),
            ("SENTRI_VERSION", PathBuf::from(&self.version)),
        ]
    }
}

fn folder_of(file: &Path) -> PathBuf {
    file.parent().map_or_else(PathBuf::new, PathBuf::from)
}

/// How many tests passed, failed and were skipped.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    passed: u32,
    failed: u32,
    skipped: u32,
    /// Those that failed, where the runner says it line by line.
    broken: Vec<String>,
}

impl Count {
    /// Prints the closing line. That nothing ran, or that something failed or was skipped, is never silent.
    fn close(&self, language: &str, ran: Result<()>) -> Result<()> {
        if self.skipped > 0 {
            println!("!!! {language}: {} SKIPPED; the lines above say why", self.skipped);
        }
        println!("{} passed, {} failed", self.passed, self.failed);
        if self.failed > 0 {
            bail!("{language}: {} passed, {} failed {}", self.passed, self.failed, self.broken.join(", "));
        }
        ran?;
        if self.passed == 0 {
            bail!("{language}: no test ran");
        }
        Ok(())
    }
}
