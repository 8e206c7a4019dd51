//! One connection, either end of it: the library's public interface and nothing else.

use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use sentri_protocol::{
    Generation, KeyTree, Seed, Time,
    advert::{Advert, Wake},
    clock::LowerBound,
    frame::{Reassembler, frames},
    open::{
        Operation, OperationId, PhoneClock, Request,
        channel::{LockChannel, LockMessage, PhoneChannel, PhoneMessage},
        lock::{self, Proved},
        phone::{self, Waiting},
    },
    random::WakeRandom,
    ticket::{Caveat, Ticket, TicketSecret},
    time::Week,
};
use serde_json::{Value, json};

use crate::{
    Failure,
    command::{CaveatFields, Command, Hex, PhoneM1, Setup, StatusFields, advert_flags},
    described,
    signed::resign,
};

/// Both ends of a connection; a run uses one of them.
pub struct Connection {
    keys: KeyTree,
    advert: Advert,
    mtu: u16,
    phone_ephemeral: [u8; 32],
    lock_ephemeral: [u8; 32],
    incoming: Reassembler,
    waiting: Option<Waiting>,
    phone: Option<PhoneChannel>,
    proved: Option<Proved>,
    lock: Option<LockChannel>,
}

fn out_of_turn() -> Failure {
    Failure("out of turn".into())
}

impl Connection {
    /// Before anything is said.
    pub fn new(setup: &Setup) -> Result<Self, Failure> {
        Ok(Self {
            keys: KeyTree::new(&Seed::new(setup.seed.0), Generation(setup.generation)),
            advert: Advert::decode(&setup.advert.0)?,
            mtu: setup.mtu,
            phone_ephemeral: setup.phone_ephemeral.0,
            lock_ephemeral: setup.lock_ephemeral.0,
            incoming: Reassembler::new(),
            waiting: None,
            phone: None,
            proved: None,
            lock: None,
        })
    }

    /// What a phone is given with a ticket.
    pub fn describe(&self) -> Value {
        json!({ "lock_public": hex::encode(self.keys.lock_public_key()) })
    }

    /// Does what it is told.
    pub fn run(&mut self, command: Command) -> Result<Value, Failure> {
        match command {
            Command::Connect(_) => Err(out_of_turn()),
            Command::AdvertKeys { time } => Ok(json!({
                "week": hex::encode(self.keys.advert_key(Time(time).week()).expose()),
                "lost": hex::encode(self.keys.advert_key_lost().expose()),
            })),
            Command::Advert { boot, press, random, flags, now } => {
                let wake = Wake { boot, press };
                let advert = Advert::new(&self.keys, wake, advert_flags(flags), Time(now), &random.0);
                Ok(json!({ "bytes": hex::encode(advert.encode()) }))
            }
            Command::Recognise { now } => self.recognise(Time(now)),
            Command::Random { boot, press, entropy, blocks } => {
                let mut random = WakeRandom::new(&self.keys, Wake { boot, press }, &entropy.0);
                let blocks: Vec<_> = (0..blocks).map(|_| hex::encode(random.block())).collect();
                Ok(json!({ "blocks": blocks }))
            }
            Command::Secret { ticket } => {
                Ok(json!({ "bytes": hex::encode(self.keys.ticket_secret(&ticket.0).expose()) }))
            }
            Command::PhoneM1(ask) => self.phone_m1(&ask),
            Command::PhoneM2 { frames } => self.phone_m2(&frames),
            Command::PhoneAsk { message } => {
                let message = PhoneMessage::decode(&message.0)?;
                let sealed = self.phone.as_mut().ok_or_else(out_of_turn)?.seal(&message)?;
                Ok(self.send(&sealed))
            }
            Command::PhoneAnswered { frames } => {
                let sealed = self.receive(&frames)?;
                let answer = self.phone.as_mut().ok_or_else(out_of_turn)?.open(&sealed)?;
                Ok(json!({ "message": hex::encode(answer.encode()) }))
            }
            Command::LockM1 { frames } => self.lock_m1(&frames),
            Command::LockM2 { status } => self.lock_m2(&status),
            Command::LockAsked { frames } => self.lock_asked(&frames),
            Command::LockAnswer { message } => {
                let answer = LockMessage::decode(&message.0)?;
                let sealed = self.lock.as_mut().ok_or_else(out_of_turn)?.seal(&answer)?;
                Ok(self.send(&sealed))
            }
            Command::Resign { what, bytes } => resign(&self.keys, self.handshake_hash(), what, &bytes.0),
        }
    }

    fn handshake_hash(&self) -> Option<&[u8; 32]> {
        let lock = self.lock.as_ref().map(LockChannel::handshake_hash);
        lock.or(self.phone.as_ref().map(PhoneChannel::handshake_hash))
    }

