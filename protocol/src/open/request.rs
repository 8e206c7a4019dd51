//! What a phone asks of a lock: the payload of M1.

use alloc::vec::Vec;

use crate::{
    bytes::{Malformed, Reader},
    clock::LowerBound,
    ticket::{Caveat, Ticket},
    time::Time,
};

const CAVEAT_COUNT: u16 = 0b11;
const LOWER_BOUND: u16 = 0b100;

/// What a lock can be asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Open the key bin.
    OpenKeyBin,
    /// Nothing but the channel; never drives the motor.
    Service,
}

impl Operation {
    /// The byte on the wire.
    pub fn code(self) -> u8 {
        match self {
            Self::OpenKeyBin => 1,
            Self::Service => 2,
        }
    }
}

/// Made by the phone for each operation; a retry carries the same, so that it never opens twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct OperationId(pub [u8; 8]);

impl OperationId {
    /// As far as a lock's own records name it ([`crate::audit::Entry::operation`]).
    pub fn first_half(self) -> [u8; 4] {
        let [a, b, c, d, ..] = self.0;
        [a, b, c, d]
    }
}

/// The phone's clock, logged and never believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhoneClock {
    /// What it shows.
    pub time: Time,
    /// By how many seconds it may be off; 255 unknown.
    pub uncertainty: u8,
}

/// What a phone asks of a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// On what ground.
    pub ticket: Ticket,
    /// What.
    pub operation: Operation,
    /// Which try.
    pub operation_id: OperationId,
    /// The phone's clock.
    pub clock: PhoneClock,
    /// How the ticket was narrowed, at most twice.
    pub caveats: Vec<Caveat>,
    /// For a lock whose clock is lost.
    pub lower_bound: Option<LowerBound>,
}

impl Request {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = self.ticket.encode();
        out.push(self.operation.code());
        out.extend_from_slice(&self.operation_id.0);
        out.extend_from_slice(&self.clock.time.to_bytes());
        out.push(self.clock.uncertainty);
        // At most two caveats: the phone's session refuses more.
        let caveats = u16::try_from(self.caveats.len()).unwrap_or(CAVEAT_COUNT);
        let flags = caveats | if self.lower_bound.is_some() { LOWER_BOUND } else { 0 };
        out.extend_from_slice(&flags.to_be_bytes());
        for caveat in &self.caveats {
            out.extend_from_slice(&caveat.encode());
        }
        if let Some(token) = &self.lower_bound {
            out.extend_from_slice(&token.encode());
        }
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes, "request");
        let ticket = Ticket::read(&mut reader)?;
        let operation = match reader.u8()? {
            1 => Operation::OpenKeyBin,
            2 => Operation::Service,
            _ => return Err(reader.malformed()),
        };
        let operation_id = OperationId(reader.array()?);
        let clock = PhoneClock { time: Time(reader.u32()?), uncertainty: reader.u8()? };
        let flags = reader.u16()?;
        let caveats = usize::from(flags & CAVEAT_COUNT);
        if flags & !(CAVEAT_COUNT | LOWER_BOUND) != 0 || caveats > Caveat::MOST {
            return Err(reader.malformed());
        }
        let caveats = (0..caveats).map(|_| Caveat::read(&mut reader)).collect::<Result<_, _>>()?;
        let lower_bound = if flags & LOWER_BOUND == 0 { None } else { Some(LowerBound::read(&mut reader)?) };
        reader.finish()?;
        Ok(Self { ticket, operation, operation_id, clock, caveats, lower_bound })
    }
}
