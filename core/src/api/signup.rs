//! A contractor or resident makes an account, invited or not. [ACC-8]

use std::sync::Arc;

use sentri_wire::{
    Secret,
    account::{SecurityQuestion, SignupComplete, SignupRequest, SignupStarted, SignupVerify},
};

use super::{core_object::SentriCore, error::CoreError};
use crate::{flows::identity::token_in, http::Api};

/// The first page: address and cell phone, each as typed twice.
#[derive(Clone, uniffi::Record)]
pub struct SignupForm {
    /// The invitation mail's link, or the token in it; without one, the address is proven by a mailed code.
    pub invitation: Option<Secret>,
    /// The address that accesses are granted to.
    pub email: String,
    /// The same again.
    pub email_again: String,
    /// Cell phone number.
    pub phone: String,
    /// The same again.
    pub phone_again: String,
}

/// The last page: who it is.
#[derive(Clone, uniffi::Record)]
pub struct NewPerson {
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// "Plumber", "Appraiser", …; not kept for a resident.
    pub role: String,
    /// 6 to 20 characters, an upper case, a lower case, a digit. [ACC-9]
    pub password: Secret,
    /// Four digits, not all equal, not a run. [ACC-9]
    pub pin: Secret,
    /// Questions and answers that support may ask for; at least one.
    pub security_questions: Vec<QuestionAndAnswer>,
}

/// A question that support may ask to verify a caller.
#[derive(Clone, uniffi::Record)]
pub struct QuestionAndAnswer {
    /// The question.
    pub question: String,
    /// The answer.
    pub answer: Secret,
}

/// An account in the making. Lives as long as the texted code.
#[derive(uniffi::Object)]
pub struct Signup {
    api: Api,
    name: Secret,
    code_expires_at: i64,
    email_code: bool,
}

#[uniffi::export]
impl SentriCore {
    /// Begins: a four-digit code goes out by text, and without an invitation a six-digit one by mail.
    ///
    /// `InvalidField` names the field; `LinkExpired` where the invitation is used; `AgentAccount` where the
    /// proven address is an agent's.
    pub async fn start_signup(&self, form: SignupForm) -> Result<Arc<Signup>, CoreError> {
        let request = SignupRequest {
            email: form.email,
            email_again: form.email_again,
            phone: form.phone,
            phone_again: form.phone_again,
            invitation: form.invitation.map(|link| token_in(link.expose())),
        };
        let started = self.core.api.signup(&request).await?;
        let api = self.core.api.clone();
        let SignupStarted { signup, code_expires_at, email_code } = started;
        Ok(Arc::new(Signup { api, name: signup, code_expires_at, email_code }))
    }
}

#[uniffi::export]
impl Signup {
    /// When the texted code stops working, in seconds since 1970-01-01 UTC.
    pub fn code_expires_at(&self) -> i64 {
        self.code_expires_at
    }

    /// Whether a code was mailed as well, since no invitation proved the address: `verify` wants both.
    pub fn wants_email_code(&self) -> bool {
        self.email_code
    }

    /// Shows the four digits from the text, and the six from the mail where `wants_email_code` says so.
    ///
    /// `WrongCode`; `TooManyTries` and `LinkExpired` ask for a new start; `AgentAccount` where the address or the
    /// number turns out to be an agent's.
    #[uniffi::method(default(email_code = None))]
    pub async fn verify(&self, code: String, email_code: Option<String>) -> Result<(), CoreError> {
        let request = SignupVerify {
            signup: self.name.clone(),
            code: Secret::new(code),
            email_code: email_code.map(Secret::new),
        };
        Ok(self.api.verify_signup(&request).await?)
    }

    /// Makes the account; the user logs in next.
    ///
    /// `InvalidField` names the field.
    pub async fn complete(&self, person: NewPerson) -> Result<(), CoreError> {
        let request = SignupComplete {
            signup: self.name.clone(),
            first_name: person.first_name,
            last_name: person.last_name,
            role: person.role,
            password: person.password,
            pin: person.pin,
            security_questions: person.security_questions.into_iter().map(to_wire).collect(),
        };
        Ok(self.api.complete_signup(&request).await?)
    }
}

/// A question with its answer, as the backend takes it.
pub(super) fn to_wire(it: QuestionAndAnswer) -> SecurityQuestion {
    SecurityQuestion { question: it.question, answer: it.answer }
}
