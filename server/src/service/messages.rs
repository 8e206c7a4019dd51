//! The Message Center. [CON-5]

use sentri_wire::sync::{Message, MessageTopic};

use super::{App, Caller};
use crate::{
    catalog::Text,
    outbox::Post,
    refusal::{Answer, Refusal},
    store::{
        Id, Named, Writing,
        messages::{self, MessageRow},
    },
};

/// What a message is about.
pub struct About {
    pub access: Id,
    pub topic: MessageTopic,
}

/// Puts a message into somebody's Message Center.
pub async fn add(app: &App, tx: &mut Writing, account: Id, about: &About, text: &Text) -> Answer<()> {
    let row = MessageRow {
        id: app.new_id(),
        account_id: account,
        at: app.now(),
        topic: Named(about.topic),
        title: text.title.clone(),
        body: text.body.clone(),
        access_id: Some(about.access),
        read_at: None,
    };
    messages::insert(tx.conn(), &row).await?;
    tx.touch::<Message>(account, row.id);
    Ok(())
}

/// The same, with a push that wakes their phones. The push names no place: lock screens are public.
pub async fn add_with_push(
    app: &App,
    tx: &mut Writing,
    account: Id,
    about: &About,
    text: &Text,
) -> Answer<()> {
    add(app, tx, account, about, text).await?;
    Post::push(account, &text.title).put(app, tx).await
}

/// Marks one of the caller's messages as read.
pub async fn read(app: &App, caller: &Caller, id: Id) -> Answer<()> {
    let mut tx = app.store.write().await?;
    if !messages::mark_read(tx.conn(), caller.account, id, app.now()).await? {
        return Err(Refusal::not_found());
    }
    tx.touch::<Message>(caller.account, id);
    Ok(tx.commit().await?)
}

/// Deletes one of the caller's messages.
pub async fn delete(app: &App, caller: &Caller, id: Id) -> Answer<()> {
    let mut tx = app.store.write().await?;
    if !messages::delete(tx.conn(), caller.account, id).await? {
        return Err(Refusal::not_found());
    }
    tx.touch::<Message>(caller.account, id);
    Ok(tx.commit().await?)
}
