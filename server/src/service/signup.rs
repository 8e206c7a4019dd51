//! Making a contractor's account from an invitation. [ACC-8]

use sentri_wire::{
    Secret,
    account::{
        Account, AccountKind, SecurityQuestion, SignupComplete, SignupRequest, SignupStarted, SignupVerify,
    },
    agent::Grant,
    credential::Access,
    problem::ProblemCode,
};
use subtle::ConstantTimeEq;

use super::{App, digest};
use crate::{
    catalog,
    outbox::Post,
    refusal::{Answer, Refusal},
    rules::{self, Email, Phone},
    store::{
        Connection, Named, Writing,
        accounts::{self, AccountRow, Status},
        grants,
        invitations::{self, InvitationRow, SignupRow},
        meta,
    },
};

const CODE_SECONDS: i64 = 10 * 60;
const CODE_TRIES: i64 = 3;
const HOUR: i64 = 3600;
const MOST_QUESTIONS: usize = 5;

/// The first step: the invitation proves the address, and a code goes to the phone.
pub async fn start(app: &App, request: &SignupRequest) -> Answer<SignupStarted> {
    let email = Email::parse(&request.email, "email")?;
    if Email::parse(&request.email_again, "email_again")?.key() != email.key() {
        return Err(Refusal::invalid("email_again", "The two addresses differ."));
    }
    let phone = Phone::parse(&request.phone, "phone")?;
    if Phone::parse(&request.phone_again, "phone_again")?.key() != phone.key() {
        return Err(Refusal::invalid("phone_again", "The two numbers differ."));
    }

    let mut tx = app.store.write().await?;
    let invitation = open_invitation(app, tx.conn(), &digest(&request.invitation)).await?;
    if invitation.email_key != email.key() {
        return Err(Refusal::invalid("email", "The invitation was sent to another address."));
    }
    refuse_known_address(tx.conn(), &invitation.email_key).await?;

    let signup = app.new_token();
    let code = four_digits(app);
    let code_expires_at = app.now() + CODE_SECONDS;
    invitations::insert_signup(
        tx.conn(),
        &SignupRow {
            code: keyed_code(app, &signup.digest, &code),
            digest: signup.digest,
            invitation: invitation.digest,
            email: invitation.email,
            phone: phone.as_str().to_owned(),
            code_expires_at,
            tries: 0,
            verified_at: None,
            completed_at: None,
        },
    )
    .await?;
    let text = catalog::signup_code(code.expose());
    Post::text(&phone, &text).put(app, &mut tx).await?;
    tx.commit().await?;
    Ok(SignupStarted { signup: signup.secret, code_expires_at })
}

/// The second step: the code from the text. Only now is it told that the number is an agent's.
pub async fn verify(app: &App, request: &SignupVerify) -> Answer<()> {
    let digest = digest(&request.signup);
    let mut tx = app.store.write().await?;
    let signup = invitations::find_signup(tx.conn(), &digest).await?.ok_or_else(expired)?;
    if !invitations::take_try(tx.conn(), &digest, CODE_TRIES, app.now()).await? {
        return Err(if signup.tries >= CODE_TRIES && signup.verified_at.is_none() {
            Refusal::new(ProblemCode::TooManyTries).detail("Start again to get a new code.")
        } else {
            expired()
        });
    }
    let given = keyed_code(app, &digest, &request.code);
    if !bool::from(given.as_bytes().ct_eq(signup.code.as_bytes())) {
        // The try stays counted.
        tx.commit().await?;
        return Err(Refusal::new(ProblemCode::WrongCode).field("code"));
    }
    let phone = Phone::parse(&signup.phone, "phone")?;
    if accounts::agent_has_phone(tx.conn(), &phone.key()).await? {
        tx.commit().await?;
        return Err(Refusal::new(ProblemCode::AgentAccount).field("phone"));
    }
    invitations::set_verified(tx.conn(), &digest, app.now()).await?;
    Ok(tx.commit().await?)
}

