//! Where pushes go: each device tells its own address, and the outbox asks for those of an account. [GRT-3]

use sentri_wire::{Secret, device::PushAddress};

use super::{App, Caller, fault};
use crate::{
    refusal::{Answer, Refusal},
    store::{
        Connection, Id, Named,
        devices::{self, PushRow},
    },
};

const LONGEST_TOKEN: usize = 1024;
const SEALED_AS: &str = "push-token";

/// The caller's device tells where its pushes go.
pub async fn register(app: &App, caller: &Caller, address: &PushAddress) -> Answer<()> {
    let token = address.token.expose();
    if token.is_empty() || token.len() > LONGEST_TOKEN || !token.bytes().all(|it| it.is_ascii_graphic()) {
        return Err(Refusal::invalid("token", "1 to 1,024 visible ASCII characters.").limit(1024));
    }
    let row = PushRow {
        id: caller.device,
        push_service: Named(address.service),
        push_token: app.vault.seal(SEALED_AS, &caller.device.to_string(), token.as_bytes())?,
    };
    let mut tx = app.store.write().await?;
    devices::set_push(tx.conn(), &row).await?;
    Ok(tx.commit().await?)
}

/// The caller's device wants no more of them.
pub async fn end(app: &App, caller: &Caller) -> Answer<()> {
    let mut tx = app.store.write().await?;
    devices::clear_push(tx.conn(), caller.device).await?;
    Ok(tx.commit().await?)
}

/// Where an account's pushes go.
pub async fn of_account(app: &App, conn: &mut Connection, account: Id) -> Answer<Vec<PushAddress>> {
    let rows = devices::pushes_of(conn, account).await?;
    rows.iter().map(|row| opened(app, row)).collect()
}

fn opened(app: &App, row: &PushRow) -> Answer<PushAddress> {
    let token = app.vault.open(SEALED_AS, &row.id.to_string(), &row.push_token)?;
    let token = std::str::from_utf8(&token).map_err(|_| fault("a push token that is no text"))?;
    Ok(PushAddress { service: row.push_service.0, token: Secret::new(token) })
}
