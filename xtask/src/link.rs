//! Stands before the linker of the library that ships, and takes out of its exports what only the generator of bindings
//! reads: UniFFI's descriptions of each call, with all documentation. Nothing in an app looks at them.

use std::{
    env,
    ffi::{OsStr, OsString},
    fs,
    process::{Command, ExitCode},
};

use anyhow::{Context, Result};

/// Set where this program is to stand before a linker: which one.
pub const LINKER: &str = "SENTRI_LINKER";

/// How `rustc` names the file with the exported symbols to GNU's linkers: in one word.
const LIST: &str = "-Wl,--version-script=";
/// To Apple's it gives the file with the next word.
const APPLES_LIST: &str = "-Wl,-exported_symbols_list";
const DESCRIPTION: &str = "UNIFFI_META_";

/// What tells the compiler to link by this program.
pub fn option() -> Result<String> {
    let this = env::current_exe().context("can't find this program")?;
    Ok(format!("linker={}", this.to_str().context("this program's path is not UTF-8")?))
}

/// Links, with a shorter list of exports.
pub fn run(linker: &OsStr) -> ExitCode {
    match link(linker) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn link(linker: &OsStr) -> Result<ExitCode> {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    if let Some(list) = list_of_exports(arguments.iter().filter_map(|it| it.to_str())) {
        let exports = fs::read_to_string(&list).with_context(|| format!("can't read {list}"))?;
        fs::write(&list, without_descriptions(&exports)).with_context(|| format!("can't write {list}"))?;
    }
    let status = Command::new(linker)
        .args(&arguments)
        .env_remove(LINKER)
        .status()
        .with_context(|| format!("can't start {}", linker.display()))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn list_of_exports<'a>(arguments: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut is_next = false;
    for argument in arguments {
        let list = if is_next { argument.strip_prefix("-Wl,") } else { argument.strip_prefix(LIST) };
        if let Some(list) = list {
            return Some(list.to_owned());
        }
        is_next = argument == APPLES_LIST;
    }
    None
}

fn without_descriptions(exports: &str) -> String {
    exports.lines().filter(|line| !line.contains(DESCRIPTION)).flat_map(|line| [line, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_found_as_either_linker_is_given_it() {
        let list = |arguments: &[&str]| list_of_exports(arguments.iter().copied());
        assert_eq!(
            list(&["-m64", "-Wl,--version-script=exports/list", "-o"]).as_deref(),
            Some("exports/list")
        );
        let apples = ["-arch", "arm64", "-Wl,-exported_symbols_list", "-Wl,exports/list", "-o"];
        assert_eq!(list(&apples).as_deref(), Some("exports/list"));
        assert_eq!(list(&["-m64", "main.o"]), None);
    }

    #[test]
    fn only_descriptions_leave_the_list() {
        let list =
            "{\n  global:\n    uniffi_core_fn_open;\n    UNIFFI_META_CORE_OPEN;\n\n  local:\n    *;\n};\n";
        let left = "{\n  global:\n    uniffi_core_fn_open;\n\n  local:\n    *;\n};\n";
        assert_eq!(without_descriptions(list), left);
    }
}
