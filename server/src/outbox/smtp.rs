//! Mails over SMTP.

use std::time::Duration;

use async_trait::async_trait;
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::header::ContentType,
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, Tls, TlsParameters},
    },
};

use super::{DeliveryError, Mail, MailPort, worker::LONGEST_DELIVERY};
use crate::config::{Smtp, SmtpSecurity};

/// How long the mail server may take for one command.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Sends through one mail server.
pub struct SmtpCarrier(AsyncSmtpTransport<Tokio1Executor>);

impl SmtpCarrier {
    /// For the configured server. Refused where something in the configuration can't be used; connects only when it
    /// sends.
    pub fn new(config: &Smtp) -> Result<Self, String> {
        let password = config.password()?;
        let (tls, custom) = match config.security {
            SmtpSecurity::Starttls => (Tls::Required(parameters(config)?), 587),
            SmtpSecurity::Tls => (Tls::Wrapper(parameters(config)?), 465),
            SmtpSecurity::None if password.is_some() => {
                return Err("smtp.security is none, which would send smtp.password in the clear".into());
            }
            SmtpSecurity::None => (Tls::None, 25),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.host)
            .port(config.port.unwrap_or(custom))
            .tls(tls)
            .timeout(Some(TIMEOUT));
        match (&config.user, password) {
            (Some(user), Some(password)) => {
                builder = builder.credentials(Credentials::new(user.clone(), password.expose().to_owned()));
            }
            (None, None) => {}
            _ => return Err("smtp.user and smtp.password belong together: one of them is missing".into()),
        }
        Ok(Self(builder.build()))
    }
}

/// Whom to trust: the public certificates, and those of the deployment.
fn parameters(config: &Smtp) -> Result<TlsParameters, String> {
    let mut builder = TlsParameters::builder(config.host.clone());
    if let Some(path) = &config.ca_file {
        let unusable = |what: &str| format!("smtp.ca_file {} {what}", path.display());
        let pem = std::fs::read(path).map_err(|error| unusable(&format!("can't be read: {error}")))?;
        let certificate = Certificate::from_pem(&pem).map_err(|_| unusable("holds no PEM certificate"))?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build_rustls().map_err(|_| format!("smtp.host {} can't be used with TLS", config.host))
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
        let sent = tokio::time::timeout(LONGEST_DELIVERY, self.0.send(message)).await;
        let sent = sent.map_err(|_| DeliveryError("the mail server did not answer in time".into()))?;
        // The error's text can quote the recipient; whether it is for good is all the log needs.
        sent.map(drop).map_err(|error| {
            let kind =
                if error.is_permanent() { "refused by the mail server" } else { "mail server not reached" };
            DeliveryError(kind.into())
        })
    }
}
