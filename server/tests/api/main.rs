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
mod authority_rows;
mod box_kills;
mod box_search;
mod box_settings;
mod code_blocks;
mod codes;
mod codes_by_phone;
mod decisions;
mod deletion;
mod delivery_kills;
mod device_keys;
mod devices;
mod document;
mod events;
mod export;
mod feed;
mod feed_faults;
mod feed_kills;
mod granting_kills;
mod grants;
mod instances;
mod kills;
mod locks;
mod log_and_records;
mod log_pages;
mod mail_server;
mod migrations;
mod mortal;
mod outbox;
mod passwords;
mod profile;
mod requests;
mod residents;
mod restore;
mod retention;
mod signup;
mod smtp;
mod startup;
mod sync;
mod versions;
mod webhook;
mod world;
