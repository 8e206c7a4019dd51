//! Who comes to the lock besides the fingers at its keys: a card, and phones that bring the time, codes and blocks, and
//! fetch the log.

use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use sentri_lock::sim::Visit;
use sentri_protocol::{
    card::{Card, CardSerial, PinCheck, SentriKeyId},
    codes::{
        delivery::{Delivery, Holder, Order},
        picked,
        stored::StoredCode,
        validity::Validity,
    },
    open::{
        Operation,
        channel::{Applied, LockMessage, PhoneMessage},
    },
    time::{DAY, Window},
};

use super::{CARD_PIN, LineTrouble, Scene, names::RESIDENT, told};

/// Records of the log that are shown: the newest.
const SHOWN: u32 = 12;

pub(super) fn association() -> Option<SigningKey> {
    SigningKey::from_slice(&[7; 32]).ok()
}

impl Scene {
    pub(super) fn insert_card(&mut self, serial: u8, holder: u32) -> Result<(), LineTrouble> {
        let (now, serial) = (self.rig.time(), CardSerial([serial; 8]));
        let window = Window::new(now.minus(3600), now.plus(2 * DAY));
        let (Some(holder), Some(window), Some(key)) = (SentriKeyId::new(holder), window, association())
        else {
            return Ok(());
        };
        let card = Card { serial, holder, window, pin: PinCheck::new(serial, CARD_PIN.as_bytes(), [3; 16]) };
        let signature: Signature = key.sign(&card.to_sign());
        self.rig.insert_card(&card.signed(&signature.to_bytes().into())).map_err(|_| LineTrouble::NoBattery)
    }

    /// A phone with a good ticket comes for service.
    fn visit(&mut self) -> Result<Visit, LineTrouble> {
        let now = self.rig.time();
        let window = Window::new(now.minus(DAY), now.plus(DAY)).ok_or(LineTrouble::NoBattery)?;
        let mut phone = self.backend.phone(self.backend.ticket(1, window, now), now);
        self.rig.operate(&mut phone, Operation::Service).map_err(|_| LineTrouble::NoBattery)
    }

    fn ask(&mut self, visit: &mut Visit, message: &PhoneMessage) -> Result<Option<LockMessage>, LineTrouble> {
        self.rig.ask(visit, message).map_err(|_| LineTrouble::NoBattery)
    }

    pub(super) fn bring_time(&mut self) -> Result<(), LineTrouble> {
        let mut visit = self.visit()?;
        let Some(Ok(answer)) = &visit.answer else { return Ok(()) };
        let token = self.backend.fresh_time(answer.channel.handshake_hash(), self.rig.time(), true);
        self.ask(&mut visit, &token).map(drop)
    }

    /// A phone brings a block of the SmartPIN. [PIN-7]
    pub(super) fn bring_block(&mut self) -> Result<String, LineTrouble> {
        let order = self.smart_pin().map(Order::Block);
        Ok(self.bring_codes(order.into_iter().collect())?.1)
    }

    /// The resident picks another code: it is pending until a phone delivers it. [RES-1, RES-5]
    pub(super) fn pick(&mut self, digits: &str) -> Result<Vec<String>, LineTrouble> {
        picked::check_resident(digits, true)?;
        self.door.pending = Some(StoredCode::parse(digits.as_bytes())?);
        Ok(vec!["  pending: the old code works until a phone delivers this one".to_owned()])
    }

    pub(super) fn deliver(&mut self) -> Result<String, LineTrouble> {
        let code = self.door.pending.clone().ok_or(LineTrouble::NothingPending)?;
        let (holder, validity) = (Holder::Resident, Validity::Permanent);
        let put = Order::Put { place: RESIDENT, holder, code: code.clone(), validity };
        let (taken, told) = self.bring_codes(vec![put])?;
        self.door.pending = None;
        if taken {
            self.door.replace_resident(&code);
        }
        Ok(told)
    }

    /// Whether all orders were carried out, and what to say of it.
    fn bring_codes(&mut self, orders: Vec<Order>) -> Result<(bool, String), LineTrouble> {
        let (from, version) = (self.door.version, self.door.version + 1);
        let Some(delivery) = Delivery::new(from, version, orders) else {
            return Ok((false, "  there is nothing to bring".to_owned()));
        };
        let mut visit = self.visit()?;
        let answer = self.ask(&mut visit, &PhoneMessage::Codes(delivery.seal(&self.backend.keys)))?;
        Ok(match answer {
            Some(LockMessage::Codes { result: Applied::Now, version, not_done }) => {
                self.door.version = version;
                let told = if not_done == 0 { "the lock has it" } else { "choose another" };
                (not_done == 0, format!("  {told}"))
            }
            _ => (false, "  the lock did not take it".to_owned()),
        })
    }

    /// The newest of what the lock wrote down, as the backend reads it.
    pub(super) fn log(&mut self) -> Result<Vec<String>, LineTrouble> {
        let mut visit = self.visit()?;
        let head = visit.status().map_or(0, |status| status.log_head);
        let from = head.saturating_sub(SHOWN - 1);
        let at_most = u8::try_from(SHOWN).unwrap_or(1);
        let answer = self.ask(&mut visit, &PhoneMessage::ReadAudit { from, at_most })?;
        let Some(LockMessage::Audit(bytes)) = answer else { return Ok(Vec::new()) };
        let Some((batch, entries, _)) = self.backend.read_batch(&bytes) else { return Ok(Vec::new()) };
        let numbered = (batch.first..).zip(&entries);
        Ok(numbered.map(|(number, entry)| format!("  {number:>3}  {}", told::record(entry))).collect())
    }
}
