//! Where things are: the repository's root, the target folder, the packages and their examples.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::process;

/// The workspace that the command was called in, as `cargo metadata` tells it.
#[derive(Debug)]
pub struct Workspace {
    /// The repository's root.
    pub root: PathBuf,
    /// Where cargo puts what it builds.
    pub target: PathBuf,
    /// Whether `CI` is set: then nothing may be left out for want of a tool.
    pub ci: bool,
    examples: Vec<(String, String)>,
    tests: Vec<(String, String)>,
    versions: Vec<(String, String)>,
}

impl Workspace {
    /// Asks cargo.
    pub fn find() -> Result<Self> {
        let metadata =
            process::capture(process::cargo().args(["metadata", "--no-deps", "--format-version", "1"]))?;
        let metadata: Metadata =
            serde_json::from_str(&metadata).context("`cargo metadata` answered something unexpected")?;
        let ci = process::is_ci();
        let all = |kind| metadata.packages.iter().flat_map(move |it| it.targets_of(kind)).collect();
        let (examples, tests) = (all("example"), all("test"));
        let versions = metadata.packages.into_iter().map(|it| (it.name, it.version)).collect();
        let (root, target) = (metadata.workspace_root, metadata.target_directory);
        Ok(Self { root, target, ci, examples, tests, versions })
    }

    /// The version of one of our packages.
    pub fn version_of(&self, package: &str) -> Result<String> {
        let found = self.versions.iter().find(|(name, _)| name == package);
        found.map(|(_, version)| version.clone()).with_context(|| format!("there is no package {package}"))
    }

    /// A path under the root.
    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join(relative)
    }

    /// Whether the package has an example of that name.
    pub fn has_example(&self, package: &str, example: &str) -> bool {
        self.examples.iter().any(|(of, name)| of == package && name == example)
    }

    /// Names of the package's integration tests.
    pub fn tests_of(&self, package: &str) -> impl Iterator<Item = &str> {
        self.tests.iter().filter(move |(of, _)| of == package).map(|(_, name)| name.as_str())
    }
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_root: PathBuf,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

impl Package {
    /// Its own name, and that of each target of a kind.
    fn targets_of(&self, kind: &'static str) -> impl Iterator<Item = (String, String)> {
        let is_one = move |target: &&Target| target.kind.iter().any(|it| it == kind);
        self.targets.iter().filter(is_one).map(|target| (self.name.clone(), target.name.clone()))
    }
}
