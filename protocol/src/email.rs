//! The form of an email address: asked for by the app while a form is being filled in, and by the backend again.

/// The longest address that mail carries, in bytes.
const LONGEST: usize = 254;
/// The longest part before the @, in bytes.
const LONGEST_NAME: usize = 64;
/// The longest part between two dots of the domain, in bytes.
const LONGEST_LABEL: usize = 63;

/// What to say of a text that is none.
pub const NO_ADDRESS: &str = "This is no email address. It looks like name@example.com.";

/// Whether a text, spaces around it taken off, can be an address. Only a mail to it proves it.
pub fn is_plausible(address: &str) -> bool {
    let clean = |byte: u8| !byte.is_ascii_control() && !b" ,;:<>()[]\\\"".contains(&byte);
    address.len() <= LONGEST
        && address.is_ascii()
        && address.bytes().all(clean)
        && address.split_once('@').is_some_and(|(name, domain)| {
            (1..=LONGEST_NAME).contains(&name.len())
                && domain.contains('.')
                && domain.split('.').all(is_label)
        })
}

/// A part of a domain name. Without an @, so that an address has one.
fn is_label(label: &str) -> bool {
    (1..=LONGEST_LABEL).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::is_plausible;

    /// GRT-1, ACC-8
    #[test]
    fn what_can_be_an_address_and_what_can_not() {
        for good in ["dana@example.com", "D.Reyes+x@mail.harbor-realty.example", "a@b.c"] {
            assert!(is_plausible(good), "{good}");
        }
        for bad in [
            "",
            "dana",
            "dana@",
            "@example.com",
            "a@b",
            "a@b@c.de",
            "a b@c.de",
            "a@-b.de",
            "a@b-.de",
            "a@b..de",
            "a@b.",
            "a\r\n@b.de",
            "é@b.de",
        ] {
            assert!(!is_plausible(bad), "{bad:?}");
        }
        let long = |name: usize, label: usize| [&"a".repeat(name), "@", &"b".repeat(label), ".de"].concat();
        assert!(is_plausible(&long(64, 63)) && !is_plausible(&long(65, 63)) && !is_plausible(&long(64, 64)));
        assert!(!is_plausible(&["a@", &"b.".repeat(130), "de"].concat()));
    }
}
