//! The protocol and the lock's logic link without `std`: a static library with its own panic handler shows it.

use anyhow::Result;

use crate::{process, workspace::Workspace};

/// Builds the leaf. A dependency that links `std` brings a second panic handler, and fails the build (E0152).
pub fn check(workspace: &Workspace) -> Result<()> {
    process::run(
        process::cargo()
            .args(["build", "--package", "sentri-leaf", "--profile", "leaf"])
            .current_dir(&workspace.root),
    )
}
