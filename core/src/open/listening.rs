//! Which box is meant, where more than one is awake: the one that is wanted, or the only one that would open. Where
//! several would, the user is asked.

use std::{collections::BTreeMap, time::Duration};

use sentri_protocol::{advert::Advert, time::Time};
use uuid::Uuid;

use super::{
    PhoneChecks, checks,
    exchange::Heard,
    held::Held,
    hub::LinkEvent,
    radio::{Radio, Silence},
};
use crate::{CoreError, order::ordered};

/// How long a press of ENT is waited for.
const LISTEN: Duration = Duration::from_secs(60);
/// How long the right box is waited for after one that is not it.
const OTHERS: Duration = Duration::from_secs(3);
/// How long another box that would open is waited for after the first: a woken lock repeats its advert often.
const MOMENT: Duration = Duration::from_millis(500);

/// What an open goes by.
#[derive(Clone, Copy)]
pub(super) struct Wish {
    /// The access that was picked; without it any will do.
    pub(super) wanted: Option<Uuid>,
    /// Whether the phone judges.
    pub(super) checks: PhoneChecks,
    /// Whether a box that the phone does not know may be one to visit.
    pub(super) visits: bool,
    /// The time now.
    pub(super) now: Time,
}

/// A box that was heard, and which one it is, where it is one of ours.
pub(super) struct Found {
    pub(super) heard: Heard,
    pub(super) lockbox: Option<String>,
}

/// How well a box fits what is wanted.
enum Fit {
    /// It is the one.
    Meant,
    /// It would open, and so would another one.
    Possible,
    /// Not ours, not the wanted one, or one that stays shut while another would open.
    Other,
}

/// One listening.
pub(super) struct Listening<'h> {
    held: &'h Held,
    wish: Wish,
    /// Boxes that would open, each with the access that does it. Nothing where one access is wanted.
    open_to: BTreeMap<&'h str, Uuid>,
    other: Option<Found>,
    possible: Vec<(Found, Uuid, i16)>,
}

impl<'h> Listening<'h> {
    pub(super) fn new(held: &'h Held, wish: Wish) -> Self {
        let mut open_to = BTreeMap::new();
        if wish.wanted.is_none() && wish.checks == PhoneChecks::Enforced {
            for usable in &held.usable {
                if let Ok(picked) = checks::pick(held, &usable.lockbox, None, wish.now) {
                    open_to.insert(picked.lockbox.as_str(), picked.access_id);
                }
            }
        }
        Self { held, wish, open_to, other: None, possible: Vec::new() }
    }

    /// Listens until it is clear which box is meant, or for a while after one that is not it.
    pub(super) async fn listen(mut self, radio: &mut Radio) -> Result<Found, CoreError> {
        let mut deadline = radio.now() + LISTEN;
        loop {
            match radio.next_or_cancel(deadline).await {
                Ok(LinkEvent::Advert { peer, payload, rssi }) => {
                    let Ok(advert) = Advert::decode(&payload) else { continue };
                    if advert.flags.service_only {
                        continue;
                    }
                    let lockbox = self.held.recognise(&advert).map(str::to_owned);
                    let found = Found { heard: Heard { peer, advert }, lockbox };
                    match self.fit(&found) {
                        Fit::Meant => return Ok(found),
                        Fit::Possible => {
                            self.note(found, rssi);
                            deadline = deadline.min(radio.now() + MOMENT);
                        }
                        Fit::Other if self.other.is_none() => {
                            self.other = Some(found);
                            deadline = deadline.min(radio.now() + OTHERS);
                        }
                        Fit::Other => {}
                    }
                }
                Ok(_) => {}
                Err(Silence::Cancelled) => return Err(CoreError::Cancelled),
                Err(Silence::Overrun) => return Err(CoreError::BluetoothTrouble),
                Err(Silence::Deadline) => return self.decide(),
            }
        }
    }

    fn fit(&self, found: &Found) -> Fit {
        let Some(lockbox) = &found.lockbox else {
            let may_be_it = self.wish.visits && self.wish.wanted.is_none() && self.open_to.is_empty();
            return if may_be_it { Fit::Meant } else { Fit::Other };
        };
        if let Some(access) = self.wish.wanted.and_then(|id| self.held.access(id)) {
            return if access.lockbox == *lockbox { Fit::Meant } else { Fit::Other };
        }
        match (self.open_to.contains_key(lockbox.as_str()), self.open_to.len()) {
            (true, 1) | (false, 0) => Fit::Meant,
            (true, _) => Fit::Possible,
            (false, _) => Fit::Other,
        }
    }

    fn note(&mut self, found: Found, rssi: i16) {
        let known = self.possible.iter().any(|(other, ..)| other.lockbox == found.lockbox);
        let access = found.lockbox.as_deref().and_then(|lockbox| self.open_to.get(lockbox)).copied();
        if let (false, Some(access)) = (known, access) {
            self.possible.push((found, access, rssi));
        }
    }

    /// Nobody else was heard: the only box that would open, else the one that was heard at all.
    fn decide(mut self) -> Result<Found, CoreError> {
        if self.possible.len() > 1 {
            let nearest_first = ordered(self.possible, |(.., one), (.., other)| other.cmp(one));
            let access_ids = nearest_first.iter().map(|(_, access, _)| access.to_string()).collect();
            return Err(CoreError::SeveralLockboxes { access_ids });
        }
        let possible = self.possible.pop().map(|(found, ..)| found);
        possible.or(self.other).ok_or(CoreError::NoLockboxHeard)
    }
}
