//! The Message Center. [CON-5]

use sentri_wire::sync::Message as Record;

use super::{core_object::SentriCore, error::CoreError, parse_id, types::Message};
use crate::{http::Call, order::ordered, session::Session};

#[uniffi::export]
impl SentriCore {
    /// All messages, newest first, from what the phone holds.
    pub async fn messages(&self) -> Result<Vec<Message>, CoreError> {
        newest_first(&*self.session().await?).await
    }

    /// How many messages wait to be read, for the badge. From what the phone holds.
    pub async fn unread_messages(&self) -> Result<u32, CoreError> {
        let messages: Vec<Record> = self.session().await?.all().await?;
        Ok(u32::try_from(messages.iter().filter(|it| !it.read).count()).unwrap_or(u32::MAX))
    }

    /// Marks a message as read, on all of the account's devices. Needs network.
    pub async fn mark_message_read(&self, message_id: String) -> Result<(), CoreError> {
        let session = self.session().await?;
        let id = parse_id("message_id", &message_id)?.to_string();
        let path = format!("/v1/messages/{id}/read");
        session.tell(&Call::ask(&path)).await?;
        session
            .write("message", move |rows| {
                let Some(message) = rows.get::<Record>(&id)? else { return Ok(()) };
                rows.put(&Record { read: true, ..message })
            })
            .await
    }

    /// Deletes a message, on all of the account's devices. Needs network.
    pub async fn delete_message(&self, message_id: String) -> Result<(), CoreError> {
        let session = self.session().await?;
        let id = parse_id("message_id", &message_id)?.to_string();
        session.tell(&Call::delete(&format!("/v1/messages/{id}"))).await?;
        session.write("message", move |rows| rows.remove::<Record>(&id)).await
    }
}

/// All messages of an account.
pub(super) async fn newest_first(session: &Session) -> Result<Vec<Message>, CoreError> {
    let messages: Vec<Record> = session.all().await?;
    let messages = ordered(messages, |a, b| (b.at, a.id).cmp(&(a.at, b.id)));
    Ok(messages.into_iter().map(Into::into).collect())
}
