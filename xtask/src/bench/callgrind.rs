//! Counts instructions: runs an example under callgrind, and reads what it wrote.
//!
//! Only what runs inside named functions is counted. A part of it (a cipher, say) is told by words in the
//! names of its functions: what is spent from entering one of them to leaving it, whatever it calls meanwhile.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use super::report::{Report, grouped};
use crate::{process, tools, workspace::Workspace};

/// What to count, and how far it may go.
pub struct Figure {
    /// Words that name the one function inside which instructions are counted; it must not be inlined.
    pub measured: &'static str,
    /// What the part is called in the table.
    pub part: &'static str,
    /// Words of which one is in the name of each of the part's functions.
    pub part_functions: &'static [&'static str],
    /// How much may be spent outside of the part, in percent.
    pub most_outside_percent: f64,
    /// Given to rustc, so that the count says something about the machine that is meant.
    pub rustflags: &'static str,
    /// What these flags mean, for the reader of the table.
    pub note: &'static str,
}

/// Several functions to count, each by itself, and how far each may go.
pub struct Each {
    /// Words that all of their names hold, and no other's.
    pub measured: &'static str,
    /// The whole name of each, and what it is called in the table.
    pub functions: &'static [(&'static str, &'static str)],
    /// How many instructions each may take.
    pub most: u64,
    /// Given to rustc, so that the count says something about the machine that is meant.
    pub rustflags: &'static str,
    /// What these flags mean, for the reader of the table.
    pub note: &'static str,
}

/// Builds the example with `--release`, runs it under callgrind, and compares. What the example prints itself,
/// a report of its own, is added below: its notes, and its verdict.
pub fn measure(workspace: &Workspace, package: &str, example: &str, figure: &Figure) -> Result<Report> {
    let (profile, printed) = count(workspace, package, example, figure.measured, figure.rustflags)?;
    with_printed(compare(&profile, figure)?, &printed)
}

/// The same, for functions that are counted apart.
pub fn measure_each(workspace: &Workspace, package: &str, example: &str, each: &Each) -> Result<Report> {
    let (profile, printed) = count(workspace, package, example, each.measured, each.rustflags)?;
    with_printed(compare_each(&profile, each)?, &printed)
}

fn count(
    workspace: &Workspace,
    package: &str,
    example: &str,
    measured: &str,
    rustflags: &str,
) -> Result<(Profile, String)> {
    tools::need("valgrind", "valgrind")?;
    let program = build(workspace, package, example, rustflags)?;
    let out = workspace.target.join("callgrind").join(format!("{example}.out"));
    println!("    counting the instructions of {example}");
    let printed = process::capture(
        process::command("valgrind")
            .args(["--quiet", "--tool=callgrind", &format!("--toggle-collect=*{measured}*")])
            .arg(format!("--callgrind-out-file={}", out.display()))
            .arg(program)
            .current_dir(&workspace.root),
    )?;
    let profile = fs::read_to_string(&out).with_context(|| format!("can't read {}", out.display()))?;
    Ok((Profile::parse(&profile)?, printed))
}

fn with_printed(mut report: Report, printed: &str) -> Result<Report> {
    if !printed.trim().is_empty() {
        let own = Report::parse(printed)?;
        report.title = own.title;
        report.notes.extend(own.notes);
        report.passed &= own.passed;
    }
    Ok(report)
}

/// In a target folder of its own: other flags would make cargo build everything anew in the common one.
fn build(workspace: &Workspace, package: &str, example: &str, rustflags: &str) -> Result<PathBuf> {
    let target = workspace.target.join("callgrind");
    process::run(
        process::cargo()
            .args(["build", "--release", "--package", package, "--example", example, "--target-dir"])
            .arg(&target)
            .env("RUSTFLAGS", rustflags)
            .current_dir(&workspace.root),
    )?;
    Ok(target.join(Path::new("release/examples")).join(example))
}

