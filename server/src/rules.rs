//! The rules for what people type: addresses, numbers, names, passwords, PINs. Parsed once, at the edge.

use sentri_protocol::{
    codes::picked::{PickedRefusal, check_pin},
    email,
};
use sentri_wire::{Secret, account::PasswordRule};

use crate::refusal::{Answer, Refusal};

/// An email address of a plausible shape; only a mail to it proves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Reads it. `field` names it in a refusal.
    pub fn parse(text: &str, field: &str) -> Answer<Self> {
        let text = text.trim();
        if email::is_plausible(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Refusal::invalid(field, email::NO_ADDRESS))
        }
    }

    /// Reads one that is typed twice, as `email` and `email_again`.
    pub fn twice(email: &str, again: &str) -> Answer<Self> {
        let first = Self::parse(email, "email")?;
        if Self::parse(again, "email_again")?.key() == first.key() {
            Ok(first)
        } else {
            Err(Refusal::invalid("email_again", "The two addresses differ."))
        }
    }

    /// As it was typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What makes two addresses the same: their lower-case form.
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

/// A cell phone number: 10 to 15 digits with the usual punctuation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phone(String);

impl Phone {
    /// Reads it. `field` names it in a refusal.
    pub fn parse(text: &str, field: &str) -> Answer<Self> {
        let text = text.trim();
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let clean = text.len() <= 32
            && text
                .char_indices()
                .all(|(at, c)| c.is_ascii_digit() || " -.()".contains(c) || (c == '+' && at == 0));
        if clean && (10..=15).contains(&digits) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Refusal::invalid(field, "This is no phone number. Enter 10 digits, with area code."))
        }
    }

    /// Reads one that is typed twice, as `phone` and `phone_again`.
    pub fn twice(phone: &str, again: &str) -> Answer<Self> {
        let first = Self::parse(phone, "phone")?;
        if Self::parse(again, "phone_again")?.key() == first.key() {
            Ok(first)
        } else {
            Err(Refusal::invalid("phone_again", "The two numbers differ."))
        }
    }

    /// As it was typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What makes two numbers the same: their digits, with the US country code where none was typed.
    pub fn key(&self) -> String {
        let digits: String = self.0.chars().filter(char::is_ascii_digit).collect();
        if digits.len() == 10 { format!("1{digits}") } else { digits }
    }
}

/// The agent's nine digits. [ACC-1]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentrikeyId(String);

impl SentrikeyId {
    /// Reads it. `field` names it in a refusal.
    pub fn parse(text: &str, field: &str) -> Answer<Self> {
        let text = text.trim();
        if text.len() == 9 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Refusal::invalid(field, "A SentriKey ID has nine digits."))
        }
    }

    /// The nine digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Reads a text of 1 to `longest` characters without control characters: a name, a role, a city.
pub fn text(value: &str, longest: usize, field: &str) -> Answer<String> {
    let value = value.trim();
    if value.is_empty() {
        return Err(Refusal::invalid(field, "This is missing."));
    }
    if value.chars().count() > longest {
        let longest_number = u32::try_from(longest).unwrap_or(u32::MAX);
        return Err(Refusal::invalid(field, format!("At most {longest} characters.")).limit(longest_number));
    }
    if value.chars().any(char::is_control) {
        return Err(Refusal::invalid(field, "This has characters that can't be shown."));
    }
    Ok(value.to_owned())
}

/// Reads the street address of a listing. `field` names it in a refusal.
pub fn street_address(value: &str, field: &str) -> Answer<String> {
    text(value, 200, field)
}

/// Whether an account may have this password. [ACC-9]
pub fn password(rule: PasswordRule, password: &Secret, field: &str) -> Answer<()> {
    match rule {
        PasswordRule::Standard => standard_password(password.expose(), field),
        PasswordRule::Strict => strict_password(password.expose(), field),
    }
}

