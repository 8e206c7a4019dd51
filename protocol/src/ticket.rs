//! Tickets: what their holder may do at one lock (`docs/protocol.md`, section 3).

use alloc::vec::Vec;
use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{
    bytes::{Malformed, Reader},
    hours::Schedule,
    keys::{Key, KeyTree},
    time::{Time, Window},
};

const VERSION: u8 = 1;
const FLAG_DEVICE_KEY: u8 = 1;

/// Names a credential at its lock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CredentialId(pub [u8; 8]);

/// Whom the audit names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SubjectId(pub [u8; 4]);

/// Tickets below the lock's floor are dead, all at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u16);

/// A device's P-256 public key, compressed SEC 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceKey(pub [u8; 33]);

impl DeviceKey {
    /// Takes a compressed point off the front. Whether it lies on the curve shows when a signature is checked.
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let key: [u8; 33] = reader.array()?;
        if matches!(key, [2 | 3, ..]) { Ok(Self(key)) } else { Err(reader.malformed()) }
    }
}

/// What a ticket allows; at least one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights(u8);

impl Rights {
    /// Open the key bin; and the channel, for service.
    pub const OPEN: Self = Self(0b001 | 0b100);
    /// The channel only: carry settings, revocations, records.
    pub const SERVICE: Self = Self(0b100);
    /// All that [`Self::OPEN`] allows, as the owner of the box.
    pub const OWNER: Self = Self(0b001 | 0b100 | 0b1000);

    /// From the byte on the wire.
    pub fn new(bits: u8) -> Option<Self> {
        (bits != 0 && bits < 0b1_0000).then_some(Self(bits))
    }

    /// The byte on the wire.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// Open the key bin.
    pub fn may_open(self) -> bool {
        self.0 & 0b001 != 0
    }

    /// Release the shackle.
    pub fn may_release_shackle(self) -> bool {
        self.0 & 0b010 != 0
    }

    /// Carry settings, revocations, records.
    pub fn may_service(self) -> bool {
        self.0 & 0b100 != 0
    }

    /// The owner's: ends a wait at the keypad, once a day.
    pub fn is_owner(self) -> bool {
        self.0 & 0b1000 != 0
    }
}

/// What its holder may do at one lock, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Names it at its lock.
    pub credential: CredentialId,
    /// Whom the audit names.
    pub subject: SubjectId,
    /// The epoch it was issued in.
    pub epoch: Epoch,
    /// The backend's true time of signing: a lower bound for the lock's clock.
    pub issued_at: Time,
    /// When it may be used.
    pub window: Window,
    /// On which days and hours, lock-local.
    pub schedule: Schedule,
    /// For what.
    pub rights: Rights,
    /// The device that must sign, where it is bound to one.
    pub device_key: Option<DeviceKey>,
}

impl Ticket {
    /// Bytes on the wire without a device key.
    pub const LEN: usize = 32;

    /// The bytes on the wire: 32, or 65 with a device key.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::LEN + 33);
        out.push(VERSION);
        out.push(if self.device_key.is_some() { FLAG_DEVICE_KEY } else { 0 });
        out.extend_from_slice(&self.credential.0);
        out.extend_from_slice(&self.subject.0);
        out.extend_from_slice(&self.epoch.0.to_be_bytes());
        out.extend_from_slice(&self.issued_at.to_bytes());
        out.extend_from_slice(&self.window.not_before().to_bytes());
        out.extend_from_slice(&self.window.not_after().to_bytes());
        out.extend_from_slice(&self.schedule.encode());
        out.push(self.rights.bits());
        if let Some(DeviceKey(key)) = self.device_key {
            out.extend_from_slice(&key);
        }
        out
    }

    /// From exactly the bytes on the wire.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes, "ticket");
        let ticket = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(ticket)
    }

    /// Takes a ticket off the front.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let malformed = Malformed { what: "ticket" };
        if reader.u8()? != VERSION {
            return Err(malformed);
        }
        let flags = reader.u8()?;
        if flags & !FLAG_DEVICE_KEY != 0 {
            return Err(malformed);
        }
        Ok(Self {
            credential: CredentialId(reader.array()?),
            subject: SubjectId(reader.array()?),
            epoch: Epoch(reader.u16()?),
            issued_at: Time(reader.u32()?),
            window: Window::new(Time(reader.u32()?), Time(reader.u32()?)).ok_or(malformed)?,
            schedule: Schedule::decode(reader.array()?)?,
            rights: Rights::new(reader.u8()?).ok_or(malformed)?,
            device_key: if flags == FLAG_DEVICE_KEY { Some(DeviceKey::read(reader)?) } else { None },
        })
    }
}

/// S: what proves a ticket. Never used as it is, only what is derived from it.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct TicketSecret(Key);

impl fmt::Debug for TicketSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TicketSecret(…)")
    }
}

impl KeyTree {
    /// The secret of a ticket, from its exact bytes: any altered bit makes another.
    pub fn ticket_secret(&self, ticket: &[u8]) -> TicketSecret {
        TicketSecret(self.cred.derive(&[b"tkt", ticket]))
    }
}

impl TicketSecret {
    /// Wraps the 32 bytes that the backend gave.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Key::new(bytes))
    }

    /// The bytes, for the sealed way to the phone and its sealed store.
    pub fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// The secret of the same ticket narrowed by a caveat.
    #[must_use]
    pub fn narrowed(&self, index: u8, caveat: &Caveat) -> Self {
        Self(self.0.derive(&[b"cav", &[index], &caveat.encode()]))
    }

    pub(crate) fn psk(&self) -> Key {
        self.0.derive(&[b"noise"])
    }

    pub(crate) fn k_open(&self) -> Key {
        self.0.derive(&[b"open"])
    }
}

/// A narrowing of a ticket by its holder, without the backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caveat {
    /// 1 names a worker; a lock refuses any other.
    pub kind: u8,
    /// First second, bytes as they are: a caveat of an unknown kind need not be a window.
    pub not_before: Time,
    /// First second that is too late.
    pub not_after: Time,
    /// Who uses it, in the holder's own numbering.
    pub worker: [u8; 3],
}

impl Caveat {
    /// The kind that narrows a window for one worker.
    pub const WORKER: u8 = 1;
    /// Bytes on the wire.
    pub const LEN: usize = 12;
    /// How many a ticket may carry.
    pub const MOST: usize = 2;

    /// The bytes on the wire.
    pub fn encode(&self) -> [u8; Self::LEN] {
        let mut out = [0; Self::LEN];
        out[0] = self.kind;
        out[1..5].copy_from_slice(&self.not_before.to_bytes());
        out[5..9].copy_from_slice(&self.not_after.to_bytes());
        out[9..].copy_from_slice(&self.worker);
        out
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            kind: reader.u8()?,
            not_before: Time(reader.u32()?),
            not_after: Time(reader.u32()?),
            worker: reader.array()?,
        })
    }
}
