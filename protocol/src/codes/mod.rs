//! Codes that people type on a keypad: how each kind is made and checked (`docs/codes.md`).
//!
//! [`kind`] tells from its length what an entry is. Backend, phone and lock compute [`contractor`], [`one_day`],
//! [`smac`] and [`smart_pin`] codes alike from the lock's seed; [`stored`] codes are in the lock's table, made or
//! [`picked`], each with its [`validity`], and get there by [`delivery`]. [`lockout`] bounds how often anyone may guess.

pub mod contractor;
pub mod delivery;
pub mod derived;
pub mod digits;
pub mod kind;
pub mod lockout;
pub mod one_day;
pub mod otp;
pub mod picked;
pub mod present;
pub mod short_pin;
pub mod smac;
pub mod smart_pin;
pub mod stored;
pub mod validity;

pub use digits::{Digits, NotTheseDigits};
pub use present::{Present, Refused};
