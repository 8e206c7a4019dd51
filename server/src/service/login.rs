//! Login, device registration, tokens. [ACC-1, ACC-4, ACC-7]

use sentri_wire::{
    Secret, Timestamp,
    account::{Account, LoginName, LoginRequest, LoginResponse, Tokens},
    problem::ProblemCode,
};

use super::{App, Caller, digest, fault, guessing::Limit, once::Once};
use crate::{
    refusal::{Answer, Refusal},
    rules::{self, Email, SentrikeyId},
    store::{
        Connection, Id, Writing,
        accounts::{self, AccountRow, NewDevice, Registered, Status},
        credentials,
        sessions::{self, TokenKind, TokenRow},
    },
};

const ACCESS_SECONDS: i64 = 15 * 60;
/// A phone that was not used for this long logs in again.
const REFRESH_SECONDS: i64 = 90 * 86_400;

/// For how long a phone that lost the answer to a refresh can ask for it again. Less than an access token lives.
const REPEAT_SECONDS: i64 = 10 * 60;

const PASSWORD_LIMIT: Limit = Limit { purpose: "login", free: 10, first_wait: 30, longest_wait: 3600 };

/// Logs in, and registers the device where it is new.
pub async fn login(app: &App, request: &LoginRequest) -> Answer<LoginResponse> {
    let name = Name::parse(&request.login)?;
    let device_name = rules::text(&request.device.name, 64, "device.name")?;
    let account = check_password(app, &name, &request.password).await?;

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
    let session = app.new_id();
    sessions::begin(tx.conn(), session, account.id, device_id, app.now()).await?;
    let tokens = add_tokens(app, &mut tx, session).await?;
    tx.commit().await?;
    Ok(LoginResponse { account: account.to_wire(), device_id: device_id.0, tokens })
}

/// The account of this name and password. An unknown name is counted, and costs a hash, like a known one.
async fn check_password(app: &App, name: &Name, password: &Secret) -> Answer<AccountRow> {
    let subject = app.vault.fingerprint(PASSWORD_LIMIT.purpose, name.key.as_bytes());
    let counted = PASSWORD_LIMIT.count(app, &subject).await;
    counted.map_err(|refusal| refusal.support(app.config.policy.support.clone()))?;
    let mut conn = app.store.read().await?;
    let account = name.find(&mut conn).await?;
    // Not held while the hash is computed: connections are fewer than people who log in.
    drop(conn);

    let hash = account.as_ref().map(|account| account.password.as_str());
    let right = app.passwords.verify(password, hash).await?;
    let account = account.filter(|_| right).ok_or_else(|| Refusal::new(ProblemCode::WrongCredentials))?;
    PASSWORD_LIMIT.clear(app, &subject).await?;
    Ok(account)
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
    let tokens = add_tokens(app, &mut tx, row.session_id).await?;
    once.keep(app, &mut tx, &caller, &tokens).await?;
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
        .ok_or_else(|| Refusal::new(ProblemCode::NotLoggedIn).field("authorization"))?;
    if row.expires_at <= app.now() {
        return Err(Refusal::new(ProblemCode::TokenExpired).field("authorization"));
    }
    if standing == Standing::Good && row.status.0 != Status::Active {
        let policy = app.policy(&mut conn, row.association_id).await?;
        return Err(not_active(policy.support));
    }
    Ok(caller(&row))
}

fn caller(row: &TokenRow) -> Caller {
    Caller {
        account: row.account_id,
        device: row.device_id,
        session: row.session_id,
        kind: row.kind.0,
        association: row.association_id,
    }
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

async fn add_tokens(app: &App, tx: &mut Writing, session: Id) -> Answer<Tokens> {
    let access_expires_at: Timestamp = app.now() + ACCESS_SECONDS;
    let (access, refresh) = (app.new_token(), app.new_token());
    sessions::add_token(tx.conn(), session, TokenKind::Access, &access.digest, access_expires_at).await?;
    let refresh_expires_at = app.now() + REFRESH_SECONDS;
    sessions::add_token(tx.conn(), session, TokenKind::Refresh, &refresh.digest, refresh_expires_at).await?;
    Ok(Tokens { access: access.secret, access_expires_at, refresh: refresh.secret })
}
