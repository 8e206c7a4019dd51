//! One account that is logged in on this phone: its store, its tokens, its calls.

use std::sync::{Arc, Mutex as StdMutex};

use sentri_wire::{
    Secret, Timestamp,
    account::{Account, RefreshRequest},
    problem::ProblemCode,
    sync::Record,
};
use serde::de::DeserializeOwned;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{
    CoreError,
    changes::Changes,
    device_key::DeviceKeys,
    home::{Home, Kept},
    http::{Api, ApiError, Call, decoded},
    keys::Keys,
    store::{Rows, SavedTokens, Store, StoreError, StoreSettings, SyncMark, ThisDevice, Vault},
    sync::{
        LastSync,
        pushes::{Pushes, Wanted},
    },
    true_time::TrueTime,
};

/// A logged-in account.
pub struct Session {
    /// Whose.
    pub account: Uuid,
    /// What the phone keeps of it.
    pub vault: Vault,
    /// The backend.
    pub api: Api,
    /// The platform's key store.
    pub keys: Keys,
    /// The key of this device.
    pub device_keys: DeviceKeys,
    /// Where its pushes go.
    pub pushes: Arc<Pushes>,
    /// Told whenever something that a screen shows may have changed.
    pub changes: Arc<Changes>,
    /// What time it is.
    pub time: TrueTime,
    /// What the home page shows.
    pub(crate) home: Kept<Home>,
    /// How the last sync went.
    pub(crate) last_sync: StdMutex<LastSync>,
    /// One sync at a time.
    pub(crate) syncing: tokio::sync::Mutex<()>,
    /// Held by an open that goes on: until then its draft is its own.
    pub(crate) opening: tokio::sync::Mutex<()>,
    /// One refresh at a time: the second caller finds the first one's tokens.
    refreshing: tokio::sync::Mutex<()>,
}

impl Session {
    /// Opens the account's store. One that is older than the key store remembers is synced in full. [SYN-4]
    pub async fn open(
        account: Uuid,
        settings: StoreSettings,
        api: Api,
        keys: Keys,
        device_keys: DeviceKeys,
        pushes: Arc<Pushes>,
    ) -> Result<Self, CoreError> {
        let highest = keys.high_water(account).await?;
        let changes: Arc<Changes> = Arc::default();
        let vault = Vault::open(settings, changes.clone()).await?;
        let skew = vault
            .run(move |store| {
                let mark = store.read().sync_mark()?;
                if mark.high_water < highest {
                    store.write("sync.rollback", |rows| rows.force_full_sync(highest))?;
                }
                Ok(mark.skew)
            })
            .await?;
        let time = TrueTime::new(api.clock.clone(), skew);
        let (home, last_sync, syncing, opening, refreshing) = Default::default();
        Ok(Self {
            account,
            vault,
            api,
            keys,
            device_keys,
            pushes,
            changes,
            time,
            home,
            last_sync,
            syncing,
            opening,
            refreshing,
        })
    }

    /// The time now, by the backend's clock as well as the phone knows it.
    pub fn now(&self) -> Timestamp {
        self.time.now()
    }

    /// Reads from the store.
    pub fn read<T, W>(&self, work: W) -> impl Future<Output = Result<T, CoreError>> + Send
    where
        T: Send + 'static,
        W: Fn(&Rows<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        told(self.vault.run(move |store: &mut Store| work(&store.read())), None)
    }

