//! The firmware logic of a lockbox, without its devices: what happens from a press of ENT to an open key bin.
//!
//! Everything a device does is behind a trait in [`ports`]; a [`Lock`] is driven by inputs (keys, connections,
//! frames, the passing of time) and drives the ports. The same code runs in firmware without a standard library
//! and, over `sim`'s board, in tests and in the sandbox.
//!
//! The way of an open: [`Lock::press`] wakes → frames make M1 → [`judge`] → the [`journal`] takes it down →
//! the motor → M2. Codes on the keypad go through [`keypad`] and [`lockout`] instead.
//!
//! The battery may be pulled at any instant. A port that notices makes the input return [`Halt`]; the owner
//! drops the lock and boots a new one from the same flash.
#![no_std]
#![deny(missing_docs)]

extern crate alloc;
#[cfg(feature = "sim")]
extern crate std;

pub mod clock;
pub mod journal;
pub mod judge;
pub mod keypad;
mod lock;
pub mod lockout;
pub mod ports;
mod records;
mod session;
#[cfg(feature = "sim")]
pub mod sim;

pub use keypad::{Capabilities, Digit, Key, NotHeld};
pub use lock::{BootError, Counters, FIRMWARE, Halt, Lock, ProvisionError, Provisioning};
