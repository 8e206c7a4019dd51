//! Settings of a lock, on their way to it by phone or card (section 9). [LST-4, LST-6]

use alloc::vec::Vec;

use crate::{
    bytes::{Malformed, Reader},
    card::SentriKeyId,
    codes::smart_pin::Rules,
    hours::AccessHours,
    keys::{Generation, KeyTree},
    zone::Zone,
};

/// Before SmartPINs had rules and a lock knew its owner's card; read still.
const FORMAT_1: u8 = 1;
const FORMAT_2: u8 = 2;
const MAC_LEN: usize = 16;

/// What an owner sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Strictly rising; 0 before the first.
    pub version: u32,
    /// Which keys count from now on.
    pub generation: Generation,
    /// The property's zone.
    pub zone: Zone,
    /// When anything but the owner may open.
    pub access_hours: AccessHours,
    /// What is switched on.
    pub switches: Switches,
    /// Generation of each of the three contractor codes.
    pub contractor_generations: [u16; 3],
    /// What SmartPINs are taken, where they are switched on. [PIN-2]
    pub smart_pin_rules: Rules,
    /// Whose card may change settings at the keypad; nobody's where it isn't known. [COD-4]
    pub owner: Option<SentriKeyId>,
}

/// What can be switched on and off.
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own on the settings page")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switches {
    /// Contractor codes work. [COD-3]
    pub contractor_mode: bool,
    /// A key may be returned after the window's end.
    pub returns: bool,
    /// `SmartPINEnabled`. [PIN-4]
    pub smart_pins: bool,
    /// One day codes end with their day, instead of 60 minutes after their first use.
    pub one_day_ends_with_day: bool,
    /// The brokerage forbids one day codes. [COD-6]
    pub forbids_one_day: bool,
    /// The brokerage forbids contractor codes: contractor mode, on or not, opens nothing. [COD-6]
    pub forbids_contractor: bool,
}

impl Switches {
    fn encode(self) -> u8 {
        u8::from(self.contractor_mode)
            | u8::from(self.returns) << 1
            | u8::from(self.smart_pins) << 2
            | u8::from(self.one_day_ends_with_day) << 3
            | u8::from(self.forbids_one_day) << 4
            | u8::from(self.forbids_contractor) << 5
    }

    fn decode(bits: u8) -> Result<Self, Malformed> {
        if bits >= 1 << 6 {
            return Err(Malformed { what: "settings" });
        }
        Ok(Self {
            contractor_mode: bits & 1 != 0,
            returns: bits & 2 != 0,
            smart_pins: bits & 4 != 0,
            one_day_ends_with_day: bits & 8 != 0,
            forbids_one_day: bits & 16 != 0,
            forbids_contractor: bits & 32 != 0,
        })
    }
}

impl Default for Settings {
    /// As a lock leaves the factory.
    fn default() -> Self {
        Self {
            version: 0,
            generation: Generation::FIRST,
            zone: Zone::UTC,
            access_hours: AccessHours::ALWAYS,
            switches: Switches {
                contractor_mode: false,
                returns: true,
                smart_pins: false,
                one_day_ends_with_day: false,
                forbids_one_day: false,
                forbids_contractor: false,
            },
            contractor_generations: [1; 3],
            smart_pin_rules: Rules::default(),
            owner: None,
        }
    }
}

impl Settings {
    /// Bytes without the MAC.
    pub const LEN: usize = 48;

    /// The bytes on the wire without the MAC.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::LEN + MAC_LEN);
        out.push(FORMAT_2);
        out.extend_from_slice(&self.version.to_be_bytes());
        out.extend_from_slice(&self.generation.0.to_be_bytes());
        out.extend_from_slice(&self.zone.encode());
        out.extend_from_slice(&self.access_hours.encode());
        out.push(self.switches.encode());
        for generation in self.contractor_generations {
            out.extend_from_slice(&generation.to_be_bytes());
        }
        out.extend_from_slice(&self.smart_pin_rules.encode());
        out.extend_from_slice(&self.owner.map_or(0, SentriKeyId::number).to_be_bytes());
        out
    }

    /// From the bytes of [`Self::encode`], or of an older format.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes, "settings");
        let settings = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(settings)
    }

    /// Takes settings of any format off the front.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let format = reader.u8()?;
        if !(FORMAT_1..=FORMAT_2).contains(&format) {
            return Err(Malformed { what: "settings" });
        }
        let settings = Self {
            version: reader.u32()?,
            generation: Generation(reader.u32()?),
            zone: Zone::decode(&reader.array()?)?,
            access_hours: AccessHours::decode(&reader.array()?)?,
            switches: Switches::decode(reader.u8()?)?,
            contractor_generations: [reader.u16()?, reader.u16()?, reader.u16()?],
            ..Self::default()
        };
        if format == FORMAT_1 {
            return Ok(settings);
        }
        let smart_pin_rules = Rules::decode(reader.array()?)?;
        let owner = match reader.u32()? {
            0 => None,
            number => Some(SentriKeyId::new(number).ok_or(Malformed { what: "settings" })?),
        };
        Ok(Self { smart_pin_rules, owner, ..settings })
    }

    /// Signed by the backend under the generation that the lock has now.
    pub fn sign(&self, keys: &KeyTree) -> Vec<u8> {
        let mut out = self.encode();
        let mac: [u8; MAC_LEN] = keys.cfg.tag(&[&out]);
        out.extend_from_slice(&mac);
        out
    }

    /// Checked by the lock. Nothing where they are malformed or not authentic.
    pub fn open(keys: &KeyTree, signed: &[u8]) -> Option<Self> {
        let (settings, mac) = signed.split_last_chunk::<MAC_LEN>()?;
        keys.cfg.verify(&[settings], mac).then(|| Self::decode(settings).ok()).flatten()
    }
}
