//! The keypad of a lockbox, as its owner sees and sets it: contractor codes, contractor mode, SmartPINs.
//! [COD-3 to COD-6, PIN-4]

use sentri_protocol::{
    KeyTree,
    codes::{contractor, smart_pin::Variant},
    settings::Settings,
};
use sentri_wire::{
    Binary, Secret,
    codes::{ContractorCode, Keypad, KeypadChange, PinsPerWindow, Switch},
};

use super::{
    App, Caller, credentials, forbidden::Forbidden, lock_settings, lockboxes::held, once::Once,
    protocol_time, zones,
};
use crate::{
    refusal::{Answer, Refusal},
    rules,
    store::{
        Connection, codes,
        lockboxes::{self, LockboxRow},
    },
};

/// The keypad of one of the caller's lockboxes.
pub async fn one(app: &App, caller: &Caller, serial: &str) -> Answer<Keypad> {
    caller.agent()?;
    let mut conn = app.store.read().await?;
    let lockbox =
        lockboxes::owned(&mut conn, caller.account, serial).await?.ok_or_else(Refusal::not_found)?;
    seen(app, &mut conn, &lockbox).await
}

/// Sets what the caller wants of it.
pub async fn set(app: &App, caller: &Caller, serial: &str, change: &KeypadChange) -> Answer<Keypad> {
    caller.agent()?;
    let variants = change.pins_per_window.map(variants).transpose()?;
    let mut tx = app.store.write().await?;
    let lockbox = held(&mut tx, caller, serial).await?;
    if change.contractor_mode == Some(true) {
        Forbidden::to(tx.conn(), caller.account).await?.check_contractor()?;
    }
    if change.smart_pins == Some(true)
        && codes::is_key_lost(tx.conn(), lockbox.id, lockbox.key_generation).await?
    {
        return Err(Refusal::conflict(
            "A phone that could make SmartPINs of this lockbox was removed. Have the lockbox's keys renewed first.",
        )
        .field("smart_pins"));
    }
    if change.contractor_mode.is_some() {
        // The box has settings of its own from now on.
        lockboxes::set_follows_default(tx.conn(), lockbox.id, false).await?;
    }
    let lockbox = lock_settings::change(app, &mut tx, lockbox, |settings| {
        let switches = &mut settings.switches;
        switches.contractor_mode = change.contractor_mode.unwrap_or(switches.contractor_mode);
        switches.smart_pins = change.smart_pins.unwrap_or(switches.smart_pins);
        settings.smart_pin_rules.variants = variants.unwrap_or(settings.smart_pin_rules.variants);
    })
    .await?;
    let keypad = seen(app, tx.conn(), &lockbox).await?;
    tx.commit().await?;
    Ok(keypad)
}

/// Makes a new code for a slot, 1 to 3. The old one works until the lock has heard of it. [COD-5]
pub async fn rotate(app: &App, caller: &Caller, once: &Once, serial: &str, slot: u8) -> Answer<Keypad> {
    caller.agent()?;
    let slot = slot.checked_sub(1).filter(|slot| *slot < contractor::SLOTS);
    let slot = slot.ok_or_else(|| Refusal::invalid("slot", "There are three, 1 to 3."))?;
    let mut tx = app.store.write().await?;
    if let Some(earlier) = once.earlier(app, &mut tx, caller).await? {
        return Ok(earlier);
    }
    let lockbox = held(&mut tx, caller, serial).await?;
    Forbidden::to(tx.conn(), caller.account).await?.check_contractor()?;
    let lockbox = lock_settings::change(app, &mut tx, lockbox, |settings| {
        if let Some(generation) = settings.contractor_generations.get_mut(usize::from(slot)) {
            *generation = generation.wrapping_add(1);
        }
    })
    .await?;
    let keypad = seen(app, tx.conn(), &lockbox).await?;
    once.keep(app, &mut tx, caller, &keypad).await?;
    tx.commit().await?;
    Ok(keypad)
}

/// The keypad of a lockbox, for its owner alone.
pub async fn seen(app: &App, conn: &mut Connection, lockbox: &LockboxRow) -> Answer<Keypad> {
    let (at_lock, wanted) = (lock_settings::at_lock(conn, lockbox).await?, credentials::settings(lockbox)?);
    let forbidden = Forbidden::to(conn, lockbox.owner_id).await?;
    let zone = rules::time_zone(&lockbox.time_zone, "time_zone")?;
    let switch = |of: fn(&Settings) -> bool| Switch { at_lock: of(&at_lock), wanted: of(&wanted) };
    let pins = |settings: &Settings| settings.smart_pin_rules.variants.number() + 1;
    Ok(Keypad {
        lockbox: lockbox.serial.clone(),
        time_zone: lockbox.time_zone.clone(),
        zone: zones::to_wire(zones::around(zone, protocol_time(app.now())?)),
        access_hours: Binary::from(at_lock.access_hours.encode()),
        contractor_mode: switch(|it| it.switches.contractor_mode),
        contractor_codes: if forbidden.contractor {
            Vec::new()
        } else {
            contractor_codes(&app.keys(lockbox)?, &at_lock, &wanted)
        },
        smart_pins: switch(|it| it.switches.smart_pins),
        pins_per_window: PinsPerWindow { at_lock: pins(&at_lock), wanted: pins(&wanted) },
        forbids_one_day: forbidden.one_day,
        forbids_contractor: forbidden.contractor,
    })
}

/// The three: those that work, and those that take their place.
pub fn contractor_codes(keys: &KeyTree, at_lock: &Settings, wanted: &Settings) -> Vec<ContractorCode> {
    let code = |slot, generation| Secret::new(contractor::code(keys, slot, generation).as_str());
    let generations = at_lock.contractor_generations.into_iter().zip(wanted.contractor_generations);
    (0..contractor::SLOTS)
        .zip(generations)
        .map(|(slot, (now, next))| ContractorCode {
            slot: slot + 1,
            code: code(slot, now),
            pending: (next != now).then(|| code(slot, next)),
        })
        .collect()
}

fn variants(per_window: u8) -> Answer<Variant> {
    per_window.checked_sub(1).and_then(Variant::new).ok_or_else(|| {
        Refusal::invalid("pins_per_window", "From 1 to 3 guests of one window.").limit(Variant::COUNT.into())
    })
}
