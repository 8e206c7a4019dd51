//! What a shell may call: the only place, with `lib.rs`, that names `UniFFI`.
//!
//! Everything goes through one [`SentriCore`](core_object::SentriCore) for each installation. Its calls may be
//! made from any thread and at the same time. Cancelling a call from Swift does not reach it: calls that wait
//! for a person return a handle that can be cancelled.
#![deny(missing_docs)]

pub mod agent;
pub mod codes;
pub mod contractor;
pub mod core_object;
pub mod device_key;
pub mod diagnostic;
pub mod error;
pub mod grant_flow;
pub mod identity;
pub mod keypad;
pub mod keypad_records;
pub mod lifecycle;
pub mod link_events;
pub mod lockboxes;
mod login_name;
pub mod messages;
pub mod outlook;
pub mod own_account;
pub mod ports;
pub mod presence;
pub mod pushes;
pub mod rehearsal;
pub mod residence;
pub mod residence_records;
mod secrets;
pub mod session;
pub mod signup;
pub mod streams;
pub mod sync;
pub mod types;

use std::panic::{AssertUnwindSafe, catch_unwind};

use uuid::Uuid;

use error::CoreError;

/// An id that the shell hands back.
fn parse_id(field: &str, id: &str) -> Result<Uuid, CoreError> {
    Uuid::parse_str(id).map_err(|_| invalid(field, "This is no id."))
}

/// What an exported call that can't fail does. A bug in it is no error there, since it has none to give: in Swift it
/// would end the app.
fn shielded<T>(otherwise: T, work: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(otherwise)
}

fn invalid(field: &str, reason: &str) -> CoreError {
    CoreError::InvalidField { field: field.into(), reason: reason.into() }
}

#[cfg(test)]
mod tests {
    use super::shielded;

    #[test]
    fn a_bug_in_a_call_that_cant_fail_ends_neither_call_nor_app() {
        assert_eq!(shielded(1, || 2), 2);
        assert_eq!(shielded(1, || panic!("a bug, rehearsed")), 1);
    }
}
