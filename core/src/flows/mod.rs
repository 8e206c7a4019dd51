//! What an agent is led through, as state machines that return the next step as data.

pub mod grant;
