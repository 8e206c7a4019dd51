//! Files stay small enough to be read top-down.

use anyhow::Result;

use crate::{sources, workspace::Workspace};

const MOST_LINES: usize = 500;
const LANGUAGES: [&str; 4] = ["rs", "py", "swift", "kt"];

/// No source file has more lines than that, and each Rust one opens with a sentence that says what it is for.
pub fn check(workspace: &Workspace) -> Result<()> {
    let mut findings = Vec::new();
    for source in sources::all(workspace)? {
        let lines = source.text.lines().count();
        if source.has_extension(&LANGUAGES) && lines > MOST_LINES {
            findings.push(format!("{}: {lines} lines", source.path));
        }
        if source.has_extension(&["rs"]) && !source.text.trim_start().starts_with("//! ") {
            findings.push(format!("{}: does not open with `//!` and what it is for", source.path));
        }
    }
    sources::none_of(&findings, "a source file has at most 500 lines, a Rust one opens with what it is for")
}
