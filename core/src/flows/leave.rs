//! Leaving for good: an account that is deleted, a device that was removed, and the key that may still be out.
//! [ACC-5, ACC-11]
//!
//! Destroying the data key is what wipes a store; its files go too. A kill at any point leaves an account that finds
//! out at its next sync, or one that is wiped as soon as the app starts.

use std::sync::Arc;

use sentri_protocol::{clock::RETURN_WITHIN, ticket::Ticket};
use sentri_wire::{
    Secret, Timestamp,
    credential::Credential,
    identity::{AccountDeleted, DeleteAccount},
};

use crate::{
    CoreError,
    app::Core,
    http::Call,
    keys::{AccountIndex, Returning},
    ports::random_uuid,
    session::Session,
    store::{KnownBox, LastUse},
    sync,
};

impl Core {
    /// Deletes the account in use, on the server and on this phone. What may still be returned is kept, nameless.
    pub async fn delete_account(&self, password: Secret) -> Result<(), CoreError> {
        let session = self.session().await?;
        // What happened is the owners' to read, and can't be uploaded afterwards.
        sync::report(&session).await;
        let call = Call::post("/v1/me/delete", &DeleteAccount { password })?;
        let call = call.once(session.api.fresh_key()?);
        match session.call(&call).await.map_err(CoreError::from) {
            Ok(AccountDeleted { returns }) => {
                self.keep_returns(&session, returns).await?;
                self.wipe(&session).await
            }
            // Perhaps by a first request whose answer was lost: then what was used here may be returned here.
            Err(CoreError::DeviceRemoved) => {
                let used = used_credentials(&session).await?;
                self.keep_returns(&session, used).await?;
                self.wipe(&session).await?;
                Err(CoreError::DeviceRemoved)
            }
            Err(error) => Err(error),
        }
    }

    /// Destroys all that the phone holds of an account. Begun is done: what a kill leaves is finished by whoever looks
    /// at the phone's accounts next.
    pub async fn wipe(&self, session: &Arc<Session>) -> Result<(), CoreError> {
        self.let_go(session.account).await;
        let mut index = self.keys.index().await?;
        for known in index.accounts.iter_mut().filter(|known| known.id == session.account) {
            known.leaving = true;
        }
        if index.active == Some(session.account) {
            index.active = None;
        }
        self.keys.set_index(&index).await?;
        session.vault.destroy().await?;
        self.index().await?;
        session.changes.note();
        Ok(())
    }

    /// The accounts on this phone. One that is being wiped is gone first: its key, its files, its name.
    pub(crate) async fn index(&self) -> Result<AccountIndex, CoreError> {
        let mut index = self.keys.index().await?;
        let (leaving, staying): (Vec<_>, Vec<_>) = index.accounts.into_iter().partition(|it| it.leaving);
        index.accounts = staying;
        for known in &leaving {
            self.keys.forget(known.id).await?;
            crate::store::destroy(&self.store_path(known.id))?;
        }
        if !leaving.is_empty() {
            self.keys.set_index(&index).await?;
        }
        Ok(index)
    }

    /// Syncs. A device that turns out to be removed has uploaded its queue by then, and is wiped.
    pub async fn sync(&self, session: &Arc<Session>) -> Result<(), CoreError> {
        let synced = sync::run(session).await;
        if synced == Err(CoreError::DeviceRemoved) {
            self.wipe(session).await?;
        }
        synced
    }

    /// The keys that deleted accounts of this phone may still return, as sessions without an account. What is over is
    /// wiped.
    pub async fn returning(&self) -> Result<Vec<(Returning, Arc<Session>)>, CoreError> {
        let mut index = self.keys.index().await?;
        let now = self.ports.clock.now();
        let (left, over): (Vec<_>, Vec<_>) = index.returning.iter().partition(|it| it.until > now);
        for Returning { store, .. } in &over {
            self.keys.forget(*store).await?;
            crate::store::destroy(&self.store_path(*store))?;
        }
        if !over.is_empty() {
            index.returning.clone_from(&left);
            self.keys.set_index(&index).await?;
        }
        let mut sessions = Vec::new();
        for returning in left {
            if let Some(key) = self.keys.data_key(returning.store).await? {
                sessions.push((returning, Arc::new(self.open(returning.store, key).await?)));
            }
        }
        Ok(sessions)
    }

    /// A store of its own, under a name of its own: nothing in it leads to whose it was.
    async fn keep_returns(&self, session: &Session, returns: Vec<Credential>) -> Result<(), CoreError> {
        let Some(until) = returns.iter().filter_map(last_return).max() else { return Ok(()) };
        let uses: Vec<LastUse> = session.all().await?;
        let store = random_uuid(&*self.ports.random)?;
        // Named first: what a kill leaves from here on is found, and goes in its time.
        let mut index = self.keys.index().await?;
        index.returning.push(Returning { store, until });
        self.keys.set_index(&index).await?;
        let key = self.keys.make_data_key(store, 1).await?;
        let kept = self.open(store, key).await?;
        kept.write("return", move |rows| {
            for credential in &returns {
                rows.put(credential)?;
                rows.put(&KnownBox::of(credential))?;
                let of_this = uses.iter().filter(|it| it.access_id == credential.access_id);
                of_this.into_iter().try_for_each(|it| rows.put(it))?;
            }
            Ok(())
        })
        .await?;
        Ok(kept.vault.close().await?)
    }
}

/// What opened a box on this phone.
async fn used_credentials(session: &Session) -> Result<Vec<Credential>, CoreError> {
    let (credentials, opens): (Vec<Credential>, Vec<LastUse>) =
        session.read(|rows| Ok((rows.all()?, rows.all()?))).await?;
    let has_opened = |credential: &Credential| opens.iter().any(|it| it.access_id == credential.access_id);
    Ok(credentials.into_iter().filter(has_opened).collect())
}

/// The last second at which the lock takes this credential back.
fn last_return(credential: &Credential) -> Option<Timestamp> {
    let ticket = Ticket::decode(credential.ticket.as_ref()).ok()?;
    Some(ticket.window.not_after().plus(RETURN_WITHIN).unix())
}

/// A box whose key may still be returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyToReturn {
    /// The box.
    pub lockbox: String,
    /// First second that is too late.
    pub until: Timestamp,
}

/// The boxes of one nameless store.
pub async fn keys_to_return(session: &Session) -> Result<Vec<KeyToReturn>, CoreError> {
    let credentials: Vec<Credential> = session.all().await?;
    let returned =
        |it: &Credential| Some(KeyToReturn { lockbox: it.lockbox.clone(), until: last_return(it)? });
    Ok(credentials.iter().filter_map(returned).collect())
}
