//! Master keys, and what is sealed under them: seeds of locks, mails on their way, security answers.

use std::{path::Path, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead, KeyInit, Payload},
};
use sentri_protocol::keys::Key;
use zeroize::Zeroizing;

use crate::ports::Randomness;

const NONCE_BYTES: usize = 24;
/// Stands before a key that all servers shall know before one of them seals under it.
pub const NEXT: &str = "next ";

/// Seals under the current master key; opens what any known one has sealed. A sealed value names its key.
pub struct Vault {
    keys: Vec<MasterKey>,
    /// Place of the current one among them.
    current: usize,
    randomness: Arc<dyn Randomness>,
}

struct MasterKey {
    id: String,
    seal: Key,
    fingerprint: Key,
}

/// Why a master key can't be had, or a sealed value can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// No file and no environment variable.
    #[error("there is no master key: name a master_key_file, or set SENTRI_MASTER_KEY")]
    NoKey,
    /// The file can't be read or written.
    #[error("the master key file can't be used: {0}")]
    File(#[from] std::io::Error),
    /// Not 64 hex digits.
    #[error("a master key is 64 hex digits, one key a line")]
    Malformed,
    /// Sealed under a key that is not here.
    #[error("sealed under the master key {0}, which is not in the master key file")]
    UnknownKey(String),
    /// Changed, or sealed for something else.
    #[error("a sealed value was altered")]
    Altered,
}

impl Vault {
    /// Reads the keys: the last one without `next` before it is current, the others only open what they sealed.
    pub fn new(lines: &str, randomness: Arc<dyn Randomness>) -> Result<Self, VaultError> {
        let (mut keys, mut current) = (Vec::new(), None);
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let next = line.strip_prefix(NEXT);
            if next.is_none() {
                current = Some(keys.len());
            }
            keys.push(MasterKey::parse(next.unwrap_or(line).trim())?);
        }
        let current = current.ok_or(VaultError::NoKey)?;
        Ok(Self { keys, current, randomness })
    }

    /// Reads the file, or the environment variable where no file is named.
    pub fn load(file: Option<&Path>, randomness: Arc<dyn Randomness>) -> Result<Self, VaultError> {
        let lines = match file {
            Some(path) => std::fs::read_to_string(path)?,
            None => std::env::var("SENTRI_MASTER_KEY").map_err(|_| VaultError::NoKey)?,
        };
        Self::new(&Zeroizing::new(lines), randomness)
    }

    /// Makes the file with a fresh key where there is none. Readable by its owner only.
    pub fn create_file(path: &Path, randomness: &dyn Randomness) -> Result<(), VaultError> {
        use std::io::Write;
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let mut file = match options.open(path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Ok(()),
            opened => opened?,
        };
        let mut key = Zeroizing::new([0u8; 32]);
        randomness.fill(key.as_mut());
        let line = Zeroizing::new(format!("{}\n", hex::encode(key.as_ref())));
        file.write_all(line.as_bytes())?;
        Ok(file.sync_all()?)
    }

    /// Name of the key that seals now.
    pub fn current(&self) -> &str {
        self.keys.get(self.current).map_or("", |key| &key.id)
    }

    /// Names of all keys, the oldest first.
    pub fn key_ids(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|key| key.id.as_str())
    }

    /// Seals bytes for one place (`purpose` and `id`); they open nowhere else.
    pub fn seal(&self, purpose: &str, id: &str, plain: &[u8]) -> Result<String, VaultError> {
        let key = self.keys.get(self.current).ok_or(VaultError::NoKey)?;
        let mut sealed = vec![0u8; NONCE_BYTES];
        self.randomness.fill(&mut sealed);
        let nonce = XNonce::try_from(&sealed[..]).map_err(|_| VaultError::Malformed)?;
        let aad = context(purpose, id);
        let text = XChaCha20Poly1305::new(key.seal.expose().into())
            .encrypt(&nonce, Payload { msg: plain, aad: &aad })
            .map_err(|_| VaultError::Altered)?;
        sealed.extend_from_slice(&text);
        Ok(format!("{}.{}", key.id, STANDARD_NO_PAD.encode(sealed)))
    }

    /// Opens what [`Self::seal`] made for the same place.
    pub fn open(&self, purpose: &str, id: &str, sealed: &str) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let (key_id, body) = sealed.split_once('.').ok_or(VaultError::Altered)?;
        let key = self
            .keys
            .iter()
            .find(|key| key.id == key_id)
            .ok_or_else(|| VaultError::UnknownKey(key_id.to_owned()))?;
        let body = STANDARD_NO_PAD.decode(body).map_err(|_| VaultError::Altered)?;
        let (nonce, text) = body.split_at_checked(NONCE_BYTES).ok_or(VaultError::Altered)?;
        let nonce = XNonce::try_from(nonce).map_err(|_| VaultError::Altered)?;
        let aad = context(purpose, id);
        XChaCha20Poly1305::new(key.seal.expose().into())
            .decrypt(&nonce, Payload { msg: text, aad: &aad })
            .map(Zeroizing::new)
            .map_err(|_| VaultError::Altered)
    }

    /// A keyed digest for what is too short to be hashed plainly (texted codes, bodies with a PIN). Made
    /// with the oldest key, so that adding a key does not change it.
    pub fn fingerprint(&self, purpose: &str, bytes: &[u8]) -> String {
        let Some(key) = self.keys.first() else { return String::new() };
        hex::encode(key.fingerprint.mac(&[purpose.as_bytes(), &[0], bytes]))
    }
}

impl MasterKey {
    fn parse(line: &str) -> Result<Self, VaultError> {
        let mut bytes = Zeroizing::new([0u8; 32]);
        hex::decode_to_slice(line, bytes.as_mut()).map_err(|_| VaultError::Malformed)?;
        let key = Key::new(*bytes);
        Ok(Self {
            id: hex::encode(key.tag::<4>(&[b"sentri/master/id"])),
            seal: Key::new(key.mac(&[b"sentri/master/seal"])),
            fingerprint: Key::new(key.mac(&[b"sentri/master/fingerprint"])),
        })
    }
}

fn context(purpose: &str, id: &str) -> Vec<u8> {
    [purpose.as_bytes(), &[0], id.as_bytes()].concat()
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Vault(current key {})", self.current())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::SystemRandomness;

    /// OPS-3: a new master key takes over, and what the old one sealed still opens.
    #[test]
    fn a_sealed_value_opens_only_at_its_place_and_names_its_key() {
        let (old, new) = ("11".repeat(32), "22".repeat(32));
        let random: Arc<dyn Randomness> = Arc::new(SystemRandomness);
        let before = Vault::new(&old, random.clone()).unwrap();
        let sealed = before.seal("seed", "box 1", b"secret").unwrap();

        let after = Vault::new(&format!("{old}\n{new}\n"), random.clone()).unwrap();
        assert_eq!(after.open("seed", "box 1", &sealed).unwrap().as_slice(), b"secret");
        assert!(after.seal("seed", "box 1", b"x").unwrap().starts_with(after.current()));
        assert_ne!(after.current(), before.current());
        assert_eq!(after.fingerprint("code", b"1234"), before.fingerprint("code", b"1234"));

        assert!(matches!(after.open("seed", "box 2", &sealed), Err(VaultError::Altered)));
        let only_new = Vault::new(&new, random).unwrap();
        assert!(matches!(only_new.open("seed", "box 1", &sealed), Err(VaultError::UnknownKey(_))));
    }
}
