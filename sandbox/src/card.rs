//! A member's card: the reader at a desk that renews it over real HTTP, and the hands that put it into a lockbox.
//! [AGT-1, COD-4, LST-6]

use sentri_lock::ports::Indication;
use sentri_wire::{
    Binary,
    account::LoginResponse,
    card::{CardErrands, CardRenewal, RenewedCard},
};
use serde_json::json;

use crate::{
    calls::{CallTrouble, Caller},
    lockbox::Lockbox,
    phone::Surroundings,
};

/// A card reader that an agent has logged in on.
pub struct CardReader(Caller);

impl CardReader {
    /// Logs an agent in. The reader is one device of theirs, however often they do.
    pub async fn of(around: &Surroundings, sentrikey_id: &str, password: &str) -> Result<Self, CallTrouble> {
        let install_id = format!("00000000-0000-4000-8000-{sentrikey_id:0>12}");
        let login = json!({
            "login": { "sentrikey_id": sentrikey_id },
            "password": password,
            "device": { "install_id": install_id, "name": "Card reader", "platform": "desktop" },
        });
        let caller = Caller::new(around)?;
        let login: LoginResponse = caller.post("/v1/login", &login).await?;
        Ok(Self(caller.with(login.tokens.access)))
    }

    /// Serial numbers of the lockboxes that wait for the card.
    pub async fn errands(&self) -> Result<Vec<String>, CallTrouble> {
        Ok(self.0.get::<CardErrands>("/v1/card").await?.lockboxes)
    }

    /// Renews the card, with what is on it; on a blank one there is nothing.
    pub async fn renew(&self, pin: &str, memory: Option<Vec<u8>>) -> Result<RenewedCard, CallTrouble> {
        let renewal = CardRenewal { pin: pin.into(), memory: memory.map(Binary::from) };
        self.0.post("/v1/card", &renewal).await
    }
}

/// Somebody puts a card in, and takes it out again. What is on it then.
pub fn put_in_and_out(lockbox: &Lockbox, card: &[u8]) -> Vec<u8> {
    let card = lockbox.insert_card(card);
    lockbox.remove_card();
    card
}

/// Card, PIN, ENT, READY, ENT: whether it opens.
pub fn opens_by_card(lockbox: &Lockbox, card: &[u8], pin: &str) -> bool {
    let before = lockbox.motor_drives();
    lockbox.insert_card(card);
    lockbox.press_all(pin);
    lockbox.press_ent();
    if lockbox.lights().last().is_some_and(|light| light.shown == Indication::Ready) {
        lockbox.press_ent();
    }
    lockbox.remove_card();
    lockbox.motor_drives() > before
}
