//! The one object that an app makes at its start.

use std::{path::PathBuf, sync::Arc};

use super::{
    error::CoreError,
    invalid,
    lifecycle::Keeper,
    link_events::LinkEvents,
    ports::{LockLink, SecureStore},
    types::{App, CoreConfig},
};
use crate::{
    app::{Core, Settings},
    changes::Changes,
    http::{BaseUrl, ClientVersion},
    open::PhoneChecks,
    ports::Ports,
    session::Session,
};

/// The core of one installation of an app. Make it once, at the app's start, and keep it.
#[derive(uniffi::Object)]
pub struct SentriCore {
    pub(crate) core: Core,
    /// Told when another account is in use, or none.
    pub(crate) accounts: Changes,
    /// Syncs by itself while the app is in front.
    pub(crate) keeper: Keeper,
}

/// The version of the core, as 0.1.0. Rises with the exported calls.
#[uniffi::export]
pub fn core_version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

#[uniffi::export]
impl SentriCore {
    /// Sets up. Connects to nothing and reads nothing yet; the first call finds the account that was in use.
    ///
    /// `InvalidField` where a part of the configuration can't be; `DeviceTrouble` where TLS can't be set up.
    #[uniffi::constructor]
    pub fn new(
        config: CoreConfig,
        link: Arc<dyn LockLink>,
        secure_store: Arc<dyn SecureStore>,
    ) -> Result<Arc<Self>, CoreError> {
        Self::with_ports(config, Ports::system(link, secure_store))
    }

    /// Where the radio's adapter tells what it hears. One for the core's whole life.
    pub fn link_events(&self) -> Arc<LinkEvents> {
        Arc::new(LinkEvents { hub: self.core.hub.clone() })
    }
}

impl SentriCore {
    /// With other ports than a phone's own: another clock, seeded chance, a network with faults.
    pub fn with_ports(config: CoreConfig, ports: Ports) -> Result<Arc<Self>, CoreError> {
        Self::with_checks(config, ports, PhoneChecks::Enforced)
    }

    /// With a choice whether the phone judges before the lock does. Not exported: no app can skip the checks.
    pub fn with_checks(
        config: CoreConfig,
        ports: Ports,
        checks: PhoneChecks,
    ) -> Result<Arc<Self>, CoreError> {
        let core = Core::new(settings(config, checks)?, ports)?;
        Ok(Arc::new(Self { core, accounts: Changes::default(), keeper: Keeper::default() }))
    }

    pub(crate) async fn session(&self) -> Result<Arc<Session>, CoreError> {
        self.core.session().await
    }
}

fn settings(config: CoreConfig, checks: PhoneChecks) -> Result<Settings, CoreError> {
    let version = config.app_version.trim();
    let digits =
        |part: &str| !part.is_empty() && part.len() <= 5 && part.bytes().all(|it| it.is_ascii_digit());
    if version.split('.').count() != 3 || !version.split('.').all(digits) {
        return Err(invalid("app_version", "A version is three numbers, as 3.2.0."));
    }
    if config.data_dir.is_empty() {
        return Err(invalid("data_dir", "The app's folder is missing."));
    }
    let app = match config.app {
        App::Agent => "agent",
        App::Connect => "connect",
    };
    Ok(Settings {
        base_url: BaseUrl::parse(&config.base_url)?,
        data_dir: PathBuf::from(config.data_dir),
        version: ClientVersion(format!("{app}/{version}")),
        device_name: config.device_name.chars().filter(|it| !it.is_control()).take(64).collect(),
        platform: config.platform.into(),
        checks,
    })
}
