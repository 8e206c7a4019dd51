//! Login, device registration, tokens. [ACC-1, ACC-4, ACC-7]

use sentri_wire::{
    Secret, Timestamp,
    account::{Account, LoginName, LoginRequest, LoginResponse, Tokens},
    problem::ProblemCode,
};

use super::{App, Caller, digest, fault};
use crate::{
    refusal::{Answer, Refusal},
    rules::{self, Email, SentrikeyId},
    store::{
        Connection, Id, Writing,
        accounts::{self, AccountRow, NewDevice, Registered, Status},
        credentials,
        sessions::{self, TokenKind},
        tries,
    },
};

const ACCESS_SECONDS: i64 = 15 * 60;
/// A phone that was not used for this long logs in again.
const REFRESH_SECONDS: i64 = 90 * 86_400;

/// Wrong passwords before a login has to wait.
const FREE_FAILURES: i64 = 10;
const LONGEST_WAIT: i64 = 3600;
const PURPOSE: &str = "login";

/// Logs in, and registers the device where it is new.
pub async fn login(app: &App, request: &LoginRequest) -> Answer<LoginResponse> {
    let name = Name::parse(&request.login)?;
    let device_name = rules::text(&request.device.name, 64, "device.name")?;
    let throttle = app.vault.fingerprint(PURPOSE, name.key.as_bytes());

    let mut conn = app.store.read().await?;
    refuse_while_waiting(app, &mut conn, &throttle).await?;
    let account = name.find(&mut conn).await?;
    // Not held while the hash is computed: connections are fewer than people who log in.
    drop(conn);

    let hash = account.as_ref().map(|account| account.password.as_str());
    let right = app.passwords.verify(&request.password, hash).await?;
    let Some(account) = account.filter(|_| right) else {
        count_failure(app, &throttle).await?;
        return Err(Refusal::new(ProblemCode::WrongCredentials));
    };

    let mut tx = app.store.write().await?;
    let policy = app.policy(tx.conn(), account.association_id).await?;
    if account.status.0 != Status::Active {
        return Err(not_active(policy.support));
    }
    let device = NewDevice {
        id: app.new_id(),
        account: account.id,
        install_id: Id(request.device.install_id),
        name: &device_name,
        platform: request.device.platform,
        now: app.now(),
    };
    let device_id = match accounts::register(tx.conn(), &device, policy.device_limit.into()).await? {
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
    tries::clear(tx.conn(), PURPOSE, &throttle).await?;
    let session = app.new_id();
    sessions::begin(tx.conn(), session, account.id, device_id, app.now()).await?;
    let tokens = add_tokens(app, &mut tx, session).await?;
    tx.commit().await?;
    Ok(LoginResponse { account: account.to_wire(), device_id: device_id.0, tokens })
}

/// Exchanges a refresh token for a new pair. One that was used before ends the session: somebody else has it.
pub async fn refresh(app: &App, token: &Secret) -> Answer<Tokens> {
    let digest = digest(token);
    let mut tx = app.store.write().await?;
    let row = sessions::find(tx.conn(), TokenKind::Refresh, &digest)
        .await?
        .filter(|row| row.ended_at.is_none())
        .ok_or_else(|| Refusal::new(ProblemCode::NotLoggedIn))?;
    if !sessions::spend(tx.conn(), &digest, app.now()).await? {
        sessions::end(tx.conn(), row.session_id, app.now()).await?;
        tx.commit().await?;
        tracing::warn!(session = %row.session_id, "a refresh token was used twice: session ended");
        return Err(Refusal::new(ProblemCode::NotLoggedIn));
    }
    if row.expires_at <= app.now() {
        return Err(Refusal::new(ProblemCode::NotLoggedIn));
    }
    sessions::drop_ended_access(tx.conn(), row.session_id, app.now() - 86_400).await?;
    let tokens = add_tokens(app, &mut tx, row.session_id).await?;
    tx.commit().await?;
    Ok(tokens)
}

/// Ends the caller's session. The device stays registered.
pub async fn logout(app: &App, caller: &Caller) -> Answer<()> {
    let mut tx = app.store.write().await?;
    sessions::end(tx.conn(), caller.session, app.now()).await?;
    Ok(tx.commit().await?)
}

/// Whether an account that is not in good standing may make the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Only one in good standing.
    Good,
    /// Any: to leave, to see why, and to report what happened at a lock.
    Any,
}

