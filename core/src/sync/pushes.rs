//! Makes known to the backend where this device's pushes go, for each account that comes into use. [GRT-3]

use std::sync::{Mutex, PoisonError};

use sentri_wire::device::PushAddress;
use serde::{Deserialize, Serialize};

use crate::{
    http::Call,
    session::{Session, SessionError},
};

const ROUTE: &str = "/v1/me/device/push";

/// What the platform has said since the app was started.
#[derive(Debug, Default)]
pub struct Pushes(Mutex<Option<Wanted>>);

/// Where pushes are to go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// Absent where the user wants none.
    pub to: Option<PushAddress>,
}

impl Wanted {
    /// Where the account's store keeps what the backend was told.
    pub const NAME: &'static str = "push";
}

impl Pushes {
    /// The platform gave an address, or the user wants no pushes.
    pub fn want(&self, wanted: Wanted) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(wanted);
    }

    fn wanted(&self) -> Option<Wanted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Tells it, where the backend has not heard it from this account since its login.
pub async fn tell(session: &Session) -> Result<(), SessionError> {
    let Some(wanted) = session.pushes.wanted() else { return Ok(()) };
    let told = session.vault.run(|store| store.read().meta::<Wanted>(Wanted::NAME)).await?;
    if told.as_ref() == Some(&wanted) {
        return Ok(());
    }
    let call = match &wanted.to {
        Some(address) => Call::post(ROUTE, address)?.repeatable(),
        None => Call::delete(ROUTE),
    };
    session.tell(&call).await?;
    let keep = move |store: &mut crate::store::Store| {
        store.write("push", |rows| rows.set_meta(Wanted::NAME, &wanted))
    };
    Ok(session.vault.run(keep).await?)
}
