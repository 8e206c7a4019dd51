//! Making a contractor's account, from an invitation or unprompted. [ACC-8]

use sentri_wire::{
    Secret,
    account::{
        Account, AccountKind, PasswordRule, SecurityQuestion, SignupComplete, SignupRequest, SignupStarted,
        SignupVerify,
    },
    agent::Grant,
    credential::Access,
    problem::ProblemCode,
};
use zeroize::Zeroizing;

use super::{App, codes, digest};
use crate::{
    catalog,
    outbox::Post,
    refusal::{Answer, Refusal},
    rules::{self, Email, Phone},
    store::{
        self, Connection, Named, Writing,
        accounts::{self, AccountRow, Status},
        credentials, grants,
        invitations::{self, InvitationRow, SignupRow},
        meta, tries,
    },
};

const HOUR: i64 = 3600;
/// Under what the questions are sealed.
pub const QUESTIONS: &str = "security-questions";
/// Under what the codes are hidden.
const TEXT: &str = "signup-code";
const MAIL: &str = "signup-mail-code";
/// Mails with a code that one address gets within a day, whoever asks for them.
const MAILS_A_DAY: i64 = 5;
const MAILS: &str = "signup-mail";
const MOST_QUESTIONS: usize = 5;

/// The first step: a code goes to the phone, and where no invitation proves the address, another one to that.
pub async fn start(app: &App, request: &SignupRequest) -> Answer<SignupStarted> {
    let email = Email::twice(&request.email, &request.email_again)?;
    let phone = Phone::twice(&request.phone, &request.phone_again)?;
    let mut tx = app.store.write().await?;
    let signup = app.new_token();
    let code = codes::digits(app, codes::TEXTED);
    let mut row = SignupRow {
        code: codes::keyed(app, TEXT, &signup.digest, &code),
        digest: signup.digest,
        invitation: None,
        email: email.as_str().to_owned(),
        phone: phone.as_str().to_owned(),
        email_code: None,
        code_expires_at: app.now() + codes::SECONDS,
        tries: 0,
        verified_at: None,
        completed_at: None,
    };
    match &request.invitation {
        Some(token) => row.invitation = Some(invited(app, &mut tx, &email, token).await?),
        None => row.email_code = Some(prove_address(app, &mut tx, &email, &row.digest).await?),
    }
    invitations::insert_signup(tx.conn(), &row).await?;
    Post::text(&phone, &catalog::signup_code(code.expose())).put(app, &mut tx).await?;
    tx.commit().await?;
    Ok(SignupStarted {
        signup: signup.secret,
        code_expires_at: row.code_expires_at,
        email_code: row.email_code.is_some(),
    })
}

/// The invitation was sent to this address, so that its holder has proven it.
async fn invited(app: &App, tx: &mut Writing, email: &Email, token: &Secret) -> Answer<String> {
    let invitation = open_invitation(app, tx.conn(), &digest(token)).await?;
    if invitation.email_key != email.key() {
        return Err(Refusal::invalid("email", "The invitation was sent to another address."));
    }
    refuse_known_address(tx.conn(), &invitation.email_key).await?;
    Ok(invitation.digest)
}

/// Mails a code, whether or not the address is somebody's: that is told after the code. Says what is stored of it.
async fn prove_address(app: &App, tx: &mut Writing, email: &Email, signup: &str) -> Answer<String> {
    let subject = app.vault.fingerprint(MAILS, email.key().as_bytes());
    let asked = tries::count_within(tx.conn(), MAILS, &subject, app.now(), 86_400).await?;
    if asked.count > MAILS_A_DAY {
        let wait = asked.ends_at - app.now();
        return Err(Refusal::new(ProblemCode::TooManyTries).field("email").retry_after(wait));
    }
    let code = codes::digits(app, codes::MAILED);
    Post::mail(email.as_str(), &catalog::address_code(code.expose())).put(app, tx).await?;
    Ok(codes::keyed(app, MAIL, signup, &code))
}

