//! ENT pressed again while the phone tries: the lock ends the wake that was heard and begins another, under a new
//! address and nonce. The phone hears of it from the first connection that fails on, and goes on there.

use std::time::Duration;

use sentri_protocol::advert::Advert;

use super::{
    exchange::{Connection, Heard},
    hub::LinkEvent,
    radio::Radio,
};
use crate::CoreError;

/// Presses that one try follows at most, so that old adverts of the box that somebody sends again don't keep it busy.
const MOST: usize = 8;

/// The wakes of one box during one try.
pub(super) struct Wakes<I> {
    is_it: I,
    now: Heard,
    /// Begun already, by another press.
    next: Option<Heard>,
    /// Those that have ended, in which nothing is to be had.
    ended: Vec<Advert>,
}

impl<I: Fn(&Advert) -> bool> Wakes<I> {
    /// From the one that was heard first. `is_it` says whose advert is the box's.
    pub(super) fn new(heard: Heard, is_it: I) -> Self {
        Self { is_it, now: heard, next: None, ended: Vec::new() }
    }

    /// The one to answer.
    pub(super) fn now(&self) -> &Heard {
        &self.now
    }

    /// Connects in the wake in hand. Nothing where that fails, or another begins meanwhile: an adapter may knock for
    /// seconds at an address that is gone.
    pub(super) async fn connect<'r>(
        &'r mut self,
        radio: &'r mut Radio,
    ) -> Result<Option<Connection<'r>>, CoreError> {
        let Self { is_it, now, next, ended } = self;
        let is_over = |event: &_| {
            *next = another(event, &*is_it, now, ended);
            next.is_some()
        };
        Connection::open(radio, &now.peer, is_over).await
    }

    /// Waits before the next connection: whether another wake has begun, which ends the wait.
    pub(super) async fn rest(&mut self, radio: &mut Radio, pause: Duration) -> bool {
        let until = radio.now() + pause;
        if self.next.is_none() {
            // Once, and then until the try is over: Android gives an app five searches in half a minute. Where the radio
            // can't search just now, the wake that was heard may still be had.
            let _ = radio.start_scan().await;
            self.next = self.listen(radio, until).await;
        }
        let Some(next) = self.next.take() else { return false };
        self.ended.push(std::mem::replace(&mut self.now, next).advert);
        true
    }

    async fn listen(&self, radio: &mut Radio, until: Duration) -> Option<Heard> {
        loop {
            let Ok(event) = radio.next(until).await else {
                // Also where the link is as good as lost, which the next connection tells.
                radio.pause(until.saturating_sub(radio.now())).await;
                return None;
            };
            let heard = another(&event, &self.is_it, &self.now, &self.ended);
            if heard.is_some() {
                return heard;
            }
        }
    }
}

/// The wake that an event tells of, where it is none of before.
fn another(
    event: &LinkEvent,
    is_it: impl Fn(&Advert) -> bool,
    now: &Heard,
    ended: &[Advert],
) -> Option<Heard> {
    let LinkEvent::Advert { peer, payload, .. } = event else { return None };
    let advert = Advert::decode(payload).ok()?;
    let is_known = advert == now.advert || ended.contains(&advert);
    let is_another = !advert.flags.service_only && !is_known && ended.len() < MOST && is_it(&advert);
    is_another.then(|| Heard { peer: peer.clone(), advert })
}
