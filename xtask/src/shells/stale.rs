//! A library that the bindings don't belong to: every name is there, every checksum is wrong. Bindings must refuse it.

use std::{collections::BTreeSet, fmt::Write, fs, path::PathBuf};

use anyhow::{Context, Result, bail};

use crate::{process, workspace::Workspace};

/// Builds it; answers its folder.
pub fn build(workspace: &Workspace) -> Result<PathBuf> {
    let header = workspace.path("bindings/swift/Sources/Generated/CoreFFI/CoreFFI.h");
    let header = fs::read_to_string(&header).with_context(|| format!("can't read {}", header.display()))?;
    let kotlin = workspace.path("bindings/kotlin/src/generated/sentri/core/sentri_core.kt");
    let kotlin = fs::read_to_string(&kotlin).with_context(|| format!("can't read {}", kotlin.display()))?;
    let folder = workspace.target.join("stale-library");
    fs::create_dir_all(&folder).with_context(|| format!("can't make {}", folder.display()))?;
    let source = folder.join("stale.rs");
    fs::write(&source, source_of(&header, contract(&kotlin)?)).context("can't write the stale library")?;
    let name = format!("{}sentri_core{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let mut rustc = process::command("rustc");
    rustc.args(["--edition", "2024", "--crate-type", "cdylib", "--crate-name", "sentri_core", "-o"]);
    process::run(rustc.arg(folder.join(name)).arg(&source))?;
    Ok(folder)
}

/// The version of the calling convention: it is right, so that the checksums are looked at.
fn contract(kotlin: &str) -> Result<u32> {
    let line = kotlin.lines().find_map(|line| line.trim().strip_prefix("val bindings_contract_version = "));
    match line.and_then(|version| version.parse().ok()) {
        Some(version) => Ok(version),
        None => bail!("the generated Kotlin names no contract version"),
    }
}

fn source_of(header: &str, contract: u32) -> String {
    let words = header.split(|it: char| !it.is_ascii_alphanumeric() && it != '_');
    let names: BTreeSet<&str> = words.filter(|word| is_exported(word)).collect();
    names.into_iter().fold(String::new(), |mut source, name| {
        let answer = if name.ends_with("_uniffi_contract_version") { contract } else { 0 };
        // Writing to a String can't fail.
        let _ = writeln!(source, "#[unsafe(no_mangle)] pub extern \"C\" fn {name}() -> u32 {{ {answer} }}");
        source
    })
}

fn is_exported(word: &str) -> bool {
    word.starts_with("uniffi_sentri_core_") || word.starts_with("ffi_sentri_core_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_of_the_header_is_there_once() {
        let header = "uint16_t uniffi_sentri_core_checksum_func_a(void\n);\nuint32_t ffi_sentri_core_uniffi_contract_version(void);\n\
                      void uniffi_sentri_core_checksum_func_a;\nint other(void);";
        let source = source_of(header, 30);
        assert_eq!(source.lines().count(), 2);
        assert!(source.contains("ffi_sentri_core_uniffi_contract_version() -> u32 { 30 }"));
        assert!(source.contains("uniffi_sentri_core_checksum_func_a() -> u32 { 0 }"));
    }
}
