//! Adverts: how a woken lock is recognised by its own phones and by nobody else (section 5).

use crate::{
    bytes::{Malformed, Reader},
    keys::{Key, KeyTree},
    time::Time,
};

/// The protocol version that adverts announce.
pub const VERSION: u8 = 1;
/// The 16-bit service UUID in the advert; a placeholder until one is assigned.
pub const SERVICE_UUID: u16 = 0xfff5;
/// The company id in the advert; a placeholder until one is assigned.
pub const COMPANY_ID: u16 = 0xffff;

const CLOCK_LOST: u8 = 1;
const BATTERY_LOW: u8 = 1 << 1;
const SERVICE_ONLY: u8 = 1 << 2;

/// What an advert tells in clear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AdvertFlags {
    /// The lock does not know the time; bring a token.
    pub clock_lost: bool,
    /// Change the battery soon.
    pub battery_low: bool,
    /// Not after a press of ENT: nothing will open.
    pub service_only: bool,
}

impl AdvertFlags {
    fn encode(self) -> u8 {
        let bit = |set: bool, bit: u8| if set { bit } else { 0 };
        bit(self.clock_lost, CLOCK_LOST)
            | bit(self.battery_low, BATTERY_LOW)
            | bit(self.service_only, SERVICE_ONLY)
    }

    fn decode(bits: u8) -> Result<Self, Malformed> {
        if bits & !(CLOCK_LOST | BATTERY_LOW | SERVICE_ONLY) != 0 {
            return Err(Malformed { what: "advert" });
        }
        Ok(Self {
            clock_lost: bits & CLOCK_LOST != 0,
            battery_low: bits & BATTERY_LOW != 0,
            service_only: bits & SERVICE_ONLY != 0,
        })
    }
}

/// The manufacturer data of an advert after a press of ENT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advert {
    /// What it tells in clear.
    pub flags: AdvertFlags,
    /// `N_L`, new at each press.
    pub nonce: [u8; 8],
    tag: [u8; 8],
}

/// Counts that make each wake's nonce and random numbers its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wake {
    /// How often the lock has booted; stored before the radio starts.
    pub boot: u32,
    /// Presses of ENT since then.
    pub press: u32,
}

impl Advert {
    /// Bytes on the air.
    pub const LEN: usize = 18;

    /// The advert of a wake. `now` is the lock's clock, `random` comes from the wake's generator.
    pub fn new(keys: &KeyTree, wake: Wake, flags: AdvertFlags, now: Time, random: &[u8; 16]) -> Self {
        let nonce = keys.nonce.tag(&[&wake.boot.to_be_bytes(), &wake.press.to_be_bytes(), random]);
        let key = if flags.clock_lost { keys.advert_key_lost() } else { keys.advert_key(now.week()) };
        Self { flags, nonce, tag: key.tag(&[&[VERSION, flags.encode()], &nonce]) }
    }

    /// Whether the lock that holds `key` sent it.
    #[must_use]
    pub fn is_from(&self, key: &Key) -> bool {
        key.verify(&[&[VERSION, self.flags.encode()], &self.nonce], &self.tag)
    }

    /// The bytes on the air.
    pub fn encode(&self) -> [u8; Self::LEN] {
        let mut out = [0; Self::LEN];
        out[0] = VERSION;
        out[1] = self.flags.encode();
        out[2..10].copy_from_slice(&self.nonce);
        out[10..].copy_from_slice(&self.tag);
        out
    }

    /// From the bytes on the air.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes, "advert");
        if reader.u8()? != VERSION {
            return Err(reader.malformed());
        }
        let advert =
            Self { flags: AdvertFlags::decode(reader.u8()?)?, nonce: reader.array()?, tag: reader.array()? };
        reader.finish()?;
        Ok(advert)
    }

    /// What binds a session to this press of ENT.
    pub(crate) fn prologue(&self) -> [u8; 30] {
        let mut out = [0; 30];
        out[..12].copy_from_slice(b"sentri-adv/1");
        out[12..].copy_from_slice(&self.encode());
        out
    }
}
