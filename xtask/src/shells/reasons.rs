//! Every case of the core's error is driven by a test in either language: one that is added to the API and by no test is
//! found here.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::{tools, workspace::Workspace};

/// Compares the API's list with the tests of that language.
pub fn check(workspace: &Workspace, language: &str) -> Result<()> {
    let list = fs::read_to_string(workspace.path("docs/api/sentri-core.txt"))
        .context("can't read the list of the exported API")?;
    // Swift's tests have a program for what must happen in a process of its own.
    let (folders, extension) = match language {
        "swift" => (&["bindings/swift/Tests", "bindings/swift/Sources/SentriProbe"][..], "swift"),
        _ => (&["bindings/kotlin/src/test"][..], "kt"),
    };
    let mut tests = String::new();
    for folder in folders {
        let files = tools::files_under(&workspace.path(folder))?;
        let of_language = files.iter().filter(|file| file.extension().is_some_and(|it| it == extension));
        tests.extend(of_language.filter_map(|file| fs::read_to_string(file).ok()));
    }
    let missing = missing(&list, &tests, language);
    if missing.is_empty() {
        return Ok(());
    }
    bail!("no {language} test names these cases of the core's error: {}", missing.join(", "))
}

fn missing<'l>(list: &'l str, tests: &str, language: &str) -> Vec<&'l str> {
    let named = |case: &&str| match language {
        "swift" => has_word(tests, &format!(".{case}")),
        _ => has_word(tests, &format!("CoreException.{case}")),
    };
    cases(list).into_iter().filter(|case| !named(case)).collect()
}

/// The text with nothing behind it that would make it another name.
fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word)
        .any(|(at, _)| !text[at + word.len()..].starts_with(|next: char| next.is_ascii_alphanumeric()))
}

/// The cases of the core's error, as the API's list has them.
fn cases(list: &str) -> Vec<&str> {
    let of_error = list.lines().skip_while(|line| !line.starts_with("sealed class CoreException")).skip(1);
    of_error
        .take_while(|line| line.starts_with(' '))
        .filter_map(|line| line.trim().strip_prefix("class ")?.strip_suffix('('))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "sentri-core 1\n\nsealed class CoreException: kotlin.Exception()\n  class NotFound(\n  class Expired(\n  val since: \
                        kotlin.Long?\nsealed class LinkException\n  class PoweredOff(\n";

    #[test]
    fn a_case_that_no_test_names_is_found() {
        assert_eq!(cases(LIST), ["NotFound", "Expired"]);
        assert_eq!(missing(LIST, "refused<CoreException.NotFound> { }", "kotlin"), ["Expired"]);
        assert_eq!(missing(LIST, "== .Expired(since: nil) .NotFoundHere", "swift"), ["NotFound"]);
    }
}
