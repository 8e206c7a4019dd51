//! What people change about themselves, each after their password: name and role, number, address, security
//! questions. [ACC-10]

use sentri_wire::{
    account::{Account, AccountKind, PasswordRule},
    identity::{
        ChangeStarted, ChangeVerify, EmailChange, PhoneChange, ProfileChange, SecurityQuestionsChange,
    },
    problem::ProblemCode,
};

use super::{
    App, Caller, fault, login, password,
    proofs::{self, Begun},
    signup,
};
use crate::{
    catalog,
    outbox::Post,
    refusal::{Answer, Refusal},
    rules::{self, Email, Phone},
    store::{
        self, Writing,
        accounts::{self, AccountRow},
        proofs::Purpose,
        tries,
    },
};

/// Mails with a code that one account asks for within a day, to whatever addresses.
const MAILS_A_DAY: i64 = 10;
const MAILS: &str = "address-mail";

/// Sets name and role.
pub async fn change(app: &App, caller: &Caller, request: &ProfileChange) -> Answer<Account> {
    own_profile(caller)?;
    let first_name = rules::text(&request.first_name, 64, "first_name")?;
    let last_name = rules::text(&request.last_name, 64, "last_name")?;
    let role = match (caller.kind, request.role.as_deref()) {
        (AccountKind::Contractor, Some(role)) => Some(rules::text(role, 64, "role")?),
        (AccountKind::Contractor, None) => return Err(Refusal::invalid("role", "This is missing.")),
        _ => None,
    };
    let account = password::again(app, caller, &request.password).await?;
    let mut tx = app.store.write().await?;
    password::unchanged(tx.conn(), &account).await?;
    store::erasure::keep_former_name(tx.conn(), account.id, &account.full_name()).await?;
    accounts::set_profile(tx.conn(), account.id, &first_name, &last_name, role.as_deref()).await?;
    changed(app, tx, &account).await
}

/// Begins a change of the number: a code goes to the new one.
pub async fn start_phone(app: &App, caller: &Caller, request: &PhoneChange) -> Answer<ChangeStarted> {
    own_profile(caller)?;
    let phone = Phone::twice(&request.phone, &request.phone_again)?;
    let account = password::again(app, caller, &request.password).await?;
    let mut tx = app.store.write().await?;
    let begun = proofs::begin(app, &mut tx, account.id, Purpose::Phone, Some(phone.as_str())).await?;
    Post::text(&phone, &catalog::phone_code(begun.code.expose())).put(app, &mut tx).await?;
    tx.commit().await?;
    Ok(started(begun))
}

/// The code from the text: sets the number. Only now is it told that it is an agent's.
pub async fn verify_phone(app: &App, caller: &Caller, request: &ChangeVerify) -> Answer<Account> {
    let tx = app.store.write().await?;
    let account = Some(caller.account);
    let (mut tx, proven) =
        proofs::check(app, tx, Purpose::Phone, account, &request.change, &request.code).await?;
    let phone = Phone::parse(&proven.change, "phone")?;
    use_up(app, &mut tx, &proven.digest).await?;
    if accounts::agent_has_phone(tx.conn(), &phone.key()).await? {
        tx.commit().await?;
        return Err(Refusal::new(ProblemCode::AgentAccount).field("phone"));
    }
    accounts::set_phone(tx.conn(), caller.account, phone.as_str(), &phone.key()).await?;
    let account = current(&mut tx, caller).await?;
    changed(app, tx, &account).await
}

/// Begins a change of the address: a code goes to the new one, whether or not it is somebody's.
pub async fn start_email(app: &App, caller: &Caller, request: &EmailChange) -> Answer<ChangeStarted> {
    own_profile(caller)?;
    let email = Email::twice(&request.email, &request.email_again)?;
    let account = password::again(app, caller, &request.password).await?;
    let mut tx = app.store.write().await?;
    let asked = tries::count_within(tx.conn(), MAILS, &account.id.to_string(), app.now(), 86_400).await?;
    if asked.count > MAILS_A_DAY {
        let wait = asked.ends_at - app.now();
        return Err(Refusal::new(ProblemCode::TooManyTries).field("email").retry_after(wait));
    }
    let begun = proofs::begin(app, &mut tx, account.id, Purpose::Email, Some(email.as_str())).await?;
    Post::mail(email.as_str(), &catalog::address_code(begun.code.expose())).put(app, &mut tx).await?;
    tx.commit().await?;
    Ok(started(begun))
}

