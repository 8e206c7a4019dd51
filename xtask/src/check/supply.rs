//! What the dependencies bring along: licences, sources, vulnerabilities.

use std::{env, path::PathBuf};

use anyhow::Result;

use crate::{
    process,
    steps::Missing,
    tools::{CARGO_AUDIT, CARGO_DENY},
    workspace::Workspace,
};

/// Names another folder of `RustSec` advisories.
const ADVISORY_DB: &str = "SENTRI_ADVISORY_DB";

/// Licences, bans and sources, by `deny.toml`. A lock file that does not fit the manifests fails too.
pub fn deny(workspace: &Workspace) -> Result<()> {
    let cargo_deny = CARGO_DENY.find_or_install(workspace)?;
    process::run(
        process::command(cargo_deny)
            .args(["--locked", "--all-features", "check", "--hide-inclusion-graph"])
            .args(["bans", "licenses", "sources"])
            .current_dir(&workspace.root),
    )
}

/// Known vulnerabilities, by a copy of the `RustSec` advisories that lies beside the repository.
pub fn audit(workspace: &Workspace) -> Result<()> {
    let advisories =
        env::var_os(ADVISORY_DB).map_or_else(|| workspace.path("../shared/data/advisory-db"), PathBuf::from);
    if !advisories.join("crates").is_dir() {
        let why =
            format!("no RustSec advisories in {}: name their folder by {ADVISORY_DB}", advisories.display());
        return Err(Missing(why).into());
    }
    let cargo_audit = CARGO_AUDIT.find_or_install(workspace)?;
    process::run(
        process::command(cargo_audit)
            .args(["audit", "--no-fetch", "--stale", "--db"])
            .arg(advisories)
            .current_dir(&workspace.root),
    )
}
