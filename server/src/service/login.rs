//! Login, device registration, tokens. [ACC-1, ACC-4, ACC-7]

use sentri_wire::{
    Secret, Timestamp,
    account::{Account, AccountKind, LoginRequest, LoginResponse, Tokens},
    problem::ProblemCode,
};

use super::{
    App, Caller, digest, fault,
    once::Once,
    password::{self, Name},
};
use crate::{
    config::Policy,
    refusal::{Answer, Refusal},
    rules,
    store::{
        Connection, Id, Writing,
        accounts::{self, AccountRow, Status},
        credentials,
        devices::{self, NewDevice, Registered},
        sessions::{self, TokenKind, TokenRow},
    },
};

const ACCESS_SECONDS: i64 = 15 * 60;
/// A phone that was not used for this long logs in again.
pub const REFRESH_SECONDS: i64 = 90 * 86_400;

/// For how long a phone that lost the answer to a refresh can ask for it again. Less than an access token lives.
const REPEAT_SECONDS: i64 = 10 * 60;

/// Logs in, and registers the device where it is new.
pub async fn login(app: &App, request: &LoginRequest) -> Answer<LoginResponse> {
    let name = Name::parse(&request.login)?;
    let device_name = rules::text(&request.device.name, 64, "device.name")?;
    let install_id = Id(request.device.install_id);
    let account = password::check(app, &name, &request.password, Some(install_id)).await?;

    let mut tx = app.store.write().await?;
    let account = password::unchanged(tx.conn(), &account).await?;
    let policy = app.policy(tx.conn(), account.association_id).await?;
    if account.status.0 != Status::Active {
        return Err(not_active(app, account.status.0, &policy));
    }
    let device = NewDevice {
        id: app.new_id(),
        account: account.id,
        install_id,
        name: &device_name,
        platform: request.device.platform,
        now: app.now(),
    };
    let device_id = match devices::register(tx.conn(), &device, policy.device_limit.into()).await? {
        Registered::Known(id) => id,
        Registered::New(id) => {
            credentials::set_all_due(tx.conn(), id, account.id, app.now()).await?;
            id
        }
        Registered::LimitReached => {
            return Err(Refusal::new(ProblemCode::DeviceLimitReached)
                .limit(policy.device_limit)
                .detail("Remove a device that you no longer use, or call.")
                .support(policy.support));
        }
    };
    let session = app.new_id();
    sessions::begin(tx.conn(), session, account.id, device_id, app.now()).await?;
    let tokens = add_tokens(app, &mut tx, session).await?;
    tx.commit().await?;
    Ok(LoginResponse { account: profile(&account, &policy), device_id: device_id.0, tokens })
}

/// Exchanges a refresh token for a new pair. One that was used before ends the session: somebody else has it.
/// Only the phone itself, whose answer was lost, knows the idempotency key too, and gets the same pair again.
pub async fn refresh(app: &App, once: &Once, token: &Secret) -> Answer<Tokens> {
    let unknown = || Refusal::new(ProblemCode::NotLoggedIn).field("refresh");
    let digest = digest(token);
    let mut tx = app.store.write().await?;
    let row = sessions::find(tx.conn(), TokenKind::Refresh, &digest)
        .await?
        .filter(|row| row.ended_at.is_none())
        .ok_or_else(unknown)?;
    let caller = caller(&row);
    if !sessions::spend(tx.conn(), &digest, app.now()).await? {
        if let Some(tokens) = once.given_within(app, &mut tx, &caller, REPEAT_SECONDS).await? {
            return Ok(tokens);
        }
        sessions::end(tx.conn(), row.session_id, app.now()).await?;
        tx.commit().await?;
        tracing::warn!(session = %row.session_id, "a refresh token was used twice: session ended");
        return Err(unknown());
    }
    if row.expires_at <= app.now() {
        return Err(unknown());
    }
    if once.earlier::<Tokens>(app, &mut tx, &caller).await?.is_some() {
        return Err(fault("an answer to a refresh token that was not spent"));
    }
    sessions::drop_ended_access(tx.conn(), row.session_id, app.now() - 86_400).await?;
    devices::seen(tx.conn(), row.device_id, app.now()).await?;
    let tokens = add_tokens(app, &mut tx, row.session_id).await?;
    once.keep(app, &mut tx, &caller, &tokens).await?;
    tx.commit().await?;
    Ok(tokens)
}

