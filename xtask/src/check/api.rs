//! The exported API as a list in `docs/api/sentri-core.txt`: it changes only on purpose, and with the core's version.

use std::{collections::BTreeSet, fmt::Write, fs};

use anyhow::{Context, Result, bail};

use crate::{process, workspace::Workspace};

const LIST: &str = "docs/api/sentri-core.txt";
/// What begins a declaration in the generated Kotlin that an app can see.
const DECLARATIONS: [&str; 9] = [
    "public interface ",
    "data class ",
    "enum class ",
    "sealed class ",
    "data object ",
    "object ",
    "class ",
    "suspend fun ",
    "fun ",
];

/// Compares; what differs is printed.
pub fn check(workspace: &Workspace) -> Result<()> {
    let now = list(workspace)?;
    let file = workspace.path(LIST);
    let kept = fs::read_to_string(&file).with_context(|| format!("can't read {LIST}"))?;
    if kept == now {
        return Ok(());
    }
    let (was, is): (BTreeSet<&str>, BTreeSet<&str>) = (kept.lines().collect(), now.lines().collect());
    was.difference(&is).for_each(|line| println!("    - {line}"));
    is.difference(&was).for_each(|line| println!("    + {line}"));
    bail!(
        "the exported API is not as {LIST} has it. If that is meant: raise the workspace's version, then run \
         `cargo xtask bindings --bless`"
    )
}

/// Writes the list anew. Where it changed, the version must have changed as well.
pub fn bless(workspace: &Workspace) -> Result<()> {
    let now = list(workspace)?;
    let file = workspace.path(LIST);
    let kept = fs::read_to_string(&file).unwrap_or_default();
    if !kept.is_empty() && kept != now && kept.lines().next() == now.lines().next() {
        println!("!!! the exported API changes and the version does not: raise it before this is released");
    }
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).with_context(|| format!("can't make {}", folder.display()))?;
    }
    fs::write(&file, now).with_context(|| format!("can't write {LIST}"))
}

fn list(workspace: &Workspace) -> Result<String> {
    let version = process::capture(
        process::cargo().args(["pkgid", "--package", "sentri-core"]).current_dir(&workspace.root),
    )?;
    let version = version.trim().rsplit(['#', '@']).next().unwrap_or_default();
    let kotlin = workspace.path("bindings/kotlin/src/generated/sentri/core/sentri_core.kt");
    let kotlin = fs::read_to_string(&kotlin)
        .context("there are no bindings yet: run `cargo xtask bindings`, then this check")?;
    Ok(format!("sentri-core {version}\n\n{}", declarations(&kotlin)))
}

/// Everything from the first exported interface on, without documentation, bodies and what the generator needs.
fn declarations(kotlin: &str) -> String {
    let mut listed = String::new();
    let mut inside = false;
    for line in kotlin.lines() {
        // The generator puts a free function behind the end of its documentation.
        let behind = line.trim().strip_prefix("*/ ");
        let text = behind.unwrap_or(line.trim());
        if !line.starts_with([' ', '\t', ')', '}', '{']) && !text.is_empty() {
            inside = starts_exported(line);
        }
        // It indents members by four, an asynchronous free function by five.
        let outermost = behind.is_some() || line.starts_with("     suspend fun ");
        let free = !inside && outermost && is_function(text) && is_declared(text);
        let kept = free || inside && (is_declared(text) || is_value(text));
        if kept {
            let deep = if line.starts_with(char::is_whitespace) { "  " } else { "" };
            let text = text.trim_end_matches(['{', ' ']).replace('`', "");
            // Writing to a String can't fail.
            let _ = writeln!(listed, "{deep}{text}");
        }
    }
    listed
}

fn starts_exported(line: &str) -> bool {
    let internal =
        ["Uniffi", "uniffi", "FfiConverter", "RustBuffer", "ForeignBytes", "NoHandle", "Disposable"];
    let declared = DECLARATIONS.iter().any(|start| line.starts_with(start));
    declared && !internal.iter().any(|word| line.contains(word))
}

fn is_function(text: &str) -> bool {
    ["fun `", "suspend fun `"].iter().any(|start| text.starts_with(start))
}

fn is_declared(text: &str) -> bool {
    let body = text.starts_with("override ") || text.contains("uniffi") || text.contains("Uniffi");
    !body && DECLARATIONS.iter().any(|start| text.starts_with(start))
}

/// A field of a record, or a case of an enumeration without fields.
fn is_value(text: &str) -> bool {
    let case = text.trim_end_matches([',', ';']);
    let is_case = !case.is_empty()
        && case.chars().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit() || it == '_');
    is_case || ((text.starts_with("val `") || text.starts_with("var `")) && text.contains(": "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_app_sees_is_listed() {
        let kotlin = "internal object UniffiLib {\n    fun `x`(): Int\n}\n\
                      public interface CoreInterface {\n    /**\n     * Says.\n     */\n    suspend fun `say`(`a`: Int): Kind\n}\n\
                      open class Core: CoreInterface {\n    override suspend fun `say`(`a`: Int) : Kind {\n    }\n}\n\
                      data class Box (\n    /** How many. */\n    val `count`: kotlin.UInt\n    ,\n) {\n}\n\
                      enum class Kind {\n    /** One. */\n    ONE,\n    TWO;\n}\n        /**\n         * Counts.\n         */ \
                      fun `count`(): kotlin.UInt {\n    }\n     suspend fun `keep`(`box`: Box) {\n}\n";
        assert_eq!(
            declarations(kotlin),
            "public interface CoreInterface\n  suspend fun say(a: Int): Kind\n\
             data class Box (\n  val count: kotlin.UInt\nenum class Kind\n  ONE,\n  TWO;\n  \
             fun count(): kotlin.UInt\n  suspend fun keep(box: Box)\n"
        );
    }
}
