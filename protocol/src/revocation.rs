//! Revocation lists: they ride to a lock with any phone that passes (section 8). [GRT-6]

use alloc::vec::Vec;

use thiserror::Error;

use crate::{
    bytes::{Malformed, Reader},
    keys::KeyTree,
    ticket::{CredentialId, Epoch},
    time::Time,
};

/// The most entries that a lock stores; past it the backend raises the epoch instead.
pub const MAX_ENTRIES: usize = 64;

const MAC_LEN: usize = 16;

/// What is revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// A ticket.
    Credential(CredentialId),
    /// A worker named by a caveat: credential-independent, 8 bytes of which the caveat carries the last 3.
    Worker([u8; 8]),
    /// A card, by its serial number.
    Card([u8; 8]),
}

/// One entry: what is revoked, and until when that must be remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What is revoked.
    pub what: Revoked,
    /// When it would have ended anyway.
    pub until: Time,
}

impl Entry {
    fn encode(&self) -> [u8; 13] {
        let (kind, id) = match self.what {
            Revoked::Credential(CredentialId(id)) => (0, id),
            Revoked::Worker(id) => (1, id),
            Revoked::Card(id) => (2, id),
        };
        let mut out = [0; 13];
        out[0] = kind;
        out[1..9].copy_from_slice(&id);
        out[9..].copy_from_slice(&self.until.to_bytes());
        out
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (kind, id) = (reader.u8()?, reader.array()?);
        let what = match kind {
            0 => Revoked::Credential(CredentialId(id)),
            1 => Revoked::Worker(id),
            2 => Revoked::Card(id),
            _ => return Err(reader.malformed()),
        };
        Ok(Self { what, until: Time(reader.u32()?) })
    }
}

/// The list has no room for another entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a revocation list holds at most 64 entries")]
pub struct TooMany;

/// All that is revoked at a lock, as of a version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RevocationList {
    /// Strictly rising; 0 before the first list.
    pub version: u32,
    /// Tickets of a lower epoch are dead.
    pub epoch_floor: Epoch,
    entries: Vec<Entry>,
}

impl RevocationList {
    /// A list with these entries.
    pub fn new(version: u32, epoch_floor: Epoch, entries: Vec<Entry>) -> Result<Self, TooMany> {
        if entries.len() > MAX_ENTRIES { Err(TooMany) } else { Ok(Self { version, epoch_floor, entries }) }
    }

    /// The entries.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether a ticket is dead by this list.
    pub fn revokes(&self, credential: CredentialId, epoch: Epoch) -> bool {
        epoch < self.epoch_floor
            || self.entries.iter().any(|entry| entry.what == Revoked::Credential(credential))
    }

    /// Drops what had ended before `floor`, the highest time proved.
    pub fn forget_before(&mut self, floor: Time) {
        self.entries.retain(|entry| entry.until >= floor);
    }

    /// The list without its MAC.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(7 + 13 * self.entries.len() + MAC_LEN);
        out.extend_from_slice(&self.version.to_be_bytes());
        out.extend_from_slice(&self.epoch_floor.0.to_be_bytes());
        // `new` keeps the count within a byte.
        out.push(u8::try_from(self.entries.len()).unwrap_or(u8::MAX));
        for entry in &self.entries {
            out.extend_from_slice(&entry.encode());
        }
        out
    }

    /// From the bytes of [`Self::encode`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes, "revocation list");
        let (version, epoch_floor, count) = (reader.u32()?, Epoch(reader.u16()?), usize::from(reader.u8()?));
        if count > MAX_ENTRIES {
            return Err(reader.malformed());
        }
        let entries = (0..count).map(|_| Entry::read(&mut reader)).collect::<Result<_, _>>()?;
        reader.finish()?;
        Ok(Self { version, epoch_floor, entries })
    }

    /// Signed by the backend: the bytes that phones carry.
    pub fn sign(&self, keys: &KeyTree) -> Vec<u8> {
        let mut out = self.encode();
        let mac: [u8; MAC_LEN] = keys.revoke.tag(&[&out]);
        out.extend_from_slice(&mac);
        out
    }

    /// Checked by the lock. Nothing where it is malformed or not authentic.
    pub fn open(keys: &KeyTree, signed: &[u8]) -> Option<Self> {
        let (list, mac) = signed.split_last_chunk::<MAC_LEN>()?;
        keys.revoke.verify(&[list], mac).then(|| Self::decode(list).ok()).flatten()
    }
}
