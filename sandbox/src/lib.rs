//! The sandbox of Sentri: a backend, virtual lockboxes and phones in one process, all real parts.
//!
//! A [`town`] holds them together: a [`clock`] that all share, the [`radio`] between [`phone`]s and
//! [`lockbox`]es, a [`card`] for those without one, and the backend. The [`story`] plays the main job in one;
//! [`serve`] keeps one running for app developers, with the [`control`] API to press its keys.

pub mod calls;
pub mod card;
pub mod chance;
pub mod cli;
pub mod clock;
pub mod control;
pub mod hub;
pub mod keypad;
pub mod letters;
pub mod lockbox;
pub mod phone;
pub mod radio;
pub mod serve;
pub mod story;
pub mod town;
