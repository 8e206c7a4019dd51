//! `cargo xtask test kotlin`: the Maven module, with Java and Maven of this machine or of its Debian packages.

use std::process::Command;

use anyhow::Result;

use super::{Count, Stand, docs, reasons};
use crate::{process, tools, workspace::Workspace};

/// Builds the module and runs its tests.
pub fn test(workspace: &Workspace) -> Result<()> {
    let mut maven = maven(workspace)?;
    reasons::check(workspace, "kotlin")?;
    let stand = Stand::build(workspace)?;
    maven.arg(format!("-Dsentri.library.dir={}", stand.library.display()));
    maven.arg("test").envs(stand.variables());
    let mut count = Count::default();
    let ran = process::overhear(&mut maven, |line| count.hear_maven(line));
    count.close("kotlin", ran)
}

/// Maven in the module's folder, with all that it fetches in a folder of ours, and the docs' program to compile.
pub fn maven(workspace: &Workspace) -> Result<Command> {
    docs::take_out(workspace, "kotlin", &workspace.path("bindings/kotlin/target/docs/AppDevelopers.kt"))?;
    tools::need("java", "default-jdk-headless")?;
    tools::need("mvn", "maven")?;
    let mut maven = process::command("mvn");
    // In process: a compiler daemon would outlive the run.
    maven
        .args(["--batch-mode", "--no-transfer-progress", "-Dkotlin.compiler.daemon=false"])
        .current_dir(workspace.path("bindings/kotlin"));
    maven.arg(format!("-Dmaven.repo.local={}", workspace.target.join("maven").display()));
    Ok(maven)
}

impl Count {
    /// The sum of all classes, which Maven prints without naming one:
    /// `[INFO] Tests run: 33, Failures: 0, Errors: 0, Skipped: 0`.
    fn hear_maven(&mut self, line: &str) {
        let Some((_, counts)) = line.split_once("] Tests run: ") else { return };
        if counts.contains("Time elapsed") {
            return;
        }
        let numbers: Vec<u32> = counts
            .split(", ")
            .filter_map(|part| part.rsplit(' ').next().and_then(|number| number.trim().parse().ok()))
            .collect();
        if let [run, failures, errors, skipped] = numbers[..] {
            let failed = failures + errors;
            *self = Self { passed: run.saturating_sub(failed + skipped), failed, skipped, ..Self::default() };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_of_all_classes_counts() {
        let mut count = Count::default();
        count.hear_maven(
            "[INFO] Tests run: 2, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 2.5 s -- in sentri.A",
        );
        assert_eq!(count, Count::default());
        count.hear_maven("[ERROR] Tests run: 17, Failures: 1, Errors: 2, Skipped: 3");
        assert_eq!(count, Count { passed: 11, failed: 3, skipped: 3, ..Count::default() });
    }
}
