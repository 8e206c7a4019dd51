//! The ways to reach people, as ports that a deployment fills.

use async_trait::async_trait;
use sentri_wire::device::PushAddress;
use uuid::Uuid;

/// A mail to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// The same at every attempt: `<id@domain>`.
    pub message_id: String,
    /// Who sends it.
    pub from: String,
    /// Who gets it.
    pub to: String,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub body: String,
}

/// A text message to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct TextMessage {
    /// The same at every attempt.
    pub id: String,
    /// A cell phone number, as it was typed.
    pub to: String,
    /// The text.
    pub body: String,
}

/// A push to all phones of an account that have told where theirs go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// The same at every attempt.
    pub id: String,
    /// Whose phones.
    pub account: Uuid,
    /// Where it goes.
    pub to: Vec<PushAddress>,
    /// What is shown.
    pub title: String,
}

// Mails and texts hold addresses and codes, so `Debug` shows neither.
impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mail").field("message_id", &self.message_id).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for TextMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TextMessage").field("id", &self.id).finish_non_exhaustive()
    }
}

/// It could not be delivered now; it is tried again. The text names no recipient.
#[derive(Debug, thiserror::Error)]
#[error("not delivered: {0}")]
pub struct DeliveryError(pub String);

/// Sends mails. Called from the server's runtime, one at a time.
#[async_trait]
pub trait MailPort: Send + Sync {
    /// Sends one. Returns once the next server has taken it.
    async fn send_mail(&self, mail: &Mail) -> Result<(), DeliveryError>;
}

/// Sends text messages. Called from the server's runtime, one at a time.
#[async_trait]
pub trait TextPort: Send + Sync {
    /// Sends one.
    async fn send_text(&self, text: &TextMessage) -> Result<(), DeliveryError>;
}

/// Sends pushes. Called from the server's runtime, one at a time.
#[async_trait]
pub trait PushPort: Send + Sync {
    /// Sends one.
    async fn send_push(&self, push: &Push) -> Result<(), DeliveryError>;
}
