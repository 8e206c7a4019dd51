//! The forward-secret channel after M2: the phone asks, the lock answers, one at a time.

use alloc::vec::Vec;

use snow::{HandshakeState, TransportState};
use thiserror::Error;

use super::phone::hash_of;
use crate::{
    audit::{Acknowledgement, MAX_BATCH},
    bytes::{Malformed, Reader},
    clock::FreshTime,
    frame::MAX_MESSAGE,
    status::{SignedStatus, Status},
};

const TAG: usize = 16;

/// What a phone sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PhoneMessage {
    /// The time, from the backend; the lock judges the operation of M1 again.
    FreshTime(FreshTime),
    /// A signed revocation list, as carried.
    Revocations(Vec<u8>),
    /// Signed settings, as carried.
    Settings(Vec<u8>),
    /// Asks for audit records.
    ReadAudit {
        /// Number of the first one wanted; a lock begins at its oldest where that is newer.
        from: u32,
        /// How many at most, 1 to 24.
        at_most: u8,
    },
    /// Tells up to where records are backed up.
    Acknowledge(Acknowledgement),
    /// A sealed delivery of codes, as carried.
    Codes(Vec<u8>),
}

/// What a lock answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockMessage {
    /// To fresh time: the operation judged again.
    Judged(SignedStatus),
    /// To revocations.
    Revocations {
        /// What became of the list.
        result: Applied,
        /// The lock's version now.
        version: u32,
    },
    /// To settings.
    Settings {
        /// What became of them.
        result: Applied,
        /// The lock's version now.
        version: u32,
    },
    /// To a request for audit records: a signed batch, as the backend reads it.
    Audit(Vec<u8>),
    /// To an acknowledgement.
    Acknowledged {
        /// What became of it.
        result: Applied,
        /// Up to where the lock's records are acknowledged now.
        up_to: u32,
    },
    /// To a delivery of codes.
    Codes {
        /// What became of it.
        result: Applied,
        /// The lock's version now.
        version: u32,
        /// Bit n: order n was not carried out: another code is the same, or there is no such place or room.
        not_done: u16,
    },
    /// To anything malformed.
    Malformed,
}

/// What became of something handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Applied {
    /// It counts from now on.
    Now = 0,
    /// The lock had it, or a newer one.
    Already = 1,
    /// Not authentic, or older than what the lock may go back to.
    Refused = 2,
    /// The lock could not write it down.
    FlashFailed = 3,
}

impl Applied {
    fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Now,
            1 => Self::Already,
            2 => Self::Refused,
            3 => Self::FlashFailed,
            _ => return None,
        })
    }
}

impl PhoneMessage {
    /// The bytes before encryption.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::FreshTime(token) => with_type(0x01, &[&token.encode()]),
            Self::Revocations(list) => with_type(0x02, &[list]),
            Self::Settings(settings) => with_type(0x03, &[settings]),
            Self::ReadAudit { from, at_most } => with_type(0x04, &[&from.to_be_bytes(), &[*at_most]]),
            Self::Acknowledge(it) => with_type(0x05, &[&it.encode()]),
            Self::Codes(delivery) => with_type(0x06, &[delivery]),
        }
    }

    /// From the bytes after decryption.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes, "message to a lock");
        Ok(match reader.u8()? {
            0x01 => Self::FreshTime(FreshTime::decode(reader.rest())?),
            0x02 => Self::Revocations(reader.rest().to_vec()),
            0x03 => Self::Settings(reader.rest().to_vec()),
            0x04 => {
                let (from, at_most) = (reader.u32()?, reader.u8()?);
                if !(1..=MAX_BATCH).contains(&at_most) {
                    return Err(reader.malformed());
                }
                reader.finish()?;
                Self::ReadAudit { from, at_most }
            }
            0x05 => Self::Acknowledge(Acknowledgement::decode(reader.rest())?),
            0x06 => Self::Codes(reader.rest().to_vec()),
            _ => return Err(reader.malformed()),
        })
    }
}

