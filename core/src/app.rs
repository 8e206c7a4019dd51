//! The accounts on this phone: log in, log out, switch, and find the one in use after a restart. [ACC-6]

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use sentri_wire::{
    Secret,
    account::{Account, DeviceDescription, LoginName, LoginRequest, Platform},
};
use uuid::Uuid;

use crate::{
    CoreError, Ports,
    device_key::DeviceKeys,
    http::{Api, BaseUrl, Call, ClientVersion, SystemHttp},
    keys::{AccountIndex, DataKey, Keys, KnownAccount},
    open::{LinkHub, PhoneChecks},
    session::Session,
    store::{self, KnownBox, SavedTokens, StoreSettings, ThisDevice},
    sync::{self, pushes::Pushes, register},
};

/// What the core must know of the app around it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the backend is.
    pub base_url: BaseUrl,
    /// A folder of our own.
    pub data_dir: PathBuf,
    /// Which app calls.
    pub version: ClientVersion,
    /// For the user's list of devices.
    pub device_name: String,
    /// Which system it runs.
    pub platform: Platform,
    /// Whether the phone judges an open before the lock does.
    pub checks: PhoneChecks,
}

/// The core of one installation of an app.
pub struct Core {
    /// What it was made with.
    pub settings: Settings,
    /// What it takes from outside.
    pub ports: Ports,
    /// The backend.
    pub api: Api,
    /// The platform's key store.
    pub keys: Keys,
    /// The key of this device.
    pub device_keys: DeviceKeys,
    /// Where its pushes go.
    pub pushes: Arc<Pushes>,
    /// Where the radio's events come in.
    pub hub: Arc<LinkHub>,
    /// The account in use.
    current: tokio::sync::Mutex<Option<Arc<Session>>>,
}

/// A login that succeeded.
pub struct LoggedIn {
    /// Who.
    pub account: Account,
    /// Events that can't be read any more.
    pub events_lost: u32,
}

impl Core {
    /// Sets up; reads and connects to nothing.
    pub fn new(settings: Settings, ports: Ports) -> Result<Self, CoreError> {
        let http = match &ports.http {
            Some(http) => http.clone(),
            None => Arc::new(SystemHttp::new().map_err(|_| CoreError::DeviceTrouble)?),
        };
        let api = Api {
            http,
            base_url: settings.base_url.clone(),
            version: settings.version.clone(),
            clock: ports.clock.clone(),
            random: ports.random.clone(),
            troubles: Arc::default(),
        };
        let keys = Keys::new(ports.secure_store.clone(), ports.random.clone(), ports.workers.clone());
        let device_keys = DeviceKeys::new(ports.device_key.clone(), keys.clone());
        let (pushes, hub, current) = Default::default();
        Ok(Self { settings, ports, api, keys, device_keys, pushes, hub, current })
    }

    /// The account in use: the one of this run, or the one that was in use before the app was closed.
    pub async fn session(&self) -> Result<Arc<Session>, CoreError> {
        let mut current = self.current.lock().await;
        if let Some(session) = &*current {
            return Ok(session.clone());
        }
        // Boxed, as it happens once: every call begins here, and would else make room for it.
        let session = Box::pin(self.last_in_use()).await?;
        *current = Some(session.clone());
        Ok(session)
    }

    /// The account that was in use before the app was closed.
    async fn last_in_use(&self) -> Result<Arc<Session>, CoreError> {
        let index = self.index().await?;
        let Some(account) = index.active else {
            return Err(match self.events_without_key(&index) {
                0 => CoreError::NotSignedIn,
                events_lost => CoreError::SignInAgain { events_lost },
            });
        };
        self.reopen(account).await
    }

    /// An account that is logged in, as long as the phone has its key.
    async fn reopen(&self, account: Uuid) -> Result<Arc<Session>, CoreError> {
        let key = self.keys.data_key(account).await?.ok_or_else(|| CoreError::SignInAgain {
            events_lost: store::count_lost_events(&self.store_path(account)),
        })?;
        Ok(Arc::new(self.open(account, key).await?))
    }

    /// Logs in, and registers the device where it is new. [ACC-1, ACC-4]
    pub async fn log_in(&self, login: LoginName, password: Secret) -> Result<LoggedIn, CoreError> {
        let device = DeviceDescription {
            install_id: self.keys.install_id().await?,
            name: self.settings.device_name.clone(),
            platform: self.settings.platform,
        };
        let request = LoginRequest { login, password, device };
        let answer = self.api.login(&request).await?;
        let mut current = self.current.lock().await;
        let (key, events_lost) = self.key_for_login(answer.account.id).await?;
        let session = self.open(answer.account.id, key).await?;
        let tokens = SavedTokens::new(answer.tokens, self.api.fresh_key()?);
        session.keep_login(tokens, ThisDevice { id: answer.device_id }, answer.account.clone()).await?;
        let known = KnownAccount {
            id: answer.account.id,
            kind: answer.account.kind,
            name: format!("{} {}", answer.account.first_name, answer.account.last_name),
            signed_in: true,
            leaving: false,
        };
        self.make_active(known).await?;
        let session = Arc::new(session);
        *current = Some(session.clone());
        drop(current);
        // Without it grants ask for the PIN, and `register_device_key` makes up for it.
        let _ = register::register(&session, Some(request.password)).await;
        Ok(LoggedIn { account: answer.account, events_lost })
    }

