//! Every text that goes out to people, in one place: mails, texts, pushes, messages.

use chrono::{DateTime, Datelike, TimeZone, Utc};
use chrono_tz::Tz;
use sentri_wire::{Timestamp, problem::SupportContact};

/// Title and text of a message, a mail or a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// One line.
    pub title: String,
    /// The rest.
    pub body: String,
}

/// What the texts about an access are made of.
pub struct Visit<'a> {
    /// Street address, one line.
    pub address: &'a str,
    /// The property's zone: all times are shown in it.
    pub zone: Tz,
    /// First second of the window.
    pub starts_at: Timestamp,
    /// First second after it.
    pub ends_at: Timestamp,
}

impl Visit<'_> {
    /// "Fri, Nov 20, 2026, 9:00 AM to 5:00 PM PST", with both days where they differ.
    fn window(&self) -> String {
        let (Some(start), Some(end)) = (local(self.zone, self.starts_at), local(self.zone, self.ends_at))
        else {
            return String::new();
        };
        let same_day = (start.year(), start.ordinal()) == (end.year(), end.ordinal());
        let end =
            if same_day { end.format("%-I:%M %p %Z") } else { end.format("%a, %b %-d, %Y, %-I:%M %p %Z") };
        format!("{} to {end}", start.format("%a, %b %-d, %Y, %-I:%M %p"))
    }

    /// "Fri, Nov 20, 2026, 9:00 AM PST"
    fn moment(&self, at: Timestamp) -> String {
        let time = local(self.zone, at);
        time.map(|time| time.format("%a, %b %-d, %Y, %-I:%M %p %Z").to_string()).unwrap_or_default()
    }
}

fn local(zone: Tz, at: Timestamp) -> Option<DateTime<Tz>> {
    Utc.timestamp_opt(at, 0).single().map(|time| time.with_timezone(&zone))
}

/// To the granter, for each grant. [GRT-3]
pub fn granted(visit: &Visit<'_>, email: &str, is_new: bool) -> Text {
    let how = if is_new {
        "They are new, so we sent them an invitation by email."
    } else {
        "They have an account, so we told them in their app."
    };
    Text {
        title: "SentriConnect Access Granted".into(),
        body: format!(
            "{email} can open the lockbox at {} on {}. {how} You can revoke this until it begins.",
            visit.address,
            visit.window()
        ),
    }
}

/// To the contractor who has an account. [GRT-3]
pub fn received(visit: &Visit<'_>, granter: &str) -> Text {
    Text {
        title: "SentriConnect Access Granted".into(),
        body: format!(
            "{granter} gave you access to {} on {}. Open the app once before you go, so that it works without network.",
            visit.address,
            visit.window()
        ),
    }
}

/// To both, when it is taken back. [GRT-3]
pub fn revoked(visit: &Visit<'_>, email: &str) -> Text {
    Text {
        title: "SentriConnect Access Revoked".into(),
        body: format!("The access of {email} to {} on {} was taken back.", visit.address, visit.window()),
    }
}

/// To the granter, when it is used, though it may have been taken back: neither box nor phone had heard of that. [CON-4]
pub fn used(visit: &Visit<'_>, who: &str, at: Timestamp, revoked_at: Option<Timestamp>) -> Text {
    let opened = format!("{who} opened the lockbox at {} on {}.", visit.address, visit.moment(at));
    let body = match revoked_at {
        Some(revoked_at) => format!(
            "{opened} You took this access back on {}, but neither the lockbox nor the phone had heard of that. \
             The key may be out: please call them.",
            visit.moment(revoked_at)
        ),
        None => opened,
    };
    Text { title: "SentriConnect Access Used".into(), body }
}

/// To the owner, when a member of the association has opened the box. [AGT-1, CON-4]
pub fn visited(visit: &Visit<'_>, who: &str, at: Timestamp) -> Text {
    Text {
        title: "Lockbox Opened By A Member".into(),
        body: format!(
            "{who}, a member of your association, opened the lockbox at {} on {}.",
            visit.address,
            visit.moment(at)
        ),
    }
}

/// The invitation mail to somebody who has no account. [GRT-3]
pub fn invitation(visit: &Visit<'_>, granter: &str, link: &str) -> Text {
    Text {
        title: format!("{granter} gave you access to {}", visit.address),
        body: format!(
            "Hello,\n\n\
             {granter} gave you SentriConnect access to the lockbox at {} on {}.\n\n\
             1. Download the Sentri Connect app to your phone.\n\
             2. Register with this link: {link}\n\
             \x20  It is yours alone and works once. Have your cell phone at hand: we text you a code.\n\
             3. Log in with your email and password. Open the app once before you go: from then on it works without network.\n\
             4. At the lockbox, open the app and press ENT on the lockbox. The key bin opens.\n\n\
             You did not expect this? Then do nothing: without the link nobody gets access in your name.\n",
            visit.address,
            visit.window()
        ),
    }
}

/// The same mail to an address that is an agent's: only its owner reads that it is.
pub fn invitation_to_agent(visit: &Visit<'_>, granter: &str) -> Text {
    Text {
        title: format!("{granter} wants to give you access to {}", visit.address),
        body: format!(
            "Hello,\n\n\
             {granter} wants to give you SentriConnect access to the lockbox at {} on {}.\n\n\
             This address belongs to an agent's account, and SentriConnect access is for people who are no members. \
             As a member in good standing, use your agent app. For another account, give {granter} another address.\n",
            visit.address,
            visit.window()
        ),
    }
}