#[allow(clippy::cast_precision_loss, reason = "counts of instructions are far below 2^52")]
fn compare(profile: &Profile, figure: &Figure) -> Result<Report> {
    let part = profile.within(figure.part_functions);
    if profile.total == 0 {
        bail!("no function named *{}* was run: is it inlined?", figure.measured);
    }
    if part == 0 || part > profile.total {
        bail!(
            "no function of {} was seen (*{}*): is it inlined?",
            figure.part,
            figure.part_functions.join("*, *")
        );
    }
    let share = |instructions: u64| format!("{:.1} %", 100.0 * instructions as f64 / profile.total as f64);
    let outside = profile.total - part;
    let row =
        |name: &str, instructions: u64| vec![name.into(), instructions.into(), share(instructions).into()];
    Ok(Report {
        title: figure.measured.into(),
        columns: ["", "instructions", "share"].map(String::from).to_vec(),
        rows: vec![row("all", profile.total), row(figure.part, part), row("everything else", outside)],
        notes: vec![
            format!("At most {} % may be spent outside of {}.", figure.most_outside_percent, figure.part),
            figure.note.into(),
        ],
        passed: 100.0 * outside as f64 <= figure.most_outside_percent * profile.total as f64,
    })
}

fn compare_each(profile: &Profile, each: &Each) -> Result<Report> {
    let mut rows = Vec::new();
    let mut passed = true;
    for (function, name) in each.functions {
        let instructions = profile.of(function);
        if instructions == 0 {
            bail!("no function named {function} was run: is it inlined, or one with another?");
        }
        passed &= instructions < each.most;
        rows.push(vec![(*name).into(), instructions.into()]);
    }
    Ok(Report {
        title: each.measured.into(),
        columns: ["entry", "instructions"].map(String::from).to_vec(),
        rows,
        notes: vec![
            format!("Figure: fewer than {} instructions each.", i64::try_from(each.most).map(grouped)?),
            each.note.into(),
        ],
        passed,
    })
}

/// What callgrind wrote: how many instructions in all, and how many by each call.
#[derive(Debug, Default)]
struct Profile {
    total: u64,
    /// Caller, callee, and what the calls cost with all that they called in turn.
    calls: Vec<(String, String, u64)>,
}

impl Profile {
    /// Reads the file format described in Valgrind's manual, "Callgrind Format Specification".
    fn parse(text: &str) -> Result<Self> {
        let mut profile = Self::default();
        let mut names = Names::default();
        let (mut function, mut called) = (String::new(), String::new());
        let mut positions = 1;
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if let Some(reference) = line.strip_prefix("fn=") {
                function = names.resolve(reference)?;
            } else if let Some(reference) = line.strip_prefix("cfn=") {
                called = names.resolve(reference)?;
            } else if line.starts_with("calls=") {
                // The line after it holds the place of the call, then its cost.
                let cost = lines.next().and_then(|line| line.split_whitespace().nth(positions));
                let cost = cost.with_context(|| format!("a call without its cost, to {called}"))?;
                profile.calls.push((function.clone(), called.clone(), cost.parse()?));
            } else if let Some(columns) = line.strip_prefix("positions:") {
                positions = columns.split_whitespace().count();
            } else if let Some(total) = line.strip_prefix("totals:") {
                profile.total = total.trim().parse().context("the total is no number")?;
            }
        }
        Ok(profile)
    }

    /// Instructions from entering the function with this name to leaving it.
    fn of(&self, function: &str) -> u64 {
        let is_it = |called: &str| called == function || called.ends_with(&format!("::{function}"));
        self.calls.iter().filter(|(_, to, _)| is_it(to)).map(|(_, _, cost)| cost).sum()
    }

    /// Instructions from entering a function with one of the words in its name to leaving it. A call between
    /// two such functions is within already, and not counted again.
    fn within(&self, words: &[&str]) -> u64 {
        let belongs = |function: &str| words.iter().any(|word| function.contains(word));
        let entries = self.calls.iter().filter(|(from, to, _)| belongs(to) && !belongs(from));
        entries.map(|(_, _, cost)| cost).sum()
    }
}

/// A name is written out once, as `(7) name`, and then only called `(7)`.
#[derive(Default)]
struct Names(HashMap<String, String>);

