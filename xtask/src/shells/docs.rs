//! Programs out of `docs/app-developers.md`: what the page shows is what is compiled and run.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;

/// Writes the page's program in that language, which is its one code block with that name, to `file`.
pub fn take_out(workspace: &Workspace, language: &str, file: &Path) -> Result<()> {
    let page = workspace.path("docs/app-developers.md");
    let text = fs::read_to_string(&page).with_context(|| format!("can't read {}", page.display()))?;
    let program = block(&text, language)?;
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).with_context(|| format!("can't make {}", folder.display()))?;
    }
    fs::write(file, program).with_context(|| format!("can't write {}", file.display()))
}

fn block<'t>(page: &'t str, language: &str) -> Result<&'t str> {
    let fence = format!("```{language}\n");
    let mut blocks = page.split(&fence).skip(1);
    let block = blocks.next().and_then(|rest| rest.split_once("\n```")).map(|(block, _)| block);
    match (block, blocks.next()) {
        (Some(block), None) => Ok(block),
        _ => bail!("docs/app-developers.md must have one {language} block, the whole program"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_block_of_a_language_is_taken() {
        let page = "# Page\n\n```swift\nlet a = 1\n```\n\n```kotlin\nval a = 1\nval b = 2\n```\n";
        assert_eq!(block(page, "swift").unwrap(), "let a = 1");
        assert_eq!(block(page, "kotlin").unwrap(), "val a = 1\nval b = 2");
        assert!(block(page, "java").is_err());
        assert!(block(&page.repeat(2), "swift").is_err());
    }
}
