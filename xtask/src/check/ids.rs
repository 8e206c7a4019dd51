//! Every requirement id that code, tests and documents name is explained in `docs/requirements.md`.

use std::collections::BTreeSet;

use anyhow::{Context, Result};

use crate::{
    sources::{self, Source},
    workspace::Workspace,
};

const LIST: &str = "docs/requirements.md";
/// What an id begins with.
const AREAS: [&str; 15] =
    ["ACC", "SYN", "LST", "GRT", "CON", "AGT", "COD", "PIN", "RES", "WEB", "SUP", "OPS", "BND", "LBX", "NEW"];

/// An id that the list does not explain is a finding.
pub fn check(workspace: &Workspace) -> Result<()> {
    let sources = sources::all(workspace)?;
    let list = sources.iter().find(|source| source.path == LIST).with_context(|| format!("no {LIST}"))?;
    let explained: BTreeSet<&str> = ids_in(&list.text).collect();
    let findings: Vec<String> = sources.iter().flat_map(|source| findings_in(source, &explained)).collect();
    sources::none_of(&findings, "every requirement id is explained in docs/requirements.md")
}

fn findings_in(source: &Source, explained: &BTreeSet<&str>) -> Vec<String> {
    let named: BTreeSet<&str> = ids_in(&source.text).collect();
    named.difference(explained).map(|id| format!("{}: {id}", source.path)).collect()
}

fn ids_in(text: &str) -> impl Iterator<Item = &str> {
    text.split(|it: char| !it.is_ascii_alphanumeric() && it != '-').filter(|word| {
        word.split_once('-').is_some_and(|(area, number)| {
            AREAS.contains(&area) && !number.is_empty() && number.bytes().all(|it| it.is_ascii_digit())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_between_other_words() {
        let text = "/// ACC-4, GRT-6: [CON-2], not RFC-5869, ACC-x or B-20417. NEW-3.";
        assert_eq!(ids_in(text).collect::<Vec<_>>(), ["ACC-4", "GRT-6", "CON-2", "NEW-3"]);
    }
}
