//! The JSON bodies that the mobile core and the backend exchange, version `/v1`.
//!
//! Requests refuse unknown fields, so that a typing error is told; responses are read leniently, so that
//! an older phone survives a newer backend. Times are whole seconds since 1970-01-01 UTC, binary values
//! are standard base64 with padding, ids are UUIDs. Nothing here decides anything: rules live in
//! `sentri-protocol` and in the backend.

pub mod account;
pub mod agent;
pub mod binary;
pub mod card;
pub mod codes;
pub mod credential;
pub mod device;
pub mod event;
pub mod export;
pub mod headers;
pub mod hub;
pub mod identity;
pub mod problem;
pub mod residence;
pub mod secret;
pub mod settings;
pub mod sync;

pub use binary::Binary;
pub use problem::Problem;
pub use secret::Secret;

/// The version of this contract: the first part of every path is `v` and this number. A change that an older
/// client can't live with raises it.
pub const API_VERSION: &str = "1";

/// Whole seconds since 1970-01-01 00:00:00 UTC.
pub type Timestamp = i64;