/// 8 to 64 characters of any kind, but none of what an attacker tries first: passwords from breaches, words, names,
/// dates, and what is made of them by rule.
fn strict_password(text: &str, field: &str) -> Answer<()> {
    if !(8..=64).contains(&text.chars().count()) {
        return Err(Refusal::invalid(field, "A password has 8 to 64 characters."));
    }
    if zxcvbn::zxcvbn(text, &["sentri", "sentrikey"]).score() < zxcvbn::Score::Three {
        return Err(Refusal::invalid(
            field,
            "This password is easily guessed. Four unrelated words are better.",
        ));
    }
    Ok(())
}

/// 6 to 20 characters, an upper case, a lower case, a digit.
fn standard_password(text: &str, field: &str) -> Answer<()> {
    let refuse = |detail: &str| Err(Refusal::invalid(field, detail));
    if !(6..=20).contains(&text.chars().count()) {
        return refuse("A password has 6 to 20 characters.");
    }
    if !text.chars().any(char::is_uppercase) {
        return refuse("A password has at least one upper case letter.");
    }
    if !text.chars().any(char::is_lowercase) {
        return refuse("A password has at least one lower case letter.");
    }
    if !text.chars().any(|c| c.is_ascii_digit()) {
        return refuse("A password has at least one digit.");
    }
    Ok(())
}

/// The PIN rule, which the app applies too. [ACC-9]
pub fn pin(pin: &Secret, field: &str) -> Answer<()> {
    check_pin(pin.expose()).map_err(|refusal| {
        Refusal::invalid(
            field,
            match refusal {
                PickedRefusal::NotDigits | PickedRefusal::WrongLength => "A PIN has four digits.",
                PickedRefusal::OneDigitRepeated => "A PIN is not one digit repeated.",
                PickedRefusal::ConsecutiveRun => "A PIN is not a run like 1234 or 4321.",
            },
        )
    })
}

/// Reads the name of an IANA time zone.
pub fn time_zone(name: &str, field: &str) -> Answer<chrono_tz::Tz> {
    name.parse()
        .map_err(|_| Refusal::invalid(field, "This is no time zone. It looks like America/Los_Angeles."))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ACC-9
    #[test]
    fn passwords_and_pins_name_the_rule_they_break() {
        for (text, good) in [
            ("Abcde1", true),
            ("Abcdefghijklmnopqrs1", true),
            ("Abcd1", false),
            ("Abcdefghijklmnopqrst1", false),
            ("abcdef1", false),
            ("ABCDEF1", false),
            ("Abcdefg", false),
        ] {
            assert_eq!(standard_password(text, "password").is_ok(), good, "{text}");
        }
        for (text, good) in [
            ("2580", true),
            ("1235", true),
            ("1111", false),
            ("1234", false),
            ("4321", false),
            ("12a4", false),
            ("123", false),
        ] {
            assert_eq!(pin(&Secret::new(text), "pin").is_ok(), good, "{text}");
        }
    }

    /// ACC-9: length instead of composition.
    #[test]
    fn the_strict_rule_takes_long_ones_and_refuses_what_is_tried_first() {
        for (text, good) in [
            ("lantern quarry mist 5", true),
            ("correcthorsebatterystaple", true),
            ("Abcdef1", false),
            ("Password1!", false),
            ("Summer2026", false),
            ("aaaaaaaaaaaaaaaaaaaa", false),
        ] {
            assert_eq!(strict_password(text, "password").is_ok(), good, "{text}");
        }
        assert!(strict_password(&"lantern quarry mist ".repeat(4), "password").is_err());
    }

    #[test]
    fn addresses_and_numbers_have_one_key_however_they_are_typed() {
        let mail = |text| Email::parse(text, "email");
        assert_eq!(mail(" Dana@Example.com ").unwrap().key(), "dana@example.com");
        assert!(mail("dana@").is_err());
        assert_eq!(Phone::parse("(503) 555-0123", "phone").unwrap().key(), "15035550123");
        assert_eq!(Phone::parse("+1 503 555 0123", "phone").unwrap().key(), "15035550123");
        for bad in ["", "555-0123", "call me", "503+5550123", "1234567890123456"] {
            assert!(Phone::parse(bad, "phone").is_err(), "{bad:?}");
        }
    }
}
