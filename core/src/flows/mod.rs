//! What people are led through: state machines that return the next step as data, and what is done with an account.

pub mod changes;
pub mod grant;
pub mod identity;
pub mod leave;
