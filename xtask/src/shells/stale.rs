//! Libraries that the bindings don't belong to, which they must refuse: one of another version, whose every checksum is
//! wrong, and an older one, which is right in all that it has but lacks a call.

use std::{collections::BTreeSet, fmt::Write, fs, path::PathBuf};

use anyhow::{Context, Result, bail};

use crate::{
    bindings::{self, checks, checks::Answers},
    process,
    workspace::Workspace,
};

/// The call that the older library lacks.
const NEW_CALL: &str = "sentricore_rehearse_bug";

/// Both libraries' folders.
pub struct Stale {
    /// Of another version.
    pub other: PathBuf,
    /// Of an older version.
    pub older: PathBuf,
}

/// Builds both.
pub fn build(workspace: &Workspace) -> Result<Stale> {
    let swift = bindings::swift_folder(workspace);
    let header = swift.join("CoreFFI/CoreFFI.h");
    let header = fs::read_to_string(&header).with_context(|| format!("can't read {}", header.display()))?;
    let right = checks::expected(&swift.join(bindings::CORE.swift_module))?;
    let names = exported(&header);
    let fewer: BTreeSet<&str> = names.iter().copied().filter(|name| !name.ends_with(NEW_CALL)).collect();
    if fewer.len() == names.len() {
        bail!("the header names no {NEW_CALL}: the older library would lack nothing");
    }
    // The calling convention is right in either, so that it is the calls that are looked at.
    let contract = right.iter().filter(|(name, _)| name.ends_with("_uniffi_contract_version"));
    let wrong: Answers = contract.map(|(name, version)| (name.clone(), *version)).collect();
    Ok(Stale {
        other: compile(workspace, "stale-library", &source(&names, &wrong))?,
        older: compile(workspace, "older-library", &source(&fewer, &right))?,
    })
}

fn compile(workspace: &Workspace, name: &str, source: &str) -> Result<PathBuf> {
    let folder = workspace.target.join(name);
    fs::create_dir_all(&folder).with_context(|| format!("can't make {}", folder.display()))?;
    let file = folder.join("stale.rs");
    fs::write(&file, source).with_context(|| format!("can't write {}", file.display()))?;
    let mut rustc = process::command("rustc");
    rustc.args(["--edition", "2024", "--crate-type", "cdylib", "--crate-name", "sentri_core", "-o"]);
    process::run(rustc.arg(folder.join(bindings::file_name("sentri_core"))).arg(&file))?;
    Ok(folder)
}

/// The functions that the header names.
fn exported(header: &str) -> BTreeSet<&str> {
    let words = header.split(|it: char| !it.is_ascii_alphanumeric() && it != '_');
    words
        .filter(|word| word.starts_with("uniffi_sentri_core_") || word.starts_with("ffi_sentri_core_"))
        .collect()
}

/// A library of these functions; each answers what is told, or 0.
fn source(names: &BTreeSet<&str>, answers: &Answers) -> String {
    names.iter().fold(String::new(), |mut source, name| {
        let answer = answers.get(*name).copied().unwrap_or_default();
        // Writing to a String can't fail.
        let _ = writeln!(source, "#[unsafe(no_mangle)] pub extern \"C\" fn {name}() -> u32 {{ {answer} }}");
        source
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_of_the_header_is_there_once_with_its_answer() {
        let header = "uint16_t uniffi_sentri_core_checksum_func_a(void\n);\nuint32_t ffi_sentri_core_uniffi_contract_version(void);\n\
                      void uniffi_sentri_core_checksum_func_a;\nint other(void);";
        let answers = Answers::from([("ffi_sentri_core_uniffi_contract_version".to_owned(), 30)]);
        let source = source(&exported(header), &answers);
        assert_eq!(source.lines().count(), 2);
        assert!(source.contains("ffi_sentri_core_uniffi_contract_version() -> u32 { 30 }"));
        assert!(source.contains("uniffi_sentri_core_checksum_func_a() -> u32 { 0 }"));
    }
}
