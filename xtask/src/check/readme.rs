//! README tells the truth: its marked commands run as printed, in a fresh clone.
//!
//! A fenced block is marked by `<!-- run -->` on a line of its own above it. A `sh` block is run whole; of a
//! `console` block the lines after `$ ` are run (and their continuations after `> `), the rest is output.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::{process, workspace::Workspace};

const MARKER: &str = "<!-- run -->";

/// Clones the last commit to a temporary folder, and runs every marked block there.
pub fn check(workspace: &Workspace) -> Result<()> {
    let folder = tempfile::tempdir().context("can't make a temporary folder")?;
    let clone = folder.path().join("sentri");
    tell_uncommitted(workspace)?;
    process::run(process::command("git").args(["clone", "--quiet"]).arg(&workspace.root).arg(&clone))?;

    let readme = fs::read_to_string(clone.join("README.md")).context("can't read README.md")?;
    let scripts = marked_scripts(&readme)?;
    if scripts.is_empty() {
        bail!("README.md marks no commands with `{MARKER}`");
    }
    for script in &scripts {
        println!("    README.md, line {}:", script.line);
        process::run(
            process::command("bash")
                .args(["-euo", "pipefail", "-c", &script.text])
                .current_dir(&clone)
                // What the dependencies need is built already; the clone's own crates won't be built again.
                .env("CARGO_TARGET_DIR", &workspace.target)
                .env("CARGO_INCREMENTAL", "0"),
        )?;
    }
    Ok(())
}

fn tell_uncommitted(workspace: &Workspace) -> Result<()> {
    let changes = process::capture(
        process::command("git").args(["status", "--porcelain"]).current_dir(&workspace.root),
    )?;
    if !changes.is_empty() {
        println!("    note: changes that are not committed are not in the clone");
    }
    Ok(())
}

/// The commands of one block.
#[derive(Debug, PartialEq, Eq)]
struct Script {
    /// Where its fence is, counted from 1.
    line: usize,
    text: String,
}

fn marked_scripts(markdown: &str) -> Result<Vec<Script>> {
    let mut lines = markdown.lines().zip(1..);
    let mut scripts = Vec::new();
    while let Some((line, number)) = lines.next() {
        if line.trim() == MARKER {
            let fence = lines.find(|(line, _)| !line.trim().is_empty());
            let (language, line) = fence
                .and_then(|(fence, at)| Some((fence.trim().strip_prefix("```")?, at)))
                .with_context(|| format!("README.md, line {number}: no fenced block follows the mark"))?;
            let block: Vec<&str> =
                lines.by_ref().map(|(line, _)| line).take_while(|line| line.trim() != "```").collect();
            scripts.push(Script { line, text: commands(language, &block, line)? });
        } else if line.trim_start().starts_with("```") {
            // A block that is not marked: what is in it is only shown, marks included.
            lines.find(|(line, _)| line.trim() == "```");
        }
    }
    Ok(scripts)
}

fn commands(language: &str, block: &[&str], line: usize) -> Result<String> {
    let text = match language {
        "sh" | "bash" => block.join("\n"),
        "console" => prompted(block).join("\n"),
        _ => bail!("README.md, line {line}: only sh and console blocks can be run"),
    };
    if text.trim().is_empty() {
        bail!("README.md, line {line}: the block holds no command");
    }
    Ok(text)
}

fn prompted<'a>(block: &[&'a str]) -> Vec<&'a str> {
    let mut commands: Vec<&str> = Vec::new();
    for line in block {
        let goes_on = commands.last().is_some_and(|command| command.ends_with('\\'));
        let prompt = if goes_on { "> " } else { "$ " };
        commands.extend(line.strip_prefix(prompt));
    }
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(markdown: &str) -> Vec<String> {
        marked_scripts(markdown).unwrap().into_iter().map(|script| script.text).collect()
    }

    #[test]
    fn only_marked_blocks_are_run() {
        let readme =
            "# A\n\n```sh\ncargo run -- serve\n```\n\n<!-- run -->\n```sh\ncargo run\ncargo test\n```\n";
        let scripts = marked_scripts(readme).unwrap();
        assert_eq!(scripts, [Script { line: 8, text: "cargo run\ncargo test".into() }]);
    }

    #[test]
    fn of_a_console_block_the_prompted_lines_are_run() {
        let readme = "<!-- run -->\n\n```console\n$ cargo run -- \\\n>   --json\n> quoted output\nopened\n$ true\n```\n";
        assert_eq!(texts(readme), ["cargo run -- \\\n  --json\ntrue"]);
    }

    #[test]
    fn a_mark_shown_inside_a_block_marks_nothing() {
        assert!(texts("```markdown\n<!-- run -->\n```\n\n```sh\nfalse\n```\n").is_empty());
    }

    #[test]
    fn a_mark_that_can_not_be_followed_is_an_error() {
        for readme in [
            "<!-- run -->\nText.\n",
            "<!-- run -->",
            "<!-- run -->\n```rust\nfn main() {}\n```\n",
            "<!-- run -->\n```console\noutput only\n```\n",
        ] {
            assert!(marked_scripts(readme).unwrap_err().to_string().contains("README.md, line"), "{readme}");
        }
    }
}
