//! `cargo xtask test swift`: the Swift package, with the machine's Swift or one in a Debian of its own.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use super::{Count, Stand, docs};
use crate::{chroot::Chroot, process, workspace::Workspace};

/// The Debian release that has Swift, and what of it is needed.
const RELEASE: &str = "trixie";
const PACKAGES: [&str; 3] = ["swiftlang", "libstdc++-14-dev", "libc6-dev"];

/// Builds the package and runs its tests.
pub fn test(workspace: &Workspace) -> Result<()> {
    let toolchain = Toolchain::find(workspace)?;
    let stand = Stand::build(workspace)?;
    let program = workspace.path("bindings/swift/Sources/Generated/AppDevelopers/main.swift");
    docs::take_out(workspace, "swift", &program)?;

    let build = workspace.target.join("swift");
    let temporary = workspace.target.join("swift-tmp");
    fs::create_dir_all(&temporary).with_context(|| format!("can't make {}", temporary.display()))?;
    let mut variables = stand.variables();
    variables.push(("SENTRI_PROGRAMS", build.join("debug")));
    variables.push(("TMPDIR", temporary));
    let package = workspace.path("bindings/swift");
    let swift = |arguments: &[&str]| {
        let mut swift = toolchain.command(&package, &variables);
        // What the manifest finds in the folder may have changed, though the manifest has not.
        swift.args(arguments).args(["--manifest-cache", "none", "--scratch-path"]).arg(&build);
        swift
    };
    // The plan of a former build does not see that a target has come or gone.
    if let Err(error) = fs::remove_file(build.join("debug.yaml"))
        && error.kind() != std::io::ErrorKind::NotFound
    {
        return Err(error).context("can't remove the former build's plan");
    }
    process::run(&mut swift(&["build", "--build-tests"]))?;
    let mut count = Count::default();
    // Each test has a sandbox of its own; all of them at once would only fight for the machine.
    let ran = process::overhear(&mut swift(&["test", "--skip-build", "--no-parallel"]), |line| {
        count.hear_swift(line);
    });
    count.close("swift", ran)
}

enum Toolchain {
    OnPath,
    InChroot(Chroot),
}

impl Toolchain {
    fn find(workspace: &Workspace) -> Result<Self> {
        if process::on_path("swift") {
            return Ok(Self::OnPath);
        }
        Chroot::set_up(workspace, "swift-toolchain", RELEASE, &PACKAGES).map(Self::InChroot)
    }

    fn command(&self, folder: &Path, variables: &[(&str, PathBuf)]) -> Command {
        match self {
            Self::OnPath => {
                let mut swift = process::command("swift");
                swift.current_dir(folder).envs(variables.iter().map(|(name, value)| (name, value)));
                swift
            }
            Self::InChroot(chroot) => {
                // The library and the sandbox look for files where they look outside.
                let ci = env::var_os("CI").map(|ci| ("CI", PathBuf::from(ci)));
                let variables: Vec<_> = variables.iter().cloned().chain(ci).collect();
                chroot.command(folder, &variables, "swift")
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
        } else if said.contains(" failed after ") {
            self.failed += 1;
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
        assert_eq!(count, Count { passed: 1, failed: 1, skipped: 1 });
    }
}
