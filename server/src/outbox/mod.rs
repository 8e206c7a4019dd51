//! What goes out to people: put into the database with its cause, delivered after the commit, at least
//! once, always under the same Message-ID. A server that is killed in between delivers on its next start.

mod cap;
mod mailbox;
mod ports;
mod smtp;
mod webhook;
mod worker;

pub use mailbox::Mailbox;
pub use ports::{DeliveryError, Mail, MailPort, Push, PushPort, TextMessage, TextPort};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

pub(crate) use self::worker::{Carriers, deliver_due, run};
pub(crate) use self::{smtp::SmtpCarrier, webhook::WebhookCarrier};
use crate::{
    catalog::Text,
    refusal::Answer,
    rules::Phone,
    service::App,
    store::{
        Id, Named, Writing,
        outbox::{self, PostKind, PostRow},
    },
};

/// Something to deliver, before it is in the database.
pub struct Post {
    kind: PostKind,
    content: Content,
    /// Whose texts are counted.
    number: Option<Phone>,
}

/// What is sealed in the outbox: it can hold addresses, codes and invitation tokens.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct Content {
    to: String,
    title: String,
    body: String,
}

impl Post {
    /// An email.
    pub fn mail(to: &str, text: &Text) -> Self {
        let content = Content { to: to.to_owned(), title: text.title.clone(), body: text.body.clone() };
        Self { kind: PostKind::Mail, content, number: None }
    }

    /// A text message to a cell phone.
    pub fn text(to: &Phone, body: &str) -> Self {
        let content = Content { to: to.as_str().to_owned(), title: String::new(), body: body.to_owned() };
        Self { kind: PostKind::Text, content, number: Some(to.clone()) }
    }

    /// A push to an account's phones. It wakes them to sync, and shows a title.
    pub fn push(account: Id, title: &str) -> Self {
        let content = Content { to: account.to_string(), title: title.to_owned(), body: String::new() };
        Self { kind: PostKind::Push, content, number: None }
    }

    /// Puts it into the outbox, in the transaction of its cause. A text to a number that had its day's share is
    /// refused.
    pub async fn put(self, app: &App, tx: &mut Writing) -> Answer<()> {
        if let Some(number) = &self.number {
            cap::count(app, tx, number).await?;
        }
        let id = app.new_id();
        let domain = app.config.mail_from.rsplit('@').next().unwrap_or_default().trim_end_matches('>');
        let row = PostRow {
            id,
            kind: Named(self.kind),
            message_id: format!("<{id}@{domain}>"),
            sealed: app.vault.seal("outbox", &id.to_string(), &serde_json::to_vec(&self.content)?)?,
            attempts: 0,
        };
        outbox::insert(tx.conn(), &row, app.now()).await?;
        tx.note_post();
        Ok(())
    }
}
