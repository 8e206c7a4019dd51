//! What the control API shows of a town.

use std::sync::PoisonError;

use serde::Serialize;

use super::Town;

/// Somebody whom app developers can log in as. Fictional, with a password that is no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Person {
    /// First and last name.
    pub name: String,
    /// "agent" or "resident".
    pub kind: &'static str,
    /// SentriKey ID.
    pub login: String,
    /// Password.
    pub password: String,
    /// PIN for granting.
    pub pin: String,
}

/// The town at a glance.
#[derive(Clone, Debug, Serialize)]
pub struct TownSeen {
    /// Where phones reach the backend.
    pub backend: String,
    /// Whether they do.
    pub network_up: bool,
    /// Seconds since 1970-01-01 UTC.
    pub now: i64,
    /// Who can log in.
    pub people: Vec<Person>,
    /// Serial numbers of the lockboxes.
    pub lockboxes: Vec<String>,
    /// Where the data are.
    pub folder: String,
}

/// A mail or a text message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LetterSeen {
    /// The same at every attempt.
    pub id: String,
    /// Address or phone number.
    pub to: String,
    /// One line; mails only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The text.
    pub body: String,
}

impl Town {
    /// The town at a glance.
    pub fn look(&self) -> TownSeen {
        TownSeen {
            backend: self.base_url(),
            network_up: self.network_is_up(),
            now: self.clock.now(),
            people: self.people.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            lockboxes: self.lockboxes().iter().map(|lockbox| lockbox.serial().to_owned()).collect(),
            folder: self.folder().display().to_string(),
        }
    }

    /// All mails that were delivered, oldest first.
    pub fn mails(&self) -> Vec<LetterSeen> {
        let mails = self.mailbox().mails().into_iter();
        mails
            .map(|it| LetterSeen { id: it.message_id, to: it.to, subject: Some(it.subject), body: it.body })
            .collect()
    }

    /// All text messages that were delivered, oldest first.
    pub fn texts(&self) -> Vec<LetterSeen> {
        let texts = self.mailbox().texts().into_iter();
        texts.map(|it| LetterSeen { id: it.id, to: it.to, subject: None, body: it.body }).collect()
    }
}
