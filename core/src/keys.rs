//! What the core keeps in the platform's key store: data keys, high-water marks, the accounts on this phone.

use std::{sync::Arc, time::Duration};

use sentri_wire::{Timestamp, account::AccountKind, device::DeviceKeyKind};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{
    api::ports::{SecureStore, SecureStoreError},
    json,
    ports::{Random, Workers, off_thread, random_array, random_uuid},
    runtime,
};

type Item = Result<Option<Vec<u8>>, SecureStoreError>;

/// How long a call into the shell's key store may take.
const DEADLINE: Duration = Duration::from_secs(5);

/// The key store, with a deadline on each call and our items by name.
#[derive(Clone)]
pub struct Keys {
    store: Arc<dyn SecureStore>,
    random: Arc<dyn Random>,
    workers: Arc<dyn Workers>,
}

/// The key that seals an account's store, and how often it was made anew.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct DataKey {
    /// Rises by one with each new key.
    pub epoch: u32,
    /// The key.
    pub key: [u8; 32],
}

/// An account that was logged in on this phone, for the list on the profile page. [ACC-6]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownAccount {
    /// The account's id.
    pub id: Uuid,
    /// Its kind.
    pub kind: AccountKind,
    /// First and last name.
    pub name: String,
    /// Whether it is logged in.
    pub signed_in: bool,
    /// Being wiped: whoever finds it so goes on with that.
    #[serde(default)]
    pub leaving: bool,
}

/// The accounts on this phone and the one in use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountIndex {
    /// All of them.
    pub accounts: Vec<KnownAccount>,
    /// The one in use.
    pub active: Option<Uuid>,
    /// Keys that deleted accounts may still return.
    #[serde(default)]
    pub returning: Vec<Returning>,
}

/// What a deleted account leaves: a store with credentials that take a key back, and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returning {
    /// The store's own name, which says nothing of whose it was.
    pub store: Uuid,
    /// When it goes as well.
    pub until: Timestamp,
}

impl Keys {
    /// Over a shell's key store.
    pub fn new(store: Arc<dyn SecureStore>, random: Arc<dyn Random>, workers: Arc<dyn Workers>) -> Self {
        Self { store, random, workers }
    }

    /// The id that makes this device the same device at each login, whatever its accounts are called. [ACC-4]
    pub async fn install_id(&self) -> Result<Uuid, SecureStoreError> {
        const NAME: &str = "install/id";
        if let Some(bytes) = self.get(NAME.into()).await?
            && let Ok(id) = Uuid::from_slice(&bytes)
        {
            return Ok(id);
        }
        let id = random_uuid(&*self.random).map_err(|_| SecureStoreError::Failed)?;
        self.put(NAME.into(), id.as_bytes().to_vec()).await?;
        Ok(id)
    }

    /// The account's data key, where it is still there.
    pub async fn data_key(&self, account: Uuid) -> Result<Option<DataKey>, SecureStoreError> {
        let Some(bytes) = self.get(format!("{account}/key")).await? else { return Ok(None) };
        let Some((epoch, key)) = bytes.split_first_chunk::<4>() else { return Ok(None) };
        let Ok(key) = key.try_into() else { return Ok(None) };
        Ok(Some(DataKey { epoch: u32::from_be_bytes(*epoch), key }))
    }

    /// Makes a new data key.
    pub async fn make_data_key(&self, account: Uuid, epoch: u32) -> Result<DataKey, SecureStoreError> {
        let key = random_array(&*self.random).map_err(|_| SecureStoreError::Failed)?;
        let data_key = DataKey { epoch, key };
        let bytes = [&epoch.to_be_bytes()[..], &data_key.key].concat();
        self.put(format!("{account}/key"), bytes).await?;
        Ok(data_key)
    }

    /// The highest state of the account's store that was ever reached. [SYN-4]
    pub async fn high_water(&self, account: Uuid) -> Result<u64, SecureStoreError> {
        let bytes = self.get(format!("{account}/mark")).await?;
        Ok(bytes.and_then(|bytes| bytes.as_slice().try_into().ok()).map_or(0, u64::from_be_bytes))
    }

