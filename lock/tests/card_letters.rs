//! What a card carries to a lock that no phone talks to, and brings back from it. [LST-4, LST-6, AGT-1]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by it"
)]

mod support;

use sentri_lock::{Key, ports::Indication, sim::Rig};
use sentri_protocol::{
    Generation,
    audit::{Acknowledgement, Batch, Entry, Kind},
    card::SentriKeyId,
    card_memory::{CARD_BYTES, CardMemory},
    codes::smart_pin::LockId,
    hours::{AccessHours, Span},
    open::{
        Verdict,
        channel::{LockMessage, PhoneMessage},
    },
    revocation::{Entry as RevokedEntry, RevocationList, Revoked},
    settings::Settings,
    status::Status,
    ticket::Epoch,
};
use support::{
    AGENT, DAY, HOUR_MS, NOW, OWNER, association, audit, backend, card, image, phone, provisioning, smac,
};

fn rig() -> Rig {
    Rig::provisioned(provisioning())
}

fn memory(serial: u8, holder: u32) -> CardMemory {
    CardMemory::new(image(&card(serial, holder), &association()).try_into().unwrap())
}

/// A card with these letters for the lock of the tests.
fn carrying(serial: u8, holder: u32, letters: &[PhoneMessage]) -> Vec<u8> {
    let mut memory = memory(serial, holder);
    assert!(letters.iter().all(|letter| memory.add(backend().lock, letter.encode())));
    memory.encode()
}

fn settings(version: u32, contractor_mode: bool) -> Settings {
    let mut settings = Settings { version, ..provisioning().settings };
    settings.switches.contractor_mode = contractor_mode;
    settings
}

fn letter(settings: &Settings) -> PhoneMessage {
    PhoneMessage::Settings(settings.sign(&backend().keys))
}

/// Puts the card in and takes it out. What the lights showed, and what is on it then.
fn insert(rig: &mut Rig, card: &[u8]) -> (Vec<Indication>, Option<Vec<u8>>) {
    rig.board.take_indications();
    rig.insert_card(card).unwrap();
    let shown = rig.board.take_indications();
    rig.remove_card().unwrap();
    (shown, rig.board.take_card())
}

fn keys(rig: &mut Rig, keys: &str) -> Indication {
    keys.chars().for_each(|key| rig.press(Key::from_char(key).unwrap()).unwrap());
    *rig.board.take_indications().last().unwrap()
}

fn version(rig: &Rig) -> u32 {
    rig.lock().unwrap().state().settings.version
}

/// What the lock says of itself on a card.
fn word(card: &[u8]) -> (Status, Batch, Vec<Entry>) {
    let memory = CardMemory::decode(card).unwrap();
    let [status, records] = memory.letters() else { panic!("{memory:?}") };
    assert!(status.lock == backend().lock && records.lock == backend().lock);
    let Ok(LockMessage::Judged(status)) = LockMessage::decode(&status.message) else { panic!("no status") };
    let Ok(LockMessage::Audit(records)) = LockMessage::decode(&records.message) else { panic!("no records") };
    let (batch, entries, _) = backend().read_batch(&records).unwrap();
    (Status::verify(&backend().keys, &status).unwrap(), batch, entries)
}

#[test]
fn lst_6_a_card_brings_settings_and_takes_the_locks_word_along() {
    let mut rig = rig();
    let (shown, card) = insert(&mut rig, &carrying(1, OWNER, &[letter(&settings(2, true))]));
    assert_eq!(shown, [Indication::Done, Indication::Code], "taken, and then the PIN is asked for");
    assert_eq!(version(&rig), 2);
    let (status, _, entries) = word(&card.unwrap());
    assert_eq!((status.settings_version, status.battery), (2, 100));
    let taken = entries.last().unwrap();
    assert_eq!((taken.kind, taken.who, taken.operation), (Kind::Settings, [1; 8], 2_u32.to_be_bytes()));

    // The same, and older ones, change nothing and light nothing, whoever's card they are on.
    for (holder, old) in [(OWNER, settings(2, false)), (AGENT, settings(1, false))] {
        let (shown, card) = insert(&mut rig, &carrying(2, holder, &[letter(&old)]));
        assert_eq!(shown, [Indication::Code]);
        assert_eq!(word(&card.unwrap()).0.settings_version, 2);
    }
    assert!(rig.lock().unwrap().state().settings.switches.contractor_mode);
}

#[test]
fn lst_6_what_was_altered_or_is_anothers_is_not_taken_and_stays_for_whom_it_is() {
    let mut rig = rig();
    let mut altered = settings(2, true).sign(&backend().keys);
    altered[40] ^= 1;
    let (shown, _) = insert(&mut rig, &carrying(1, OWNER, &[PhoneMessage::Settings(altered)]));
    assert_eq!((shown, version(&rig)), (vec![Indication::Code], 0));

    let next_door = LockId([0x77; 16]);
    let mut card = memory(1, OWNER);
    assert!(card.add(next_door, letter(&settings(2, true)).encode()));
    assert!(card.add(backend().lock, vec![0x7f, 1, 2]), "of no kind that there is");
    let (shown, card) = insert(&mut rig, &card.encode());
    assert_eq!((shown, version(&rig)), (vec![Indication::Code], 0));
    let card = CardMemory::decode(&card.unwrap()).unwrap();
    let at: Vec<_> = card.letters().iter().map(|letter| letter.lock == next_door).collect();
    assert_eq!(at, [true, false, false], "carried on, with this lock's word beside it");

    // Another association's card is none, and nothing is written on it.
    let foreign = p256::ecdsa::SigningKey::from_slice(&[8; 32]).unwrap();
    let mut foreign = CardMemory::new(image(&support::card(1, OWNER), &foreign).try_into().unwrap());
    assert!(foreign.add(backend().lock, letter(&settings(2, true)).encode()));
    let (shown, written) = insert(&mut rig, &foreign.encode());
    assert_eq!((shown, written, version(&rig)), (vec![Indication::Error], None, 0));
}

