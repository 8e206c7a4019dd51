//! ENT pressed again while the phone tries: the lock ends the wake that was heard and begins another, under a new
//! address and nonce. The phone hears of it between two connections, and goes on there.

use std::time::Duration;

use sentri_protocol::advert::Advert;

use super::{exchange::Heard, hub::LinkEvent, radio::Radio};

/// Presses that one try follows at most, so that old adverts of the box that somebody sends again don't keep it busy.
const MOST: usize = 8;

/// The wakes of one box during one try.
pub(super) struct Wakes<I> {
    is_it: I,
    now: Heard,
    /// Those that have ended, in which nothing is to be had.
    ended: Vec<Advert>,
}

impl<I: Fn(&Advert) -> bool> Wakes<I> {
    /// From the one that was heard first. `is_it` says whose advert is the box's.
    pub(super) fn new(heard: Heard, is_it: I) -> Self {
        Self { is_it, now: heard, ended: Vec::new() }
    }

    /// The one to answer.
    pub(super) fn now(&self) -> &Heard {
        &self.now
    }

    /// Waits before the next connection, with an ear for ENT: whether another wake has begun, which ends the wait.
    pub(super) async fn rest(&mut self, radio: &mut Radio, pause: Duration) -> bool {
        let until = radio.now() + pause;
        // Where the radio can't search just now, the wake that was heard may still be had.
        let _ = radio.start_scan().await;
        let another = self.listen(radio, until).await;
        radio.stop_scan().await;
        let Some(another) = another else { return false };
        self.ended.push(std::mem::replace(&mut self.now, another).advert);
        true
    }

    async fn listen(&self, radio: &mut Radio, until: Duration) -> Option<Heard> {
        loop {
            let Ok(event) = radio.next(until).await else {
                // Also where the link is as good as lost, which the next connection tells.
                radio.pause(until.saturating_sub(radio.now())).await;
                return None;
            };
            let LinkEvent::Advert { peer, payload, .. } = event else { continue };
            let Ok(advert) = Advert::decode(&payload) else { continue };
            if self.is_another(&advert) {
                return Some(Heard { peer, advert });
            }
        }
    }

    fn is_another(&self, advert: &Advert) -> bool {
        let is_known = *advert == self.now.advert || self.ended.contains(advert);
        !advert.flags.service_only && !is_known && self.ended.len() < MOST && (self.is_it)(advert)
    }
}
