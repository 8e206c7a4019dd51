//! After the backend came back from an old backup, the granter's phone tells what it knows as revoked, so that
//! nothing revoked comes back.
//!
//! The list is taken in the same transaction that drops what the phone had, and is kept until the backend has
//! answered for it.

use sentri_wire::{account::AccountKind, agent::Reassertion};
use uuid::Uuid;

use crate::{
    http::Call,
    session::{Session, SessionError},
    store::Revoked,
};

/// As many as the backend takes.
const MOST: usize = 1000;

/// Tells what waits to be told, and whether something did. Nothing waits where the backend is the one that it always
/// was.
pub(super) async fn reassert(session: &Session) -> Result<bool, SessionError> {
    let waiting = session.vault.run(|store| store.read().meta::<Revoked>(Revoked::NAME)).await?;
    let Some(Revoked { grants }) = waiting else { return Ok(false) };
    let id = session.account.to_string();
    let account =
        session.vault.run(move |store| store.read().get::<sentri_wire::account::Account>(&id)).await?;
    let gives_grants = account.is_some_and(|account| account.kind == AccountKind::Agent);
    if gives_grants {
        // That nothing is known as revoked is worth telling too. The backend takes this once after each restore, and
        // nothing where there was none.
        let revoked: Vec<Uuid> = grants.into_iter().take(MOST).collect();
        session.tell(&Call::post("/v1/grants/reassert", &Reassertion { revoked })?.repeatable()).await?;
    }
    let done = |store: &mut crate::store::Store| {
        store.write("reassert.done", |rows| rows.remove_meta(Revoked::NAME))
    };
    session.vault.run(done).await?;
    Ok(gives_grants)
}
