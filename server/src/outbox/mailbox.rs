//! A mailbox in memory that takes everything: for the sandbox's page and for tests.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::Notify;

use super::{DeliveryError, Mail, MailPort, Push, PushPort, TextMessage, TextPort};

/// Keeps what was delivered, in order. Clones share it.
#[derive(Clone, Default)]
pub struct Mailbox(Arc<Inner>);

#[derive(Default)]
struct Inner {
    delivered: Mutex<Delivered>,
    news: Notify,
}

#[derive(Default)]
struct Delivered {
    mails: Vec<Mail>,
    texts: Vec<TextMessage>,
    pushes: Vec<Push>,
}

impl Mailbox {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// All mails so far, oldest first; repeats included.
    pub fn mails(&self) -> Vec<Mail> {
        self.lock().mails.clone()
    }

    /// All text messages so far, oldest first.
    pub fn texts(&self) -> Vec<TextMessage> {
        self.lock().texts.clone()
    }

    /// All pushes so far, oldest first.
    pub fn pushes(&self) -> Vec<Push> {
        self.lock().pushes.clone()
    }

    /// The newest mail to an address. Waits until there is one.
    pub async fn mail_to(&self, address: &str) -> Mail {
        self.wait_for(|delivered| delivered.mails.iter().rfind(|mail| mail.to == address).cloned()).await
    }

    /// The newest text message to a number. Waits until there is one.
    pub async fn text_to(&self, number: &str) -> TextMessage {
        self.wait_for(|delivered| delivered.texts.iter().rfind(|text| text.to == number).cloned()).await
    }

    async fn wait_for<T>(&self, find: impl Fn(&Delivered) -> Option<T>) -> T {
        loop {
            // Made before looking, so that nothing slips in between.
            let news = self.0.news.notified();
            if let Some(found) = find(&self.lock()) {
                return found;
            }
            news.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Delivered> {
        // Pushing to a vector leaves it whole even where a panic follows.
        self.0.delivered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl MailPort for Mailbox {
    async fn send_mail(&self, mail: &Mail) -> Result<(), DeliveryError> {
        self.lock().mails.push(mail.clone());
        self.0.news.notify_waiters();
        Ok(())
    }
}

#[async_trait]
impl TextPort for Mailbox {
    async fn send_text(&self, text: &TextMessage) -> Result<(), DeliveryError> {
        self.lock().texts.push(text.clone());
        self.0.news.notify_waiters();
        Ok(())
    }
}

#[async_trait]
impl PushPort for Mailbox {
    async fn send_push(&self, push: &Push) -> Result<(), DeliveryError> {
        self.lock().pushes.push(push.clone());
        self.0.news.notify_waiters();
        Ok(())
    }
}
