//! What went over the air, counted at the radio.

use serde::Serialize;

use super::Direction;

/// Bytes that ATT puts before each value: opcode and handle.
const ATT_HEADER: usize = 3;

/// What went one way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OneWay {
    /// Values (fragments) sent.
    pub fragments: usize,
    /// Bytes in them, a header byte each included.
    pub value_bytes: usize,
    /// The same with ATT's own three bytes each.
    pub att_bytes: usize,
}

/// What went both ways since the count was last taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Traffic {
    /// From phones to locks.
    pub to_lock: OneWay,
    /// From locks to phones.
    pub to_phone: OneWay,
    /// How often a phone began to search: Android lets an app do so five times in half a minute.
    pub searches: usize,
}

impl Traffic {
    pub(super) fn count(&mut self, direction: Direction, value: &[u8]) {
        let way = match direction {
            Direction::ToLock => &mut self.to_lock,
            Direction::ToPhone => &mut self.to_phone,
        };
        way.fragments += 1;
        way.value_bytes += value.len();
        way.att_bytes += value.len() + ATT_HEADER;
    }

    /// Bytes of the messages themselves, without the frames' header bytes.
    pub fn message_bytes(&self) -> usize {
        let of = |way: &OneWay| way.value_bytes - way.fragments;
        of(&self.to_lock) + of(&self.to_phone)
    }
}