/// Ends the caller's session, and pushes to its device. The device stays registered.
pub async fn logout(app: &App, caller: &Caller) -> Answer<()> {
    let mut tx = app.store.write().await?;
    sessions::end(tx.conn(), caller.session, app.now()).await?;
    devices::clear_push(tx.conn(), caller.device).await?;
    Ok(tx.commit().await?)
}

/// Who may make a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Only an account in good standing.
    GoodStanding,
    /// One of any standing: to see why, and to leave.
    AnyStanding,
    /// A removed device and a deleted account too: to report what happened at a lock, and to log out.
    AnyDevice,
}

/// Finds out who calls by their access token.
pub async fn authenticate(app: &App, token: &Secret, admission: Admission) -> Answer<Caller> {
    let mut conn = app.store.read().await?;
    let row = sessions::find(&mut conn, TokenKind::Access, &digest(token))
        .await?
        .filter(|row| row.ended_at.is_none())
        .ok_or_else(|| Refusal::new(ProblemCode::NotLoggedIn).field("authorization"))?;
    if row.expires_at <= app.now() {
        return Err(Refusal::new(ProblemCode::TokenExpired).field("authorization"));
    }
    if row.removed_at.is_some() && admission != Admission::AnyDevice {
        return Err(removed());
    }
    if admission == Admission::GoodStanding && row.status.0 != Status::Active {
        let policy = app.policy(&mut conn, row.association_id).await?;
        return Err(not_active(app, row.status.0, &policy));
    }
    Ok(caller(&row))
}

/// The device was removed.
pub fn removed() -> Refusal {
    Refusal::new(ProblemCode::DeviceRemoved)
        .detail("What it has not uploaded yet still counts. Then log in again.")
}

fn caller(row: &TokenRow) -> Caller {
    Caller {
        account: row.account_id,
        device: row.device_id,
        session: row.session_id,
        kind: row.kind.0,
        association: row.association_id,
        is_removed: row.removed_at.is_some(),
    }
}

/// The profile. [ACC-2]
pub async fn me(app: &App, caller: &Caller) -> Answer<Account> {
    let mut conn = app.store.read().await?;
    profile_of(app, &mut conn, caller.account).await
}

/// An account's profile, with what its association says of it.
pub async fn profile_of(app: &App, conn: &mut Connection, account: Id) -> Answer<Account> {
    let row = accounts::by_id(conn, account).await?.ok_or_else(|| fault("a session without its account"))?;
    let policy = app.policy(conn, row.association_id).await?;
    Ok(profile(&row, &policy))
}

fn profile(row: &AccountRow, policy: &Policy) -> Account {
    Account {
        grant_approval: (row.kind.0 == AccountKind::Agent).then_some(policy.grant_approval),
        password_rule: policy.password_rule,
        ..row.to_wire()
    }
}

/// Why an account may not be used, and whom to contact. [ACC-7]
fn not_active(app: &App, status: Status, policy: &Policy) -> Refusal {
    let deployment = &app.config.policy.support;
    let (detail, support) = match status {
        Status::Lapsed => ("A payment is due. Call the support line with your SentriKey ID.", deployment),
        Status::Locked => {
            ("Support has locked this account to protect it. Call the support line.", deployment)
        }
        Status::Active | Status::Suspended | Status::Deleted => {
            ("Please contact your association or MLS.", &policy.support)
        }
    };
    Refusal::new(ProblemCode::AccountNotActive)
        .standing(status.to_wire())
        .detail(detail)
        .support(support.clone())
}

async fn add_tokens(app: &App, tx: &mut Writing, session: Id) -> Answer<Tokens> {
    let access_expires_at: Timestamp = app.now() + ACCESS_SECONDS;
    let (access, refresh) = (app.new_token(), app.new_token());
    sessions::add_token(tx.conn(), session, TokenKind::Access, &access.digest, access_expires_at).await?;
    let refresh_expires_at = app.now() + REFRESH_SECONDS;
    sessions::add_token(tx.conn(), session, TokenKind::Refresh, &refresh.digest, refresh_expires_at).await?;
    Ok(Tokens { access: access.secret, access_expires_at, refresh: refresh.secret })
}
