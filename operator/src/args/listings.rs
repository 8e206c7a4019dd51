//! The commands for listings.

use clap::{Args, Subcommand};

/// Listings.
#[derive(Subcommand)]
pub enum Listings {
    /// Read an association's feed (`listings_feed` in the configuration) now. The running server does it by itself.
    Import(ImportListings),
}

/// Which feed, and how.
#[derive(Args)]
pub struct ImportListings {
    /// Name of the association.
    #[arg(long)]
    pub association: String,
    /// Read the whole feed, not only what changed: what is in it no more goes.
    #[arg(long)]
    pub whole: bool,
    /// Let most of the listings go, where they are in the feed no more.
    #[arg(long, requires = "whole")]
    pub accept_removals: bool,
    /// How long to wait in all where the feed wants to be asked less often, in seconds.
    #[arg(long, default_value_t = 900)]
    pub wait: u64,
}
