//! What the core keeps in the platform's key store: data keys, high-water marks, the accounts on this phone.

use std::{sync::Arc, time::Duration};

use sentri_wire::account::AccountKind;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{
    api::ports::{SecureStore, SecureStoreError},
    ports::{Random, Workers, off_thread, random_array, random_uuid},
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
}

/// The accounts on this phone and the one in use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountIndex {
    /// All of them.
    pub accounts: Vec<KnownAccount>,
    /// The one in use.
    pub active: Option<Uuid>,
}

impl Keys {
    /// Over a shell's key store.
    pub fn new(store: Arc<dyn SecureStore>, random: Arc<dyn Random>, workers: Arc<dyn Workers>) -> Self {
        Self { store, random, workers }
    }

    /// The id that makes this device the same device at each login of that account. [ACC-4]
    pub async fn install_id(&self, login: &str) -> Result<Uuid, SecureStoreError> {
        use std::fmt::Write;
        let digest = Sha256::digest(login.as_bytes());
        let name = digest.iter().take(16).fold("install/".to_owned(), |mut name, byte| {
            let _ = write!(name, "{byte:02x}");
            name
        });
        if let Some(bytes) = self.get(name.clone()).await?
            && let Ok(id) = Uuid::from_slice(&bytes)
        {
            return Ok(id);
        }
        let id = random_uuid(&*self.random).map_err(|_| SecureStoreError::Failed)?;
        self.put(name, id.as_bytes().to_vec()).await?;
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
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default())
    }

    /// Stores the accounts on this phone.
    pub async fn set_index(&self, index: &AccountIndex) -> Result<(), SecureStoreError> {
        let bytes = serde_json::to_vec(index).map_err(|_| SecureStoreError::Failed)?;
        self.put("accounts".into(), bytes).await
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
        match tokio::time::timeout(DEADLINE, off_thread(&*self.workers, call)).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) | Err(_) => Err(SecureStoreError::Failed),
        }
    }
}
