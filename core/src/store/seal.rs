//! Seals single records and hashes their ids.

use std::sync::Arc;

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use sentri_protocol::keys::Key;
use zeroize::Zeroizing;

use super::{SCHEMA, StoreError};
use crate::{
    keys::DataKey,
    ports::{Random, random_array},
};

const NONCE: usize = 24;

/// Seals, opens and names rows under one data key.
pub(crate) struct Sealer {
    cipher: XChaCha20Poly1305,
    index_key: Key,
    epoch: u32,
    random: Arc<dyn Random>,
}

impl Sealer {
    pub(crate) fn new(key: &DataKey, random: Arc<dyn Random>) -> Self {
        let data_key = Key::new(key.key);
        let index_key = Key::new(data_key.mac(&[b"sentri/v1 row ids"]));
        let record_key = Zeroizing::new(data_key.mac(&[b"sentri/v1 records"]));
        let cipher = XChaCha20Poly1305::new((&*record_key).into());
        Self { cipher, index_key, epoch: key.epoch, random }
    }

    /// The name of a row, which tells nothing of the record's own id.
    pub(crate) fn row_id(&self, table: &str, id: &str) -> Vec<u8> {
        let length = u32::try_from(table.len()).unwrap_or(u32::MAX).to_be_bytes();
        self.index_key.tag::<16>(&[&length, table.as_bytes(), id.as_bytes()]).to_vec()
    }

    pub(crate) fn seal(&self, table: &str, row: &[u8], plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        let nonce: [u8; NONCE] = random_array(&*self.random).map_err(|_| StoreError::NoRandomness)?;
        let aad = self.associated(table, row);
        let sealed = self
            .cipher
            .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: &aad })
            .map_err(|_| StoreError::Unavailable)?;
        Ok([&nonce[..], &sealed].concat())
    }

    pub(crate) fn open(
        &self,
        table: &str,
        row: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>().ok_or(StoreError::Damaged)?;
        let aad = self.associated(table, row);
        let plain = self
            .cipher
            .decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: &aad })
            .map_err(|_| StoreError::Damaged)?;
        Ok(Zeroizing::new(plain))
    }

    fn associated(&self, table: &str, row: &[u8]) -> Vec<u8> {
        let mut aad = Vec::with_capacity(table.len() + row.len() + 16);
        for part in [table.as_bytes(), row] {
            aad.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            aad.extend_from_slice(part);
        }
        aad.extend_from_slice(&SCHEMA.to_be_bytes());
        aad.extend_from_slice(&self.epoch.to_be_bytes());
        aad
    }
}
