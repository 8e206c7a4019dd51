//! Frames: messages cut to the size that a link carries (section 6).

use alloc::vec::Vec;

use thiserror::Error;

/// The longest message.
pub const MAX_MESSAGE: usize = 1024;
/// The smallest MTU that BLE knows, and what links begin with.
pub const MIN_MTU: u16 = 23;

const LAST: u8 = 0x80;
/// Bytes of an ATT value that are not ours: three of ATT itself, one of header.
const OVERHEAD: u16 = 4;

/// The frames of `message` for a link with this MTU, each the value of one write or notification.
pub fn frames(message: &[u8], mtu: u16) -> impl Iterator<Item = Vec<u8>> + '_ {
    let chunk = usize::from(mtu.max(MIN_MTU) - OVERHEAD);
    let last = message.len().div_ceil(chunk).saturating_sub(1);
    message.chunks(chunk).enumerate().map(move |(index, chunk)| {
        let mut frame = Vec::with_capacity(1 + chunk.len());
        // At most 1024 / 19 = 54 frames, so that the index fits its seven bits.
        let header = u8::try_from(index).unwrap_or(LAST - 1);
        frame.push(if index == last { header | LAST } else { header });
        frame.extend_from_slice(chunk);
        frame
    })
}

/// Why a frame ended its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FrameError {
    /// Not the frame that comes next, nor a repeat of the one before.
    #[error("frame out of turn")]
    OutOfTurn,
    /// No header, or a header with nothing behind it.
    #[error("empty frame")]
    Empty,
    /// The message grows past 1024 bytes.
    #[error("message too long")]
    TooLong,
}

/// Puts messages together again, one connection's worth.
#[derive(Debug, Default)]
pub struct Reassembler {
    message: Vec<u8>,
    next: u8,
    previous: Vec<u8>,
}

impl Reassembler {
    /// Ready for the first frame of a message.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a message has begun and is not whole.
    pub fn is_waiting(&self) -> bool {
        self.next != 0
    }

    /// Takes a frame; gives the message where it is whole.
    pub fn push(&mut self, frame: &[u8]) -> Result<Option<Vec<u8>>, FrameError> {
        let Some((&header, chunk)) = frame.split_first().filter(|(_, chunk)| !chunk.is_empty()) else {
            return Err(FrameError::Empty);
        };
        if frame == self.previous {
            return Ok(None);
        }
        if header & !LAST != self.next {
            return Err(FrameError::OutOfTurn);
        }
        if self.message.len() + chunk.len() > MAX_MESSAGE {
            return Err(FrameError::TooLong);
        }
        self.message.extend_from_slice(chunk);
        self.previous.clear();
        self.previous.extend_from_slice(frame);
        if header & LAST == 0 {
            self.next += 1;
            return Ok(None);
        }
        self.next = 0;
        Ok(Some(core::mem::take(&mut self.message)))
    }
}
