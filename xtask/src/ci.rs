//! All that must hold before a change lands, the quick parts first.

use clap::ValueEnum;

use crate::{bindings, check, check::Check, package, steps::Steps, test, test::Suite, workspace::Workspace};

/// Runs everything, whatever fails on the way, so that one run tells all that is wrong.
pub fn run(workspace: &Workspace, steps: &mut Steps) {
    // README's commands come last, since they build what the steps before have built already.
    let (readme, checks): (Vec<Check>, Vec<Check>) =
        Check::value_variants().iter().partition(|check| **check == Check::Readme);
    // The exported API is read from the bindings.
    steps.run("bindings", || bindings::generate(workspace));
    check::run(workspace, steps, &checks);
    // `cargo test` itself is one of README's commands.
    let suites: Vec<Suite> =
        Suite::value_variants().iter().copied().filter(|suite| *suite != Suite::Rust).collect();
    steps.run("test beside cargo test", || test::beside_cargo_test(workspace));
    test::run(workspace, steps, &suites);
    steps.run("package", || package::weigh_and_tell(workspace));
    check::run(workspace, steps, &readme);
}
