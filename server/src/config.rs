//! What a deployment sets: one TOML file, with a default for everything but the master key.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

pub use delivery::{Smtp, SmtpSecurity, Webhook};
pub use listings_feed::ListingsFeed;
use sentri_wire::{
    account::{GrantApproval, PasswordRule},
    problem::SupportContact,
};
use serde::Deserialize;

mod delivery;
mod listings_feed;

/// A deployment's settings. Unknown names in the file are refused, so that a typing error is told.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Names this server among those on one database; each has a name of its own.
    pub instance: String,
    /// Where to listen; port 0 takes a free one.
    pub bind: SocketAddr,
    /// Where operators look: `/healthz` and `/metrics`, without a login, so never a public address. Without it
    /// there is no such place.
    pub operations_bind: Option<SocketAddr>,
    /// What is logged, like `info,sqlx=warn`; the environment variable `RUST_LOG` comes first.
    pub log: String,
    /// `sqlite:///path/to/sentri.db` or `postgres://…`.
    pub database: String,
    /// Whether a start brings the database's schema up to date. Off, `sentri-server database migrate` does.
    pub migrate: bool,
    /// File with the master keys, one of 64 hex digits a line, the last one current. Without it the
    /// environment variable `SENTRI_MASTER_KEY` is read.
    pub master_key_file: Option<PathBuf>,
    /// Start of the links in mails.
    pub public_url: String,
    /// Sender of the mails; its domain is also that of their Message-IDs.
    pub mail_from: String,
    /// Largest request body, in bytes.
    pub body_limit: usize,
    /// Requests of one address.
    pub rate_limit: RateLimit,
    /// Texts that one phone number gets within a day of the first, whoever asks for them.
    pub texts_per_number: u32,
    /// How long the access log and the events that phones uploaded are kept, in seconds.
    pub log_seconds: u32,
    /// Lowest version that each app may have, as `agent = "3.2.0"`, and that a feature of it needs, as
    /// `"agent:grant" = "3.4.0"`.
    pub minimum_versions: BTreeMap<String, String>,
    /// Rules for accounts that belong to no association.
    pub policy: Policy,
    /// Mails go out here; without it they are kept undelivered.
    pub smtp: Option<Smtp>,
    /// Texts and pushes go out here; without it they are kept undelivered.
    pub webhook: Option<Webhook>,
    /// Whether the outbox delivers by itself. Off, it only collects.
    pub deliver: bool,
    /// Whether this server reads the listings feeds by itself. Off, only `sentri-server listings import` does.
    pub import_listings: bool,
    /// Where the listings of associations come from.
    pub listings_feed: Vec<ListingsFeed>,
}

/// Requests that one address may make.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// Requests a second, in the long run; 0 switches the limit off.
    pub per_second: u32,
    /// Requests at once.
    pub burst: u32,
}

/// Rules that an association sets for itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Devices an account may register. [ACC-4]
    pub device_limit: u32,
    /// How long before its start an access's ticket can be fetched, in seconds. [GRT-6]
    pub lead_seconds: u32,
    /// Longest life of a ticket that is not renewed, in seconds. [GRT-6]
    pub ticket_seconds: u32,
    /// Longest window of an access, in seconds. [GRT-2]
    pub longest_grant_seconds: u32,
    /// What a grant asks of its granter. [ACC-12]
    pub grant_approval: GrantApproval,
    /// Which passwords accounts may have. [ACC-9]
    pub password_rule: PasswordRule,
    /// Whom a user calls.
    pub support: SupportContact,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            instance: "main".into(),
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            operations_bind: None,
            log: "info,sqlx=warn".into(),
            database: "sqlite://sentri.db".into(),
            migrate: true,
            master_key_file: None,
            public_url: "http://127.0.0.1:8080".into(),
            mail_from: "Sentri <no-reply@sentri.example>".into(),
            body_limit: 64 * 1024,
            rate_limit: RateLimit { per_second: 200, burst: 1000 },
            texts_per_number: 5,
            log_seconds: 3 * 365 * 86_400,
            minimum_versions: BTreeMap::new(),
            policy: Policy::default(),
            smtp: None,
            webhook: None,
            deliver: true,
            import_listings: true,
            listings_feed: Vec::new(),
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            device_limit: 3,
            lead_seconds: 24 * 3600,
            ticket_seconds: 24 * 3600,
            longest_grant_seconds: 90 * 86_400,
            grant_approval: GrantApproval::default(),
            password_rule: PasswordRule::default(),
            support: SupportContact {
                name: "Support".into(),
                phones: vec!["+1 555-0100".into()],
                hours: "every day, 8 am to 8 pm".into(),
            },
        }
    }
}

/// Why the configuration can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("the configuration file {path} can't be read: {source}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not as documented.
    #[error("the configuration file {path} is not right: {source}")]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        source: toml::de::Error,
    },
}

impl Config {
    /// Reads the file.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.into(), source })?;
        toml::from_str(&text).map_err(|source| ConfigError::Malformed { path: path.into(), source })
    }

    /// Everything in one folder on loopback, on a free port: database and master key file. For the sandbox
    /// and for tests.
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            database: sqlite_url(&folder.join("sentri.db")),
            master_key_file: Some(folder.join("master.key")),
            ..Self::default()
        }
    }
}

/// The URL of a SQLite file.
fn sqlite_url(path: &Path) -> String {
    let path = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    format!("sqlite://{path}")
}
