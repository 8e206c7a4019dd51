//! Mails over SMTP.

use async_trait::async_trait;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor, message::header::ContentType};

use super::{DeliveryError, Mail, MailPort};
use crate::config::Smtp;

/// Sends through one mail server.
pub struct SmtpCarrier(AsyncSmtpTransport<Tokio1Executor>);

impl SmtpCarrier {
    /// For the configured server. Refused where its URL is none; connects only when it sends.
    pub fn new(config: &Smtp) -> Result<Self, DeliveryError> {
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(&config.url)
            .map_err(|_| DeliveryError("smtp.url is no smtp:// or smtps:// URL".into()))?;
        Ok(Self(builder.build()))
    }
}

#[async_trait]
impl MailPort for SmtpCarrier {
    async fn send_mail(&self, mail: &Mail) -> Result<(), DeliveryError> {
        let address = |text: &str| text.parse().map_err(|_| DeliveryError("an address can't be read".into()));
        let message = Message::builder()
            .message_id(Some(mail.message_id.clone()))
            .from(address(&mail.from)?)
            .to(address(&mail.to)?)
            .subject(&mail.subject)
            .header(ContentType::TEXT_PLAIN)
            .body(mail.body.clone())
            .map_err(|_| DeliveryError("a mail can't be put together".into()))?;
        // The error's text can quote the recipient; whether it is for good is all the log needs.
        self.0.send(message).await.map(drop).map_err(|error| {
            let kind =
                if error.is_permanent() { "refused by the mail server" } else { "mail server not reached" };
            DeliveryError(kind.into())
        })
    }
}