impl LockMessage {
    /// The bytes before encryption.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Judged(status) => with_type(0x81, &[status]),
            Self::Revocations { result, version } => {
                with_type(0x82, &[&[*result as u8], &version.to_be_bytes()])
            }
            Self::Settings { result, version } => {
                with_type(0x83, &[&[*result as u8], &version.to_be_bytes()])
            }
            Self::Audit(batch) => with_type(0x84, &[batch]),
            Self::Acknowledged { result, up_to } => {
                with_type(0x85, &[&[*result as u8], &up_to.to_be_bytes()])
            }
            Self::Codes { result, version, not_done } => {
                with_type(0x86, &[&[*result as u8], &version.to_be_bytes(), &not_done.to_be_bytes()])
            }
            Self::Malformed => with_type(0xff, &[&[4]]),
        }
    }

    /// From the bytes after decryption.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes, "answer of a lock");
        let malformed = reader.malformed();
        let kind = reader.u8()?;
        let applied = |reader: &mut Reader<'_>| {
            Ok::<_, Malformed>((Applied::from_code(reader.u8()?).ok_or(malformed)?, reader.u32()?))
        };
        let message = match kind {
            0x81 => Self::Judged(reader.array::<{ Status::LEN }>()?),
            0x82 => {
                let (result, version) = applied(&mut reader)?;
                Self::Revocations { result, version }
            }
            0x83 => {
                let (result, version) = applied(&mut reader)?;
                Self::Settings { result, version }
            }
            0x84 => Self::Audit(reader.rest().to_vec()),
            0x85 => {
                let (result, up_to) = applied(&mut reader)?;
                Self::Acknowledged { result, up_to }
            }
            0x86 => {
                let (result, version) = applied(&mut reader)?;
                Self::Codes { result, version, not_done: reader.u16()? }
            }
            0xff if reader.u8()? == 4 => Self::Malformed,
            _ => return Err(malformed),
        };
        reader.finish()?;
        Ok(message)
    }
}

fn with_type(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut out = alloc::vec![kind];
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

/// The message does not belong to this channel, or its form is unknown: the connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a message of this channel")]
pub struct ChannelError;

/// Noise transport, and the hash that names this session.
#[derive(Debug)]
struct Channel {
    transport: TransportState,
    handshake_hash: [u8; 32],
}

impl Channel {
    fn new(handshake: HandshakeState) -> Option<Self> {
        let handshake_hash = hash_of(&handshake);
        Some(Self { transport: handshake.into_transport_mode().ok()?, handshake_hash })
    }

    fn seal(&mut self, plain: &[u8]) -> Result<Vec<u8>, ChannelError> {
        if plain.len() + TAG > MAX_MESSAGE {
            return Err(ChannelError);
        }
        let mut out = alloc::vec![0; plain.len() + TAG];
        self.transport.write_message(plain, &mut out).map_err(|_| ChannelError)?;
        Ok(out)
    }

    fn open(&mut self, sealed: &[u8]) -> Result<Vec<u8>, ChannelError> {
        let mut out = alloc::vec![0; sealed.len()];
        let length = self.transport.read_message(sealed, &mut out).map_err(|_| ChannelError)?;
        out.truncate(length);
        Ok(out)
    }
}

/// The phone's end.
#[derive(Debug)]
pub struct PhoneChannel(Channel);

/// The lock's end.
#[derive(Debug)]
pub struct LockChannel(Channel);

impl PhoneChannel {
    pub(super) fn new(handshake: HandshakeState) -> Option<Self> {
        Channel::new(handshake).map(Self)
    }

    /// h2: what a fresh time token is bound to.
    pub fn handshake_hash(&self) -> &[u8; 32] {
        &self.0.handshake_hash
    }

    /// Encrypts; the result is framed and sent.
    pub fn seal(&mut self, message: &PhoneMessage) -> Result<Vec<u8>, ChannelError> {
        self.0.seal(&message.encode())
    }

    /// Decrypts what the lock sent.
    pub fn open(&mut self, sealed: &[u8]) -> Result<LockMessage, ChannelError> {
        LockMessage::decode(&self.0.open(sealed)?).map_err(|_| ChannelError)
    }
}

impl LockChannel {
    pub(super) fn new(handshake: HandshakeState) -> Option<Self> {
        Channel::new(handshake).map(Self)
    }

    /// h2: what a fresh time token is bound to.
    pub fn handshake_hash(&self) -> &[u8; 32] {
        &self.0.handshake_hash
    }

    /// Encrypts; the result is framed and sent.
    pub fn seal(&mut self, message: &LockMessage) -> Result<Vec<u8>, ChannelError> {
        self.0.seal(&message.encode())
    }

    /// Decrypts what the phone sent: an authentic message may still be malformed, and is answered so.
    pub fn open(&mut self, sealed: &[u8]) -> Result<Result<PhoneMessage, Malformed>, ChannelError> {
        Ok(PhoneMessage::decode(&self.0.open(sealed)?))
    }
}
