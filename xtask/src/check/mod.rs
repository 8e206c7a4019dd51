//! The checks: each is one step, and one word on the command line.

pub mod api;
mod asvs;
mod cargo;
mod ids;
mod leaf;
mod prose;
mod readme;
mod size;
mod supply;
mod uniffi;

use anyhow::Result;
use clap::ValueEnum;

use crate::{steps::Steps, workspace::Workspace};

/// What can be checked; the order is the one they run in, the quick ones first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Check {
    /// Code is formatted.
    Fmt,
    /// No source file is over 500 lines, and each Rust one opens with what it is for.
    Files,
    /// Every requirement id that is named is explained in `docs/requirements.md`.
    Ids,
    /// `uniffi` is named only where the mobile core exports its API.
    Uniffi,
    /// No file names a machine's own folders or a package registry's host.
    Prose,
    /// Every test that `docs/asvs.md` names is there.
    Asvs,
    /// Licences, bans and sources of all dependencies.
    Deny,
    /// No dependency has a known vulnerability.
    Audit,
    /// The exported API is the one that is listed in `docs/api`.
    Api,
    /// No lint fires.
    Clippy,
    /// The protocol and the lock's logic need no standard library.
    Leaf,
    /// Documentation builds, links and all.
    Docs,
    /// README's commands run as printed, in a fresh clone.
    Readme,
}

/// Runs these checks, one after the other.
pub fn run(workspace: &Workspace, steps: &mut Steps, checks: &[Check]) {
    for check in checks {
        let name = check.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
        steps.run(&format!("check {name}"), || check.run(workspace));
    }
}

impl Check {
    fn run(self, workspace: &Workspace) -> Result<()> {
        match self {
            Self::Fmt => cargo::fmt(workspace),
            Self::Files => size::check(workspace),
            Self::Ids => ids::check(workspace),
            Self::Uniffi => uniffi::check(workspace),
            Self::Prose => prose::check(workspace),
            Self::Asvs => asvs::check(workspace),
            Self::Deny => supply::deny(workspace),
            Self::Audit => supply::audit(workspace),
            Self::Api => api::check(workspace),
            Self::Clippy => cargo::clippy(workspace),
            Self::Leaf => leaf::check(workspace),
            Self::Docs => cargo::docs(workspace),
            Self::Readme => readme::check(workspace),
        }
    }
}
