//! Passwords: checked with a count of the wrong ones, forgotten, changed. [ACC-1, ACC-3, ACC-10]

use sentri_wire::{
    Secret,
    account::{AccountKind, LoginName},
    identity::{ForgotPassword, PasswordChange, ResetPassword},
    problem::ProblemCode,
};

use super::{App, Caller, digest, guessing::Limit, proofs::expired};
use crate::{
    catalog,
    outbox::Post,
    refusal::{Answer, Refusal},
    rules::{self, Email, SentrikeyId},
    store::{
        Connection, Id, Named, Writing,
        accounts::{self, AccountRow, Status},
        devices,
        proofs::{self, ProofRow, Purpose},
        sessions, tries,
    },
};

const LIMIT: Limit = Limit { purpose: "login", free: 10, first_wait: 30, longest_wait: 3600 };
/// A mailed link works for this long.
const LINK_SECONDS: i64 = 3600;
/// Mails with a link that one name gets within an hour of the first, whoever asks for them. The last of them works
/// until more may be asked for, so that nobody can keep the owner from having one.
const LINKS_AT_ONCE: i64 = 3;
const LINKS: &str = "reset-mail";
/// An installation that has just reset the password, which strangers' wrong passwords do not make wait.
const PASS: &str = "login-pass";
const PASS_SECONDS: i64 = 3600;

/// A login name of the right shape, which need not exist.
pub struct Name {
    key: String,
    is_agent: bool,
}

