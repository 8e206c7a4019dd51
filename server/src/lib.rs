//! The backend of Sentri: JSON API, rules, store and outbox.
//!
//! The way of a request: `http` reads it and finds out who calls, `service` decides, `store` keeps it. What
//! goes out to people (mails, texts, pushes) is written in the same transaction and delivered by `outbox`
//! afterwards. Time, randomness and delivery are [`ports`]. [`Server::start`] is where to begin.

pub mod bench;
pub mod config;
pub mod http;
pub mod key_file;
pub mod metrics;
pub mod outbox;
pub mod ports;
pub mod refusal;
pub mod rules;
pub mod server;

mod catalog;
mod growing_ids;
mod https;
mod operations;
mod passwords;
mod service;
mod store;
mod together;
mod vault;

pub use config::Config;
pub use outbox::Mailbox;
pub use ports::Ports;
pub use refusal::Refusal;
pub use server::{Running, Server, StartError};
pub use service::{operator, reso};
pub use store::{StoreError, schema::Schema};
pub use vault::{Vault, VaultError};
