//! One exported API: `uniffi` is named in `core/src/api` and `core/src/lib.rs`, and in no other Rust source.

use anyhow::Result;

use crate::{
    sources::{self, Source},
    workspace::Workspace,
};

/// The places that may name it; the last two are tools that generate bindings, and ship nowhere.
const ALLOWED: [&str; 4] = ["core/src/api/", "core/src/lib.rs", "bindings/", "xtask/"];

/// Every line elsewhere that names it is a finding.
pub fn check(workspace: &Workspace) -> Result<()> {
    let findings: Vec<String> = sources::all(workspace)?.iter().flat_map(findings_in).collect();
    sources::none_of(&findings, "`uniffi` is named only under core/src/api and in core/src/lib.rs")
}

fn findings_in(source: &Source) -> Vec<String> {
    let elsewhere =
        source.has_extension(&["rs"]) && !ALLOWED.iter().any(|place| source.path.starts_with(place));
    let lines = source.text.lines().enumerate().filter(|(_, line)| elsewhere && line.contains("uniffi"));
    lines.map(|(index, line)| format!("{}:{}: {}", source.path, index + 1, line.trim())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str) -> usize {
        findings_in(&Source { path: path.into(), text: "//! A.\n#[derive(uniffi::Record)]\n".into() }).len()
    }

    #[test]
    fn only_the_exported_api_may_name_it() {
        assert_eq!(findings("core/src/api/session.rs"), 0);
        assert_eq!(findings("core/src/lib.rs"), 0);
        assert_eq!(findings("core/src/store.rs"), 1);
        assert_eq!(findings("core/tests/session.rs"), 1);
        assert_eq!(findings("wire/src/lib.rs"), 1);
        assert_eq!(findings("core/Cargo.toml"), 0);
    }
}
