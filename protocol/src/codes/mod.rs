//! Codes that people type on a keypad: how each kind is made and checked (`docs/codes.md`).

pub mod derived;
pub mod picked;
