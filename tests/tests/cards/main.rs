//! Members' cards from end to end: renewed at a reader, put into locks that run the real logic, and what comes back by them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

mod members;
mod reader;
mod settings;

use std::sync::Arc;

use sentri_lock::{Key, ports::Indication};
use sentri_sandbox::{lockbox::Lockbox, story::cast};
use sentri_server::operator::NewAgent;
use sentri_tests::House;
use sentri_wire::agent::LockboxGeneration;

const ROBIN: &str = "104227319";

/// Another agent of the association.
async fn add_robin(house: &House) {
    let new = NewAgent {
        sentrikey_id: ROBIN.into(),
        first_name: "Robin".into(),
        last_name: "Ellis".into(),
        email: "robin.ellis@harbor-realty.example".into(),
        phone: "(312) 555-0143".into(),
        ..cast::agent()
    };
    house.town.operate(async |operator| operator.add_agent(&new).await).await.unwrap();
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
    keys.chars().for_each(|key| lockbox.press(Key::from_char(key).unwrap()));
    lockbox.lights().last().unwrap().shown
}

/// Whether a code opens.
fn opens(lockbox: &Lockbox, code: &str) -> bool {
    let before = lockbox.motor_drives();
    pressed(lockbox, &format!("{code}E"));
    lockbox.motor_drives() == before + 1
}

/// Puts a card in and out. What is on it then.
fn insert(lockbox: &Lockbox, card: &[u8]) -> Vec<u8> {
    let card = lockbox.insert_card(card);
    lockbox.remove_card();
    card
}

/// Card, PIN, ENT, READY, ENT. Whether it opened.
fn opens_by_card(lockbox: &Lockbox, card: &[u8]) -> bool {
    let before = lockbox.motor_drives();
    lockbox.insert_card(card);
    if pressed(lockbox, &format!("{}E", cast::AGENT_PIN)) == Indication::Ready {
        pressed(lockbox, "E");
    }
    lockbox.remove_card();
    lockbox.motor_drives() == before + 1
}
