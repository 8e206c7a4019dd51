//! The Message Center.

use sentri_wire as wire;

/// What a message tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum MessageTopic {
    /// An access was granted.
    AccessGranted,
    /// An access was revoked.
    AccessRevoked,
    /// An access was used.
    AccessUsed,
    /// Something that this app does not know yet: show title and body.
    Other,
}

/// A message in the Message Center. [CON-5]
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// When it was made.
    pub at: i64,
    /// What it tells of; localise by it.
    pub topic: MessageTopic,
    /// The title, in English.
    pub title: String,
    /// The text, in English.
    pub body: String,
    /// The grant or access that it is about.
    pub access_id: Option<String>,
    /// Whether it was opened.
    pub read: bool,
}

impl From<wire::sync::Message> for Message {
    fn from(it: wire::sync::Message) -> Self {
        Self {
            id: it.id.to_string(),
            at: it.at,
            topic: match it.topic {
                wire::sync::MessageTopic::AccessGranted => MessageTopic::AccessGranted,
                wire::sync::MessageTopic::AccessRevoked => MessageTopic::AccessRevoked,
                wire::sync::MessageTopic::AccessUsed => MessageTopic::AccessUsed,
                wire::sync::MessageTopic::Other => MessageTopic::Other,
            },
            title: it.title,
            body: it.body,
            access_id: it.access_id.map(|id| id.to_string()),
            read: it.read,
        }
    }
}
