//! Requests that must happen once: a retry under the same key gets the first answer again.

use sentri_wire::headers::IDEMPOTENCY_KEY;
use serde::{Serialize, de::DeserializeOwned};

use super::{App, Caller, fault};
use crate::{
    refusal::{Answer, Refusal},
    store::{
        Writing,
        idempotency::{self, EarlierRow},
    },
};

/// The idempotency key of a request, if it has one, with a keyed digest of what it asks.
pub struct Once {
    key: Option<String>,
    digest: String,
}

impl Once {
    /// For a request with this key, route and body. The digest is keyed, since the body can hold a PIN.
    pub fn new(app: &App, key: Option<&str>, route: &str, body: &[u8]) -> Answer<Self> {
        if key.is_some_and(|key| !(8..=64).contains(&key.len())) {
            return Err(Refusal::invalid(
                IDEMPOTENCY_KEY,
                "The key has 8 to 64 characters; a UUID is right.",
            ));
        }
        let digest = app.vault.fingerprint("once", &[route.as_bytes(), b"\n", body].concat());
        Ok(Self { key: key.map(str::to_owned), digest })
    }

    /// The answer that was given before, where this is a retry.
    pub async fn earlier<T: DeserializeOwned>(
        &self,
        app: &App,
        tx: &mut Writing,
        caller: &Caller,
    ) -> Answer<Option<T>> {
        let Some(key) = &self.key else { return Ok(None) };
        let earlier = idempotency::take(tx.conn(), caller.account, key, &self.digest, app.now()).await?;
        let Some(earlier) = earlier else { return Ok(None) };
        if earlier.digest != self.digest {
            return Err(Refusal::conflict("This idempotency key was used for another request.")
                .field(IDEMPOTENCY_KEY));
        }
        open(app, key, &earlier).map(Some)
    }

    /// Takes the key of a request that can't come a second time otherwise.
    pub async fn take(&self, app: &App, tx: &mut Writing, caller: &Caller) -> Answer<()> {
        let Some(key) = &self.key else { return Ok(()) };
        idempotency::take(tx.conn(), caller.account, key, &self.digest, app.now()).await?;
        Ok(())
    }

    /// The answer to the same request under the same key, where it was given in the last `seconds`. Unlike
    /// [`Self::earlier`] this takes no key: a request that has none, or another, is left to the caller.
    pub async fn given_within<T: DeserializeOwned>(
        &self,
        app: &App,
        tx: &mut Writing,
        caller: &Caller,
        seconds: i64,
    ) -> Answer<Option<T>> {
        let Some(key) = &self.key else { return Ok(None) };
        let earlier = idempotency::find(tx.conn(), caller.account, key).await?;
        earlier
            .filter(|row| row.digest == self.digest && app.now() - row.created_at <= seconds)
            .map(|row| open(app, key, &row))
            .transpose()
    }

    /// Keeps the answer, in the same transaction as what it tells of.
    pub async fn keep<T: Serialize>(
        &self,
        app: &App,
        tx: &mut Writing,
        caller: &Caller,
        answer: &T,
    ) -> Answer<()> {
        let Some(key) = &self.key else { return Ok(()) };
        let sealed = app.vault.seal("once", key, &serde_json::to_vec(answer)?)?;
        Ok(idempotency::keep(tx.conn(), caller.account, key, &sealed).await?)
    }
}

fn open<T: DeserializeOwned>(app: &App, key: &str, earlier: &EarlierRow) -> Answer<T> {
    let sealed = earlier.answer.as_ref().ok_or_else(|| fault("an idempotency key without its answer"))?;
    let answer = app.vault.open("once", key, sealed)?;
    Ok(serde_json::from_slice(&answer)?)
}
