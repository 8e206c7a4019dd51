//! What cargo's own tools say of the whole workspace.

use anyhow::Result;

use crate::{process, workspace::Workspace};

/// `cargo fmt`, changing nothing.
pub fn fmt(workspace: &Workspace) -> Result<()> {
    process::run(process::cargo().args(["fmt", "--all", "--check"]).current_dir(&workspace.root))
}

/// `cargo clippy`, every warning an error.
pub fn clippy(workspace: &Workspace) -> Result<()> {
    let arguments = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    process::run(process::cargo().args(arguments).current_dir(&workspace.root))
}

/// `cargo doc`, every warning an error.
pub fn docs(workspace: &Workspace) -> Result<()> {
    process::run(
        process::cargo()
            .args(["doc", "--workspace", "--no-deps"])
            .env("RUSTDOCFLAGS", "-D warnings")
            .current_dir(&workspace.root),
    )
}
