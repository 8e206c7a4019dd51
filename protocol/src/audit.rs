//! Audit records: encrypted, chained, carried by phones that can neither read nor forge them (section 10).

use alloc::vec::Vec;

use thiserror::Error;

use crate::{
    bytes::{Malformed, Reader},
    keys::KeyTree,
    time::Time,
};

/// The most records in one batch.
pub const MAX_BATCH: u8 = 24;

/// Links a record to the one before it.
pub type ChainTag = [u8; 12];
/// The tag before the first record.
pub const CHAIN_START: ChainTag = [0; 12];

const CLOCK_LOST: u8 = 0x80;

/// What a record tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// A proved ticket over BLE.
    Ble = 1,
    /// A code on the keypad.
    Code = 2,
    /// A card.
    Card = 3,
    /// The clock was set.
    ClockSet = 4,
    /// Settings arrived.
    Settings = 5,
    /// A revocation list arrived.
    Revocations = 6,
    /// The lock started.
    Boot = 7,
    /// Failures that had no room of their own; `who` holds their number.
    MergedFailures = 8,
    /// The motor failed.
    MotorFailed = 9,
    /// The flash failed.
    FlashFailed = 10,
    /// A delivery of codes arrived.
    Codes = 11,
}

impl Kind {
    fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::Ble,
            2 => Self::Code,
            3 => Self::Card,
            4 => Self::ClockSet,
            5 => Self::Settings,
            6 => Self::Revocations,
            7 => Self::Boot,
            8 => Self::MergedFailures,
            9 => Self::MotorFailed,
            10 => Self::FlashFailed,
            11 => Self::Codes,
            _ => return None,
        })
    }
}

/// What a record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The lock's clock.
    pub time: Time,
    /// What it tells of.
    pub kind: Kind,
    /// Whether the clock was lost then.
    pub clock_lost: bool,
    /// How the lock judged, as [`crate::open::Verdict::code`].
    pub result: u8,
    /// A credential's id; or a code's kind and slot.
    pub who: [u8; 8],
    /// The first half of the operation's id; of settings that a phone brought, their version.
    pub operation: [u8; 4],
    /// Phone time less lock time, in units of 10 s; `i16::MIN` unknown.
    pub skew: i16,
}

impl Entry {
    const LEN: usize = 20;

    fn encode(&self) -> [u8; Self::LEN] {
        let mut out = [0; Self::LEN];
        out[..4].copy_from_slice(&self.time.to_bytes());
        out[4] = self.kind as u8 | if self.clock_lost { CLOCK_LOST } else { 0 };
        out[5] = self.result;
        out[6..14].copy_from_slice(&self.who);
        out[14..18].copy_from_slice(&self.operation);
        out[18..].copy_from_slice(&self.skew.to_be_bytes());
        out
    }

    fn decode(bytes: &[u8; Self::LEN]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes, "audit record");
        let (time, kind) = (Time(reader.u32()?), reader.u8()?);
        Ok(Self {
            time,
            kind: Kind::from_code(kind & !CLOCK_LOST).ok_or(reader.malformed())?,
            clock_lost: kind & CLOCK_LOST != 0,
            result: reader.u8()?,
            who: reader.array()?,
            operation: reader.array()?,
            skew: i16::from_be_bytes(reader.array()?),
        })
    }

    /// Phone time less lock time as [`Entry::skew`] carries it.
    pub fn skew_between(phone: Time, lock: Time) -> i16 {
        let tens = (phone.unix() - lock.unix()) / 10;
        i16::try_from(tens).unwrap_or(if tens < 0 { i16::MIN + 1 } else { i16::MAX })
    }
}

/// A record as it is stored and carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record([u8; Record::LEN]);

impl Record {
    /// Bytes in flash and on the wire.
    pub const LEN: usize = 32;

    /// Seals record `number`, which follows the one with tag `previous`.
    pub fn seal(keys: &KeyTree, number: u32, previous: &ChainTag, entry: &Entry) -> Self {
        let plain = entry.encode();
        let tag: ChainTag = keys.audit_mac.tag(&[&number.to_be_bytes(), previous, &plain]);
        let stream: [u8; Entry::LEN] = keys.audit_enc.tag(&[&number.to_be_bytes(), &tag]);
        let mut out = [0; Self::LEN];
        out[..12].copy_from_slice(&tag);
        for (to, (p, s)) in out.iter_mut().skip(12).zip(plain.into_iter().zip(stream)) {
            *to = p ^ s;
        }
        Self(out)
    }

    /// Opens record `number`. Nothing where it was altered or follows another than `previous`.
    pub fn open(&self, keys: &KeyTree, number: u32, previous: &ChainTag) -> Option<Entry> {
        let tag = self.tag();
        let mut plain: [u8; Entry::LEN] = keys.audit_enc.tag(&[&number.to_be_bytes(), &tag]);
        for (to, cipher) in plain.iter_mut().zip(self.0.iter().skip(12)) {
            *to ^= cipher;
        }
        keys.audit_mac
            .verify(&[&number.to_be_bytes(), previous, &plain], &tag)
            .then(|| Entry::decode(&plain).ok())
            .flatten()
    }

