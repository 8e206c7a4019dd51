//! What a phone, a lock and the backend say to each other so that a key bin opens on ENT, offline.
//!
//! The formats are those of `docs/protocol.md`. Nothing here does input or output: bytes go in and come out,
//! and time and randomness are handed in, so the same code runs in the mobile core, in the backend and in
//! firmware without a standard library.
//!
//! The way of an open: [`advert`] → [`open::phone`] makes M1 from a [`ticket`] → [`frame`] → [`open::lock`]
//! proves it and answers M2 with a [`status`] → [`open::channel`] for the rest.
#![no_std]
#![deny(missing_docs)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod advert;
pub mod audit;
pub mod bytes;
pub mod card;
pub mod card_memory;
pub mod clock;
pub mod codes;
pub mod email;
pub mod frame;
pub mod grant;
pub mod hours;
pub mod keys;
pub mod open;
pub mod random;
pub mod revocation;
pub mod settings;
pub mod status;
pub mod ticket;
pub mod time;
pub mod zone;

pub use bytes::Malformed;
pub use keys::{Generation, KeyTree, Seed};
pub use time::Time;
