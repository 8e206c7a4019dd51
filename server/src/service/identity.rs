//! Proving who one is with password and mailed code, and what may be done with that: one's devices, the PIN.
//! [ACC-5, ACC-9]

use sentri_wire::{
    Secret,
    device::OwnDevices,
    identity::{IdentityRequest, IdentityStarted, IdentityVerify, NewPin},
    problem::ProblemCode,
};

use super::{
    App, codes, devices, digest, fault, grants,
    password::{self, Name},
    proofs::{self, Begun},
};
use crate::{
    catalog,
    outbox::Post,
    refusal::{Answer, Refusal},
    rules,
    store::{
        self, Id,
        accounts::{self, Status},
        proofs::Purpose,
    },
};

/// Somebody who has proven who they are, within the last ten minutes.
#[derive(Clone, Debug)]
pub struct Identity {
    pub account: Id,
}

/// The password was right: mails a code to the account's address.
pub async fn start(app: &App, request: &IdentityRequest) -> Answer<IdentityStarted> {
    let name = Name::parse(&request.login)?;
    let account = password::check(app, &name, &request.password, request.install_id.map(Id)).await?;
    let mut tx = app.store.write().await?;
    let account = password::unchanged(tx.conn(), &account).await?;
    let Begun { token, code, expires_at } =
        proofs::begin(app, &mut tx, account.id, Purpose::Identity, None).await?;
    Post::mail(&account.email, &catalog::identity_code(code.expose())).put(app, &mut tx).await?;
    tx.commit().await?;
    Ok(IdentityStarted {
        identity: token.secret,
        sent_to: hidden(&account.email),
        code_expires_at: expires_at,
    })
}

/// "d•••@realty.example": its owner knows it again, nobody else learns it.
fn hidden(email: &str) -> String {
    let (local, domain) = email.split_once('@').unwrap_or((email, ""));
    let first: String = local.chars().take(1).collect();
    format!("{first}•••@{domain}")
}

/// The code from the mail.
pub async fn verify(app: &App, request: &IdentityVerify) -> Answer<()> {
    let tx = app.store.write().await?;
    let (mut tx, proven) =
        proofs::check(app, tx, Purpose::Identity, None, &request.identity, &request.code).await?;
    let until = app.now() + codes::SECONDS;
    store::proofs::prove(tx.conn(), &proven.digest, app.now(), until).await?;
    Ok(tx.commit().await?)
}

/// Finds out who has proven who they are.
pub async fn authenticate(app: &App, token: &Secret) -> Answer<Identity> {
    let mut conn = app.store.read().await?;
    let row = store::proofs::find(&mut conn, Purpose::Identity, &digest(token))
        .await?
        .filter(|row| row.proven_at.is_some() && row.expires_at > app.now())
        .ok_or_else(|| {
            Refusal::new(ProblemCode::NotLoggedIn)
                .field("authorization")
                .detail("Prove who you are first, with your password and the code from the mail.")
        })?;
    Ok(Identity { account: row.account_id })
}

/// One's own devices.
pub async fn list(app: &App, identity: &Identity) -> Answer<OwnDevices> {
    let mut conn = app.store.read().await?;
    let account = accounts::by_id(&mut conn, identity.account)
        .await?
        .ok_or_else(|| fault("an identity without its account"))?;
    let policy = app.policy(&mut conn, account.association_id).await?;
    let devices = store::devices::own(&mut conn, account.id).await?;
    Ok(OwnDevices { limit: policy.device_limit, devices })
}

/// Removes one of one's own devices. [ACC-5]
pub async fn remove(app: &App, identity: &Identity, device: Id) -> Answer<()> {
    let mut tx = app.store.write().await?;
    if !devices::remove(app, &mut tx, identity.account, device).await? {
        return Err(Refusal::not_found());
    }
    tell(app, &mut tx, identity.account, "a phone was removed").await?;
    Ok(tx.commit().await?)
}

/// Sets a new PIN, and ends a wait after wrong ones. [ACC-9]
pub async fn set_pin(app: &App, identity: &Identity, request: &NewPin) -> Answer<()> {
    rules::pin(&request.pin, "pin")?;
    let hash = app.passwords.hash(&request.pin).await?;
    let mut tx = app.store.write().await?;
    accounts::set_pin(tx.conn(), identity.account, &hash).await?;
    grants::forget_wrong_pins(&mut tx, identity.account).await?;
    tell(app, &mut tx, identity.account, "the PIN was set anew").await?;
    Ok(tx.commit().await?)
}

async fn tell(app: &App, tx: &mut store::Writing, account: Id, what: &str) -> Answer<()> {
    let account = accounts::by_id(tx.conn(), account)
        .await?
        .filter(|account| account.status.0 != Status::Deleted)
        .ok_or_else(|| Refusal::new(ProblemCode::NotLoggedIn).field("authorization"))?;
    let text = catalog::security_changed(&account.first_name, what, &app.config.policy.support);
    Post::mail(&account.email, &text).put(app, tx).await
}
