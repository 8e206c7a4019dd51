//! What a card carries for this lock, and takes along from it: a lock without a radio hears and says by it what others do
//! by phone. [LST-6]

use sentri_protocol::{
    audit::MAX_BATCH,
    card::Card,
    card_memory::CardMemory,
    codes::smart_pin::LockId,
    open::channel::{Applied, LockMessage, PhoneMessage},
};

use crate::{
    lock::{Halt, Lock},
    ports::{Board, Indication},
    records::Carrier,
};

impl<B: Board> Lock<B> {
    /// Takes what is for this lock, and leaves its word and its records in the place of it. Each letter proves itself, so
    /// that neither PIN nor window of the card matter: a lock that lost its clock hears too.
    pub(super) fn exchange_letters(&mut self, card: &Card, mut memory: CardMemory) -> Result<(), Halt> {
        let lock = self.journal.state().id;
        if lock == LockId([0; 16]) {
            return Ok(());
        }
        let mut is_news = false;
        for letter in memory.take(lock) {
            is_news |= self.take_letter(card, &letter.message)?;
        }
        if is_news {
            self.board.show(Indication::Done);
        }
        let status = self.status().sign(&self.keys);
        let records = self.journal.state().audit.batch(&self.keys, 0, MAX_BATCH);
        // A card that is full carries what it can.
        let _ = memory.add(lock, LockMessage::Judged(status).encode());
        let _ = memory.add(lock, LockMessage::Audit(records).encode());
        self.board.write_card(&memory.encode());
        Ok(())
    }

    /// Whether it changed anything. What a card can't ask, or what is not for locks, is passed over.
    fn take_letter(&mut self, card: &Card, message: &[u8]) -> Result<bool, Halt> {
        let by = Carrier::Card(card);
        let applied = match PhoneMessage::decode(message) {
            Ok(PhoneMessage::Settings(settings)) => self.take_settings(by, &settings)?,
            Ok(PhoneMessage::Revocations(list)) => self.take_revocations(by, &list)?,
            Ok(PhoneMessage::Codes(delivery)) => self.take_codes(&delivery)?.0,
            Ok(PhoneMessage::Acknowledge(acknowledgement)) => {
                self.take_acknowledgement(&acknowledgement)?;
                return Ok(false);
            }
            Ok(PhoneMessage::FreshTime(_) | PhoneMessage::ReadAudit { .. }) | Err(_) => return Ok(false),
        };
        Ok(applied == Applied::Now)
    }
}