/// A card that was pulled out while it was written is still its holder's: what is whole on it counts.
#[test]
fn lst_6_a_card_whose_letters_break_off_still_opens() {
    let mut rig = rig();
    let whole = carrying(1, OWNER, &[letter(&settings(2, true)), letter(&settings(3, true))]);
    let torn = &whole[..whole.len() - 1];
    let (shown, card) = insert(&mut rig, torn);
    assert_eq!((shown, version(&rig)), (vec![Indication::Done, Indication::Code], 2));
    assert_eq!(word(&card.unwrap()).0.settings_version, 2);
    rig.insert_card(torn).unwrap();
    assert_eq!(keys(&mut rig, "2468E"), Indication::Ready);
}

#[test]
fn lst_6_a_lock_that_lost_its_clock_and_a_card_that_is_over_still_exchange_letters() {
    let mut rig = rig();
    rig.pass(4 * u64::from(DAY) * 1000).unwrap();
    rig.reboot().unwrap();
    let (shown, card) = insert(&mut rig, &carrying(1, OWNER, &[letter(&settings(2, true))]));
    assert_eq!(shown, [Indication::Done, Indication::Code]);
    assert_eq!(word(&card.unwrap()).0.settings_version, 2);
    // It opens nothing by that.
    rig.insert_card(&carrying(1, OWNER, &[])).unwrap();
    assert_eq!(keys(&mut rig, "2468E"), Indication::Refused);
}

/// OPS-2, COD-4: from the moment that a card has brought them, the settings say whose card is the owner's.
#[test]
fn lst_6_a_new_owners_card_makes_itself_the_owners() {
    let mut rig = rig();
    let mut moved = Settings { owner: SentriKeyId::new(AGENT), ..settings(2, false) };
    moved.generation = Generation(2);
    rig.insert_card(&carrying(3, AGENT, &[letter(&moved)])).unwrap();
    assert_eq!(keys(&mut rig, "2468E"), Indication::Ready);
    assert_eq!(keys(&mut rig, "F61E"), Indication::Done);
    rig.remove_card().unwrap();
    rig.insert_card(&carrying(1, OWNER, &[])).unwrap();
    assert_eq!(keys(&mut rig, "2468E"), Indication::Ready);
    assert_eq!(keys(&mut rig, "F60E"), Indication::Error);
}

#[test]
fn grt_6_a_card_brings_revocations_of_cards_and_acknowledgements() {
    let mut rig = rig();
    let (_, card) = insert(&mut rig, &carrying(1, OWNER, &[]));
    let (_, batch, _) = word(&card.unwrap());
    let (up_to, tag) = batch.last().unwrap();
    let revoked = RevokedEntry { what: Revoked::Card([2; 8]), until: NOW.plus(DAY) };
    let list = RevocationList::new(1, Epoch(0), vec![revoked]).unwrap();
    let letters = [
        PhoneMessage::Revocations(list.sign(&backend().keys)),
        PhoneMessage::Acknowledge(Acknowledgement::sign(&backend().keys, up_to, tag)),
    ];
    let (shown, card) = insert(&mut rig, &carrying(1, OWNER, &letters));
    assert_eq!(shown, [Indication::Done, Indication::Code]);
    let (status, batch, _) = word(&card.unwrap());
    assert_eq!((status.revocation_version, batch.first), (1, up_to + 1), "what is backed up is free");
    rig.insert_card(&carrying(2, AGENT, &[])).unwrap();
    assert_eq!(keys(&mut rig, "2468E"), Indication::Refused);
}

#[test]
fn lst_6_a_card_holds_no_more_than_fits() {
    let mut card = memory(1, OWNER);
    let mut count = 0;
    while card.add(LockId([9; 16]), vec![3; 1000]) {
        count += 1;
    }
    assert_eq!(count, 7);
    let bytes = card.encode();
    assert!(bytes.len() <= CARD_BYTES);
    assert_eq!(CardMemory::decode(&bytes).unwrap(), card);
    let mut rig = rig();
    let (_, written) = insert(&mut rig, &bytes);
    assert!(written.unwrap().len() <= CARD_BYTES);
}

/// AGT-1, COD-1: a mobile access code stands for a card: it opens within the access hours alone, and is not used up by a
/// try outside of them.
#[test]
fn agt_1_a_smac_obeys_the_access_hours() {
    // 14:13 by UTC, in which the lock is; open until a quarter past.
    let hours = AccessHours::daily(Span::new(56, 57).unwrap());
    let mut made = provisioning();
    made.settings.access_hours = hours;
    let mut rig = Rig::provisioned(made);
    let code = |at| String::from_utf8(smac(5, at).to_vec()).unwrap() + "E";
    assert_eq!(keys(&mut rig, &code(NOW)), Indication::Opened);
    rig.pass(2 * 60_000).unwrap();
    let now = rig.time();
    assert_eq!(keys(&mut rig, &code(now)), Indication::Refused, "14:15");
    rig.pass(24 * HOUR_MS - 2 * 60_000).unwrap();
    let now = rig.time();
    assert_eq!(keys(&mut rig, &code(now)), Indication::Opened, "the next day");
    let results: Vec<_> = audit(&mut rig, &mut phone(1))
        .iter()
        .filter(|it| it.kind == Kind::Code)
        .map(|it| it.result)
        .collect();
    let (opened, outside) = (Verdict::Opened.code(), Verdict::OutsideHours.code());
    assert_eq!(results, [opened, outside, opened]);
}
