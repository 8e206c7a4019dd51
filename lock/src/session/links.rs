//! The two links that the lock holds at a time, and how long each may keep it waiting.

use alloc::{boxed::Box, vec::Vec};

use sentri_protocol::{
    frame::{FrameError, Reassembler},
    open::{Request, channel::LockChannel},
};

use crate::ports::Connection;

/// Links at a time.
const LINKS_MOST: usize = 2;
/// Milliseconds from connecting in which M1 must be whole.
const M1_WITHIN_MS: u64 = 8_000;
/// Milliseconds from the first frame of a message in which it must be whole.
const MESSAGE_WITHIN_MS: u64 = 3_000;
/// Milliseconds for which a link that proves nothing and sends nothing is kept when others want its place.
const SILENT_KEPT_MS: u64 = 1_000;
/// Milliseconds that a channel may be silent.
const CHANNEL_IDLE_MS: u64 = 10_000;
/// Milliseconds that a channel may last, so that no phone empties the battery.
const CHANNEL_MOST_MS: u64 = 60_000;

/// An open channel, and the request that it began with.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) noise: LockChannel,
    pub(crate) request: Request,
    pub(crate) m2_at_ms: u64,
    /// One fresh token is taken in each session: a second is a replay.
    pub(crate) clock_set: bool,
}

/// How far a link has come.
#[derive(Debug)]
pub(crate) enum Stage {
    /// M1 is awaited.
    Handshake,
    /// M1 proved nothing; the answer that says so is due.
    Unproved { answer_at: u64 },
    /// M2 is out.
    Channel(Box<Channel>),
}

/// What a link is due for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// The one byte, then its end.
    Unproved,
    /// Its end.
    TimedOut,
}

/// What became of a connection that wants a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Added {
    /// There was room.
    Yes,
    /// It took the place of this silent one, which is to be disconnected.
    InPlaceOf(Connection),
    /// Both links are in use.
    No,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Link {
    connection: Connection,
    pub(crate) mtu: u16,
    pub(crate) stage: Stage,
    reassembler: Reassembler,
    connected_at: u64,
    /// When it last sent a frame; its connecting, before the first.
    heard_at: u64,
    message_began_at: Option<u64>,
}

impl Link {
    pub(crate) fn new(connection: Connection, mtu: u16, now_ms: u64) -> Self {
        Self {
            connection,
            mtu,
            stage: Stage::Handshake,
            reassembler: Reassembler::new(),
            connected_at: now_ms,
            heard_at: now_ms,
            message_began_at: None,
        }
    }

    /// Takes a frame; gives the message where it is whole.
    pub(crate) fn take_frame(&mut self, frame: &[u8], now_ms: u64) -> Result<Option<Vec<u8>>, FrameError> {
        let message = self.reassembler.push(frame)?;
        self.heard_at = now_ms;
        self.message_began_at =
            self.reassembler.is_waiting().then(|| self.message_began_at.unwrap_or(now_ms));
        Ok(message)
    }

    pub(crate) fn begin_channel(&mut self, noise: LockChannel, request: Request, now_ms: u64) {
        self.stage = Stage::Channel(Box::new(Channel { noise, request, m2_at_ms: now_ms, clock_set: false }));
    }

    pub(crate) fn channel(&mut self) -> Option<&mut Channel> {
        match &mut self.stage {
            Stage::Channel(channel) => Some(channel),
            Stage::Handshake | Stage::Unproved { .. } => None,
        }
    }

    /// Not a frame for a while, and nothing proved: all that a stranger who only fills links ever is. A phone sends its
    /// first message frame after frame.
    fn may_be_evicted(&self, now_ms: u64) -> bool {
        let is_silent = now_ms.saturating_sub(self.heard_at) >= SILENT_KEPT_MS;
        is_silent && matches!(self.stage, Stage::Handshake)
    }

    fn due(&self) -> (u64, Due) {
        let whole_by = self.message_began_at.map_or(u64::MAX, |began| began + MESSAGE_WITHIN_MS);
        match &self.stage {
            Stage::Handshake => (whole_by.min(self.connected_at + M1_WITHIN_MS), Due::TimedOut),
            Stage::Unproved { answer_at } => (*answer_at, Due::Unproved),
            Stage::Channel(channel) => {
                let ends = (channel.m2_at_ms + CHANNEL_MOST_MS).min(self.heard_at + CHANNEL_IDLE_MS);
                (whole_by.min(ends), Due::TimedOut)
            }
        }
    }
}

/// All links.
#[derive(Debug, Default)]
pub(crate) struct Links(Vec<Link>);

impl Links {
    /// Adds a link where there is room, or where the oldest silent one can make some.
    pub(crate) fn add(&mut self, link: Link, now_ms: u64) -> Added {
        self.remove(link.connection);
        let added = if self.0.len() < LINKS_MOST {
            Added::Yes
        } else {
            self.evict(now_ms).map_or(Added::No, Added::InPlaceOf)
        };
        if added != Added::No {
            self.0.push(link);
        }
        added
    }

    fn evict(&mut self, now_ms: u64) -> Option<Connection> {
        let silent = self.0.iter().filter(|link| link.may_be_evicted(now_ms));
        let evicted = silent.min_by_key(|link| link.connected_at)?.connection;
        self.remove(evicted);
        Some(evicted)
    }

    pub(crate) fn get(&mut self, connection: Connection) -> Option<&mut Link> {
        self.0.iter_mut().find(|link| link.connection == connection)
    }

    pub(crate) fn remove(&mut self, connection: Connection) {
        self.0.retain(|link| link.connection != connection);
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = Connection> {
        self.0.iter().map(|link| link.connection)
    }

    pub(crate) fn without_channel(&self) -> Vec<Connection> {
        let proved = |link: &&Link| matches!(link.stage, Stage::Channel(_));
        self.0.iter().filter(|link| !proved(link)).map(|link| link.connection).collect()
    }

    /// A link whose time is up.
    pub(crate) fn due(&self, now_ms: u64) -> Option<(Connection, Due)> {
        self.0.iter().find_map(|link| {
            let (at, due) = link.due();
            (now_ms >= at).then_some((link.connection, due))
        })
    }

    pub(crate) fn next_deadline(&self) -> Option<u64> {
        self.0.iter().map(|link| link.due().0).min()
    }
}