    /// Puts an account out of use in this run, where it is in use.
    pub(crate) async fn let_go(&self, account: Uuid) {
        let mut current = self.current.lock().await;
        if current.as_ref().is_some_and(|session| session.account == account) {
            *current = None;
        }
    }

    /// Logs out: what came by sync is gone from the phone at once. Events that could not be uploaded stay,
    /// sealed, and are uploaded after the next login of the same account.
    pub async fn log_out(&self) -> Result<(), CoreError> {
        let session = self.session().await?;
        let mut current = self.current.lock().await;
        let mut index = self.keys.index().await?;
        for known in index.accounts.iter_mut().filter(|known| known.id == session.account) {
            known.signed_in = false;
        }
        index.active = None;
        self.keys.set_index(&index).await?;
        *current = None;
        // Without network this and the logout fail, and neither keeps the user from leaving.
        sync::report(&session).await;
        let left = session
            .write("logout", |rows| {
                rows.drop_synced()?;
                rows.remove_all::<Account>()?;
                rows.remove_all::<KnownBox>()?;
                rows.remove_meta("sync")?;
                rows.queue_length()
            })
            .await?;
        let _ = session.tell(&Call::ask("/v1/logout")).await;
        if left == 0 {
            session.vault.destroy().await?;
            self.keys.forget(session.account).await?;
        } else {
            session.write("logout.tokens", |rows| rows.remove_meta(SavedTokens::NAME)).await?;
        }
        Ok(())
    }

    /// The accounts on this phone.
    pub async fn accounts(&self) -> Result<AccountIndex, CoreError> {
        self.index().await
    }

    /// Puts another account in use, one that is still logged in.
    pub async fn switch_to(&self, account: Uuid) -> Result<Arc<Session>, CoreError> {
        let mut current = self.current.lock().await;
        let index = self.index().await?;
        let known = index.accounts.iter().find(|known| known.id == account).ok_or(CoreError::NotFound)?;
        if !known.signed_in {
            return Err(CoreError::NotSignedIn);
        }
        let session = self.reopen(account).await?;
        self.keys.set_index(&AccountIndex { active: Some(account), ..index }).await?;
        *current = Some(session.clone());
        Ok(session)
    }

    pub(crate) async fn open(&self, account: Uuid, key: DataKey) -> Result<Session, CoreError> {
        let settings = StoreSettings {
            path: self.store_path(account),
            key,
            random: self.ports.random.clone(),
            workers: self.ports.workers.clone(),
            gate: self.ports.write_gate.clone(),
        };
        let (api, keys) = (self.api.clone(), self.keys.clone());
        Session::open(account, settings, api, keys, self.device_keys.clone(), self.pushes.clone()).await
    }

    /// The key of an account that has just logged in, and how many events are lost with a former one.
    async fn key_for_login(&self, account: Uuid) -> Result<(DataKey, u32), CoreError> {
        if let Some(key) = self.keys.data_key(account).await? {
            return Ok((key, 0));
        }
        let path = self.store_path(account);
        let lost = if path.exists() { store::count_lost_events(&path) } else { 0 };
        store::destroy(&path)?;
        self.keys.raise_high_water(account, 0).await?;
        Ok((self.keys.make_data_key(account, 1).await?, lost))
    }

    async fn make_active(&self, known: KnownAccount) -> Result<(), CoreError> {
        let mut index = self.keys.index().await?;
        index.active = Some(known.id);
        index.accounts.retain(|it| it.id != known.id);
        index.accounts.push(known);
        Ok(self.keys.set_index(&index).await?)
    }

    pub(crate) fn store_path(&self, account: Uuid) -> PathBuf {
        self.settings.data_dir.join("accounts").join(format!("{account}.db"))
    }

    /// Events in stores that no account of the index owns: the key store was lost as a whole.
    fn events_without_key(&self, index: &AccountIndex) -> u32 {
        let Ok(files) = std::fs::read_dir(self.settings.data_dir.join("accounts")) else { return 0 };
        let known = |path: &Path| {
            let id = path.file_stem().and_then(|stem| Uuid::parse_str(stem.to_str()?).ok());
            let accounts = index.accounts.iter().map(|it| it.id);
            let mut owned = accounts.chain(index.returning.iter().map(|it| it.store));
            id.is_none_or(|id| owned.any(|it| it == id))
        };
        let paths = files.flatten().map(|file| file.path());
        let stores = paths.filter(|path| path.extension().is_some_and(|it| it == "db") && !known(path));
        stores.map(|path| store::count_lost_events(&path)).sum()
    }
}
