//! Shows that the protocol and the lock's logic need no standard library.
//!
//! `cargo xtask check leaf` builds this crate with the profile `leaf`, where a panic aborts. There it brings its
//! own panic handler and allocator, as firmware does; a dependency that links `std` brings both a second time,
//! and the build fails (E0152). With any other profile it is an ordinary, empty library, so that the
//! workspace's lints and documentation see it too.

#![cfg_attr(panic = "abort", no_std)]

extern crate sentri_lock as _;
extern crate sentri_protocol as _;

#[cfg(panic = "abort")]
mod firmware;