/// The last step: makes the account, and hands it what was granted to its address.
pub async fn complete(app: &App, request: &SignupComplete) -> Answer<Account> {
    let first_name = rules::text(&request.first_name, 64, "first_name")?;
    let last_name = rules::text(&request.last_name, 64, "last_name")?;
    let role = rules::text(&request.role, 64, "role")?;
    rules::password(&request.password, "password")?;
    rules::pin(&request.pin, "pin")?;
    let questions = check_questions(&request.security_questions)?;

    let digest = digest(&request.signup);
    let signup = open_signup(app, &digest).await?;
    let (password, pin) =
        (app.passwords.hash(&request.password).await?, app.passwords.hash(&request.pin).await?);

    let mut tx = app.store.write().await?;
    let first = invitations::complete(tx.conn(), &digest, app.now()).await?
        && invitations::spend(tx.conn(), &signup.invitation, app.now()).await?;
    if !first {
        return Err(expired());
    }
    let email = Email::parse(&signup.email, "email")?;
    refuse_known_address(tx.conn(), &email.key()).await?;
    let phone = Phone::parse(&signup.phone, "phone")?;
    let id = app.new_id();
    let account = AccountRow {
        id,
        kind: Named(AccountKind::Contractor),
        status: Named(Status::Active),
        association_id: None,
        brokerage_id: None,
        sentrikey_id: None,
        first_name,
        last_name,
        email: email.as_str().to_owned(),
        email_key: email.key(),
        phone: phone.as_str().to_owned(),
        phone_key: phone.key(),
        role: Some(role),
        password,
        pin,
        security_questions: app.vault.seal("security-questions", &id.to_string(), &questions)?,
        subject: meta::next(tx.conn(), "subject").await?,
        created_at: app.now(),
    };
    accounts::insert(tx.conn(), &account).await?;
    claim_grants(&mut tx, &account).await?;
    tx.touch::<Account>(id, id);
    tx.commit().await?;
    Ok(account.to_wire())
}

async fn claim_grants(tx: &mut Writing, account: &AccountRow) -> Answer<()> {
    for grant in grants::claim(tx.conn(), &account.email_key, account.id).await? {
        tx.touch::<Access>(account.id, grant.id);
        tx.touch::<Grant>(grant.granter_id, grant.id);
    }
    Ok(())
}

async fn open_invitation(app: &App, conn: &mut Connection, digest: &str) -> Answer<InvitationRow> {
    invitations::find(conn, digest)
        .await?
        .filter(|row| row.used_at.is_none() && row.expires_at > app.now())
        .ok_or_else(|| expired().field("invitation"))
}

async fn open_signup(app: &App, digest: &str) -> Answer<SignupRow> {
    let mut conn = app.store.read().await?;
    invitations::find_signup(&mut conn, digest)
        .await?
        // The code was in time; who it is may take longer to type, but not for ever.
        .filter(|row| row.verified_at.is_some_and(|at| at + HOUR > app.now()) && row.completed_at.is_none())
        .ok_or_else(expired)
}

/// The address is proven, so it may be told what it belongs to.
async fn refuse_known_address(conn: &mut Connection, key: &str) -> Answer<()> {
    match accounts::by_email(conn, key).await? {
        None => Ok(()),
        Some(account) if account.kind.0 == AccountKind::Agent => {
            Err(Refusal::new(ProblemCode::AgentAccount).field("email"))
        }
        Some(_) => Err(expired().detail("This address has an account: log in, or reset its password.")),
    }
}

fn check_questions(questions: &[SecurityQuestion]) -> Answer<zeroize::Zeroizing<Vec<u8>>> {
    if !(1..=MOST_QUESTIONS).contains(&questions.len()) {
        return Err(Refusal::invalid("security_questions", "Choose one to five questions."));
    }
    for (index, question) in questions.iter().enumerate() {
        rules::text(&question.question, 200, &format!("security_questions[{index}].question"))?;
        rules::text(question.answer.expose(), 200, &format!("security_questions[{index}].answer"))?;
    }
    Ok(zeroize::Zeroizing::new(serde_json::to_vec(questions)?))
}

/// Four digits, each as likely as another.
fn four_digits(app: &App) -> Secret {
    // 2^64 is so much larger than 10,000 that the bias is below 10^-15.
    let number = u64::from_be_bytes(app.random()) % 10_000;
    Secret::new(format!("{number:04}"))
}

/// A code has 10,000 values: only a keyed digest hides it. It is bound to the request that asked for it.
fn keyed_code(app: &App, signup: &str, code: &Secret) -> String {
    app.vault.fingerprint("signup-code", format!("{signup}.{}", code.expose()).as_bytes())
}

fn expired() -> Refusal {
    Refusal::new(ProblemCode::Expired)
}
