//! Mobile access codes: an agent's phone gets a key of a lockbox for the day, under a slot that names the agent. [COD-1]

use sentri_protocol::codes::smac::{DayKey, Slot};
use sentri_wire::{Binary, codes::SmacKey};

use super::{App, Caller, fault};
use crate::{
    refusal::{Answer, Refusal},
    store::{
        Writing, codes,
        columns::number,
        lockboxes::{self, LockboxRow},
    },
};

const DAY: i64 = 86_400;

/// What the caller's phone makes SMACs of a lockbox with until midnight UTC. An agent has one slot of a lock for a day.
pub async fn key(app: &App, caller: &Caller, serial: &str) -> Answer<SmacKey> {
    let association = caller.agent()?;
    let mut tx = app.store.write().await?;
    lockboxes::hold(tx.conn(), serial).await?;
    let lockbox =
        lockboxes::open_to_member(tx.conn(), association, caller.account, app.now(), serial).await?;
    let lockbox = lockbox.ok_or_else(Refusal::not_found)?;
    // Nothing is given for a day that was yesterday.
    let day = app.signing_time(&mut tx).await?.unix() / DAY;
    let slot = if let Some(slot) = codes::smac_slot(tx.conn(), lockbox.id, day, caller.account).await? {
        slot
    } else {
        let slot = free_slot(app, &mut tx, &lockbox, day).await?;
        codes::give_slot(tx.conn(), lockbox.id, day, slot, caller.account).await?;
        slot
    };
    tx.commit().await?;
    let slot = Slot::new(number(slot, "slot")?).ok_or_else(|| fault("a slot that is none"))?;
    let day: u32 = number(day, "day")?;
    let key = DayKey::derive(&app.keys(&lockbox)?, day, slot);
    Ok(SmacKey { lockbox: lockbox.serial, day, slot: slot.number(), key: Binary::from(*key.key().expose()) })
}

/// A slot that nobody has that day, none of them likelier: a guesser learns nothing from one that they know.
async fn free_slot(app: &App, tx: &mut Writing, lockbox: &LockboxRow, day: i64) -> Answer<i64> {
    let taken = codes::smac_slots(tx.conn(), lockbox.id, day).await?;
    let free: Vec<i64> = (0..i64::from(Slot::COUNT)).filter(|slot| !taken.contains(slot)).collect();
    // 2^64 is so much larger than 1,000 that the bias is below 10^-16.
    let chance = u64::from_be_bytes(app.random());
    usize::try_from(chance % u64::try_from(free.len().max(1)).unwrap_or(1))
        .ok()
        .and_then(|at| free.get(at).copied())
        .ok_or_else(|| Refusal::conflict("All codes of this lockbox are given out for today."))
}
