//! Phones of the sandbox.

mod bare;

pub use bare::BarePhone;
