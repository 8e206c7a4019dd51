//! What people read out of mails and texts.

/// The token in the link of an invitation mail; nothing where it has none.
pub fn invitation_in(mail: &str) -> Option<&str> {
    mail.split_once("/join#").and_then(|(_, rest)| rest.split_whitespace().next())
}

/// The code that a text message begins with.
pub fn code_in(text: &str) -> String {
    text.chars().take_while(char::is_ascii_digit).collect()
}
