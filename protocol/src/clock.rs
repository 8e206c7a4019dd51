//! Time that the backend proves to a lock (section 8), and how far a lock's clock may be off.

use crate::{
    bytes::{Malformed, Reader},
    keys::KeyTree,
    time::{DAY, Time},
};

/// Seconds from M2 within which a fresh token is taken.
pub const FRESH_WITHIN: u32 = 15;
/// How far ahead of a good clock a lower bound is believed.
pub const AHEAD_OF_GOOD: u32 = 30 * DAY;
/// How far ahead of a lost clock a lower bound is believed.
pub const AHEAD_OF_LOST: u32 = 2 * 365 * DAY;
/// Seconds after a window's end in which a key may be returned.
pub const RETURN_WITHIN: u32 = 4 * 3600;

/// Seconds by which a window is widened, `days` after a fresh token set the clock: 5 min + 6 s a day, at
/// most 30 min. A lock's crystal loses up to 5.4 s a day in heat.
pub fn tolerance(days: u32) -> u32 {
    days.saturating_mul(6).saturating_add(300).min(1800)
}

/// Proves that it is at least this time. Of any age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LowerBound {
    /// No later than now.
    pub time: Time,
    mac: [u8; 8],
}

impl LowerBound {
    /// Bytes on the wire.
    pub const LEN: usize = 12;

    /// Signed by the backend.
    pub fn sign(keys: &KeyTree, time: Time) -> Self {
        Self { time, mac: keys.time_lb.tag(&[&time.to_bytes()]) }
    }

    /// Checked by the lock.
    #[must_use]
    pub fn verify(&self, keys: &KeyTree) -> bool {
        keys.time_lb.verify(&[&self.time.to_bytes()], &self.mac)
    }

    /// The bytes on the wire.
    pub fn encode(&self) -> [u8; Self::LEN] {
        let mut out = [0; Self::LEN];
        out[..4].copy_from_slice(&self.time.to_bytes());
        out[4..].copy_from_slice(&self.mac);
        out
    }

    /// From the bytes on the wire, unchecked.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes, "lower-bound token");
        let token = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(token)
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self { time: Time(reader.u32()?), mac: reader.array()? })
    }
}

/// Tells the time within one session: bound to its handshake hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FreshTime {
    /// Now.
    pub time: Time,
    /// May lower the floor: the backend itself had been wrong.
    pub repair: bool,
    mac: [u8; 8],
}

impl FreshTime {
    /// Bytes on the wire.
    pub const LEN: usize = 13;

    /// Signed by the backend for the session with this final handshake hash.
    pub fn sign(keys: &KeyTree, handshake_hash: &[u8; 32], time: Time, repair: bool) -> Self {
        let mac = keys.time_fresh.tag(&[handshake_hash, &time.to_bytes(), &[u8::from(repair)]]);
        Self { time, repair, mac }
    }

    /// Checked by the lock against its own session.
    #[must_use]
    pub fn verify(&self, keys: &KeyTree, handshake_hash: &[u8; 32]) -> bool {
        let parts: [&[u8]; 3] = [handshake_hash, &self.time.to_bytes(), &[u8::from(self.repair)]];
        keys.time_fresh.verify(&parts, &self.mac)
    }

    /// The bytes on the wire.
    pub fn encode(&self) -> [u8; Self::LEN] {
        let mut out = [0; Self::LEN];
        out[..4].copy_from_slice(&self.time.to_bytes());
        out[4] = u8::from(self.repair);
        out[5..].copy_from_slice(&self.mac);
        out
    }

    /// From the bytes on the wire, unchecked.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes, "fresh time token");
        let time = Time(reader.u32()?);
        let repair = match reader.u8()? {
            0 => false,
            1 => true,
            _ => return Err(reader.malformed()),
        };
        let token = Self { time, repair, mac: reader.array()? };
        reader.finish()?;
        Ok(token)
    }
}
