//! The sandbox of Sentri: a backend, virtual lockboxes and phones in one process, all real parts.
//!
//! [`clock`] is the time that all of them share, [`radio`] the air between phones and [`lockbox`]es.

pub mod chance;
pub mod clock;
pub mod lockbox;
pub mod phone;
pub mod radio;
