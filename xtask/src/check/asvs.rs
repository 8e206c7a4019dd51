//! `docs/asvs.md` answers by the names of tests: each of them is there.

use std::{collections::BTreeSet, path::Path};

use anyhow::{Context, Result, bail};

use crate::{
    sources::{self, Source},
    workspace::Workspace,
};

const DOCUMENT: &str = "docs/asvs.md";

/// Every name in back quotes that is written like a test's is one.
pub fn check(workspace: &Workspace) -> Result<()> {
    let all = sources::all(workspace)?;
    let document = all.iter().find(|source| source.path == DOCUMENT).context("docs/asvs.md is missing")?;
    let named = named_tests(&document.text);
    if named.is_empty() {
        bail!("{DOCUMENT} names no test");
    }
    let missing: Vec<String> = named
        .into_iter()
        .filter(|name| !all.iter().any(|source| defines(source, name)))
        .map(|name| format!("{DOCUMENT}: there is no test {name}"))
        .collect();
    sources::none_of(&missing, "every test that docs/asvs.md names is there")
}

/// Several words joined by underscores: nothing else in the document is written so.
fn named_tests(text: &str) -> BTreeSet<&str> {
    let is_test = |word: &&str| {
        word.matches('_').count() >= 3 && word.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_')
    };
    text.split('`').skip(1).step_by(2).filter(is_test).collect()
}

fn defines(source: &Source, name: &str) -> bool {
    Path::new(&source.path).extension().is_some_and(|it| it == "rs")
        && source.text.contains(&format!("fn {name}("))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_tests_are_looked_for() {
        let text = "`a_code_has_three_tries`, `log_seconds`, `/v1/me`, `key add`, `a_push_names_nobody`";
        assert_eq!(
            named_tests(text).into_iter().collect::<Vec<_>>(),
            ["a_code_has_three_tries", "a_push_names_nobody"]
        );
    }
}
