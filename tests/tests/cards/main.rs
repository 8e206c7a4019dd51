//! Members' cards from end to end: renewed at a reader, put into locks that run the real logic, and what comes back by them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

mod members;
mod settings;

use std::sync::Arc;

use sentri_lock::ports::Indication;
use sentri_sandbox::{
    calls::CallTrouble,
    card::{self, CardReader},
    lockbox::Lockbox,
    story::cast,
};
use sentri_tests::House;
use sentri_wire::{Problem, agent::LockboxGeneration, card::RenewedCard};

const ROBIN: &str = cast::MEMBER_ID;

/// Another agent of the association.
async fn add_robin(house: &House) {
    house.town.operate(async |operator| operator.add_agent(&cast::member()).await).await.unwrap();
}

/// A card reader that an agent has logged in on.
async fn reader(house: &House, sentrikey_id: &str) -> CardReader {
    CardReader::of(&house.town.surroundings(), sentrikey_id, cast::AGENT_PASSWORD).await.unwrap()
}

/// Why the backend renews no card.
fn refusal(renewed: Result<RenewedCard, CallTrouble>) -> Box<Problem> {
    match renewed {
        Err(CallTrouble::Refused(problem)) => problem,
        other => panic!("{other:?}"),
    }
}

/// One of the agent's lockboxes without Bluetooth, at no listing.
async fn keypad_box(house: &House, hours: &str) -> Arc<Lockbox> {
    let new = cast::lockbox(cast::KEYPAD_BOX, LockboxGeneration::NonBle, hours);
    let lockbox = house.town.add_lockbox(&new).await.unwrap();
    house.town.clock.scene(house.agent.core.sync_now()).await.unwrap();
    lockbox
}

/// Somebody presses these keys: digits, E for ENT, F for FUNC. What the lights say then.
fn pressed(lockbox: &Lockbox, keys: &str) -> Indication {
    lockbox.press_all(keys);
    lockbox.lights().last().unwrap().shown
}

/// Whether a code opens.
fn opens(lockbox: &Lockbox, code: &str) -> bool {
    lockbox.type_code(code) == 1
}

/// Whether a card opens under the PIN that all agents have here.
fn opens_by_card(lockbox: &Lockbox, card: &[u8]) -> bool {
    card::opens_by_card(lockbox, card, cast::AGENT_PIN)
}