/// Finds out who calls by their access token.
pub async fn authenticate(app: &App, token: &Secret, standing: Standing) -> Answer<Caller> {
    let mut conn = app.store.read().await?;
    let row = sessions::find(&mut conn, TokenKind::Access, &digest(token))
        .await?
        .filter(|row| row.ended_at.is_none())
        .ok_or_else(|| Refusal::new(ProblemCode::NotLoggedIn))?;
    if row.expires_at <= app.now() {
        return Err(Refusal::new(ProblemCode::TokenExpired));
    }
    if standing == Standing::Good && row.status.0 != Status::Active {
        let policy = app.policy(&mut conn, row.association_id).await?;
        return Err(not_active(policy.support));
    }
    Ok(Caller {
        account: row.account_id,
        device: row.device_id,
        session: row.session_id,
        kind: row.kind.0,
        association: row.association_id,
    })
}

/// The profile. [ACC-2]
pub async fn me(app: &App, caller: &Caller) -> Answer<Account> {
    let mut conn = app.store.read().await?;
    let row = accounts::by_id(&mut conn, caller.account).await?;
    row.map(|row| row.to_wire()).ok_or_else(|| fault("a session without its account"))
}

fn not_active(support: sentri_wire::problem::SupportContact) -> Refusal {
    Refusal::new(ProblemCode::AccountNotActive)
        .detail("Please contact your association or MLS.")
        .support(support)
}

/// A login name of the right shape, which need not exist.
struct Name {
    key: String,
    is_agent: bool,
}

impl Name {
    fn parse(name: &LoginName) -> Answer<Self> {
        Ok(match name {
            LoginName::SentrikeyId(id) => {
                let id = SentrikeyId::parse(id, "login.sentrikey_id")?;
                Self { key: id.as_str().to_owned(), is_agent: true }
            }
            LoginName::Email(email) => {
                Self { key: Email::parse(email, "login.email")?.key(), is_agent: false }
            }
        })
    }

    /// An agent logs in by number, anyone else by address; an agent's address is no login. [ACC-1]
    async fn find(&self, conn: &mut Connection) -> Answer<Option<AccountRow>> {
        use sentri_wire::account::AccountKind::Agent;
        Ok(if self.is_agent {
            accounts::by_sentrikey_id(conn, &self.key).await?
        } else {
            accounts::by_email(conn, &self.key).await?.filter(|account| account.kind.0 != Agent)
        })
    }
}

async fn refuse_while_waiting(app: &App, conn: &mut Connection, throttle: &str) -> Answer<()> {
    let wait = tries::waits_until(conn, PURPOSE, throttle).await? - app.now();
    if wait > 0 {
        return Err(Refusal::new(ProblemCode::TooManyTries)
            .retry_after(wait)
            .support(app.config.policy.support.clone()));
    }
    Ok(())
}

async fn count_failure(app: &App, throttle: &str) -> Answer<()> {
    let mut tx = app.store.write().await?;
    let now = app.now();
    let failures = tries::count(tx.conn(), PURPOSE, throttle, now, now - 86_400).await?;
    if failures >= FREE_FAILURES {
        tries::wait(
            tx.conn(),
            PURPOSE,
            throttle,
            now + growing_wait(failures - FREE_FAILURES, 30, LONGEST_WAIT),
        )
        .await?;
    }
    Ok(tx.commit().await?)
}

/// `first` seconds, doubled with each further failure, up to `longest`.
pub fn growing_wait(further: i64, first: i64, longest: i64) -> i64 {
    let doublings = u32::try_from(further.clamp(0, 20)).unwrap_or(20);
    first.saturating_mul(1 << doublings).min(longest)
}

async fn add_tokens(app: &App, tx: &mut Writing, session: Id) -> Answer<Tokens> {
    let access_expires_at: Timestamp = app.now() + ACCESS_SECONDS;
    let (access, refresh) = (app.new_token(), app.new_token());
    sessions::add_token(tx.conn(), session, TokenKind::Access, &access.digest, access_expires_at).await?;
    let refresh_expires_at = app.now() + REFRESH_SECONDS;
    sessions::add_token(tx.conn(), session, TokenKind::Refresh, &refresh.digest, refresh_expires_at).await?;
    Ok(Tokens { access: access.secret, access_expires_at, refresh: refresh.secret })
}
