//! The cards of the town's agents: each is at hand, or in the slot of one lockbox.

use std::{collections::BTreeMap, sync::PoisonError};

use sentri_wire::Timestamp;
use serde::Serialize;
use tokio::sync::Mutex;

use super::{Person, Town};
use crate::{calls::CallTrouble, card::CardReader, lockbox::Lockbox};

/// By whose they are. Held while one is in the reader: it is nowhere else then.
pub(super) type Cards = Mutex<BTreeMap<String, Card>>;

pub(super) struct Card {
    memory: Vec<u8>,
    seen: CardSeen,
}

/// A card, as whoever holds it knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CardSeen {
    /// SentriKey ID of the agent whose it is.
    pub of: String,
    /// The card's number, 16 hex digits, by which locks know it.
    pub serial: String,
    /// First second in which it opens nothing any more.
    pub good_until: Timestamp,
    /// Serial numbers of the lockboxes that it was given something for when it was last renewed.
    pub carries_to: Vec<String>,
    /// Serial number of the lockbox in whose slot it is.
    pub slot: Option<String>,
}

/// Why a card is not renewed, put in or taken out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CardTrouble {
    /// Nobody like that was introduced.
    #[error("No agent has this SentriKey ID: GET /state says who can log in.")]
    NoSuchAgent,
    /// It was never renewed.
    #[error("of: no card of this agent was ever renewed. POST /cards/{{id}}/renewals does that.")]
    NoSuchCard,
    /// It is in a slot.
    #[error("The card is in the slot of {0}: take it out first.")]
    InSlot(String),
    /// Another card is there.
    #[error("There is a card in the slot: take it out first.")]
    SlotTaken,
    /// No card is there.
    #[error("There is no card in the slot.")]
    SlotEmpty,
    /// It is a door.
    #[error("This lock has no card slot: lockboxes have one.")]
    NoSlot,
    /// The reader could not renew it.
    #[error(transparent)]
    Reader(#[from] CallTrouble),
}

impl Town {
    /// All cards.
    pub async fn cards(&self) -> Vec<CardSeen> {
        self.cards.lock().await.values().map(|card| card.seen.clone()).collect()
    }

    /// An agent renews their card at a reader, or gets their first one, under the password and the PIN that they type
    /// there: their own where nothing else is said.
    pub async fn renew_card(
        &self,
        of: &str,
        password: Option<String>,
        pin: Option<String>,
    ) -> Result<CardSeen, CardTrouble> {
        let agent = self.agent(of).ok_or(CardTrouble::NoSuchAgent)?;
        let mut cards = self.cards.lock().await;
        let card = cards.get(of);
        if let Some(slot) = card.and_then(|card| card.seen.slot.clone()) {
            return Err(CardTrouble::InSlot(slot));
        }
        let password = password.unwrap_or(agent.password);
        let reader = CardReader::of(&self.surroundings(), of, &password).await?;
        let memory = card.map(|card| card.memory.clone());
        let renewed = reader.renew(&pin.unwrap_or(agent.pin), memory).await?;
        let seen = CardSeen {
            of: of.to_owned(),
            serial: renewed.serial,
            good_until: renewed.good_until,
            carries_to: renewed.carries_to,
            slot: None,
        };
        let memory = renewed.memory.as_ref().to_vec();
        cards.insert(of.to_owned(), Card { memory, seen: seen.clone() });
        Ok(seen)
    }

    /// Somebody puts an agent's card into a slot.
    pub async fn insert_card(&self, of: &str, lockbox: &Lockbox) -> Result<(), CardTrouble> {
        if !lockbox.has_card_slot() {
            return Err(CardTrouble::NoSlot);
        }
        let mut cards = self.cards.lock().await;
        if cards.values().any(|card| card.is_in(lockbox)) {
            return Err(CardTrouble::SlotTaken);
        }
        let card = cards.get_mut(of).ok_or(CardTrouble::NoSuchCard)?;
        if let Some(slot) = &card.seen.slot {
            return Err(CardTrouble::InSlot(slot.clone()));
        }
        card.memory = lockbox.insert_card(&card.memory);
        card.seen.slot = Some(lockbox.serial().to_owned());
        Ok(())
    }

    /// Somebody takes the card out of a slot.
    pub async fn take_card_out(&self, lockbox: &Lockbox) -> Result<(), CardTrouble> {
        let mut cards = self.cards.lock().await;
        let card = cards.values_mut().find(|card| card.is_in(lockbox)).ok_or(CardTrouble::SlotEmpty)?;
        card.seen.slot = None;
        lockbox.remove_card();
        Ok(())
    }

    fn agent(&self, sentrikey_id: &str) -> Option<Person> {
        let people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        people.iter().find(|it| it.kind == "agent" && it.login == sentrikey_id).cloned()
    }
}

impl Card {
    fn is_in(&self, lockbox: &Lockbox) -> bool {
        self.seen.slot.as_deref() == Some(lockbox.serial())
    }
}
