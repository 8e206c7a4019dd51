//! A new master key takes over: everything that is sealed is sealed anew. [OPS-3]

use std::collections::BTreeMap;

use serde::Serialize;

use super::App;
use crate::{
    refusal::Answer,
    store::sealed::{PLACES, Place},
};

/// Values of one transaction: short enough that nobody's request waits for it.
const BATCH: i64 = 200;

/// A master key, and what is sealed under it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyUse {
    /// The key's name; the key itself is never shown.
    pub key: String,
    /// Whether this server has it.
    pub known: bool,
    /// Whether it seals.
    pub current: bool,
    /// Values sealed under it.
    pub values: i64,
}

/// All keys that this server has or that anything is sealed under, the oldest first.
pub async fn usage(app: &App) -> Answer<Vec<KeyUse>> {
    let mut values: BTreeMap<String, i64> = BTreeMap::new();
    let mut conn = app.store.read().await?;
    for place in PLACES {
        for row in place.count(&mut conn).await? {
            *values.entry(row.key_id).or_default() += row.count;
        }
    }
    let mut keys = Vec::new();
    for key in app.vault.key_ids() {
        let count = values.remove(key).unwrap_or(0);
        keys.push(KeyUse {
            key: key.to_owned(),
            known: true,
            current: key == app.vault.current(),
            values: count,
        });
    }
    let lost = values.into_iter().map(|(key, values)| KeyUse { key, known: false, current: false, values });
    Ok(lost.chain(keys).collect())
}

/// Seals everything anew that is sealed under another key than the current one. Says how many values.
pub async fn reseal(app: &App) -> Answer<usize> {
    let mut count = 0;
    for place in PLACES {
        loop {
            let done = reseal_some(app, place).await?;
            if done == 0 {
                break;
            }
            count += done;
        }
    }
    Ok(count)
}

async fn reseal_some(app: &App, place: &Place) -> Answer<usize> {
    let mut tx = app.store.write().await?;
    let rows = place.under_others(tx.conn(), app.vault.current(), BATCH).await?;
    for row in &rows {
        let plain = app.vault.open(place.purpose, &row.id, &row.sealed)?;
        let sealed = app.vault.seal(place.purpose, &row.id, &plain)?;
        place.replace(tx.conn(), row, &sealed).await?;
    }
    tx.commit().await?;
    Ok(rows.len())
}
