//! Swift and Kotlin bindings, generated from the mobile core's library. They are never edited by hand.

pub mod checks;

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use crate::{process, workspace::Workspace};

/// A library that bindings are generated from.
pub struct Exporting<'a> {
    /// Its package.
    pub package: &'a str,
    /// What the file is called, without prefix and extension.
    pub library: &'a str,
    /// What Swift calls the module.
    pub swift_module: &'a str,
    /// What Swift calls the module with the C functions.
    pub swift_ffi_module: &'a str,
}

/// The mobile core.
pub const CORE: Exporting<'static> = Exporting {
    package: "sentri-core",
    library: "sentri_core",
    swift_module: "SentriCore",
    swift_ffi_module: "CoreFFI",
};

/// Builds the library, and generates both languages from it, in place of what was there.
pub fn generate(workspace: &Workspace) -> Result<()> {
    let generator = Generator::build(workspace, &CORE)?;
    generator.kotlin(&workspace.path("bindings/kotlin/src/generated"))?;
    let swift = swift_folder(workspace);
    empty(&swift)?;
    generator.swift(&swift)?;
    checks::write(&swift.join(CORE.swift_module), CORE.swift_ffi_module)
}

/// Where generated Swift goes.
pub fn swift_folder(workspace: &Workspace) -> PathBuf {
    workspace.path("bindings/swift/Sources/Generated")
}

/// Generates from one library.
pub struct Generator<'a> {
    workspace: &'a Workspace,
    of: &'a Exporting<'a>,
    library: PathBuf,
}

impl<'a> Generator<'a> {
    /// Builds a debug library: a stripped one no longer says what it exports.
    pub fn build(workspace: &'a Workspace, of: &'a Exporting<'a>) -> Result<Self> {
        let arguments = ["rustc", "--package", of.package, "--lib", "--crate-type", "cdylib"];
        process::run(process::cargo().args(arguments).current_dir(&workspace.root))?;
        Ok(Self { workspace, of, library: workspace.target.join("debug").join(file_name(of.library)) })
    }

    /// Kotlin, in place of what is in the folder.
    pub fn kotlin(&self, out: &Path) -> Result<()> {
        empty(out)?;
        let arguments = ["generate", "--language", "kotlin", "--no-format", "--out-dir"];
        let mut bindgen = self.bindgen("uniffi-bindgen");
        process::run(bindgen.args(arguments).arg(out).arg("--config").arg(self.config()).arg(&self.library))?;
        expect_files(out, "kt")
    }

    /// Swift: sources in one folder of `out`, headers with one module map for all of them in another.
    pub fn swift(&self, out: &Path) -> Result<()> {
        let sources = out.join(self.of.swift_module);
        self.swift_part(&["--swift-sources"], &sources)?;
        expect_files(&sources, "swift")?;

        let ffi = out.join(self.of.swift_ffi_module);
        let module = ["--module-name", self.of.swift_ffi_module, "--modulemap-filename", "module.modulemap"];
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

/// The file of a library, as this system names it.
pub fn file_name(library: &str) -> String {
    format!("{}{library}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX)
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