    fn recognise(&self, now: Time) -> Result<Value, Failure> {
        let week = now.week().0;
        let weeks = [week.saturating_sub(1), week, week + 1].map(|week| self.keys.advert_key(Week(week)));
        let known = if self.advert.flags.clock_lost {
            self.advert.is_from(&self.keys.advert_key_lost())
        } else {
            weeks.iter().any(|key| self.advert.is_from(key))
        };
        known.then(|| json!({})).ok_or(Failure("a stranger's advert".into()))
    }

    fn send(&self, message: &[u8]) -> Value {
        let frames: Vec<_> = frames(message, self.mtu).map(hex::encode).collect();
        json!({ "frames": frames })
    }

    /// The one message that these frames end with.
    fn receive(&mut self, frames: &[Hex]) -> Result<Vec<u8>, Failure> {
        let mut whole = None;
        for Hex(frame) in frames {
            whole = self.incoming.push(frame)?.or(whole);
        }
        whole.ok_or(Failure("the message is not whole".into()))
    }

    fn phone_m1(&mut self, ask: &PhoneM1) -> Result<Value, Failure> {
        let request = Request {
            ticket: Ticket::decode(&ask.ticket.0)?,
            operation: if ask.operation == 2 { Operation::Service } else { Operation::OpenKeyBin },
            operation_id: OperationId(ask.operation_id.0),
            clock: PhoneClock { time: Time(ask.phone_time), uncertainty: ask.uncertainty },
            caveats: ask.caveats.iter().map(CaveatFields::parse).collect(),
            lower_bound: ask.lower_bound.as_ref().map(|token| LowerBound::decode(&token.0)).transpose()?,
        };
        let secret = TicketSecret::new(ask.secret.0);
        let unsigned =
            phone::begin(&self.advert, &ask.lock_public.0, &secret, request, &self.phone_ephemeral)?;
        let signature = match (unsigned.to_sign(), ask.device) {
            (Some(message), Some(scalar)) => {
                let signature: Signature = SigningKey::from_slice(&scalar.0)?.sign(&message);
                Some(signature.to_bytes().into())
            }
            _ => None,
        };
        let (waiting, m1) = unsigned.seal(signature.as_ref())?;
        self.waiting = Some(waiting);
        Ok(self.send(&m1))
    }

    fn phone_m2(&mut self, frames: &[Hex]) -> Result<Value, Failure> {
        let m2 = self.receive(frames)?;
        let answer = self.waiting.take().ok_or_else(out_of_turn)?.read(&m2)?;
        let told = json!({
            "status": StatusFields::from(&answer.status),
            "signed": hex::encode(answer.signed_status),
            "h2": hex::encode(answer.channel.handshake_hash()),
        });
        self.phone = Some(answer.channel);
        Ok(told)
    }

    fn lock_m1(&mut self, frames: &[Hex]) -> Result<Value, Failure> {
        let m1 = self.receive(frames)?;
        let proved = lock::read_m1(&self.keys, &self.advert, &m1, &self.lock_ephemeral)?;
        let told = describe_request(&proved.request);
        self.proved = Some(proved);
        Ok(told)
    }

    fn lock_m2(&mut self, status: &StatusFields) -> Result<Value, Failure> {
        let proved = self.proved.take().ok_or_else(out_of_turn)?;
        let answered = proved.answer(&self.keys, &status.parse()?)?;
        let mut told = self.send(&answered.m2);
        told["h2"] = json!(hex::encode(answered.channel.handshake_hash()));
        self.lock = Some(answered.channel);
        Ok(told)
    }

    fn lock_asked(&mut self, frames: &[Hex]) -> Result<Value, Failure> {
        let sealed = self.receive(frames)?;
        Ok(match self.lock.as_mut().ok_or_else(out_of_turn)?.open(&sealed)? {
            Ok(message) => json!({ "message": hex::encode(message.encode()) }),
            Err(_) => json!({ "malformed": true }),
        })
    }
}

impl CaveatFields {
    fn parse(&self) -> Caveat {
        Caveat {
            kind: self.kind,
            not_before: Time(self.not_before),
            not_after: Time(self.not_after),
            worker: self.worker.0,
        }
    }
}

fn describe_request(request: &Request) -> Value {
    let caveat = |caveat: &Caveat| {
        json!({
            "kind": caveat.kind,
            "not_before": caveat.not_before.0,
            "not_after": caveat.not_after.0,
            "worker": hex::encode(caveat.worker),
        })
    };
    json!({
        "ticket": described::ticket(&request.ticket),
        "operation": request.operation.code(),
        "operation_id": hex::encode(request.operation_id.0),
        "phone_time": request.clock.time.0,
        "uncertainty": request.clock.uncertainty,
        "caveats": request.caveats.iter().map(caveat).collect::<Vec<_>>(),
        "lower_bound": request.lower_bound.map(|token| hex::encode(token.encode())),
    })
}
