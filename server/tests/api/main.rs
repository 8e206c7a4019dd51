//! The backend through its public surface: real HTTP on loopback, a real database, an injected clock.
//!
//! Runs on SQLite in a temporary folder; with `SENTRI_TEST_DATABASE=postgres://user@host` each test makes its
//! own database there instead.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

mod accounts;
mod authority;
mod document;
mod events;
mod export;
mod grants;
mod locks;
mod log_and_records;
mod migrations;
mod outbox;
mod requests;
mod retention;
mod signup;
mod startup;
mod sync;
mod versions;
mod world;
