//! `cargo xtask test swift`: the Swift package, with the machine's Swift or one in a Debian of its own.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use super::{Count, Stand, docs, reasons};
use crate::{bindings, chroot::Chroot, process, workspace::Workspace};

/// The Debian release that has Swift, and what of it is needed.
const RELEASE: &str = "trixie";
const PACKAGES: [&str; 3] = ["swiftlang", "libstdc++-14-dev", "libc6-dev"];

/// Builds the package and runs its tests.
pub fn test(workspace: &Workspace) -> Result<()> {
    let toolchain = Toolchain::find(workspace)?;
    reasons::check(workspace, "swift")?;
    let stand = Stand::build(workspace)?;

    let temporary = workspace.target.join("swift-tmp");
    fs::create_dir_all(&temporary).with_context(|| format!("can't make {}", temporary.display()))?;
    let mut variables = stand.variables();
    variables.push(("SENTRI_PROGRAMS", scratch(workspace).join("debug")));
    variables.push(("TMPDIR", temporary));
    let swift = Swift { toolchain: &toolchain, workspace, variables };
    swift.lint()?;
    swift.prepare("debug")?;
    process::run(&mut swift.command(&["build", "--build-tests"]))?;
    let mut count = Count::default();
    // Each test has a sandbox of its own; all of them at once would only fight for the machine.
    let ran = process::overhear(&mut swift.command(&["test", "--skip-build", "--no-parallel"]), |line| {
        count.hear_swift(line);
    });
    count.close("swift", ran)
}

/// Swift's package manager in the package's folder.
pub struct Swift<'a> {
    pub toolchain: &'a Toolchain,
    pub workspace: &'a Workspace,
    pub variables: Vec<(&'static str, PathBuf)>,
}

impl Swift<'_> {
    /// One of its commands.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let package = self.workspace.path("bindings/swift");
        let mut swift = self.toolchain.command(&package, &self.variables);
        // What the manifest finds in the folder may have changed, though the manifest has not.
        swift.args(arguments).args(["--manifest-cache", "none", "--scratch-path"]);
        swift.arg(scratch(self.workspace));
        swift
    }

    /// Everything that is written by hand is formatted, and free of what the formatter warns of.
    fn lint(&self) -> Result<()> {
        let package = self.workspace.path("bindings/swift");
        let sources = fs::read_dir(package.join("Sources")).context("can't read the package's sources")?;
        let mut by_hand = vec![package.join("Package.swift"), package.join("Tests")];
        for source in sources {
            let source = source?.path();
            if source != bindings::swift_folder(self.workspace) {
                by_hand.push(source);
            }
        }
        let mut format = self.toolchain.command(&package, &self.variables);
        process::run(format.args(["format", "lint", "--strict", "--recursive"]).args(by_hand))
    }

    /// Takes the docs' program out to where it is compiled, and forgets the plan of a former build: that does not see
    /// that a target has come or gone.
    pub fn prepare(&self, configuration: &str) -> Result<()> {
        let sources = bindings::swift_folder(self.workspace);
        docs::take_out(self.workspace, "swift", &sources.join("AppDevelopers/main.swift"))?;
        match fs::remove_file(scratch(self.workspace).join(configuration).with_extension("yaml")) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).context("can't remove the former build's plan")
            }
            _ => Ok(()),
        }
    }
}

/// Where Swift builds.
pub fn scratch(workspace: &Workspace) -> PathBuf {
    workspace.target.join("swift")
}

/// Where Swift is.
pub enum Toolchain {
    /// The machine's own.
    OnPath,
    /// In a folder.
    InChroot(Chroot),
}

impl Toolchain {
    /// On the `PATH`, or else in a Debian of its own, set up where it is not there yet.
    pub fn find(workspace: &Workspace) -> Result<Self> {
        if process::on_path("swift") {
            return Ok(Self::OnPath);
        }
        Chroot::set_up(workspace, "swift-toolchain", RELEASE, &PACKAGES).map(Self::InChroot)
    }

    fn command(&self, folder: &Path, variables: &[(&str, PathBuf)]) -> Command {
        self.run("swift".as_ref(), folder, variables)
    }

    /// A program that was built here.
    pub fn program(&self, workspace: &Workspace, variables: &[(&str, PathBuf)], program: &Path) -> Command {
        self.run(program, &workspace.root, variables)
    }

    fn run(&self, program: &Path, folder: &Path, variables: &[(&str, PathBuf)]) -> Command {
        match self {
            Self::OnPath => {
                let mut swift = process::command(program);
                swift.current_dir(folder).envs(variables.iter().map(|(name, value)| (name, value)));
                swift
            }
            Self::InChroot(chroot) => {
                // The library and the sandbox look for files where they look outside.
                let ci = env::var_os("CI").map(|ci| ("CI", PathBuf::from(ci)));
                let variables: Vec<_> = variables.iter().cloned().chain(ci).collect();
                chroot.command(folder, &variables, program)
            }
        }
    }
}

impl Count {
    /// `✔ Test name() passed after 0.1 seconds.`, and the same with `✘ … failed` and `➜ … skipped`.
    fn hear_swift(&mut self, line: &str) {
        let Some((_, said)) = line.split_once(" Test ").filter(|(sign, _)| sign.chars().count() == 1) else {
            return;
        };
        if said.starts_with("run with ") || said.starts_with("case ") {
            return;
        }
        if said.contains(" passed after ") {
            self.passed += 1;
        } else if let Some((name, _)) = said.split_once(" failed after ") {
            self.failed += 1;
            self.broken.push(name.to_owned());
        } else if said.ends_with(" skipped.") || said.contains(" skipped: ") {
            self.skipped += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_test_counts_once() {
        let mut count = Count::default();
        for line in [
            "◇ Test one() started.",
            "✔ Test one() passed after 0.001 seconds.",
            "✘ Test two() recorded an issue at A.swift:86:5: Expectation failed",
            "✘ Test two() failed after 0.007 seconds with 1 issue.",
            "➜ Test three() skipped: \"no reason\"",
            "✘ Suite A failed after 0.880 seconds with 1 issue.",
            "✘ Test run with 3 tests failed after 0.4 seconds with 1 issue.",
        ] {
            count.hear_swift(line);
        }
        assert_eq!(count, Count { passed: 1, failed: 1, skipped: 1, broken: vec!["two()".into()] });
    }
}