impl Name {
    /// Reads it.
    pub fn parse(name: &LoginName) -> Answer<Self> {
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

    /// The name that an account logs in with.
    fn of(account: &AccountRow) -> Self {
        match &account.sentrikey_id {
            Some(id) => Self { key: id.clone(), is_agent: true },
            None => Self { key: account.email_key.clone(), is_agent: false },
        }
    }

    /// An agent logs in by number, anyone else by address; an agent's address is no login. [ACC-1]
    async fn find(&self, conn: &mut Connection) -> Answer<Option<AccountRow>> {
        Ok(if self.is_agent {
            accounts::by_sentrikey_id(conn, &self.key).await?
        } else {
            accounts::by_email(conn, &self.key).await?.filter(|account| account.kind.0 != AccountKind::Agent)
        })
    }

    /// Under what its tries are counted: a keyed digest, so that the table names nobody.
    fn subject(&self, app: &App) -> String {
        app.vault.fingerprint(LIMIT.purpose, self.key.as_bytes())
    }

    fn pass(&self, app: &App, install: Id) -> String {
        app.vault.fingerprint(PASS, format!("{}.{install}", self.key).as_bytes())
    }
}

/// The account of this name and password. An unknown name is counted, and costs a hash, like a known one.
///
/// Whoever guesses makes strangers wait, never the owner: tries from a registered installation, and from one that
/// has just reset the password, are counted by themselves.
pub async fn check(app: &App, name: &Name, password: &Secret, install: Option<Id>) -> Answer<AccountRow> {
    let mut conn = app.store.read().await?;
    let account = name.find(&mut conn).await?;
    let subject = subject(app, &mut conn, name, account.as_ref(), install).await?;
    // Not held while the hash is computed: connections are fewer than people who log in.
    drop(conn);
    let right = verify(app, &subject, password, account.as_ref()).await?;
    account.filter(|_| right).ok_or_else(|| Refusal::new(ProblemCode::WrongCredentials))
}

async fn subject(
    app: &App,
    conn: &mut Connection,
    name: &Name,
    account: Option<&AccountRow>,
    install: Option<Id>,
) -> Answer<String> {
    let Some(install) = install else { return Ok(name.subject(app)) };
    if let Some(account) = account
        && let Some(device) = devices::of_install(conn, account.id, install).await?
    {
        return Ok(of_device(device));
    }
    let pass = name.pass(app, install);
    let holds = tries::waits_until(conn, PASS, &pass).await? > app.now();
    Ok(if holds { pass } else { name.subject(app) })
}

fn of_device(device: Id) -> String {
    format!("device:{device}")
}

/// Asks for the password again, within a session. Counted for the device.
pub async fn again(app: &App, caller: &Caller, password: &Secret) -> Answer<AccountRow> {
    let mut conn = app.store.read().await?;
    let account = accounts::by_id(&mut conn, caller.account).await?;
    drop(conn);
    let right = verify(app, &of_device(caller.device), password, account.as_ref()).await?;
    account.filter(|_| right).ok_or_else(|| Refusal::new(ProblemCode::WrongCredentials).field("password"))
}

/// Counts a try before it is looked at, one after the other; a right one ends the count.
async fn verify(app: &App, subject: &str, password: &Secret, account: Option<&AccountRow>) -> Answer<bool> {
    let _turn = app.turns.take(subject).await;
    let counted = LIMIT.count(app, subject).await;
    counted.map_err(|refusal| {
        refusal
            .detail("Wait, log in on a phone that you have logged in on, or reset your password.")
            .support(app.config.policy.support.clone())
    })?;
    let right = app.passwords.verify(password, account.map(|account| account.password.as_str())).await?;
    if right {
        LIMIT.clear(app, subject).await?;
    }
    Ok(right)
}

/// Whether what was read before the hash still holds: the account, its password, and that it was not deleted.
pub async fn unchanged(conn: &mut Connection, account: &AccountRow) -> Answer<AccountRow> {
    accounts::by_id(conn, account.id)
        .await?
        .filter(|now| now.password == account.password && now.status.0 != Status::Deleted)
        .ok_or_else(|| Refusal::new(ProblemCode::WrongCredentials))
}

/// Mails a link, where there is such an account. The answer is the same where there is none, or where enough mails
/// are on their way. [ACC-3]
pub async fn forgot(app: &App, request: &ForgotPassword) -> Answer<()> {
    let name = Name::parse(&request.login)?;
    let mut tx = app.store.write().await?;
    let subject = app.vault.fingerprint(LINKS, name.key.as_bytes());
    let asked = tries::count_within(tx.conn(), LINKS, &subject, app.now(), LINK_SECONDS).await?;
    let account = name.find(tx.conn()).await?.filter(|account| account.status.0 != Status::Deleted);
    // Made for an unknown name as well, so that both take the same time.
    let token = app.new_token();
    if let Some(account) = account
        && asked.count <= LINKS_AT_ONCE
    {
        proofs::drop_of(tx.conn(), account.id, Purpose::Reset).await?;
        proofs::insert(tx.conn(), &reset_row(app, &account, token.digest)).await?;
        let base = app.config.public_url.trim_end_matches('/');
        // In the fragment, which browsers send to no server and write to no log.
        let link = format!("{base}/reset#{}", token.secret.expose());
        Post::mail(&account.email, &catalog::reset(&account.first_name, &link)).put(app, &mut tx).await?;
    }
    Ok(tx.commit().await?)
}

fn reset_row(app: &App, account: &AccountRow, digest: String) -> ProofRow {
    ProofRow {
        digest,
        purpose: Named(Purpose::Reset),
        account_id: account.id,
        code: None,
        payload: None,
        tries: 0,
        created_at: app.now(),
        expires_at: app.now() + LINK_SECONDS,
        proven_at: None,
        used_at: None,
    }
}

/// Sets a new password with a mailed link, and ends every session. [ACC-3]
pub async fn reset(app: &App, request: &ResetPassword) -> Answer<()> {
    let digest = digest(&request.token);
    let unusable = || expired().field("token");
    let mut conn = app.store.read().await?;
    let row = proofs::find(&mut conn, Purpose::Reset, &digest)
        .await?
        .filter(|row| row.used_at.is_none() && row.expires_at > app.now())
        .ok_or_else(unusable)?;
    let account = accounts::by_id(&mut conn, row.account_id).await?.ok_or_else(unusable)?;
    let policy = app.policy(&mut conn, account.association_id).await?;
    drop(conn);
    rules::password(policy.password_rule, &request.password, "password")?;
    let hash = app.passwords.hash(&request.password).await?;

    let mut tx = app.store.write().await?;
    if !proofs::spend(tx.conn(), &digest, app.now()).await? {
        return Err(unusable());
    }
    let name = Name::of(&account);
    replace(app, &mut tx, &account, &hash, None).await?;
    tries::clear(tx.conn(), LIMIT.purpose, &name.subject(app)).await?;
    if let Some(install) = request.install_id {
        let pass = name.pass(app, Id(install));
        let until = app.now() + PASS_SECONDS;
        tries::count(tx.conn(), PASS, &pass, app.now(), app.now()).await?;
        tries::wait(tx.conn(), PASS, &pass, until).await?;
        tries::clear(tx.conn(), LIMIT.purpose, &pass).await?;
    }
    Ok(tx.commit().await?)
}

/// Changes the caller's password, and ends all their other sessions. [ACC-10]
pub async fn change(app: &App, caller: &Caller, request: &PasswordChange) -> Answer<()> {
    let account = again(app, caller, &request.password).await?;
    let mut conn = app.store.read().await?;
    let policy = app.policy(&mut conn, account.association_id).await?;
    drop(conn);
    rules::password(policy.password_rule, &request.new_password, "new_password")?;
    let hash = app.passwords.hash(&request.new_password).await?;
    let mut tx = app.store.write().await?;
    unchanged(tx.conn(), &account).await?;
    replace(app, &mut tx, &account, &hash, Some(caller.session)).await?;
    Ok(tx.commit().await?)
}

async fn replace(
    app: &App,
    tx: &mut Writing,
    account: &AccountRow,
    hash: &str,
    kept: Option<Id>,
) -> Answer<()> {
    accounts::set_password(tx.conn(), account.id, hash).await?;
    sessions::end_all(tx.conn(), account.id, kept, app.now()).await?;
    // Whatever else was under way was begun under the former password.
    proofs::drop_all_of(tx.conn(), account.id).await?;
    let told = catalog::password_changed(&account.first_name, &app.config.policy.support);
    Post::mail(&account.email, &told).put(app, tx).await
}
