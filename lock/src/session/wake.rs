//! One press of ENT, or a stretch of time without one: its advert, its random numbers, and the answers that a retry gets
//! again.

use alloc::vec::Vec;

use sentri_protocol::{
    advert::Advert,
    open::{Operation, OperationId, Request, Verdict},
    random::WakeRandom,
    status::Status,
    ticket::CredentialId,
};

/// Answers kept in one wake; the oldest that did not open makes room.
const ANSWERS_MOST: usize = 8;

/// What makes two requests the same operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RetryKey {
    credential: CredentialId,
    operation_id: OperationId,
    operation: Operation,
}

impl RetryKey {
    pub(crate) fn of(request: &Request) -> Self {
        Self {
            credential: request.ticket.credential,
            operation_id: request.operation_id,
            operation: request.operation,
        }
    }
}

/// What became of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) verdict: Verdict,
    pub(crate) retry_after: u16,
    pub(crate) motor_driven: bool,
    pub(crate) time_ignored: bool,
}

impl Outcome {
    /// Completes what the lock tells of itself.
    pub(crate) fn complete(self, mut status: Status, operation_id: OperationId) -> Status {
        status.verdict = self.verdict;
        status.operation_id = operation_id;
        status.retry_after = self.retry_after;
        status.flags.motor_driven = self.motor_driven;
        status.flags.time_ignored = self.time_ignored;
        status
    }
}

/// A press of ENT, or a time for service only.
#[derive(Debug)]
pub(crate) struct Wake {
    pub(crate) advert: Advert,
    pub(crate) random: WakeRandom,
    /// M1s that proved nothing.
    pub(crate) unproved: u32,
    /// The motor was driven, or is not to be.
    pub(crate) opened: bool,
    /// While it listens, until when.
    listens_until: Option<u64>,
    answers: Vec<(RetryKey, Outcome)>,
}

impl Wake {
    /// Nothing opens without a press of ENT: where it is for service only, it counts as used from the beginning.
    pub(crate) fn new(advert: Advert, random: WakeRandom, listens_until: u64) -> Self {
        Self {
            advert,
            random,
            unproved: 0,
            opened: advert.flags.service_only,
            listens_until: Some(listens_until),
            answers: Vec::with_capacity(ANSWERS_MOST),
        }
    }

    pub(crate) fn is_beacon(&self) -> bool {
        self.advert.flags.service_only
    }

    pub(crate) fn is_listening(&self) -> bool {
        self.listens_until.is_some()
    }

    pub(crate) fn deadline(&self) -> Option<u64> {
        self.listens_until
    }

    pub(crate) fn stop_listening(&mut self) {
        self.listens_until = None;
    }

    pub(crate) fn answer_to(&self, key: &RetryKey) -> Option<Outcome> {
        self.answers.iter().find(|(known, _)| known == key).map(|(_, outcome)| *outcome)
    }

    pub(crate) fn remember(&mut self, key: RetryKey, outcome: Outcome) {
        self.answers.retain(|(known, _)| *known != key);
        if self.answers.len() >= ANSWERS_MOST {
            let dispensable = self.answers.iter().position(|(_, outcome)| !outcome.motor_driven);
            self.answers.remove(dispensable.unwrap_or(0));
        }
        self.answers.push((key, outcome));
    }
}
