//! The open on ENT: one message decides it, the answer tells why (section 7).

pub mod channel;
pub mod lock;
mod noise;
pub mod phone;
mod request;

pub(crate) use noise::X25519;
pub use request::{Operation, OperationId, PhoneClock, Request};

/// How a lock judged an operation. Sent as one byte, and kept in its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Verdict {
    /// The key bin opened.
    Opened = 0,
    /// The channel is there, for service.
    Served = 1,
    /// The window has not begun.
    NotYet = 2,
    /// The window is over.
    Expired = 3,
    /// Outside the ticket's or the lockbox's hours.
    OutsideHours = 4,
    /// Revoked, or of an epoch below the floor.
    Revoked = 5,
    /// The lock does not know the time.
    ClockLost = 6,
    /// The ticket does not allow this operation.
    NoRight = 7,
    /// This press of ENT has opened already.
    AlreadyOpened = 8,
    /// The motor failed.
    MotorFailed = 9,
    /// A caveat of a kind that this lock does not know.
    UnknownCaveat = 10,
    /// The flash failed: nothing opens that could not be written down.
    FlashFailed = 11,
}

impl Verdict {
    /// The byte on the wire.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// From the byte on the wire.
    pub fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Opened,
            1 => Self::Served,
            2 => Self::NotYet,
            3 => Self::Expired,
            4 => Self::OutsideHours,
            5 => Self::Revoked,
            6 => Self::ClockLost,
            7 => Self::NoRight,
            8 => Self::AlreadyOpened,
            9 => Self::MotorFailed,
            10 => Self::UnknownCaveat,
            11 => Self::FlashFailed,
            _ => return None,
        })
    }
}

/// The answer to everything that is not proved: it tells nothing.
pub const UNPROVED_ANSWER: [u8; 1] = [0];
/// Milliseconds from the last frame of an unproved M1 to its answer, whatever was wrong with it.
pub const UNPROVED_DELAY_MS: u64 = 500;
/// Unproved messages answered in one wake; further ones lose their connection in silence.
pub const UNPROVED_ANSWERED: u32 = 20;

const DEVICE_SIGNATURE_CONTEXT: &[u8] = b"sentri/v1 dev";
const TAIL_CONTEXT: &[u8] = b"sentri/v1 tail";
/// Bytes of Noise message 1 around its payload: the ephemeral and the tag.
const M1_OVERHEAD: usize = 32 + 16;
/// The shortest M1 whose ticket is bound to a device key.
const M1_WITH_DEVICE_KEY: usize = 209;
const TAIL_TAG: usize = 16;
const SIGNATURE: usize = 64;
