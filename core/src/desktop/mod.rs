//! The key store of a desktop, for programs that are no phone: the platform's own where one runs, else a sealed file.
//!
//! Only with the feature `desktop`, which phones are built without: their shells bring the platform's key store.

mod sealed_file;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use keyring_core::{CredentialStore, Error};

use crate::api::ports::{SecureStore, SecureStoreError};
use sealed_file::SealedFile;

/// What a user must be told where the platform has no key store.
pub const WARNING: &str = "No key store runs on this computer. Your keys are kept in a file that is sealed only by \
    another file of your own account: whoever can read both can open what your account can open. Start a key store \
    (GNOME Keyring, KWallet), or use this account for tests only.";

/// Where a desktop's secrets are kept.
pub struct DesktopStore {
    service: String,
    place: Place,
}

enum Place {
    KeyStore(Arc<CredentialStore>),
    File(SealedFile),
}

/// Which of the two it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// In the platform's key store.
    InKeyStore,
    /// In a sealed file: show [`WARNING`].
    InSealedFile,
}

/// Where the files of the fallback go. Two folders, so that a stolen app folder alone reveals nothing. [SYN-4]
#[derive(Clone, Debug)]
pub struct FallbackFolders {
    /// For what is sealed: the app's own folder.
    pub sealed: PathBuf,
    /// For the key: elsewhere, and in no backup.
    pub key: PathBuf,
}

impl DesktopStore {
    /// The platform's key store where one runs; `service` names the program there. A sealed file of a former run
    /// stays in use, so that nothing is lost as a key store comes and goes.
    pub fn open(service: &str, folders: &FallbackFolders) -> Result<Self, SecureStoreError> {
        Self::with(service, folders, platform_store)
    }

    /// As [`open`](Self::open), with another key store, for tests.
    pub fn with(
        service: &str,
        folders: &FallbackFolders,
        store: impl FnOnce() -> Result<Arc<CredentialStore>, Error>,
    ) -> Result<Self, SecureStoreError> {
        let service = service.to_owned();
        if !SealedFile::exists(&folders.sealed)
            && let Ok(store) = store()
            && answers(&store, &service)
        {
            return Ok(Self { service, place: Place::KeyStore(store) });
        }
        let file = SealedFile::open(&folders.sealed, &folders.key)?;
        Ok(Self { service, place: Place::File(file) })
    }

    /// Which of the two it is.
    pub fn kept(&self) -> Kept {
        match self.place {
            Place::KeyStore(_) => Kept::InKeyStore,
            Place::File(_) => Kept::InSealedFile,
        }
    }
}

/// Sets up the platform's store, once for the process.
fn platform_store() -> Result<Arc<CredentialStore>, Error> {
    if keyring::v1::Entry::store_status().is_err() {
        return Err(Error::NoDefaultStore);
    }
    keyring_core::get_default_store().ok_or(Error::NoDefaultStore)
}

/// A store that can be set up need not answer: a session bus without a key store on it.
fn answers(store: &Arc<CredentialStore>, service: &str) -> bool {
    let asked = store.build(service, "is anybody there", None).and_then(|entry| entry.get_secret());
    matches!(asked, Ok(_) | Err(Error::NoEntry))
}

fn refused(error: &Error) -> SecureStoreError {
    match error {
        Error::NoStorageAccess(_) => SecureStoreError::Locked,
        _ => SecureStoreError::Failed,
    }
}

impl SecureStore for DesktopStore {
    fn get(&self, key: String) -> Result<Option<Vec<u8>>, SecureStoreError> {
        match &self.place {
            Place::File(file) => Ok(file.get(&key)),
            Place::KeyStore(store) => {
                let entry = store.build(&self.service, &key, None).map_err(|error| refused(&error))?;
                match entry.get_secret() {
                    Ok(value) => Ok(Some(value)),
                    Err(Error::NoEntry) => Ok(None),
                    Err(error) => Err(refused(&error)),
                }
            }
        }
    }

    fn put(&self, key: String, value: Vec<u8>) -> Result<(), SecureStoreError> {
        match &self.place {
            Place::File(file) => file.put(&key, value),
            Place::KeyStore(store) => {
                let entry = store.build(&self.service, &key, None).map_err(|error| refused(&error))?;
                entry.set_secret(&value).map_err(|error| refused(&error))
            }
        }
    }

    fn remove(&self, key: String) -> Result<(), SecureStoreError> {
        match &self.place {
            Place::File(file) => file.remove(&key),
            Place::KeyStore(store) => {
                let entry = store.build(&self.service, &key, None).map_err(|error| refused(&error))?;
                match entry.delete_credential() {
                    Ok(()) | Err(Error::NoEntry) => Ok(()),
                    Err(error) => Err(refused(&error)),
                }
            }
        }
    }
}

/// Whether a path is there, whatever it is.
fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
