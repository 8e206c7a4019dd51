//! Secrets in a file, sealed under a key in another file that only its owner can read.

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce, aead::Aead};
use zeroize::{Zeroize, Zeroizing};

use crate::{
    api::ports::SecureStoreError,
    desktop::is_there,
    ports::{SystemRandom, random_array},
};

const SEALED: &str = "secrets.sealed";
const KEY: &str = "sentri-secrets.key";
const NONCE: usize = 24;
const FAILED: SecureStoreError = SecureStoreError::Failed;

/// The items, and where they are.
pub(super) struct SealedFile {
    path: PathBuf,
    cipher: XChaCha20Poly1305,
    items: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl SealedFile {
    /// Whether a former run left one.
    pub(super) fn exists(folder: &Path) -> bool {
        is_there(&folder.join(SEALED))
    }

    /// Opens it, or makes it. A file whose key is gone, or that was altered, is refused: it is not made anew by itself.
    pub(super) fn open(sealed: &Path, key: &Path) -> Result<Self, SecureStoreError> {
        let path = sealed.join(SEALED);
        let key_path = key.join(KEY);
        if is_there(&path) && !is_there(&key_path) {
            return Err(FAILED);
        }
        let key = the_key(&key_path)?;
        let cipher = XChaCha20Poly1305::new((&*key).into());
        let items = if is_there(&path) { read(&path, &cipher)? } else { BTreeMap::new() };
        Ok(Self { path, cipher, items: Mutex::new(items) })
    }

    pub(super) fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.with(|items| items.get(key).cloned())
    }

    pub(super) fn put(&self, key: &str, value: Vec<u8>) -> Result<(), SecureStoreError> {
        self.change(|items| {
            items.insert(key.to_owned(), value);
        })
    }

    pub(super) fn remove(&self, key: &str) -> Result<(), SecureStoreError> {
        self.change(|items| {
            items.remove(key);
        })
    }

    fn with<T>(&self, look: impl FnOnce(&mut BTreeMap<String, Vec<u8>>) -> T) -> T {
        look(&mut self.items.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// First the file, then what is shown of it: what was acknowledged is durable.
    fn change(&self, change: impl FnOnce(&mut BTreeMap<String, Vec<u8>>)) -> Result<(), SecureStoreError> {
        self.with(|items| {
            let mut next = items.clone();
            change(&mut next);
            self.write(&next)?;
            *items = next;
            Ok(())
        })
    }

    fn write(&self, items: &BTreeMap<String, Vec<u8>>) -> Result<(), SecureStoreError> {
        let plain = Zeroizing::new(serde_json::to_vec(items).map_err(|_| FAILED)?);
        let nonce: [u8; NONCE] = random_array(&SystemRandom).map_err(|_| FAILED)?;
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), plain.as_slice()).map_err(|_| FAILED)?;
        replace(&self.path, &[&nonce[..], &sealed].concat())
    }
}

impl Drop for SealedFile {
    fn drop(&mut self) {
        self.with(|items| items.values_mut().for_each(Zeroize::zeroize));
    }
}

fn read(path: &Path, cipher: &XChaCha20Poly1305) -> Result<BTreeMap<String, Vec<u8>>, SecureStoreError> {
    let file = fs::read(path).map_err(|_| FAILED)?;
    let (nonce, sealed) = file.split_first_chunk::<NONCE>().ok_or(FAILED)?;
    let plain = Zeroizing::new(cipher.decrypt(&XNonce::from(*nonce), sealed).map_err(|_| FAILED)?);
    crate::json::read(&plain).map_err(|_| FAILED)
}

fn the_key(path: &Path) -> Result<Zeroizing<[u8; 32]>, SecureStoreError> {
    if is_there(path) {
        let bytes = Zeroizing::new(fs::read(path).map_err(|_| FAILED)?);
        return bytes.as_slice().try_into().map(Zeroizing::new).map_err(|_| FAILED);
    }
    let key: Zeroizing<[u8; 32]> = random_array(&SystemRandom).map(Zeroizing::new).map_err(|_| FAILED)?;
    replace(path, &*key)?;
    Ok(key)
}

/// Written beside, made durable, and put in place: a kill leaves the old file or the new one.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), SecureStoreError> {
    let write = || {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let beside = path.with_extension("new");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    write().map_err(|_: std::io::Error| FAILED)
}
