//! The project's own files, as git knows them: what is ignored (generated code, build output) is not looked at.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};

use crate::{process, workspace::Workspace};

/// A text file of the project.
pub struct Source {
    /// From the root, with `/` between the parts.
    pub path: String,
    /// What is in it.
    pub text: String,
}

/// Every text file that is in git, or would be after `git add`.
pub fn all(workspace: &Workspace) -> Result<Vec<Source>> {
    let listing = process::capture(
        process::command("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(&workspace.root),
    )?;
    let paths = listing.split('\0').filter(|path| !path.is_empty());
    let sources: Vec<Source> = paths.filter_map(|path| read(&workspace.path(path), path)).collect();
    if sources.is_empty() {
        bail!("git names no file of this folder");
    }
    Ok(sources)
}

/// Nothing for pictures and the like, and for files deleted but not yet committed so.
fn read(file: &PathBuf, path: &str) -> Option<Source> {
    let text = String::from_utf8(fs::read(file).ok()?).ok()?;
    Some(Source { path: path.to_owned(), text })
}

impl Source {
    /// Whether the file's name ends in one of these, given without the dot.
    pub fn has_extension(&self, extensions: &[&str]) -> bool {
        let extension = Path::new(&self.path).extension().and_then(|extension| extension.to_str());
        extension.is_some_and(|extension| extensions.contains(&extension))
    }
}

/// An error that names every finding, one a line, or nothing where there is none.
pub fn none_of(findings: &[String], rule: &str) -> Result<()> {
    if findings.is_empty() {
        return Ok(());
    }
    for finding in findings {
        println!("    {finding}");
    }
    bail!("{rule}: broken in {} {}", findings.len(), if findings.len() == 1 { "place" } else { "places" })
}
