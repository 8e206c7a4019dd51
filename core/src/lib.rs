//! The mobile core of Sentri: everything that an agent's and a contractor's phone do, except to draw it.
//!
//! What a shell may call is under [`api`], exported to Swift and Kotlin by `UniFFI`; the rest is plain Rust.
//! Read in this order: [`api`] (what there is), [`app`] and [`session`] (who is logged in), [`http`] and
//! [`store`] (where things come from and rest), [`sync`] (how they get there), [`flows`] (what an agent is led
//! through), [`open`] (what happens on ENT).

pub mod api;
pub mod app;
pub mod changes;
pub mod codes;
#[cfg(feature = "desktop")]
pub mod desktop;
pub mod device_key;
pub mod diagnostic;
pub mod flows;
pub mod home;
pub mod http;
mod json;
pub mod keys;
pub mod open;
pub(crate) mod order;
pub mod ports;
mod runtime;
pub mod session;
pub mod store;
pub mod sync;
pub mod true_time;

pub use api::{core_object::SentriCore, error::CoreError};
pub use ports::Ports;

uniffi::setup_scaffolding!();
