//! Tools that a check needs and a machine may lack: looked for, and installed where that is allowed.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::{process, steps::Missing, workspace::Workspace};

/// A cargo subcommand from crates.io, in the version that was tried.
pub struct CargoTool {
    name: &'static str,
    version: &'static str,
}

/// Licences, bans and sources of dependencies.
pub const CARGO_DENY: CargoTool = CargoTool { name: "cargo-deny", version: "0.20.2" };
/// Known vulnerabilities of dependencies.
pub const CARGO_AUDIT: CargoTool = CargoTool { name: "cargo-audit", version: "0.22.2" };

impl CargoTool {
    /// Where the tool is: in `target/tools`, on the `PATH`, or else built into `target/tools` now.
    pub fn find_or_install(&self, workspace: &Workspace) -> Result<PathBuf> {
        let home = workspace.target.join("tools");
        let installed = home.join("bin").join(self.name);
        if !installed.is_file() {
            if process::on_path(self.name) {
                return Ok(PathBuf::from(self.name));
            }
            self.install(&home)?;
        }
        Ok(installed)
    }

    fn install(&self, home: &Path) -> Result<()> {
        println!("    {} is not installed; building it takes some minutes, once", self.name);
        // Unoptimised: it reads a few files, and is built on every fresh machine.
        process::run(
            process::cargo()
                .args([
                    "install",
                    "--debug",
                    "--locked",
                    "--quiet",
                    self.name,
                    "--version",
                    self.version,
                    "--root",
                ])
                .arg(home)
                .env("CARGO_TARGET_DIR", home.join("build")),
        )
    }
}

/// Makes sure that a program is on the `PATH`, installing its Debian package where this user may.
pub fn need(program: &str, debian_package: &str) -> Result<()> {
    if process::on_path(program) {
        return Ok(());
    }
    install_debian(debian_package)?;
    if process::on_path(program) { Ok(()) } else { Err(missing(program, debian_package)) }
}

/// Installs a Debian package, where this user may.
pub fn install_debian(package: &str) -> Result<()> {
    if !process::on_path("apt-get") || !is_root() {
        return Err(missing(package, package));
    }
    let apt = || {
        let mut apt = process::command("apt-get");
        // Run level 1 is for maintenance: a package that brings a service does not start it.
        apt.env("DEBIAN_FRONTEND", "noninteractive").env("RUNLEVEL", "1").arg("--quiet");
        apt
    };
    process::run(apt().arg("update"))?;
    process::run(apt().args(["install", "--yes", "--no-install-recommends", package]))
}

/// All files in a folder and the folders in it; none where it is not there.
pub fn files_under(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(files) };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() { files.extend(files_under(&path)?) } else { files.push(path) }
    }
    files.sort();
    Ok(files)
}

fn missing(what: &str, debian_package: &str) -> anyhow::Error {
    Missing(format!("{what} is missing: install it (Debian: apt-get install {debian_package})")).into()
}

/// Whether this runs as root.
pub fn is_root() -> bool {
    process::capture(process::command("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}
