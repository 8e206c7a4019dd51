//! `vectors/card_memories.json`: cards, and what they carry. `SENTRI_BLESS=1` writes it anew.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

#[path = "support/vectors.rs"]
mod vectors;

use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use sentri_protocol::{
    KeyTree, Seed, Time,
    card::{Card, CardSerial, PinCheck, SentriKeyId},
    card_memory::{CARD_BYTES, CardMemory},
    codes::smart_pin::LockId,
    settings::Settings,
    time::Window,
};
use serde_json::{Value, json};

const NOW: Time = Time(1_790_000_000);
const PIN: &[u8] = b"2468";

fn association() -> SigningKey {
    SigningKey::from_slice(&[7; 32]).unwrap()
}

fn card() -> Card {
    let serial = CardSerial(*b"card-001");
    Card {
        serial,
        holder: SentriKeyId::new(123_456_789).unwrap(),
        window: Window::new(NOW, NOW.plus(3 * 86_400)).unwrap(),
        pin: PinCheck::new(serial, PIN, [3; 16]),
    }
}

fn image() -> [u8; Card::SIGNED_LEN] {
    let signature: Signature = association().sign(&card().to_sign());
    card().signed(&signature.to_bytes().into())
}

/// A card with no letters, with one for a lock, and with what two locks said.
fn memories() -> [CardMemory; 3] {
    let seed: Vec<u8> = (0..32).collect();
    let keys = KeyTree::new(&Seed::new(seed.try_into().unwrap()), sentri_protocol::Generation::FIRST);
    let settings = Settings { version: 2, ..Settings::default() }.sign(&keys);
    let lock = LockId(*b"lock-of-the-test");
    let [none, mut told, mut said] = [(); 3].map(|()| CardMemory::new(image()));
    assert!(told.add(lock, [&[0x03], &settings[..]].concat()));
    for lock in [lock, LockId([0xa5; 16])] {
        assert!(said.add(lock, [&[0x81][..], &[9; 44]].concat()));
    }
    [none, told, said]
}

#[test]
fn card_memories_json() {
    let card = card();
    let public = association().verifying_key().to_sec1_point(true);
    let cases = memories().map(|memory| {
        let letters: Vec<Value> = memory
            .letters()
            .iter()
            .map(|letter| json!({ "lock": hex::encode(letter.lock.0), "message": hex::encode(&letter.message) }))
            .collect();
        json!({
            "association": hex::encode(public.as_bytes()),
            "serial": hex::encode(card.serial.0), "holder": card.holder.number(),
            "not_before": card.window.not_before().0, "not_after": card.window.not_after().0,
            "salt": hex::encode([3; 16]), "pin": "2468",
            "image": hex::encode(memory.image), "letters": letters,
            "memory": hex::encode(memory.encode()),
        })
    });
    vectors::check("card_memories.json", "docs/keypad.md, Cards: cards, and what they carry.", cases.into());
}

#[test]
fn a_cards_memory_reads_back_and_keeps_what_is_whole() {
    for memory in memories() {
        let bytes = memory.encode();
        assert_eq!(CardMemory::decode(&bytes).unwrap(), memory);
        let more = [&bytes[..], &[0xff; 40]].concat();
        assert_eq!(CardMemory::decode(&more).unwrap(), memory, "the rest of the card is of no matter");
        for length in 0..bytes.len() {
            let Ok(torn) = CardMemory::decode(&bytes[..length]) else {
                assert!(length < Card::SIGNED_LEN, "{length} of {}", bytes.len());
                continue;
            };
            assert!(length >= Card::SIGNED_LEN && torn.image == memory.image);
            let mut whole = CardMemory::new(memory.image);
            for letter in torn.letters() {
                assert!(whole.add(letter.lock, letter.message.clone()));
            }
            assert!(memory.letters().starts_with(whole.letters()) && whole.encode().len() <= length.max(118));
            let next = memory.letters().get(whole.letters().len());
            assert!(
                next.is_none_or(|next| length < whole.encode().len() + 18 + next.message.len()),
                "{length}"
            );
        }
    }
    assert!(CardMemory::decode(&image()).unwrap().letters().is_empty(), "a card that ends after its image");
    let mut full = CardMemory::new(image());
    assert!(!full.add(LockId([1; 16]), Vec::new()) && !full.add(LockId([1; 16]), vec![0; 1025]));
    while full.add(LockId([1; 16]), vec![7; 300]) {}
    assert!(full.encode().len() <= CARD_BYTES);
    let mut all = 0;
    while full.add(LockId([1; 16]), vec![7]) {
        all += 1;
    }
    assert!(all < 300 && full.encode().len() <= CARD_BYTES);
}
