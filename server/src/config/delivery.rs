//! How mails, texts and pushes leave: a mail server, and a service for texts and pushes.

use std::path::{Path, PathBuf};

use sentri_wire::Secret;
use serde::Deserialize;

/// A mail server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Smtp {
    /// Its name, which its certificate must bear.
    pub host: String,
    /// Its port; by default what the security's custom is: 587, 465 or 25.
    #[serde(default)]
    pub port: Option<u16>,
    /// How the connection is secured.
    #[serde(default)]
    pub security: SmtpSecurity,
    /// PEM file with the certificates to trust beside the public ones: for a mail server of one's own.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Who logs in; without it nobody does.
    #[serde(default)]
    pub user: Option<String>,
    /// The password.
    #[serde(default)]
    pub password: Option<Secret>,
    /// File that holds the password, in place of `password`.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
}

/// How a connection to the mail server is secured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmtpSecurity {
    /// Begins in the clear and turns to TLS, or nothing is sent.
    #[default]
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// None: for a mail server on the same machine. Takes no password.
    None,
}

/// A service that sends texts and pushes: gets a JSON document by POST.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// `https://…`
    pub url: String,
    /// Sent as `Authorization: Bearer …`.
    #[serde(default)]
    pub bearer: Option<Secret>,
    /// File that holds the bearer token, in place of `bearer`.
    #[serde(default)]
    pub bearer_file: Option<PathBuf>,
    /// Key of the signature over each call; without it calls are not signed.
    #[serde(default)]
    pub secret: Option<Secret>,
    /// File that holds the key, in place of `secret`.
    #[serde(default)]
    pub secret_file: Option<PathBuf>,
}

// The URL can hold a password of its own.
impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Webhook(…)")
    }
}

impl Smtp {
    /// The password, from wherever it is kept.
    pub fn password(&self) -> Result<Option<Secret>, String> {
        secret("smtp.password", self.password.as_ref(), self.password_file.as_deref())
    }
}

impl Webhook {
    /// The bearer token, from wherever it is kept.
    pub fn bearer(&self) -> Result<Option<Secret>, String> {
        secret("webhook.bearer", self.bearer.as_ref(), self.bearer_file.as_deref())
    }

    /// The key of the signature, from wherever it is kept.
    pub fn secret(&self) -> Result<Option<Secret>, String> {
        secret("webhook.secret", self.secret.as_ref(), self.secret_file.as_deref())
    }
}

/// A secret that stands in the file, or in a file of its own; both is a mistake.
pub(super) fn secret(
    name: &str,
    here: Option<&Secret>,
    file: Option<&Path>,
) -> Result<Option<Secret>, String> {
    match (here, file) {
        (Some(_), Some(_)) => Err(format!("{name} and {name}_file are both set: keep one")),
        (Some(secret), None) => Ok(Some(secret.clone())),
        (None, None) => Ok(None),
        (None, Some(path)) => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| format!("{name}_file {} can't be read: {error}", path.display()))?;
            match text.trim_end_matches(['\r', '\n']) {
                "" => Err(format!("{name}_file {} is empty", path.display())),
                text => Ok(Some(Secret::new(text))),
            }
        }
    }
}
