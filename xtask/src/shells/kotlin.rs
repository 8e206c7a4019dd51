//! `cargo xtask test kotlin`: the Maven module, with Java and Maven of this machine or of its Debian packages.

use anyhow::Result;

use super::{Count, Stand, docs};
use crate::{process, tools, workspace::Workspace};

/// Builds the module and runs its tests.
pub fn test(workspace: &Workspace) -> Result<()> {
    tools::need("java", "default-jdk-headless")?;
    tools::need("mvn", "maven")?;
    let stand = Stand::build(workspace)?;
    docs::take_out(workspace, "kotlin", &workspace.path("bindings/kotlin/target/docs/AppDevelopers.kt"))?;

    let mut maven = process::command("mvn");
    maven
        .args(["--batch-mode", "--no-transfer-progress", "test"])
        .current_dir(workspace.path("bindings/kotlin"));
    maven.arg(format!("-Dmaven.repo.local={}", workspace.target.join("maven").display()));
    maven.arg(format!("-Dsentri.library.dir={}", stand.library.display()));
    maven.envs(stand.variables());
    let mut count = Count::default();
    let ran = process::overhear(&mut maven, |line| count.hear_maven(line));
    count.close("kotlin", ran)
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
            *self = Self { passed: run.saturating_sub(failed + skipped), failed, skipped };
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
        assert_eq!(count, Count { passed: 11, failed: 3, skipped: 3 });
    }
}