    /// All records of a kind.
    pub async fn all<R: Record + Send + 'static>(&self) -> Result<Vec<R>, CoreError> {
        Ok(self.vault.run(|store| store.read().all()).await?)
    }

    /// How far the sync has come.
    pub async fn sync_mark(&self) -> Result<SyncMark, CoreError> {
        Ok(self.vault.run(|store| store.read().sync_mark()).await?)
    }

    /// Changes the store: all of it, or nothing.
    pub fn write<T, W>(
        &self,
        name: &'static str,
        work: W,
    ) -> impl Future<Output = Result<T, CoreError>> + Send
    where
        T: Send + 'static,
        W: Fn(&Rows<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        told(self.vault.run(move |store: &mut Store| store.write(name, &work)), Some(&self.changes))
    }

    /// Whose account it is.
    pub async fn profile(&self) -> Result<Account, CoreError> {
        self.home().await?.account.clone().ok_or(CoreError::NotSignedIn)
    }

    /// Stores the tokens of a login.
    pub async fn keep_login(
        &self,
        tokens: SavedTokens,
        device: ThisDevice,
        account: Account,
    ) -> Result<(), CoreError> {
        self.write("login", move |rows| {
            rows.set_meta(SavedTokens::NAME, &tokens)?;
            rows.set_meta(ThisDevice::NAME, &device)?;
            // A logout, here or elsewhere, has ended them.
            rows.remove_meta(Wanted::NAME)?;
            rows.put(&account)
        })
        .await
    }

    /// Calls as this account, and reads the answer. An expired token is refreshed once.
    pub async fn call<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<T, SessionError> {
        Ok(decoded(&self.answered(call).await?)?)
    }

    /// Calls as this account, and gives the answer's text as it came.
    pub async fn text(&self, call: &Call<'_>) -> Result<String, SessionError> {
        let body = self.answered(call).await?;
        Ok(str::from_utf8(&body).map_err(|_| ApiError::Garbled)?.to_owned())
    }

    /// Calls as this account, where the answer has no body that matters.
    pub async fn tell(&self, call: &Call<'_>) -> Result<(), SessionError> {
        self.answered(call).await.map(drop)
    }

    async fn answered(&self, call: &Call<'_>) -> Result<Zeroizing<Vec<u8>>, SessionError> {
        let tokens = self.tokens().await?;
        match self.api.answered(call, Some(&tokens.access)).await {
            Err(error) if error.code() == Some(ProblemCode::TokenExpired) => {
                let fresh = self.refreshed(&tokens.access).await?;
                Ok(self.api.answered(call, Some(&fresh.access)).await?)
            }
            answered => Ok(answered?),
        }
    }

    async fn tokens(&self) -> Result<SavedTokens, SessionError> {
        let saved = self.vault.run(|store| store.read().meta::<SavedTokens>(SavedTokens::NAME)).await?;
        saved.ok_or(SessionError::NoTokens)
    }

    /// The pair of tokens after `stale`. It is stored before it is used: a kill in between costs a repeat of
    /// the refresh under the same key, not the session.
    async fn refreshed(&self, stale: &Secret) -> Result<SavedTokens, SessionError> {
        let _one_at_a_time = self.refreshing.lock().await;
        let tokens = self.tokens().await?;
        if tokens.access != *stale {
            return Ok(tokens);
        }
        let request = RefreshRequest { refresh: tokens.refresh };
        let fresh = self.api.refresh(&request, tokens.refresh_key).await?;
        let fresh = SavedTokens::new(fresh, self.api.fresh_key()?);
        let saved = fresh.clone();
        let save =
            move |store: &mut Store| store.write("tokens", |rows| rows.set_meta(SavedTokens::NAME, &saved));
        self.vault.run(save).await?;
        Ok(fresh)
    }
}

/// One copy of this serves all work with a result of that type: the library stays small.
async fn told<T>(
    work: impl Future<Output = Result<T, StoreError>>,
    changed: Option<&Changes>,
) -> Result<T, CoreError> {
    let done = work.await?;
    changed.inspect(|changes| changes.note());
    Ok(done)
}

/// Why a call as an account has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionError {
    /// The account is not logged in.
    NoTokens,
    /// The call failed or was refused.
    Api(ApiError),
    /// The tokens can't be read or written.
    Store(StoreError),
}

impl SessionError {
    /// The backend's code, where it refused.
    pub fn code(&self) -> Option<ProblemCode> {
        match self {
            Self::Api(error) => error.code(),
            _ => None,
        }
    }
}

impl From<ApiError> for SessionError {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl From<StoreError> for SessionError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<SessionError> for CoreError {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::NoTokens => Self::NotSignedIn,
            SessionError::Api(error) => error.into(),
            SessionError::Store(error) => error.into(),
        }
    }
}
