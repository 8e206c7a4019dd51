//! Codes that people type: made, hidden in the database, compared.

use sentri_wire::{Secret, problem::ProblemCode};
use subtle::ConstantTimeEq;

use super::App;
use crate::refusal::{Answer, Refusal};

/// How long a code works, in seconds.
pub const SECONDS: i64 = 10 * 60;
/// Tries at a code.
pub const TRIES: i64 = 3;
/// Digits of a texted code. [ACC-8]
pub const TEXTED: usize = 4;
/// Digits of a mailed code.
pub const MAILED: usize = 6;

/// So many digits, each as likely as another.
pub fn digits(app: &App, count: usize) -> Secret {
    // 2^128 is so much larger than 10^6 that the bias is below 10^-32.
    let number = u128::from_be_bytes(app.random()) % 10u128.pow(u32::try_from(count).unwrap_or(4));
    Secret::new(format!("{number:0count$}"))
}

/// What is stored of a code. It has few values: only a keyed digest hides it. It is bound to the request that asked
/// for it, and to the way by which it went.
pub fn keyed(app: &App, way: &str, request: &str, code: &Secret) -> String {
    app.vault.fingerprint(way, format!("{request}.{}", code.expose()).as_bytes())
}

/// Refuses a code that is not the stored one.
pub fn check(stored: &str, given: &str, field: &str) -> Answer<()> {
    if bool::from(given.as_bytes().ct_eq(stored.as_bytes())) {
        Ok(())
    } else {
        Err(Refusal::new(ProblemCode::WrongCode).field(field))
    }
}
