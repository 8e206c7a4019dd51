//! One connection to a lock: M1 out, M2 back, and the channel after it, in frames.

use std::time::Duration;

use sentri_protocol::{
    advert::Advert,
    frame::{Reassembler, frames},
    open::{
        Request,
        channel::{LockMessage, PhoneChannel, PhoneMessage},
        phone::{self, Answer, PhoneError},
    },
    ticket::DeviceKey,
};
use zeroize::Zeroizing;

use super::{
    held::Usable,
    hub::LinkEvent,
    radio::{Radio, Silence},
};
use crate::{
    CoreError,
    api::device_key::SigningReason,
    device_key::DeviceKeys,
    ports::{Random, random_array},
};

/// From the command to the subscribed connection.
const CONNECT: Duration = Duration::from_secs(5);
/// From M1's last frame to M2's: the lock writes the attempt and drives the motor in between.
const ANSWER: Duration = Duration::from_secs(4);
/// From a question in the channel to its answer.
const CHANNEL: Duration = Duration::from_secs(3);

/// What went over the air, as the phone counted it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Bytes of M1, before frames.
    pub m1_bytes: u32,
    /// Bytes of M2, before frames.
    pub m2_bytes: u32,
    /// Frames sent for M1.
    pub m1_frames: u32,
    /// Frames received for M2, repeats included.
    pub m2_frames: u32,
    /// The agreed ATT MTU.
    pub mtu: u16,
    /// Connections that it took.
    pub tries: u32,
}

/// What came of one connection.
pub(crate) enum Exchanged {
    /// M2 came.
    Answered(Box<Answer>),
    /// The lock does not know the credential.
    NotProved,
    /// The link broke, or what came was not the lock's: try again in the same wake.
    Broken,
}

/// Which lock, as it was heard.
pub(crate) struct Heard {
    pub(crate) peer: String,
    pub(crate) advert: Advert,
}

/// M1, ready to be sent.
pub(crate) struct Prepared {
    waiting: phone::Waiting,
    m1: Vec<u8>,
}

/// Makes M1, signed by the device where its ticket is bound to one. Done before the phone connects: a person may be
/// asked for a finger meanwhile, and a lock waits for no one.
pub(crate) async fn prepare(
    heard: &Heard,
    usable: &Usable,
    request: Request,
    random: &dyn Random,
    device_keys: &DeviceKeys,
) -> Result<Prepared, CoreError> {
    // A credential that can't be used is as good as none: a sync brings another.
    const UNUSABLE: CoreError = CoreError::NotReady { connect_after: None };
    let bound_to = request.ticket.device_key;
    let ephemeral = Zeroizing::new(random_array(random)?);
    let unsigned = phone::begin(&heard.advert, &usable.lock_public_key, &usable.secret, request, &ephemeral)
        .map_err(|_| UNUSABLE)?;
    let signature = match (bound_to, unsigned.to_sign()) {
        (Some(DeviceKey(bound_to)), Some(message)) => {
            if device_keys.public_half().await?.is_none_or(|half| half.key != bound_to) {
                return Err(UNUSABLE);
            }
            Some(device_keys.sign(message, SigningReason::Open).await?)
        }
        _ => None,
    };
    let (waiting, m1) = unsigned.seal(signature.as_ref()).map_err(|_| UNUSABLE)?;
    Ok(Prepared { waiting, m1 })
}

/// A connection with a lock.
pub(crate) struct Connection<'r> {
    radio: &'r mut Radio,
    peer: &'r str,
    mtu: u16,
    incoming: Reassembler,
    frames_in: u32,
    gone: bool,
}

impl<'r> Connection<'r> {
    /// Connects, and waits until the notifications are subscribed. The shell may still end it here, and so may what else
    /// the radio tells.
    pub(crate) async fn open(
        radio: &'r mut Radio,
        peer: &'r str,
        mut is_over: impl FnMut(&LinkEvent) -> bool,
    ) -> Result<Option<Self>, CoreError> {
        let deadline = radio.now() + CONNECT;
        radio.connect(peer).await?;
        loop {
            match radio.next_or_cancel(deadline).await {
                Ok(LinkEvent::Connected { peer: whom, mtu }) if whom == peer => {
                    let incoming = Reassembler::new();
                    return Ok(Some(Self { radio, peer, mtu, incoming, frames_in: 0, gone: false }));
                }
                Ok(LinkEvent::Disconnected { peer: whom, .. }) if whom == peer => return Ok(None),
                Ok(event) if !is_over(&event) => {}
                Err(Silence::Cancelled) => {
                    radio.disconnect(peer).await;
                    return Err(CoreError::Cancelled);
                }
                Ok(_) | Err(Silence::Deadline | Silence::Overrun) => {
                    radio.disconnect(peer).await;
                    return Ok(None);
                }
            }
        }
    }

    /// Sends M1 and waits for M2.
    pub(crate) async fn prove(&mut self, prepared: Prepared, figures: &mut Figures) -> Exchanged {
        let Prepared { waiting, m1 } = prepared;
        figures.m1_bytes = count(m1.len());
        figures.mtu = self.mtu;
        figures.m1_frames = count(frames(&m1, self.mtu).count());
        let Some(m2) = self.ask(&m1, ANSWER).await else { return Exchanged::Broken };
        figures.m2_bytes = count(m2.len());
        figures.m2_frames = self.frames_in;
        match waiting.read(&m2) {
            Ok(answer) => Exchanged::Answered(Box::new(answer)),
            Err(PhoneError::NotProved) => Exchanged::NotProved,
            Err(_) => Exchanged::Broken,
        }
    }

    /// Asks in the channel. Nothing where the link or the channel broke.
    pub(crate) async fn exchange(
        &mut self,
        channel: &mut PhoneChannel,
        message: &PhoneMessage,
    ) -> Option<LockMessage> {
        let sealed = channel.seal(message).ok()?;
        let answer = self.ask(&sealed, CHANNEL).await?;
        channel.open(&answer).ok()
    }

    /// Nothing else is looked for any more.
    pub(crate) async fn stop_scan(&mut self) {
        self.radio.stop_scan().await;
    }

    /// Whether another open waits for the link: then what is left to do waits for another time.
    pub(crate) fn is_wanted(&self) -> bool {
        self.radio.is_wanted()
    }

    /// The agreed monotonic now, for deadlines of the errands.
    pub(crate) fn now(&self) -> Duration {
        self.radio.now()
    }

    /// Ends the connection, where it has not ended by itself.
    pub(crate) async fn end(self) {
        if !self.gone {
            self.radio.disconnect(self.peer).await;
        }
    }

    async fn ask(&mut self, message: &[u8], wait: Duration) -> Option<Vec<u8>> {
        self.frames_in = 0;
        for frame in frames(message, self.mtu) {
            self.radio.write(self.peer, frame).await.ok()?;
        }
        let deadline = self.radio.now() + wait;
        loop {
            match self.radio.next(deadline).await.ok()? {
                LinkEvent::Received { peer, value } if peer == self.peer => {
                    self.frames_in += 1;
                    if let Some(message) = self.incoming.push(&value).ok()? {
                        return Some(message);
                    }
                }
                LinkEvent::Disconnected { peer, .. } if peer == self.peer => {
                    self.gone = true;
                    return None;
                }
                _ => {}
            }
        }
    }
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