/// The second step: the code from the text, and the one from the mail where one was sent. Only now is it told that
/// number or address is an agent's.
pub async fn verify(app: &App, request: &SignupVerify) -> Answer<()> {
    let digest = digest(&request.signup);
    let mut tx = app.store.write().await?;
    let signup = invitations::find_signup(tx.conn(), &digest).await?.ok_or_else(expired)?;
    if !invitations::take_try(tx.conn(), &digest, codes::TRIES, app.now()).await? {
        return Err(if signup.tries >= codes::TRIES && signup.verified_at.is_none() {
            Refusal::new(ProblemCode::TooManyTries).detail("Start again to get a new code.")
        } else {
            expired()
        });
    }
    if let Err(refused) = judge(app, &mut tx, &signup, request).await {
        // The try stays counted.
        tx.commit().await?;
        return Err(refused);
    }
    invitations::set_verified(tx.conn(), &digest, app.now()).await?;
    Ok(tx.commit().await?)
}

async fn judge(app: &App, tx: &mut Writing, signup: &SignupRow, request: &SignupVerify) -> Answer<()> {
    let given = codes::keyed(app, TEXT, &signup.digest, &request.code);
    codes::check(&signup.code, &given, "code")?;
    if let Some(stored) = &signup.email_code {
        let code = request.email_code.as_ref();
        let code = code.ok_or_else(|| Refusal::new(ProblemCode::WrongCode).field("email_code"))?;
        codes::check(stored, &codes::keyed(app, MAIL, &signup.digest, code), "email_code")?;
        refuse_known_address(tx.conn(), &Email::parse(&signup.email, "email")?.key()).await?;
    }
    let phone = Phone::parse(&signup.phone, "phone")?;
    if accounts::agent_has_phone(tx.conn(), &phone.key()).await? {
        return Err(Refusal::new(ProblemCode::AgentAccount).field("phone"));
    }
    Ok(())
}

/// The last step: makes the account, and hands it what was granted to its address.
pub async fn complete(app: &App, request: &SignupComplete) -> Answer<Account> {
    let first_name = rules::text(&request.first_name, 64, "first_name")?;
    let last_name = rules::text(&request.last_name, 64, "last_name")?;
    let role = rules::text(&request.role, 64, "role")?;
    let passwords = app.config.policy.password_rule;
    rules::password(passwords, &request.password, "password")?;
    rules::pin(&request.pin, "pin")?;
    let questions = match passwords {
        PasswordRule::Standard => check_questions(&request.security_questions, 1)?,
        PasswordRule::Strict => check_questions(&[], 0)?,
    };

    let digest = digest(&request.signup);
    let signup = open_signup(app, &digest).await?;
    let (password, pin) =
        (app.passwords.hash(&request.password).await?, app.passwords.hash(&request.pin).await?);

    let mut tx = app.store.write().await?;
    let mut first = invitations::complete(tx.conn(), &digest, app.now()).await?;
    if let Some(invitation) = &signup.invitation {
        first &= invitations::spend(tx.conn(), invitation, app.now()).await?;
    }
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
        security_questions: app.vault.seal(QUESTIONS, &id.to_string(), &questions)?,
        subject: meta::next(tx.conn(), "subject").await?,
        created_at: app.now(),
    };
    accounts::insert(tx.conn(), &account).await?;
    claim_grants(app, &mut tx, &account).await?;
    tx.touch::<Account>(id, id);
    tx.commit().await?;
    Ok(account.to_wire())
}

/// Hands an account what was granted to the address that it has proven, on each of its phones.
pub async fn claim_grants(app: &App, tx: &mut Writing, account: &AccountRow) -> Answer<()> {
    for grant in grants::claim(tx.conn(), &account.email_key, account.id).await? {
        tx.touch::<Access>(account.id, grant.id);
        tx.touch::<Grant>(grant.granter_id, grant.id);
    }
    for device in store::devices::of_account(tx.conn(), account.id).await? {
        credentials::set_all_due(tx.conn(), device, account.id, app.now()).await?;
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

/// Checks questions, at least so many, and makes of them what is sealed.
pub fn check_questions(questions: &[SecurityQuestion], least: usize) -> Answer<Zeroizing<Vec<u8>>> {
    if !(least..=MOST_QUESTIONS).contains(&questions.len()) {
        return Err(Refusal::invalid("security_questions", "Choose one to five questions."));
    }
    for (index, question) in questions.iter().enumerate() {
        rules::text(&question.question, 200, &format!("security_questions[{index}].question"))?;
        rules::text(question.answer.expose(), 200, &format!("security_questions[{index}].answer"))?;
    }
    Ok(Zeroizing::new(serde_json::to_vec(questions)?))
}

fn expired() -> Refusal {
    Refusal::new(ProblemCode::Expired)
}
