//! A phone reduced to its radio: it asks whatever it is told to, with none of the checks of a real one.

use std::vec::Vec;

use sentri_protocol::{
    Time,
    advert::Advert,
    open::{
        Operation, OperationId, PhoneClock, Request,
        phone::{self, PhoneError, Waiting},
    },
    ticket::{Ticket, TicketSecret},
};

/// What a phone heard on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A whole message.
    Message(Vec<u8>),
    /// The lock hung up.
    HungUp,
}

/// A phone that holds one ticket.
#[derive(Clone, Debug)]
pub struct SimPhone {
    /// What it may do.
    pub ticket: Ticket,
    /// What proves it.
    pub secret: TicketSecret,
    /// The lock's public key.
    pub lock_public_key: [u8; 32],
    /// What its own clock shows.
    pub time: Time,
    drawn: u64,
}

impl SimPhone {
    /// A phone with this ticket, whose random numbers follow from the credential.
    pub fn new(ticket: Ticket, secret: TicketSecret, lock_public_key: [u8; 32], time: Time) -> Self {
        let drawn = u64::from_be_bytes(ticket.credential.0).wrapping_mul(0x2545_f491_4f6c_dd1d);
        Self { ticket, secret, lock_public_key, time, drawn }
    }

    /// A new operation.
    pub fn request(&mut self, operation: Operation) -> Request {
        Request {
            ticket: self.ticket.clone(),
            operation,
            operation_id: OperationId(self.random()),
            clock: PhoneClock { time: self.time, uncertainty: 1 },
            caveats: Vec::new(),
            lower_bound: None,
        }
    }

    /// M1 for a request, answering to an advert; for tickets without a device key.
    pub fn m1(&mut self, advert: &Advert, request: Request) -> Result<(Waiting, Vec<u8>), PhoneError> {
        self.signed_m1(advert, request, |_| [0; 64])
    }

    /// M1 for a request; the device signs where the ticket is bound to one.
    pub fn signed_m1(
        &mut self,
        advert: &Advert,
        request: Request,
        sign: impl FnOnce(&[u8]) -> [u8; 64],
    ) -> Result<(Waiting, Vec<u8>), PhoneError> {
        let mut ephemeral = [0; 32];
        for chunk in ephemeral.chunks_mut(8) {
            chunk.copy_from_slice(&self.random());
        }
        let unsigned = phone::begin(advert, &self.lock_public_key, &self.secret, request, &ephemeral)?;
        let signature = unsigned.to_sign().map(|message| sign(&message));
        unsigned.seal(signature.as_ref())
    }

    fn random(&mut self) -> [u8; 8] {
        // An xorshift multiplied: different each time is all that is asked of it.
        self.drawn = self.drawn.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.drawn;
        word ^= word >> 29;
        word.wrapping_mul(0xbf58_476d_1ce4_e5b9).to_be_bytes()
    }
}