    /// Notes a state that was reached; the store has it already.
    pub async fn raise_high_water(&self, account: Uuid, mark: u64) -> Result<(), SecureStoreError> {
        self.put(format!("{account}/mark"), mark.to_be_bytes().to_vec()).await
    }

    /// Destroys the account's key: whatever is left of its store is noise from then on.
    pub async fn forget(&self, account: Uuid) -> Result<(), SecureStoreError> {
        self.remove(format!("{account}/key")).await?;
        self.remove(format!("{account}/mark")).await
    }

    /// The accounts on this phone.
    pub async fn index(&self) -> Result<AccountIndex, SecureStoreError> {
        let bytes = self.get("accounts".into()).await?;
        Ok(bytes.and_then(|bytes| json::read(&bytes).ok()).unwrap_or_default())
    }

    /// Stores the accounts on this phone.
    pub async fn set_index(&self, index: &AccountIndex) -> Result<(), SecureStoreError> {
        let bytes = serde_json::to_vec(index).map_err(|_| SecureStoreError::Failed)?;
        self.put("accounts".into(), bytes).await
    }

    /// Which kind of key this device has, once that is decided.
    pub async fn device_key_kind(&self) -> Result<Option<DeviceKeyKind>, SecureStoreError> {
        let kind = self.get("device/kind".into()).await?;
        Ok(kind.and_then(|kind| match kind.as_slice() {
            b"hardware" => Some(DeviceKeyKind::Hardware),
            b"software" => Some(DeviceKeyKind::Software),
            _ => None,
        }))
    }

    /// Decides which kind of key this device has.
    pub async fn set_device_key_kind(&self, kind: DeviceKeyKind) -> Result<(), SecureStoreError> {
        if self.device_key_kind().await? == Some(kind) {
            return Ok(());
        }
        let name: &[u8] = match kind {
            DeviceKeyKind::Hardware => b"hardware",
            DeviceKeyKind::Software => b"software",
        };
        self.put("device/kind".into(), name.to_vec()).await
    }

    /// The private half of a software key.
    pub async fn software_key(&self) -> Result<Option<Zeroizing<Vec<u8>>>, SecureStoreError> {
        self.get("device/key".into()).await
    }

    /// Keeps the private half of a software key.
    pub async fn set_software_key(&self, scalar: &[u8; 32]) -> Result<(), SecureStoreError> {
        self.put("device/key".into(), scalar.to_vec()).await
    }

    /// Fresh random bytes.
    pub fn fresh(&self) -> Result<Zeroizing<[u8; 32]>, SecureStoreError> {
        random_array(&*self.random).map(Zeroizing::new).map_err(|_| SecureStoreError::Failed)
    }

    async fn get(&self, key: String) -> Result<Option<Zeroizing<Vec<u8>>>, SecureStoreError> {
        let store = self.store.clone();
        Ok(self.within_deadline(Box::new(move || store.get(key))).await?.map(Zeroizing::new))
    }

    async fn put(&self, key: String, value: Vec<u8>) -> Result<(), SecureStoreError> {
        let store = self.store.clone();
        self.within_deadline(Box::new(move || store.put(key, value).map(|()| None))).await.map(drop)
    }

    async fn remove(&self, key: String) -> Result<(), SecureStoreError> {
        let store = self.store.clone();
        self.within_deadline(Box::new(move || store.remove(key).map(|()| None))).await.map(drop)
    }

    /// A call into the shell, on a thread of its own: an adapter that hangs or throws never takes the core along.
    async fn within_deadline(&self, call: Box<dyn FnOnce() -> Item + Send>) -> Item {
        match runtime::within(DEADLINE, off_thread(&*self.workers, call)).await {
            Some(Ok(result)) => result,
            Some(Err(_)) | None => Err(SecureStoreError::Failed),
        }
    }
}
