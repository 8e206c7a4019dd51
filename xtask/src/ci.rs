//! All that must hold before a change lands, the quick parts first.

use clap::ValueEnum;

use crate::{bindings, check, check::Check, package, steps::Steps, test, test::Suite, workspace::Workspace};

/// Runs everything, whatever fails on the way, so that one run tells all that is wrong.
pub fn run(workspace: &Workspace, steps: &mut Steps) {
    // README's commands come last: they build what the steps before have built already.
    let (readme, checks): (Vec<Check>, Vec<Check>) =
        Check::value_variants().iter().partition(|check| **check == Check::Readme);
    // The exported API is read from the bindings.
    steps.run("bindings", || bindings::generate(workspace));
    check::run(workspace, steps, &checks);
    test::run(workspace, steps, Suite::value_variants());
    steps.run("package", || package::weigh_and_tell(workspace));
    check::run(workspace, steps, &readme);
}
