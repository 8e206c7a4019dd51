//! What people log in with, as they type it. [ACC-1]

use sentri_wire::account::LoginName;

use super::{error::CoreError, invalid};

/// Nine digits; spaces and dashes between them are fine.
pub(super) fn by_sentrikey_id(typed: &str) -> Result<LoginName, CoreError> {
    let digits: String = typed.chars().filter(|it| !matches!(it, ' ' | '-')).collect();
    if digits.len() != 9 || !digits.bytes().all(|it| it.is_ascii_digit()) {
        return Err(invalid("sentrikey_id", "A SentriKey ID has nine digits."));
    }
    Ok(LoginName::SentrikeyId(digits))
}

/// An address; the backend looks more closely.
pub(super) fn by_email(typed: &str) -> Result<LoginName, CoreError> {
    let email = typed.trim();
    if !email.contains('@') {
        return Err(invalid("email", "This is no email address."));
    }
    Ok(LoginName::Email(email.to_owned()))
}
