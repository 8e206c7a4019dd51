//! What tests need is built together: another choice of packages has other features, and builds all that they depend on
//! anew.

use std::process::Command;

use crate::{process, workspace::Workspace};

/// Packages that are tested apart from the default ones.
const TOGETHER: [&str; 4] = ["sentri-server", "sentri-operator", "sentri-tests", "xtask"];

/// `cargo test` of these packages.
pub fn test(workspace: &Workspace) -> Command {
    let mut cargo = cargo(workspace, "test", &[]);
    cargo.arg("--no-fail-fast");
    cargo
}

/// `cargo build` of things in other packages that share their dependencies. Of an example among them cargo takes the
/// features that tests have.
pub fn build(workspace: &Workspace, packages: &[&str]) -> Command {
    cargo(workspace, "build", packages)
}

fn cargo(workspace: &Workspace, command: &str, more: &[&str]) -> Command {
    let mut cargo = process::cargo();
    cargo.arg(command).args(TOGETHER.iter().chain(more).flat_map(|it| ["--package", it]));
    cargo.current_dir(&workspace.root);
    cargo
}