/// The mail that tells somebody without an account that an invitation holds no more. [GRT-3]
pub fn revoked_mail(visit: &Visit<'_>, granter: &str) -> Text {
    Text {
        title: format!("Your access to {} was taken back", visit.address),
        body: format!(
            "Hello,\n\n{granter} took back your SentriConnect access to {} on {}.\n",
            visit.address,
            visit.window()
        ),
    }
}

/// The mail with the link for a forgotten password. [ACC-3]
pub fn reset(first_name: &str, link: &str) -> Text {
    Text {
        title: "Reset your Sentri password".into(),
        body: format!(
            "Hello {first_name},\n\n\
             Somebody asked to reset the password of your Sentri account. Choose a new one here:\n{link}\n\n\
             The link works once, for one hour. Afterwards log in again on each of your phones.\n\n\
             It was not you? Then do nothing: your password stays as it is.\n"
        ),
    }
}

/// To the owner, after each change of the password. [ACC-3, ACC-10]
pub fn password_changed(first_name: &str, support: &SupportContact) -> Text {
    Text {
        title: "Your Sentri password was changed".into(),
        body: format!(
            "Hello {first_name},\n\n\
             The password of your Sentri account was changed just now.\n\n\
             It was not you? Reset it with \"Forgot password\" in the app, and call {}.\n",
            call(support)
        ),
    }
}

/// The mail with the code that proves who somebody is. [ACC-5, ACC-9]
pub fn identity_code(code: &str) -> Text {
    Text {
        title: format!("{code} is your Sentri code"),
        body: format!(
            "Hello,\n\n\
             {code} is your code to manage your phones or to set a new PIN. It works for 10 minutes.\n\n\
             You did not ask for it? Then somebody knows your password: change it now. We never ask you for a code.\n"
        ),
    }
}

/// The mail with the code that proves an address, at sign-up or for a change. [ACC-8, ACC-10]
pub fn address_code(code: &str) -> Text {
    Text {
        title: format!("{code} is your Sentri code"),
        body: format!(
            "Hello,\n\n\
             {code} is the code that proves that this is your address. It works for 10 minutes.\n\n\
             You did not ask for it? Then do nothing: without the code your address is not used.\n"
        ),
    }
}

/// To the former address, after a change. [ACC-10]
pub fn address_changed(first_name: &str, support: &SupportContact) -> Text {
    Text {
        title: "The email address of your Sentri account was changed".into(),
        body: format!(
            "Hello {first_name},\n\n\
             Your Sentri account has another email address from now on. This one gets no more mail from us.\n\n\
             It was not you? Call {}.\n",
            call(support)
        ),
    }
}

/// To the owner, when a phone was removed or the PIN set anew. [ACC-5, ACC-9]
pub fn security_changed(first_name: &str, what: &str, support: &SupportContact) -> Text {
    Text {
        title: format!("Sentri: {what}"),
        body: format!(
            "Hello {first_name},\n\n\
             On your Sentri account just now: {what}.\n\n\
             It was not you? Change your password, and call {}.\n",
            call(support)
        ),
    }
}

/// To the address of an account that was deleted. [ACC-11]
pub fn account_deleted() -> Text {
    Text {
        title: "Your Sentri account was deleted".into(),
        body: "Hello,\n\n\
               Your Sentri account and what we knew of you are deleted. The owners of lockboxes that you opened keep an \
               entry without your name.\n\n\
               If you still hold a key, return it now: your phone opens the lockbox once more for that.\n"
            .into(),
    }
}

/// To the granter, when the holder of an access deleted the account. [ACC-11]
pub fn holder_deleted(visit: &Visit<'_>, pseudonym: &str) -> Text {
    Text {
        title: "SentriConnect Access Revoked".into(),
        body: format!(
            "Somebody to whom you gave access to {} on {} has deleted their account. In your log they are now {pseudonym}.",
            visit.address,
            visit.window()
        ),
    }
}

/// To the owner of a lockbox that a mobile access code opened which nobody was given. [COD-1]
pub fn unknown_code(first_name: &str, lockbox: &str, support: &SupportContact) -> Text {
    Text {
        title: format!("Lockbox {lockbox} was opened by an unknown code"),
        body: format!(
            "Hello {first_name},\n\n\
             Somebody opened your lockbox {lockbox} with a mobile access code that we gave to nobody. Go and look, take the \
             key out, and call {}.\n",
            call(support)
        ),
    }
}

/// "Support at +1 555-0100, every day, 8 am to 8 pm".
fn call(support: &SupportContact) -> String {
    format!("{} at {}, {}", support.name, support.phones.join(" or "), support.hours)
}

/// The text message that proves a new number. [ACC-10]
pub fn phone_code(code: &str) -> String {
    format!(
        "{code} is your Sentri code for this phone number. It works for 10 minutes. We never ask you for it."
    )
}

/// The text message with the sign-up's code. [ACC-8]
pub fn signup_code(code: &str) -> String {
    format!("{code} is your Sentri code. It works for 10 minutes. We never ask you for it by phone.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_told_in_the_propertys_zone() {
        // 2026-11-20 17:00 UTC is 9 AM in Portland.
        let mut visit = Visit {
            address: "12 Oak St",
            zone: chrono_tz::America::Los_Angeles,
            starts_at: 1_795_194_000,
            ends_at: 1_795_222_800,
        };
        assert_eq!(visit.window(), "Fri, Nov 20, 2026, 9:00 AM to 5:00 PM PST");
        visit.ends_at += 86_400;
        assert_eq!(visit.window(), "Fri, Nov 20, 2026, 9:00 AM to Sat, Nov 21, 2026, 5:00 PM PST");
    }
}
