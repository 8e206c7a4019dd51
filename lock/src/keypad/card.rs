//! The card slot: card, PIN, ENT, READY; then ENT opens, and the owner's FUNC changes settings. [AGT-1, COD-4]

use alloc::vec::Vec;

use sentri_protocol::{
    audit::Kind,
    card::{Card, CardSerial},
    card_memory::CardMemory,
    codes::lockout::wait_after,
    hours::Weekly,
    open::Verdict,
    revocation::Revoked,
    time::Moment,
};

use super::{Capabilities, mode::Mode};
use crate::{
    journal::{
        state::{Change, State},
        tables::CardTries,
    },
    lock::{Driven, Halt, Lock, Stored},
    ports::{Board, Indication},
    records,
};

/// Digits of a card's PIN.
const PIN_DIGITS: usize = 4;
const CONTRACTOR_MODE_ON: &[u8] = b"61";
const CONTRACTOR_MODE_OFF: &[u8] = b"60";

/// When each card's last wrong PIN was, on the uptime counter; before that, power-on.
pub(super) struct Waits {
    booted_at: u64,
    wrong_at: Vec<(CardSerial, u64)>,
}

impl Waits {
    pub(super) fn new(uptime_ms: u64) -> Self {
        Self { booted_at: uptime_ms, wrong_at: Vec::new() }
    }

    fn wrong(&mut self, serial: CardSerial, uptime_ms: u64) {
        self.wrong_at.retain(|(it, _)| *it != serial);
        if self.wrong_at.len() >= crate::journal::tables::CARDS_MOST {
            self.wrong_at.remove(0);
        }
        self.wrong_at.push((serial, uptime_ms));
    }

    /// Seconds until a PIN of this card is looked at again.
    fn wait(&self, serial: CardSerial, wrong: u16, uptime_ms: u64) -> u32 {
        let known = self.wrong_at.iter().find(|(it, _)| *it == serial);
        let from = known.map_or(self.booted_at, |(_, at)| *at);
        let until = from.saturating_add(u64::from(wait_after(wrong)) * 1000);
        u32::try_from(until.saturating_sub(uptime_ms).div_ceil(1000)).unwrap_or(u32::MAX)
    }
}

fn is_owner(state: &State, card: &Card) -> bool {
    state.settings.owner == Some(card.holder)
}

impl<B: Board> Lock<B> {
    /// A card was put in: takes what it carries, and asks for its PIN, where it is one of the association's.
    pub fn insert_card(&mut self, memory: &[u8]) -> Result<(), Halt> {
        let now_ms = self.board.uptime_ms();
        self.keypad.tick(now_ms);
        self.keypad.clear_entry();
        self.keypad.leave();
        let state = self.journal.state();
        let slot = Capabilities::of(state.profile).card_slot;
        let memory = CardMemory::decode(memory).ok().filter(|_| slot);
        let card = memory.and_then(|memory| {
            let card = Card::open(&state.association?, &memory.image).ok()?;
            Some((card, memory))
        });
        if let Some((card, memory)) = card {
            self.exchange_letters(&card, memory)?;
            self.keypad.go_to(Mode::CardPin(card), now_ms);
            self.board.show(Indication::Code);
        } else {
            self.board.show(Indication::Error);
        }
        Ok(())
    }

    /// The card was taken out: its sequence ends.
    pub fn remove_card(&mut self) {
        if matches!(self.keypad.mode, Mode::CardPin(_) | Mode::CardReady(_)) {
            self.keypad.leave();
            self.keypad.clear_entry();
        }
    }

