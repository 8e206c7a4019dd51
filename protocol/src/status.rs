//! The status: a lock's answer, which phones read and only the backend can check (section 7, M2).

use crate::{
    bytes::{Malformed, Reader},
    keys::KeyTree,
    open::{OperationId, Verdict},
    ticket::Epoch,
    time::Time,
};

/// How good a lock's clock is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockQuality {
    /// Reset since it was last set.
    Lost,
    /// Set by a fresh token this many whole days ago, at most 254.
    Good {
        /// Whole days since.
        days: u8,
    },
}

impl ClockQuality {
    fn encode(self) -> u8 {
        match self {
            Self::Lost => 0,
            Self::Good { days } => days.saturating_add(1),
        }
    }

    fn decode(byte: u8) -> Self {
        byte.checked_sub(1).map_or(Self::Lost, |days| Self::Good { days })
    }
}

/// What a lock tells after an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// How it judged.
    pub verdict: Verdict,
    /// The operation that it judged.
    pub operation_id: OperationId,
    /// Its clock.
    pub clock: Time,
    /// How good that is.
    pub quality: ClockQuality,
    /// Its epoch floor.
    pub epoch: Epoch,
    /// Version of its revocation list.
    pub revocation_version: u32,
    /// Version of its settings.
    pub settings_version: u32,
    /// Number of its newest audit record.
    pub log_head: u32,
    /// Records held and not acknowledged.
    pub unacknowledged: u16,
    /// Percent.
    pub battery: u8,
    /// Of the firmware.
    pub firmware: u16,
    /// Seconds until the same could succeed; 0 unknown, 65535 that or longer.
    pub retry_after: u16,
    /// What else is to be known.
    pub flags: StatusFlags,
}

/// Percent at which a battery is to be changed soon.
pub const BATTERY_LOW: u8 = 15;

/// What else a lock tells.
#[allow(clippy::struct_excessive_bools, reason = "four independent facts, one bit each on the wire")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatusFlags {
    /// The motor was driven for this operation.
    pub motor_driven: bool,
    /// A time token was ignored as too far ahead.
    pub time_ignored: bool,
    /// Records were overwritten before they were acknowledged.
    pub records_lost: bool,
    /// The flash is worn.
    pub flash_worn: bool,
}

impl StatusFlags {
    fn encode(self) -> u8 {
        u8::from(self.motor_driven)
            | u8::from(self.time_ignored) << 1
            | u8::from(self.records_lost) << 2
            | u8::from(self.flash_worn) << 3
    }

    fn decode(bits: u8) -> Result<Self, Malformed> {
        if bits >= 1 << 4 {
            return Err(Malformed { what: "status" });
        }
        Ok(Self {
            motor_driven: bits & 1 != 0,
            time_ignored: bits & 2 != 0,
            records_lost: bits & 4 != 0,
            flash_worn: bits & 8 != 0,
        })
    }
}

/// The status as it is sent, MAC included: what a phone uploads unchanged.
pub type SignedStatus = [u8; Status::LEN];

impl Status {
    /// Bytes on the wire, MAC included.
    pub const LEN: usize = 44;

    /// The bytes on the wire, signed by the lock.
    pub fn sign(&self, keys: &KeyTree) -> SignedStatus {
        let mut out = [0; Self::LEN];
        let (body, mac) = out.split_at_mut(36);
        let fields: [&[u8]; 13] = [
            &[self.verdict.code()],
            &self.operation_id.0,
            &self.clock.to_bytes(),
            &[self.quality.encode()],
            &self.epoch.0.to_be_bytes(),
            &self.revocation_version.to_be_bytes(),
            &self.settings_version.to_be_bytes(),
            &self.log_head.to_be_bytes(),
            &self.unacknowledged.to_be_bytes(),
            &[self.battery],
            &self.firmware.to_be_bytes(),
            &self.retry_after.to_be_bytes(),
            &[self.flags.encode()],
        ];
        for (to, from) in body.iter_mut().zip(fields.into_iter().flatten()) {
            *to = *from;
        }
        mac.copy_from_slice(&keys.status.tag::<8>(&[body]));
        out
    }

    /// From the bytes on the wire, its MAC unchecked: a phone can't, and the session vouches for it.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes, "status");
        let malformed = reader.malformed();
        let status = Self {
            verdict: Verdict::from_code(reader.u8()?).ok_or(malformed)?,
            operation_id: OperationId(reader.array()?),
            clock: Time(reader.u32()?),
            quality: ClockQuality::decode(reader.u8()?),
            epoch: Epoch(reader.u16()?),
            revocation_version: reader.u32()?,
            settings_version: reader.u32()?,
            log_head: reader.u32()?,
            unacknowledged: reader.u16()?,
            battery: reader.u8().ok().filter(|percent| *percent <= 100).ok_or(malformed)?,
            firmware: reader.u16()?,
            retry_after: reader.u16()?,
            flags: StatusFlags::decode(reader.u8()?)?,
        };
        let _mac: [u8; 8] = reader.array()?;
        reader.finish()?;
        Ok(status)
    }

    /// Checked by the backend. Nothing where it is malformed or not the lock's.
    pub fn verify(keys: &KeyTree, bytes: &[u8]) -> Option<Self> {
        let (body, mac) = bytes.split_last_chunk::<8>()?;
        keys.status.verify(&[body], mac).then(|| Self::decode(bytes).ok()).flatten()
    }
}
