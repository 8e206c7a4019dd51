//! What people change of their own account. Each change asks for the password again. [ACC-10]

use sentri_wire::{
    Secret, Timestamp,
    account::{Account, SecurityQuestion},
    identity::{
        ChangeStarted, ChangeVerify, EmailChange, PasswordChange, PhoneChange, ProfileChange,
        SecurityQuestionsChange,
    },
};

use crate::{
    CoreError,
    http::Call,
    session::{Session, SessionError},
};

/// What waits for a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A cell phone number; the code comes by text.
    Phone,
    /// An address; the code comes by mail.
    Email,
}

/// A change that waits for its code.
pub struct Pending {
    change: Secret,
    what: What,
    /// When the code stops working.
    pub code_expires_at: Timestamp,
}

/// A new name and role.
pub async fn change_profile(session: &Session, change: ProfileChange) -> Result<Account, CoreError> {
    let changed = session.call(&Call::post("/v1/me/profile", &change)?.repeatable()).await?;
    keep(session, changed).await
}

/// A new password. Never repeated by itself: the repeat would show a password that holds no more.
pub async fn change_password(session: &Session, change: PasswordChange) -> Result<(), SessionError> {
    session.tell(&Call::post("/v1/me/password", &change)?).await
}

/// New security questions.
pub async fn change_questions(
    session: &Session,
    password: Secret,
    security_questions: Vec<SecurityQuestion>,
) -> Result<(), SessionError> {
    let change = SecurityQuestionsChange { password, security_questions };
    session.tell(&Call::post("/v1/me/security-questions", &change)?.repeatable()).await
}

/// Begins to change the number.
pub async fn change_phone(session: &Session, change: PhoneChange) -> Result<Pending, SessionError> {
    let started = session.call(&Call::post("/v1/me/phone", &change)?).await?;
    Ok(Pending::of(What::Phone, started))
}

/// Begins to change the address.
pub async fn change_email(session: &Session, change: EmailChange) -> Result<Pending, SessionError> {
    let started = session.call(&Call::post("/v1/me/email", &change)?).await?;
    Ok(Pending::of(What::Email, started))
}

impl Pending {
    fn of(what: What, started: ChangeStarted) -> Self {
        Self { change: started.change, what, code_expires_at: started.code_expires_at }
    }

    /// Shows the code; makes the change.
    pub async fn verify(&self, session: &Session, code: Secret) -> Result<Account, CoreError> {
        let path = match self.what {
            What::Phone => "/v1/me/phone/verify",
            What::Email => "/v1/me/email/verify",
        };
        let request = ChangeVerify { change: self.change.clone(), code };
        let changed = session.call(&Call::post(path, &request)?).await?;
        keep(session, changed).await
    }
}

async fn keep(session: &Session, changed: Account) -> Result<Account, CoreError> {
    let kept = changed.clone();
    session.write("account", move |rows| rows.put(&kept)).await?;
    Ok(changed)
}
