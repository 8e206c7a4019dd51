//! What the peer can be told to do. All bytes are hex, all times Unix seconds.

use sentri_protocol::{
    Time,
    advert::AdvertFlags,
    open::{OperationId, Verdict},
    status::{ClockQuality, Status, StatusFlags},
    ticket::Epoch,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::Failure;

/// Bytes of any length.
#[derive(Debug, Clone)]
pub struct Hex(pub Vec<u8>);

/// Exactly `N` bytes.
#[derive(Debug, Clone, Copy)]
pub struct Fixed<const N: usize>(pub [u8; N]);

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        hex::decode(String::deserialize(deserializer)?).map(Self).map_err(D::Error::custom)
    }
}

impl<'de, const N: usize> Deserialize<'de> for Fixed<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Hex(bytes) = Hex::deserialize(deserializer)?;
        bytes.try_into().map(Self).map_err(|_| D::Error::custom("wrong length"))
    }
}

impl<const N: usize> Serialize for Fixed<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.0))
    }
}

/// One line of stdin.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Command {
    /// Begins anew: one lock, one press of ENT, one connection.
    Connect(Setup),
    /// The advert keys of the week that holds `time`, and of a lost clock.
    AdvertKeys { time: u32 },
    /// The advert that our lock makes.
    Advert { boot: u32, press: u32, random: Fixed<16>, flags: u8, now: u32 },
    /// Whether a phone that holds the keys around `now` takes the advert for our lock's.
    Recognise { now: u32 },
    /// The first random blocks of a wake.
    Random { boot: u32, press: u32, entropy: Fixed<32>, blocks: usize },
    /// S of a ticket.
    Secret { ticket: Hex },
    /// The phone makes M1.
    PhoneM1(PhoneM1),
    /// The phone reads M2.
    PhoneM2 { frames: Vec<Hex> },
    /// The phone seals a message of the channel.
    PhoneAsk { message: Hex },
    /// The phone opens an answer.
    PhoneAnswered { frames: Vec<Hex> },
    /// The lock reads M1.
    LockM1 { frames: Vec<Hex> },
    /// The lock makes M2.
    LockM2 { status: StatusFields },
    /// The lock opens a message of the channel.
    LockAsked { frames: Vec<Hex> },
    /// The lock seals an answer.
    LockAnswer { message: Hex },
    /// Checks something that carries a MAC, tells what it says, and makes it again.
    Resign { what: Signed, bytes: Hex },
}

/// What carries a MAC.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signed {
    /// A lower-bound time token.
    LowerBound,
    /// A fresh time token, of the session whose M2 was read or made.
    Fresh,
    /// A revocation list.
    Revocations,
    /// A lock's settings.
    Settings,
    /// A status.
    Status,
    /// Audit records.
    Batch,
    /// Of audit records.
    Acknowledgement,
}

/// One lock, one press of ENT, one connection.
#[derive(Debug, Deserialize)]
pub struct Setup {
    pub seed: Fixed<32>,
    pub generation: u32,
    pub mtu: u16,
    /// The advert that was heard, or sent.
    pub advert: Hex,
    pub phone_ephemeral: Fixed<32>,
    pub lock_ephemeral: Fixed<32>,
}

/// What the phone asks for.
#[derive(Debug, Deserialize)]
pub struct PhoneM1 {
    pub lock_public: Fixed<32>,
    pub ticket: Hex,
    pub secret: Fixed<32>,
    pub operation: u8,
    pub operation_id: Fixed<8>,
    pub phone_time: u32,
    pub uncertainty: u8,
    pub caveats: Vec<CaveatFields>,
    pub lower_bound: Option<Hex>,
    /// Private scalar of the device key.
    pub device: Option<Fixed<32>>,
}

/// A caveat, field by field.
#[derive(Debug, Deserialize)]
pub struct CaveatFields {
    pub kind: u8,
    pub not_before: u32,
    pub not_after: u32,
    pub worker: Fixed<3>,
}

/// A status, field by field, with flags as the byte on the wire.
#[derive(Debug, Serialize, Deserialize)]
pub struct StatusFields {
    pub result: u8,
    pub operation_id: Fixed<8>,
    pub clock: u32,
    pub quality: u8,
    pub epoch: u16,
    pub revocation_version: u32,
    pub settings_version: u32,
    pub log_head: u32,
    pub unacknowledged: u16,
    pub battery: u8,
    pub firmware: u16,
    pub retry_after: u16,
    pub flags: u8,
}

impl StatusFields {
    /// As the library has it.
    pub fn parse(&self) -> Result<Status, Failure> {
        Ok(Status {
            verdict: Verdict::from_code(self.result).ok_or(Failure("no such result".into()))?,
            operation_id: OperationId(self.operation_id.0),
            clock: Time(self.clock),
            quality: match self.quality {
                0 => ClockQuality::Lost,
                more => ClockQuality::Good { days: more - 1 },
            },
            epoch: Epoch(self.epoch),
            revocation_version: self.revocation_version,
            settings_version: self.settings_version,
            log_head: self.log_head,
            unacknowledged: self.unacknowledged,
            battery: self.battery,
            firmware: self.firmware,
            retry_after: self.retry_after,
            flags: StatusFlags {
                motor_driven: self.flags & 1 != 0,
                time_ignored: self.flags & 2 != 0,
                records_lost: self.flags & 4 != 0,
                flash_worn: self.flags & 8 != 0,
            },
        })
    }
}

impl From<&Status> for StatusFields {
    fn from(status: &Status) -> Self {
        let flags = status.flags;
        Self {
            result: status.verdict.code(),
            operation_id: Fixed(status.operation_id.0),
            clock: status.clock.0,
            quality: match status.quality {
                ClockQuality::Lost => 0,
                ClockQuality::Good { days } => days.saturating_add(1),
            },
            epoch: status.epoch.0,
            revocation_version: status.revocation_version,
            settings_version: status.settings_version,
            log_head: status.log_head,
            unacknowledged: status.unacknowledged,
            battery: status.battery,
            firmware: status.firmware,
            retry_after: status.retry_after,
            flags: u8::from(flags.motor_driven)
                | u8::from(flags.time_ignored) << 1
                | u8::from(flags.records_lost) << 2
                | u8::from(flags.flash_worn) << 3,
        }
    }
}

/// The flags of an advert from the bits that the document names.
pub fn advert_flags(bits: u8) -> AdvertFlags {
    AdvertFlags { clock_lost: bits & 1 != 0, battery_low: bits & 2 != 0, service_only: bits & 4 != 0 }
}
