//! Members' cards: renewed for three days, carrying to lockboxes what no phone brings them, and from them what they say.
//! [AGT-1, COD-4, LST-6]

use std::collections::BTreeSet;

use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use sentri_protocol::{
    audit::{Acknowledgement, Batch},
    card::{Card, CardSerial, GOOD_FOR_AT_MOST, PinCheck, SentriKeyId},
    card_memory::CardMemory,
    codes::smart_pin::LockId,
    open::channel::{LockMessage, PhoneMessage},
    status::{ClockQuality, SignedStatus, Status},
    time::Window,
};
use sentri_wire::{
    Binary, Secret,
    agent::LockboxGeneration,
    card::{CardErrands, CardRenewal, RenewedCard},
};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{
    App, Caller, access_log, blocks, credentials, events, fault, grants, locks, restore, revocations,
};
use crate::{
    refusal::{Answer, Refusal},
    store::{
        Connection, Id, Writing,
        accounts::{self, AccountRow},
        associations,
        lockboxes::{self, LockboxRow},
    },
};

const CARD_KEY: &str = "card-key";

/// What waits for the caller's card.
pub async fn errands(app: &App, caller: &Caller) -> Answer<CardErrands> {
    caller.agent()?;
    let mut conn = app.store.read().await?;
    let mut waiting = Vec::new();
    for lockbox in lockboxes::all_owned(&mut conn, caller.account).await? {
        let no_phone_comes = lockbox.generation.0 == LockboxGeneration::NonBle;
        if no_phone_comes && !letters_to(app, &mut conn, &lockbox).await?.is_empty() {
            waiting.push(lockbox.serial);
        }
    }
    Ok(CardErrands { lockboxes: waiting })
}

/// Renews the caller's card: takes what lockboxes wrote onto it, and gives it what waits for the caller's own.
pub async fn renew(app: &App, caller: &Caller, request: &CardRenewal) -> Answer<RenewedCard> {
    let association = caller.agent()?;
    let read = request.memory.as_ref().map(|memory| CardMemory::decode(memory.as_ref())).transpose();
    let read =
        read.map_err(|_| Refusal::invalid("memory", "The bytes of a card, or none of a blank one."))?;
    grants::check_pin(app, caller, &request.pin).await?;

    let mut tx = app.store.write().await?;
    let heard = match &read {
        Some(memory) => take_word(app, &mut tx, association, memory).await?,
        None => Heard::default(),
    };
    let (card, image) = sign(app, &mut tx, caller, association, &request.pin).await?;
    let mut memory = CardMemory::new(image);
    for (lock, acknowledgement) in heard.acknowledgements {
        // The lock keeps what it is not told of: the next card tells it.
        let _ = memory.add(lock, PhoneMessage::Acknowledge(acknowledgement).encode());
    }
    let mut carries_to = Vec::new();
    for lockbox in lockboxes::all_owned(tx.conn(), caller.account).await? {
        let letters = letters_to(app, tx.conn(), &lockbox).await?;
        let fit = letters.into_iter().filter(|it| memory.add(lock_id(&lockbox), it.encode())).count();
        if fit > 0 {
            carries_to.push(lockbox.serial);
        }
    }
    let incarnation = restore::current_incarnation(tx.conn()).await?;
    tx.commit().await?;
    if heard.is_ahead {
        restore::noticed(app, &incarnation).await?;
    }
    Ok(RenewedCard {
        serial: hex::encode(card.serial.0),
        good_until: card.window.not_after().unix(),
        memory: Binary::from(memory.encode()),
        carries_to,
    })
}

/// What the factory writes into an association's locks: whose cards they take.
pub async fn public_key(app: &App, tx: &mut Writing, association: Id) -> Answer<Binary> {
    let key = signing_key(app, tx, association).await?;
    Ok(Binary::from(key.verifying_key().to_sec1_point(true).as_bytes().to_vec()))
}

/// By which locks know an agent's card.
pub fn number_of(agent: &AccountRow) -> Option<SentriKeyId> {
    agent.sentrikey_id.as_ref()?.parse().ok().and_then(SentriKeyId::new)
}

/// What lockboxes said by a card.
#[derive(Default)]
struct Heard {
    acknowledgements: Vec<(LockId, Acknowledgement)>,
    /// A lock knows more than this database.
    is_ahead: bool,
}

