//! A whole simulated board and the world around it: flash that can lose its power at any operation, a drifting
//! clock, entropy that may repeat, and a radio that is a queue.
//!
//! A [`SimBoard`] is a handle: clones share one device, so that a test or the sandbox keeps one while the lock
//! owns another. All handles may be used from any thread.

mod board;
mod flash;
mod phone;
mod rig;

pub use board::{RadioOutput, SimBoard};
pub use flash::{Cut, SimFlash, Wear};
pub use phone::{Heard, SimPhone};
pub use rig::{Backend, Rig, Visit};