    /// A card's PIN. Its wrong ones are counted for the card alone, written down before they are looked at; the right
    /// one takes them back, since it is all that they could have found.
    pub(super) fn enter_card_pin(&mut self, card: Card, entry: &[u8]) -> Result<(), Halt> {
        let (serial, now_ms) = (card.serial, self.board.uptime_ms());
        let wrong = self.journal.state().tables.wrong_pins(serial);
        let seconds = self.keypad.cards.wait(serial, wrong, now_ms);
        if seconds > 0 {
            self.board.show(Indication::Wait { seconds });
            return Ok(());
        }
        let tries = CardTries { serial, wrong: wrong.saturating_add(1) };
        if self.store(&[Change::CardTries(tries)])? == Stored::Worn {
            self.board.show(Indication::NeedsService);
            return Ok(());
        }
        let is_right = entry.len() == PIN_DIGITS && card.has_pin(entry);
        let judged = if is_right { self.judge_card(&card) } else { Err(Verdict::NoRight) };
        if let Err(verdict) = judged {
            self.keypad.cards.wrong(serial, now_ms);
            return self.refuse_card(&card, verdict);
        }
        if self.store(&[Change::CardTries(CardTries { serial, wrong: 0 })])? == Stored::Worn {
            self.board.show(Indication::NeedsService);
            return Ok(());
        }
        if is_owner(self.journal.state(), &card) {
            self.end_waits()?;
        }
        self.keypad.go_to(Mode::CardReady(card), now_ms);
        self.board.show(Indication::Ready);
        Ok(())
    }

    fn judge_card(&self, card: &Card) -> Result<(), Verdict> {
        let (state, now) = (self.journal.state(), self.now());
        let revoked = Revoked::Card(card.serial.0);
        if state.revocations.entries().iter().any(|entry| entry.what == revoked) {
            return Err(Verdict::Revoked);
        }
        if state.damaged {
            return Err(Verdict::FlashFailed);
        }
        if now.is_lost() {
            return Err(Verdict::ClockLost);
        }
        match card.window.judge(now.time, now.tolerance()) {
            Moment::Early(_) => Err(Verdict::NotYet),
            Moment::Within => Ok(()),
            Moment::Late(_) => Err(Verdict::Expired),
        }
    }

    fn refuse_card(&mut self, card: &Card, verdict: Verdict) -> Result<(), Halt> {
        let mut draft = self.draft();
        draft.failure(&records::by_card(Kind::Card, card, verdict, self.now()));
        let changes = draft.into_changes();
        // The attempt itself is written; worn flash shows at the next one.
        let (Stored::Yes | Stored::Worn) = self.store(&changes)?;
        self.tell_refused();
        Ok(())
    }

    /// ENT at READY: opens, inside the access hours unless the card is the owner's.
    pub(super) fn open_by_card(&mut self, card: &Card) -> Result<(), Halt> {
        let (settings, now) = (&self.journal.state().settings, self.now());
        let in_hours = settings.access_hours.allows(settings.zone.local(now.time));
        if !in_hours && !is_owner(self.journal.state(), card) {
            return self.refuse_card(card, Verdict::OutsideHours);
        }
        let entry = records::by_card(Kind::Card, card, Verdict::Opened, now);
        if self.store_event(&entry, None)? == Stored::Worn {
            self.board.show(Indication::NeedsService);
            return Ok(());
        }
        if self.drive()? == Driven::Stuck {
            let entry = records::by_card(Kind::MotorFailed, card, Verdict::MotorFailed, self.now());
            // The lights tell of the motor, whether or not the log could.
            let (Stored::Yes | Stored::Worn) = self.store_event(&entry, None)?;
        }
        Ok(())
    }

    /// FUNC, digits, ENT at READY: the owner's alone.
    pub(super) fn command(&mut self, card: Card, digits: &[u8]) -> Result<(), Halt> {
        let may_turn_on = !self.journal.state().settings.switches.forbids_contractor;
        let change = match digits {
            CONTRACTOR_MODE_ON if may_turn_on => Some(Change::ContractorMode(true)),
            CONTRACTOR_MODE_OFF => Some(Change::ContractorMode(false)),
            _ => None,
        };
        let change = change.filter(|_| is_owner(self.journal.state(), &card));
        let shown = match change {
            None => Indication::Error,
            Some(change) => {
                let entry = records::by_card(Kind::Settings, &card, Verdict::Served, self.now());
                match self.store_event(&entry, Some(change))? {
                    Stored::Yes => Indication::Done,
                    Stored::Worn => Indication::NeedsService,
                }
            }
        };
        let now_ms = self.board.uptime_ms();
        self.keypad.go_to(Mode::CardReady(card), now_ms);
        self.board.show(shown);
        Ok(())
    }
}