    /// What the next record is chained to.
    pub fn tag(&self) -> ChainTag {
        let mut tag = CHAIN_START;
        tag.copy_from_slice(&self.0[..12]);
        tag
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// From the bytes, unchecked.
    pub fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }
}

/// Consecutive records on their way to the backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Number of the first record.
    pub first: u32,
    /// Records ever overwritten before they were acknowledged.
    pub lost: u32,
    /// Tag of the record before the first.
    pub previous: ChainTag,
    /// The records.
    pub records: Vec<Record>,
}

/// Why a batch was not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BatchError {
    /// Not of the documented form.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// Not as the lock made it.
    #[error("audit batch is not authentic")]
    NotAuthentic,
}

impl Batch {
    const HEAD: usize = 29;

    fn head(&self) -> [u8; 21] {
        let mut head = [0; 21];
        head[..4].copy_from_slice(&self.first.to_be_bytes());
        head[4] = u8::try_from(self.records.len()).unwrap_or(u8::MAX);
        head[5..9].copy_from_slice(&self.lost.to_be_bytes());
        head[9..].copy_from_slice(&self.previous);
        head
    }

    /// The bytes on the wire, signed by the lock.
    pub fn sign(&self, keys: &KeyTree) -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::HEAD + Record::LEN * self.records.len());
        let head = self.head();
        out.extend_from_slice(&head);
        out.extend_from_slice(&keys.audit_head.tag::<8>(&[&head]));
        for record in &self.records {
            out.extend_from_slice(record.as_bytes());
        }
        out
    }

    /// The number of the first record and how many there are, for a phone that carries the bytes unread.
    pub fn peek(bytes: &[u8]) -> Result<(u32, u8), Malformed> {
        let mut reader = Reader::new(bytes, "audit batch");
        Ok((reader.u32()?, reader.u8()?))
    }

    /// Checked and opened by the backend: the batch and what its records say.
    pub fn open(keys: &KeyTree, bytes: &[u8]) -> Result<(Self, Vec<Entry>), BatchError> {
        let mut reader = Reader::new(bytes, "audit batch");
        let (first, count, lost) = (reader.u32()?, reader.u8()?, reader.u32()?);
        let (previous, mac) = (reader.array()?, reader.array::<8>()?);
        if count > MAX_BATCH || first == 0 {
            return Err(reader.malformed().into());
        }
        let records = (0..count).map(|_| reader.array().map(Record)).collect::<Result<Vec<_>, _>>()?;
        reader.finish()?;
        let batch = Self { first, lost, previous, records };
        if !keys.audit_head.verify(&[&batch.head()], &mac) {
            return Err(BatchError::NotAuthentic);
        }
        let entries = batch.open_records(keys).ok_or(BatchError::NotAuthentic)?;
        Ok((batch, entries))
    }

    fn open_records(&self, keys: &KeyTree) -> Option<Vec<Entry>> {
        let mut previous = self.previous;
        (self.first..)
            .zip(&self.records)
            .map(|(number, record)| {
                let entry = record.open(keys, number, &previous)?;
                previous = record.tag();
                Some(entry)
            })
            .collect()
    }

    /// Number and tag of the last record, where there is one.
    pub fn last(&self) -> Option<(u32, ChainTag)> {
        let count = u32::try_from(self.records.len()).ok()?;
        self.records.last().map(|record| (self.first.saturating_add(count - 1), record.tag()))
    }
}

/// Tells a lock up to where its records are backed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// Number of the last record that is backed up.
    pub up_to: u32,
    /// Its tag.
    pub tag: ChainTag,
    mac: [u8; 8],
}

impl Acknowledgement {
    /// Bytes on the wire.
    pub const LEN: usize = 24;

    /// Signed by the backend.
    pub fn sign(keys: &KeyTree, up_to: u32, tag: ChainTag) -> Self {
        Self { up_to, tag, mac: keys.ack.tag(&[&up_to.to_be_bytes(), &tag]) }
    }

    /// Checked by the lock.
    #[must_use]
    pub fn verify(&self, keys: &KeyTree) -> bool {
        keys.ack.verify(&[&self.up_to.to_be_bytes(), &self.tag], &self.mac)
    }

    /// The bytes on the wire.
    pub fn encode(&self) -> [u8; Self::LEN] {
        let mut out = [0; Self::LEN];
        out[..4].copy_from_slice(&self.up_to.to_be_bytes());
        out[4..16].copy_from_slice(&self.tag);
        out[16..].copy_from_slice(&self.mac);
        out
    }

    /// From the bytes on the wire, unchecked.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes, "acknowledgement");
        let it = Self { up_to: reader.u32()?, tag: reader.array()?, mac: reader.array()? };
        reader.finish()?;
        Ok(it)
    }
}