/// Takes what lockboxes of the association wrote. A card passes many hands: what no lock said is passed over.
async fn take_word(app: &App, tx: &mut Writing, association: Id, memory: &CardMemory) -> Answer<Heard> {
    let mut heard = Heard::default();
    let mut boxes = BTreeSet::new();
    for letter in memory.letters() {
        let id = Id(Uuid::from_bytes(letter.lock.0));
        if let Some(lockbox) =
            lockboxes::by_id(tx.conn(), id).await?.filter(|it| it.association_id == association)
        {
            boxes.insert(lockbox.serial);
        }
    }
    access_log::hold(tx, boxes.iter().map(String::as_str).collect()).await?;
    for letter in memory.letters() {
        let id = Id(Uuid::from_bytes(letter.lock.0));
        let lockbox = lockboxes::by_id(tx.conn(), id).await?;
        let Some(lockbox) = lockbox.filter(|it| boxes.contains(&it.serial)) else { continue };
        match LockMessage::decode(&letter.message) {
            Ok(LockMessage::Judged(status)) => {
                heard.is_ahead |= take_status(app, tx, &lockbox, &status).await?;
            }
            Ok(LockMessage::Audit(batch)) => {
                let keys = app.keys(&lockbox)?;
                let Ok((batch, entries)) = Batch::open(&keys, &batch) else { continue };
                let mark = locks::keep(app, tx, &lockbox, &batch, &entries).await?;
                heard.acknowledgements.push((letter.lock, locks::acknowledgement(&keys, &mark)?));
            }
            _ => {}
        }
    }
    Ok(heard)
}

/// Whether the lock is ahead of this database.
async fn take_status(
    app: &App,
    tx: &mut Writing,
    lockbox: &LockboxRow,
    signed: &SignedStatus,
) -> Answer<bool> {
    let Some(status) = Status::verify(&app.keys(lockbox)?, signed) else { return Ok(false) };
    // A card may have been on its way for days.
    let is_known = status.quality != ClockQuality::Lost;
    let at = if is_known { Some(status.clock.unix().min(app.now())) } else { lockbox.last_heard_at };
    let at = at.unwrap_or_else(|| app.now());
    events::hear(app, tx, lockbox.id, &status, at).await?;
    restore::is_ahead(lockbox, &status)
}

/// What a lockbox was told and has not been heard to have, signed for it.
async fn letters_to(app: &App, conn: &mut Connection, lockbox: &LockboxRow) -> Answer<Vec<PhoneMessage>> {
    let mut letters = Vec::new();
    if lockbox.has_pending_settings() {
        let settings = credentials::signed_settings(app, lockbox)?.settings;
        letters.push(PhoneMessage::Settings(settings.as_ref().to_vec()));
    }
    if revocations::is_pending(lockbox) {
        let list = revocations::signed(app, conn, lockbox).await?.list;
        letters.push(PhoneMessage::Revocations(list.as_ref().to_vec()));
    }
    if let Some(delivery) = blocks::delivery(app, conn, lockbox).await? {
        letters.extend(delivery.deliveries.iter().map(|it| PhoneMessage::Codes(it.as_ref().to_vec())));
    }
    Ok(letters)
}

fn lock_id(lockbox: &LockboxRow) -> LockId {
    LockId(lockbox.id.0.into_bytes())
}

async fn sign(
    app: &App,
    tx: &mut Writing,
    caller: &Caller,
    association: Id,
    pin: &Secret,
) -> Answer<(Card, [u8; Card::SIGNED_LEN])> {
    let account = accounts::by_id(tx.conn(), caller.account).await?;
    let holder = account.as_ref().and_then(number_of);
    let holder = holder.ok_or_else(|| fault("an agent without a SentriKey ID"))?;
    let now = app.signing_time(tx).await?;
    let window =
        Window::new(now, now.plus(GOOD_FOR_AT_MOST)).ok_or_else(|| fault("a card without a window"))?;
    let serial = serial_of(caller.account)?;
    let pin = PinCheck::new(serial, pin.expose().as_bytes(), app.random());
    let card = Card { serial, holder, window, pin };
    let signature: Signature = signing_key(app, tx, association).await?.sign(&card.to_sign());
    let image = card.signed(&signature.to_bytes().into());
    Ok((card, image))
}

/// An agent has one card: wrong PINs are counted for it across renewals.
fn serial_of(account: Id) -> Answer<CardSerial> {
    let digest = Sha256::new().chain_update(b"sentri/card").chain_update(account.0).finalize();
    let serial = digest.first_chunk().ok_or_else(|| fault("a digest that is too short"))?;
    Ok(CardSerial(*serial))
}

async fn signing_key(app: &App, tx: &mut Writing, association: Id) -> Answer<SigningKey> {
    let place = association.to_string();
    let mut sealed = associations::card_key(tx.conn(), association).await?;
    if sealed.is_none() {
        let fresh = Zeroizing::new(app.random::<32>());
        let new = app.vault.seal(CARD_KEY, &place, fresh.as_ref())?;
        associations::set_card_key(tx.conn(), association, &new).await?;
        // Another server's may have been first.
        sealed = associations::card_key(tx.conn(), association).await?;
    }
    let sealed = sealed.ok_or_else(|| fault("an association that can't sign cards"))?;
    let bytes = app.vault.open(CARD_KEY, &place, &sealed)?;
    SigningKey::from_slice(&bytes).map_err(|_| fault("a card key that is none"))
}
