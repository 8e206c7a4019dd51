//! `cargo run -- serve`: a town that stays, for app developers to point a phone at.

use crate::{cli::ServeArgs, town::TownTrouble};

/// Serves until Ctrl-C.
pub async fn run(_: &ServeArgs) -> Result<(), TownTrouble> {
    Ok(())
}