/// The code from the mail: sets the address, tells the former one, and hands over what was granted to the new one.
/// Only now is it told that it is somebody else's.
pub async fn verify_email(app: &App, caller: &Caller, request: &ChangeVerify) -> Answer<Account> {
    let tx = app.store.write().await?;
    let account = Some(caller.account);
    let (mut tx, proven) =
        proofs::check(app, tx, Purpose::Email, account, &request.change, &request.code).await?;
    let email = Email::parse(&proven.change, "email")?;
    use_up(app, &mut tx, &proven.digest).await?;
    let former = current(&mut tx, caller).await?;
    if let Some(other) = accounts::by_email(tx.conn(), &email.key()).await?
        && other.id != former.id
    {
        tx.commit().await?;
        return Err(match other.kind.0 {
            AccountKind::Agent => Refusal::new(ProblemCode::AgentAccount).field("email"),
            _ => Refusal::conflict("Another account has this address.").field("email"),
        });
    }
    store::erasure::keep_former_name(tx.conn(), former.id, &former.email).await?;
    accounts::set_email(tx.conn(), former.id, email.as_str(), &email.key()).await?;
    let told = catalog::address_changed(&former.first_name, &app.config.policy.support);
    Post::mail(&former.email, &told).put(app, &mut tx).await?;
    let account = current(&mut tx, caller).await?;
    signup::claim_grants(app, &mut tx, &account).await?;
    changed(app, tx, &account).await
}

/// Sets the security questions.
pub async fn set_questions(app: &App, caller: &Caller, request: &SecurityQuestionsChange) -> Answer<()> {
    let account = password::again(app, caller, &request.password).await?;
    let mut tx = app.store.write().await?;
    password::unchanged(tx.conn(), &account).await?;
    let policy = app.policy(tx.conn(), account.association_id).await?;
    if policy.password_rule == PasswordRule::Strict {
        return Err(Refusal::new(ProblemCode::Forbidden).detail("There are no security questions here."));
    }
    let questions = signup::check_questions(&request.security_questions, 1)?;
    let sealed = app.vault.seal(signup::QUESTIONS, &account.id.to_string(), &questions)?;
    accounts::set_questions(tx.conn(), account.id, &sealed).await?;
    Ok(tx.commit().await?)
}

/// An agent's name, number and address are the association's.
pub fn own_profile(caller: &Caller) -> Answer<()> {
    match caller.kind {
        AccountKind::Contractor | AccountKind::Resident => Ok(()),
        AccountKind::Agent | AccountKind::Support => {
            Err(Refusal::new(ProblemCode::Forbidden)
                .detail("Your association keeps this. Please contact them."))
        }
    }
}

fn started(begun: Begun) -> ChangeStarted {
    ChangeStarted { change: begun.token.secret, code_expires_at: begun.expires_at }
}

async fn use_up(app: &App, tx: &mut Writing, digest: &str) -> Answer<()> {
    if store::proofs::spend(tx.conn(), digest, app.now()).await? { Ok(()) } else { Err(proofs::expired()) }
}

async fn current(tx: &mut Writing, caller: &Caller) -> Answer<AccountRow> {
    accounts::by_id(tx.conn(), caller.account).await?.ok_or_else(|| fault("a session without its account"))
}

async fn changed(app: &App, mut tx: Writing, account: &AccountRow) -> Answer<Account> {
    tx.touch::<Account>(account.id, account.id);
    let profile = login::profile_of(app, tx.conn(), account.id).await?;
    tx.commit().await?;
    Ok(profile)
}
