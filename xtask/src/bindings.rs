//! Swift and Kotlin bindings, generated from the mobile core's library. They are never edited by hand.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use crate::{process, workspace::Workspace};

/// What Swift calls the module with the C functions.
const SWIFT_FFI_MODULE: &str = "CoreFFI";

/// Builds the library, and generates both languages from it, in place of what was there.
pub fn generate(workspace: &Workspace) -> Result<()> {
    let generator = Generator { workspace, library: build_library(workspace)? };
    generator.kotlin(&workspace.path("bindings/kotlin/src/generated"))?;
    generator.swift(&workspace.path("bindings/swift/Sources/Generated"))
}

/// A debug library: a stripped one no longer says what it exports.
fn build_library(workspace: &Workspace) -> Result<PathBuf> {
    let arguments = ["rustc", "--package", "sentri-core", "--lib", "--crate-type", "cdylib"];
    process::run(process::cargo().args(arguments).current_dir(&workspace.root))?;
    let name = format!("{}sentri_core{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    Ok(workspace.target.join("debug").join(name))
}

struct Generator<'a> {
    workspace: &'a Workspace,
    library: PathBuf,
}

impl Generator<'_> {
    fn kotlin(&self, out: &Path) -> Result<()> {
        empty(out)?;
        let arguments = ["generate", "--language", "kotlin", "--no-format", "--out-dir"];
        let mut bindgen = self.bindgen("uniffi-bindgen");
        process::run(bindgen.args(arguments).arg(out).arg("--config").arg(self.config()).arg(&self.library))?;
        expect_files(out, "kt")
    }

    /// Sources in one folder, headers with one module map for all of them in another.
    fn swift(&self, out: &Path) -> Result<()> {
        empty(out)?;
        let sources = out.join("SentriCore");
        self.swift_part(&["--swift-sources"], &sources)?;
        expect_files(&sources, "swift")?;

        let ffi = out.join(SWIFT_FFI_MODULE);
        let module = ["--module-name", SWIFT_FFI_MODULE, "--modulemap-filename", "module.modulemap"];
        self.swift_part(&["--headers"], &ffi)?;
        self.swift_part(&[&["--modulemap"][..], &module].concat(), &ffi)?;
        expect_files(&ffi, "h")?;
        expect_files(&ffi, "modulemap")
    }

    fn swift_part(&self, options: &[&str], out: &Path) -> Result<()> {
        let mut bindgen = self.bindgen("uniffi-bindgen-swift");
        process::run(bindgen.args(options).arg("--config").arg(self.config()).arg(&self.library).arg(out))
    }

    fn bindgen(&self, binary: &str) -> std::process::Command {
        let mut cargo = process::cargo();
        cargo.args(["run", "--quiet", "--package", "sentri-bindings", "--bin", binary, "--"]);
        cargo.current_dir(&self.workspace.root);
        cargo
    }

    fn config(&self) -> PathBuf {
        self.workspace.path("uniffi.toml")
    }
}

fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("can't empty {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("can't make {}", folder.display()))
}

/// A library that exports nothing generates nothing, without an error.
fn expect_files(folder: &Path, extension: &str) -> Result<()> {
    let files = files_under(folder, extension)?;
    if files == 0 {
        bail!("nothing was generated: no .{extension} file in {}", folder.display());
    }
    println!("    {}: {files} .{extension}", folder.display());
    Ok(())
}

fn files_under(folder: &Path, extension: &str) -> Result<usize> {
    let mut count = 0;
    let entries = fs::read_dir(folder).with_context(|| format!("can't read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            count += files_under(&path, extension)?;
        } else if path.extension() == Some(OsStr::new(extension)) {
            count += 1;
        }
    }
    Ok(count)
}
