//! What a phone brings and fetches after M2: the time, revocations, settings, audit records.

use sentri_protocol::{
    audit::{Acknowledgement, Kind, MAX_BATCH},
    clock::{FRESH_WITHIN, FreshTime},
    open::{
        Request, Verdict,
        channel::{Applied, LockMessage, PhoneMessage},
    },
    revocation::RevocationList,
    settings::Settings,
};

use crate::{
    journal::{ring::Acknowledges, state::Change},
    lock::{Halt, Lock, Stored},
    ports::{Board, Connection},
    records::{self, Carrier},
};

impl From<Stored> for Applied {
    fn from(stored: Stored) -> Self {
        match stored {
            Stored::Yes => Self::Now,
            Stored::Worn => Self::FlashFailed,
        }
    }
}

impl<B: Board> Lock<B> {
    /// A message in an open channel. What is not of this channel ends the connection.
    pub(super) fn request(&mut self, connection: Connection, sealed: &[u8]) -> Result<(), Halt> {
        let opened = self.session.links.get(connection).and_then(super::Link::channel).and_then(|channel| {
            let message = channel.noise.open(sealed).ok()?;
            Some((message, channel.request.clone()))
        });
        let Some((message, m1)) = opened else {
            self.hang_up(connection);
            return Ok(());
        };
        let answer = match message {
            Ok(message) => self.answer(connection, &m1, message)?,
            Err(_) => LockMessage::Malformed,
        };
        let channel = self.session.links.get(connection).and_then(super::Link::channel);
        match channel.and_then(|channel| channel.noise.seal(&answer).ok()) {
            Some(sealed) => self.send(connection, &sealed),
            None => self.hang_up(connection),
        }
        Ok(())
    }

    fn answer(
        &mut self,
        connection: Connection,
        m1: &Request,
        message: PhoneMessage,
    ) -> Result<LockMessage, Halt> {
        Ok(match message {
            PhoneMessage::FreshTime(token) => self.take_time(connection, m1, &token)?,
            PhoneMessage::Revocations(list) => {
                let result = self.take_revocations(Carrier::Phone(m1), &list)?;
                LockMessage::Revocations { result, version: self.journal.state().revocations.version }
            }
            PhoneMessage::Settings(settings) => {
                let result = self.take_settings(Carrier::Phone(m1), &settings)?;
                LockMessage::Settings { result, version: self.journal.state().settings.version }
            }
            PhoneMessage::ReadAudit { from, at_most: at_most @ 1..=MAX_BATCH } => {
                LockMessage::Audit(self.journal.state().audit.batch(&self.keys, from, at_most))
            }
            PhoneMessage::ReadAudit { .. } => LockMessage::Malformed,
            PhoneMessage::Acknowledge(acknowledgement) => {
                let result = self.take_acknowledgement(&acknowledgement)?;
                let up_to = self.journal.state().audit.start().first.saturating_sub(1);
                LockMessage::Acknowledged { result, up_to }
            }
            PhoneMessage::Codes(sealed) => {
                let (result, not_done) = self.take_codes(&sealed)?;
                LockMessage::Codes { result, version: self.journal.state().codes_version, not_done }
            }
        })
    }

    /// Sets the clock, where the token is this session's and in time, and judges the operation of M1 again.
    fn take_time(
        &mut self,
        connection: Connection,
        m1: &Request,
        token: &FreshTime,
    ) -> Result<LockMessage, Halt> {
        let now_ms = self.board.uptime_ms();
        let keys = &self.keys;
        let is_ours =
            self.session.links.get(connection).and_then(super::Link::channel).is_some_and(|channel| {
                let in_time = now_ms.saturating_sub(channel.m2_at_ms) <= u64::from(FRESH_WITHIN) * 1000;
                let first =
                    in_time && !channel.clock_set && token.verify(keys, channel.noise.handshake_hash());
                channel.clock_set |= first;
                first
            });
        let outcome = if is_ours && self.clock.set(token, now_ms) {
            let entry = records::by_phone(Kind::ClockSet, m1, Verdict::Served, self.now());
            // A clock that is set is set, whether or not that could be written down.
            let (Stored::Yes | Stored::Worn) = self.store_event(&entry, None)?;
            self.perform_again(m1)?
        } else {
            self.perform(m1)?
        };
        Ok(LockMessage::Judged(outcome.complete(self.status(), m1.operation_id).sign(&self.keys)))
    }

    pub(crate) fn take_revocations(&mut self, by: Carrier<'_>, signed: &[u8]) -> Result<Applied, Halt> {
        let Some(mut list) = RevocationList::open(&self.keys, signed) else { return Ok(Applied::Refused) };
        let held = &self.journal.state().revocations;
        if list.version <= held.version {
            return Ok(Applied::Already);
        }
        list.epoch_floor = list.epoch_floor.max(held.epoch_floor);
        list.forget_before(self.clock.floor());
        let entry = records::brought(Kind::Revocations, list.version, by, self.now());
        Ok(self.store_event(&entry, Some(Change::Revocations(list)))?.into())
    }

    /// Settings of a new generation end the wake for others: its advert is under keys that no longer count.
    pub(crate) fn take_settings(&mut self, by: Carrier<'_>, signed: &[u8]) -> Result<Applied, Halt> {
        let Some(settings) = Settings::open(&self.keys, signed) else { return Ok(Applied::Refused) };
        let held = &self.journal.state().settings;
        if settings.generation < held.generation {
            return Ok(Applied::Refused);
        }
        if settings.version <= held.version {
            return Ok(Applied::Already);
        }
        let entry = records::brought(Kind::Settings, settings.version, by, self.now());
        let stored = self.store_event(&entry, Some(Change::Settings(settings)))?;
        if stored == Stored::Yes && settings.generation != self.keys.generation() {
            self.keys = self.keys.at(&self.journal.state().seed, settings.generation);
            self.stop_listening();
        }
        Ok(stored.into())
    }

    pub(crate) fn take_acknowledgement(
        &mut self,
        acknowledgement: &Acknowledgement,
    ) -> Result<Applied, Halt> {
        if !acknowledgement.verify(&self.keys) {
            return Ok(Applied::Refused);
        }
        let Acknowledgement { up_to, tag, .. } = acknowledgement;
        Ok(match self.journal.state().audit.acknowledges(*up_to, tag) {
            Acknowledges::Records => self.store(&[Change::Acknowledged(*up_to)])?.into(),
            Acknowledges::Nothing => Applied::Already,
            Acknowledges::Unknown => Applied::Refused,
        })
    }
}
