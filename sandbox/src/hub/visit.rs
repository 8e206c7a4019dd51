//! A hub's visit at a lock: it shows its pass, brings the time where that is lost, hands over the codes, and fetches what
//! the lock wrote down.

use sentri_protocol::{
    Time,
    advert::Advert,
    audit::{Acknowledgement, Batch, MAX_BATCH},
    clock::FreshTime,
    open::{
        Operation, OperationId, PhoneClock, Request, Verdict,
        channel::{Applied, LockMessage, PhoneChannel, PhoneMessage},
        phone,
    },
    status::Status,
};
use sentri_wire::{codes::CodeDelivery, hub::BroughtCodes};

use super::{Pass, VirtualHub, Works, radio::Link};

/// A session with a lock that has let the hub in.
struct Session<'r> {
    link: Link<'r>,
    channel: PhoneChannel,
    status: Status,
}

impl VirtualHub {
    /// True where the lock has what was due, and its word of that is handed in. What is not done is done next time.
    pub(super) async fn visit(&self, works: &mut Works, lock: &str, at: (&str, &Advert)) -> bool {
        let Works { chance, locks, brought } = works;
        let Some(reached) = locks.get_mut(lock) else { return false };
        let mut random = [0; 40];
        chance.fill(&mut random);
        let Some(mut session) = self.knock(&reached.pass, at, &random).await else { return false };
        if at.1.flags.clock_lost {
            let hash = *session.channel.handshake_hash();
            if let Ok(answer) = self.backend.time(lock, &hash).await
                && let Ok(token) = FreshTime::decode(answer.token.as_ref())
            {
                session.ask(&PhoneMessage::FreshTime(token)).await;
            }
        }
        let mut records = session.status.log_head;
        if let Some(due) = &reached.due {
            let Some((version, written)) = session.hand_over(due).await else { return false };
            brought.push(BroughtCodes { lock: lock.to_owned(), version });
            records = records.saturating_add(written);
        }
        let handed_in = self.fetch_records(&mut session, lock, records).await.is_some();
        if handed_in {
            reached.due = None;
        }
        handed_in
    }

    /// Shows the pass.
    async fn knock<'r>(
        &'r self,
        pass: &Pass,
        (peer, advert): (&'r str, &Advert),
        random: &[u8; 40],
    ) -> Option<Session<'r>> {
        let (operation_id, ephemeral) = random.split_first_chunk::<8>()?;
        let request = Request {
            ticket: pass.ticket.clone(),
            operation: Operation::Service,
            operation_id: OperationId(*operation_id),
            clock: PhoneClock { time: Time::from_unix(self.clock.now())?, uncertainty: u8::MAX },
            caveats: Vec::new(),
            lower_bound: pass.lower_bound.filter(|_| advert.flags.clock_lost),
        };
        let ephemeral = ephemeral.try_into().ok()?;
        let unsigned = phone::begin(advert, &pass.lock_public_key, &pass.secret, request, ephemeral).ok()?;
        let (waiting, m1) = unsigned.seal(None).ok()?;
        let mut link = self.radio.connect(peer).await?;
        let answer = waiting.read(&link.ask(&m1).await?).ok()?;
        let (channel, status) = (answer.channel, answer.status);
        (status.verdict == Verdict::Served).then_some(Session { link, channel, status })
    }

    /// Hands in what the lock wrote down and nobody has backed up, and lets it free that.
    async fn fetch_records(&self, session: &mut Session<'_>, lock: &str, up_to: u32) -> Option<()> {
        let status = session.status;
        let mut from = status.log_head.checked_sub(status.unacknowledged.into())?.checked_add(1)?;
        while from <= up_to {
            let question = PhoneMessage::ReadAudit { from, at_most: MAX_BATCH };
            let LockMessage::Audit(batch) = session.ask(&question).await? else { return None };
            let (first, count) = Batch::peek(&batch).ok()?;
            if count == 0 {
                break;
            }
            from = first.checked_add(count.into())?;
            let receipt = self.backend.records(lock, batch).await.ok()?;
            let acknowledgement = Acknowledgement::decode(receipt.acknowledgement.as_ref()).ok()?;
            session.ask(&PhoneMessage::Acknowledge(acknowledgement)).await?;
        }
        Some(())
    }
}

impl Session<'_> {
    async fn ask(&mut self, message: &PhoneMessage) -> Option<LockMessage> {
        let sealed = self.channel.seal(message).ok()?;
        let answer = self.link.ask(&sealed).await?;
        self.channel.open(&answer).ok()
    }

    /// Each on top of the one before. The version that the lock has then, and how many records that made.
    async fn hand_over(&mut self, due: &CodeDelivery) -> Option<(u32, u32)> {
        let (mut has, mut written) = (0, 0);
        for delivery in &due.deliveries {
            let message = PhoneMessage::Codes(delivery.as_ref().to_vec());
            let LockMessage::Codes { result, version, .. } = self.ask(&message).await? else { return None };
            match result {
                Applied::Now => written += 1,
                Applied::Already => {}
                Applied::Refused | Applied::FlashFailed => return None,
            }
            has = version;
        }
        Some((has, written))
    }
}
