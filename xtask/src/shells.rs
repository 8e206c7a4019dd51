//! The Swift package and the Kotlin module: built on fresh bindings, and driven against the sandbox.

mod docs;
mod kotlin;
mod stale;
mod swift;

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::{bindings, package, process, workspace::Workspace};

pub use self::{kotlin::test as kotlin, swift::test as swift};

/// What the tests of either language stand on.
struct Stand {
    /// The folder of the library that a phone ships.
    library: PathBuf,
    /// The folder of a library that the bindings don't belong to.
    stale: PathBuf,
    /// The sandbox's program.
    sandbox: PathBuf,
    /// The protocol's vectors.
    vectors: PathBuf,
}

impl Stand {
    /// Generates the bindings and builds the rest. The library is the one whose size is weighed.
    fn build(workspace: &Workspace) -> Result<Self> {
        bindings::generate(workspace)?;
        let library = package::build(workspace)?;
        let arguments = ["build", "--package", "sentri-sandbox"];
        process::run(process::cargo().args(arguments).current_dir(&workspace.root))?;
        Ok(Self {
            library: library.parent().map_or_else(PathBuf::new, PathBuf::from),
            stale: stale::build(workspace)?,
            sandbox: workspace.target.join("debug").join(format!("sentri{}", std::env::consts::EXE_SUFFIX)),
            vectors: workspace.path("protocol/vectors"),
        })
    }

    fn variables(&self) -> Vec<(&'static str, PathBuf)> {
        vec![
            ("SENTRI_LIBRARY_DIR", self.library.clone()),
            ("SENTRI_SANDBOX", self.sandbox.clone()),
            ("SENTRI_STALE_LIBRARY_DIR", self.stale.clone()),
            ("SENTRI_VECTORS", self.vectors.clone()),
        ]
    }
}

/// How many tests passed, failed and were skipped.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    passed: u32,
    failed: u32,
    skipped: u32,
}

impl Count {
    /// Prints the closing line. That nothing ran, or that something failed or was skipped, is never silent.
    fn close(&self, language: &str, ran: Result<()>) -> Result<()> {
        if self.skipped > 0 {
            println!("!!! {language}: {} SKIPPED; the lines above say why", self.skipped);
        }
        println!("{} passed, {} failed", self.passed, self.failed);
        ran?;
        if self.passed == 0 || self.failed > 0 {
            bail!("{language}: {} passed, {} failed", self.passed, self.failed);
        }
        Ok(())
    }
}