impl Names {
    fn resolve(&mut self, reference: &str) -> Result<String> {
        let Some((id, name)) = reference.strip_prefix('(').and_then(|rest| rest.split_once(')')) else {
            return Ok(reference.to_owned());
        };
        let name = name.trim();
        if !name.is_empty() {
            self.0.insert(id.to_owned(), name.to_owned());
        }
        self.0.get(id).cloned().with_context(|| format!("function ({id}) is not named"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Written by callgrind for a C program of this shape, places left out.
    const PROFILE: &str = "\
# callgrind format
version: 1
positions: line
events: Ir
summary: 764

ob=(5) a
fl=(139) ???
fn=(544) rec
0 2
cfn=(545) rec'2
calls=1 0
0 93
0 6

fn=(545)
0 23
cfn=(542) x25519_mul
calls=1 0
+3 69
cfn=(545)
calls=2 0
* 162

fn=(536) main
cfn=(540) measured
calls=1 0
0 764

fn=(540)
0 5
cfn=(542)
calls=1 0
0 609
cfn=(538) leaf
calls=1 0
0 36
cfn=(544)
calls=1 0
0 101
0 13

fn=(542)
0 6
cfn=(538)
calls=2 0
0 672

fn=(538)
0 708

totals: 764
";

    fn figure(part_functions: &'static [&'static str], most_outside_percent: f64) -> Figure {
        Figure {
            measured: "measured",
            part: "X25519",
            part_functions,
            most_outside_percent,
            rustflags: "",
            note: "",
        }
    }

    #[test]
    fn a_part_is_what_is_spent_from_entering_it_to_leaving_it() {
        let profile = Profile::parse(PROFILE).unwrap();
        assert_eq!(profile.total, 764);
        assert_eq!(profile.within(&["x25519"]), 69 + 609);
        assert_eq!(profile.within(&["leaf"]), 36 + 672);
        assert_eq!(profile.within(&["leaf", "x25519"]), 36 + 69 + 609);
        assert_eq!(profile.within(&["sha2"]), 0);
    }

    #[test]
    fn positions_of_two_columns_are_skipped() {
        let text = "positions: instr line\nfn=a\ncfn=b\ncalls=1 0x10 5\n0x20 7 42\ntotals: 50\n";
        assert_eq!(Profile::parse(text).unwrap().within(&["b"]), 42);
    }

    #[test]
    fn the_figure_decides() {
        let profile = Profile::parse(PROFILE).unwrap();
        // 86 of 764 are spent outside: 11.3 %.
        assert!(compare(&profile, &figure(&["x25519"], 12.0)).unwrap().passed);
        assert!(!compare(&profile, &figure(&["x25519"], 11.0)).unwrap().passed);
    }

    #[test]
    fn functions_are_counted_apart_by_their_whole_names() {
        let each = |functions: &'static [(&'static str, &'static str)], most| {
            let profile = Profile::parse(&PROFILE.replace("leaf", "bench::leaf")).unwrap();
            compare_each(&profile, &Each { measured: "", functions, most, rustflags: "", note: "" })
        };
        let report = each(&[("leaf", "a leaf"), ("measured", "all")], 765).unwrap();
        let row = |name: &str, instructions: u64| vec![Value::from(name), instructions.into()];
        assert_eq!(report.rows, [row("a leaf", 708), row("all", 764)]);
        assert!(report.passed);
        assert!(!each(&[("measured", "all")], 764).unwrap().passed);
        assert!(each(&[("eaf", "no whole name")], 764).is_err());
    }

    #[test]
    fn a_part_that_was_not_seen_proves_nothing() {
        let profile = Profile::parse(PROFILE).unwrap();
        assert!(compare(&profile, &figure(&["curve25519"], 10.0)).is_err());
        assert!(compare(&Profile::default(), &figure(&["x25519"], 10.0)).is_err());
    }

    #[test]
    fn a_broken_file_is_an_error() {
        assert!(Profile::parse("fn=(3)\n").is_err());
        assert!(Profile::parse("fn=(3) a\ncfn=(4) b\ncalls=1 0\n").is_err());
    }
}
